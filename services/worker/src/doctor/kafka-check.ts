/** The Kafka that records go to: there, its topics, what may be done with them. Nothing is written. */
import { Admin, ConfigResourceTypes } from '@platformatic/kafka';
import type { WorkerConfig } from '../config.ts';
import { type AzureToken, connectionOf } from '../kafka/connection-of-settings.ts';
import { type DescribedTopic, describeTopics } from '../kafka/describe-topics.ts';
import type { KafkaConnection } from '../kafka/kafka-connection.ts';
import { reasonOf, setupProblemOf } from '../kafka/kafka-error.ts';
import { kafkaSettings, securityProtocolOf } from '../kafka/kafka-settings.ts';
import { outliveLateErrors, platformaticOptions } from '../kafka/platformatic-options.ts';
import { probeKafka } from '../kafka/probe-kafka.ts';
import { count, error, namesOf, ok, type Problem, type Remark } from './finding.ts';
import { judgeStates, judgeTopics, type SeenTopic, type TopicSettings } from './kafka-topics.ts';

export const KAFKA_SETTINGS = [
  ...(Object.keys(kafkaSettings) as (keyof typeof kafkaSettings)[]),
  'KAFKA_BROKERS',
  'KAFKA_CLIENT_ID',
  'KAFKA_TOPIC',
  'KAFKA_DEAD_LETTER_TOPIC',
  'KAFKA_CREATE_TOPICS',
  'KAFKA_TOMBSTONES',
] as const;

type Place = Pick<WorkerConfig, (typeof KAFKA_SETTINGS)[number]>;

/** Beside KAFKA_TOPIC and KAFKA_DEAD_LETTER_TOPIC: those that subscriptions and tenants name. */
export type NamedTopics = { readonly records: readonly string[]; readonly deadLetters: readonly string[] };

export async function checkKafka(
  place: Place,
  named: NamedTopics,
  azureToken: AzureToken,
  signal: AbortSignal,
): Promise<Remark[]> {
  const connection = connectionOf(place, azureToken);
  const admin = open(connection);
  signal.addEventListener('abort', () => void admin.close().catch(() => undefined));
  try {
    return await look(admin, connection, place, named);
  } catch (thrown) {
    return [unreached(thrown, place.KAFKA_BROKERS)];
  } finally {
    // What is still under way need not be waited for.
    void admin.close().catch(() => undefined);
  }
}

function open(connection: KafkaConnection): Admin {
  return outliveLateErrors(new Admin({ ...platformaticOptions(connection), retries: 0 }));
}

const CURE = 'correct KAFKA_BROKERS and KAFKA_SECURITY_PROTOCOL, or let this machine out to the brokers';

/** What an operator can mend comes as `what: cure`. */
function unreached(thrown: unknown, brokers: readonly string[]): Problem {
  const reason = reasonOf(thrown);
  const at = reason.indexOf(': ');
  if (setupProblemOf(thrown) === undefined) {
    return error(`no broker answers at ${namesOf(brokers)} (${reason})`, CURE);
  }
  if (at < 0) return error(reason, CURE);
  return error(reason.slice(0, at), reason.slice(at + 2));
}

async function look(
  admin: Admin,
  connection: KafkaConnection,
  place: Place,
  named: NamedTopics,
): Promise<Remark[]> {
  const records = [place.KAFKA_TOPIC, ...named.records];
  const deadLetters = [place.KAFKA_DEAD_LETTER_TOPIC, ...named.deadLetters];
  const settings: TopicSettings = {
    deadLetters,
    creates: place.KAFKA_CREATE_TOPICS,
    tombstones: place.KAFKA_TOMBSTONES,
  };
  const described = await describeTopics(admin, [...new Set([...records, ...deadLetters])]);
  const led = described.filter(({ state }) => state === 'led');
  const { brokers, topics } = await admin.metadata({ topics: led.map(({ name }) => name) });
  const configs = await readConfigs(admin, led);
  const seen = led.map((each): SeenTopic => {
    const partitions = topics.get(each.name)?.partitions ?? [];
    return {
      name: each.name,
      mayWrite: each.mayWrite,
      partitions: partitions.length,
      replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
      behind: partitions.filter(({ isr, replicas }) => isr.length < replicas.length).length,
      ...(configs.get(each.name) ?? UNTOLD),
    };
  });
  const away = await findUnreached(connection, [...brokers.values()]);
  return [
    ok(
      `${namesOf(place.KAFKA_BROKERS)} answers: ${count(brokers.size, 'broker')}, ${securityProtocolOf(place)}`,
    ),
    ...away,
    ...judgeStates(described, settings),
    ...judgeTopics(seen, settings),
  ];
}

/** A record goes to its partition's leader, where the cluster says that it is: the usual mistake of a Kafka in containers. */
async function findUnreached(
  connection: KafkaConnection,
  brokers: readonly { readonly host: string; readonly port: number }[],
): Promise<Problem[]> {
  const asked = await Promise.all(
    brokers.map(async ({ host, port }) => {
      const address = `${host.includes(':') ? `[${host}]` : host}:${port}`;
      try {
        await probeKafka({ ...connection, brokers: [address] });
        return [];
      } catch (thrown) {
        return [`${address} (${thrown instanceof Error ? thrown.message : 'no answer'})`];
      }
    }),
  );
  const away = asked.flat();
  if (away.length === 0) return [];
  return [
    error(
      `the cluster names brokers that do not answer from here: ${namesOf(away, 3)}`,
      'correct advertised.listeners of these brokers, or let this machine out to them',
    ),
  ];
}

type TopicConfig = Pick<SeenTopic, 'minInSync' | 'maxBytes' | 'cleanup'>;

const UNTOLD: TopicConfig = { minInSync: undefined, maxBytes: undefined, cleanup: undefined };

/** Empty where the user may not see them (DescribeConfigs): the worker needs no such right. */
async function readConfigs(
  admin: Admin,
  topics: readonly DescribedTopic[],
): Promise<ReadonlyMap<string, TopicConfig>> {
  if (topics.length === 0) return new Map();
  const resources = topics.map(({ name }) => ({
    resourceType: ConfigResourceTypes.TOPIC,
    resourceName: name,
  }));
  const described = await admin.describeConfigs({ resources }).catch(() => []);
  return new Map(
    described.map(({ resourceName, configs }) => {
      const value = (name: string) => configs.find((config) => config.name === name)?.value ?? undefined;
      const number = (name: string) => {
        const text = value(name);
        return text === undefined ? undefined : Number(text);
      };
      const told = {
        minInSync: number('min.insync.replicas'),
        maxBytes: number('max.message.bytes'),
        cleanup: value('cleanup.policy'),
      };
      return [resourceName, told];
    }),
  );
}
