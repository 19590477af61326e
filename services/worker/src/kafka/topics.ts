/**
 * The topics that records go to exist before the first record, and may be written to: made by us where that is
 * allowed, with settings that suit change records, and never by a broker that takes a typo for a wish.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Admin } from '@platformatic/kafka';
import { type DescribedTopic, describeTopics } from './describe-topics.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { brokerCodesOf, reasonOf, setupProblemOf } from './kafka-error.ts';
import { outliveLateErrors, platformaticOptions } from './platformatic-options.ts';

export type TopicSettings = {
  readonly create: boolean;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replication: number;
  /** Of a topic that is created, in Kafka's words (`cleanup.policy`). */
  readonly configs: Readonly<Record<string, string>>;
};

/** What the operator has to mend before anything can be published: a topic, a right, a way to sign in. */
export class KafkaSetupError extends Error {
  override readonly name = 'KafkaSetupError';
}

/** A new topic's leaders are elected within a second; a cluster of many partitions takes longer. */
const LEADERS_WITHIN_MS = 15_000;
const LEADERS_EVERY_MS = 50;

/** Resolves to the names of the topics that were created; rejects with a `KafkaSetupError`, or any other where Kafka is away. */
export async function ensureTopics(
  connection: KafkaConnection,
  wanted: readonly string[],
  settings: TopicSettings,
): Promise<string[]> {
  const admin = outliveLateErrors(new Admin(platformaticOptions(connection)));
  try {
    return await ensureWith(admin, [...new Set(wanted)], settings);
  } catch (error) {
    if (error instanceof KafkaSetupError) throw error;
    const reason = reasonOf(error);
    throw setupProblemOf(error)
      ? new KafkaSetupError(reason, { cause: error })
      : new Error(reason, { cause: error });
  } finally {
    await admin.close();
  }
}

async function ensureWith(admin: Admin, wanted: string[], settings: TopicSettings): Promise<string[]> {
  const before = await describeTopics(admin, wanted);
  requireRights(before);
  const missing = before.filter(({ state }) => state === 'missing').map(({ name }) => name);
  if (missing.length === 0) return [];
  if (!settings.create) throw missingTopics(missing);
  for (const topic of missing) await create(admin, topic, settings);
  requireRights(await untilLed(admin, missing));
  return missing;
}

function missingTopics(topics: readonly string[]): KafkaSetupError {
  const them = topics.length === 1 ? 'it' : 'them';
  return new KafkaSetupError(
    `Kafka has no topic ${topics.join(', ')}: create ${them}, correct the name, or set KAFKA_CREATE_TOPICS=true`,
  );
}

/** A right that is missing would show at the first record, and hold it up for good. */
function requireRights(topics: readonly DescribedTopic[]): void {
  const named = (state: DescribedTopic['state']) =>
    topics.filter((topic) => topic.state === state).map(({ name }) => name);
  const [hidden, invalid] = [named('hidden'), named('invalid')];
  const closed = topics.filter(({ mayWrite }) => mayWrite === false).map(({ name }) => name);
  const problems = [
    ...(invalid.length > 0 ? [`Kafka takes no topic of the name ${invalid.join(', ')}`] : []),
    ...(hidden.length > 0 ? [rightProblem('Describe', hidden)] : []),
    ...(closed.length > 0 ? [rightProblem('Write', closed)] : []),
  ];
  if (problems.length > 0) throw new KafkaSetupError(problems.join('; '));
}

function rightProblem(right: string, topics: readonly string[]): string {
  return `the right ${right} is missing for topic ${topics.join(', ')}: grant it to the user that the worker signs in as`;
}

async function create(admin: Admin, topic: string, settings: TopicSettings): Promise<void> {
  try {
    await admin.createTopics({
      topics: [topic],
      partitions: settings.partitions,
      replicas: settings.replication,
      configs: Object.entries(settings.configs).map(([name, value]) => ({ name, value })),
    });
  } catch (error) {
    const codes = brokerCodesOf(error);
    // Another worker was quicker.
    if (codes.includes('TOPIC_ALREADY_EXISTS')) return;
    const code = codes.find((each) => each in CREATION_PROBLEMS);
    if (!code) throw error;
    throw new KafkaSetupError(`topic ${topic} cannot be created: ${CREATION_PROBLEMS[code]} (${code})`, {
      cause: error,
    });
  }
}

const CREATION_PROBLEMS: Readonly<Record<string, string>> = {
  TOPIC_AUTHORIZATION_FAILED: 'the right Create is missing; grant it, or create the topic yourself',
  CLUSTER_AUTHORIZATION_FAILED: 'the right Create is missing; grant it, or create the topic yourself',
  INVALID_REPLICATION_FACTOR: 'there are fewer brokers than KAFKA_TOPIC_REPLICATION',
  INVALID_PARTITIONS: 'correct KAFKA_TOPIC_PARTITIONS',
  INVALID_CONFIG:
    'the brokers refuse KAFKA_TOPIC_CLEANUP_POLICY, KAFKA_TOPIC_RETENTION_HOURS or KAFKA_TOPIC_MAX_MESSAGE_BYTES',
  INVALID_TOPIC_EXCEPTION: 'correct its name',
  POLICY_VIOLATION: "the brokers' policy forbids it as it is set",
};

/** The first record would wait for leaders otherwise. */
async function untilLed(admin: Admin, topics: string[]): Promise<DescribedTopic[]> {
  const giveUpAt = performance.now() + LEADERS_WITHIN_MS;
  while (true) {
    const described = await describeTopics(admin, topics);
    if (described.every(({ state }) => state !== 'missing' && state !== 'leaderless')) return described;
    if (performance.now() > giveUpAt) throw new Error(`no leaders for topic ${topics.join(', ')}`);
    await pause(LEADERS_EVERY_MS);
  }
}
