/** The doctor's look at a real Kafka: brokers, topics, rights. Nothing is written. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTopic, endOffsets, freePort, KafkaBroker } from '@graph2kafka/test-harness';
import {
  AclOperations,
  AclPermissionTypes,
  Admin,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { checkKafka, KAFKA_SETTINGS } from '../../src/doctor/kafka-check.ts';
import { judgeTopics, type SeenTopic } from '../../src/doctor/kafka-topics.ts';
import { readSettings } from '../../src/doctor/read-settings.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { ownTopic, ownTopicName } from '../support/own-topic.ts';

const noToken = () => Promise.reject(new Error('nobody signs in with Azure here'));

async function check(
  more: Record<string, string>,
  wished: string[] = [],
  signal = new AbortController().signal,
) {
  const settings = await readSettings({ KAFKA_BROKERS: inject('kafkaBrokers'), ...more });
  const place = settings.part(KAFKA_SETTINGS);
  if (!place) throw new Error(settings.problems.join());
  return checkKafka(place, { records: wished, deadLetters: [] }, noToken, signal);
}

const told = async (...given: Parameters<typeof check>) =>
  (await check(...given)).map(({ level, found }) => `${level}: ${found}`);

const topics = (KAFKA_TOPIC: string, KAFKA_DEAD_LETTER_TOPIC: string) => ({
  KAFKA_TOPIC,
  KAFKA_DEAD_LETTER_TOPIC,
});

describe('a Kafka', () => {
  it('is described: brokers, topics, how they are set; and nothing is written', async () => {
    const [records, letters] = [await ownTopic(3), await ownTopic()];
    const [broker, described, ...rest] = await told(topics(records, letters));
    expect(broker).toBe(`ok: ${inject('kafkaBrokers')} answers: 1 broker, PLAINTEXT`);
    expect(described).toBe(
      `ok: 2 topics: ${records} (3 partitions, 1 replica, min.insync.replicas 1, 1,048,588 bytes, delete), ` +
        `${letters} (1 partition, 1 replica, min.insync.replicas 1, 1,048,588 bytes, delete)`,
    );
    expect(rest).toEqual([expect.stringMatching(/^warning: one replica alone for /)]);
    expect((await endOffsets(inject('kafkaBrokers'), records)).map(({ endOffset }) => endOffset)).toEqual([
      0, 0, 0,
    ]);
  });

  it('without a topic is an error, or makes it where that is allowed', async () => {
    const [there, missing] = [await ownTopic(), ownTopicName()];
    const left = await told(topics(there, there), [missing]);
    expect(left).toContain(`error: Kafka has no topic ${missing}`);
    const made = await told({ ...topics(there, there), KAFKA_CREATE_TOPICS: 'true' }, [missing]);
    expect(made).toContain(`ok: the worker will create ${missing} at its start, if it has the right Create`);
    expect(await told(topics(there, there), [missing])).toEqual(left);
  });

  it('whose topics lose news is a warning', async () => {
    const compacted = await ownTopic(1, inject('kafkaBrokers'), { 'cleanup.policy': 'compact' });
    const small = await ownTopic(1, inject('kafkaBrokers'), { 'max.message.bytes': '50000' });
    const lines = await told(topics(compacted, small));
    expect(lines).toContain(`warning: ${compacted} is compacted, and deleted resources stay in it for ever`);
    expect(lines).toContain(
      `warning: less than 1,000,000 bytes taken by ${small}: what is larger becomes a dead letter`,
    );
    const other = await told({ ...topics(small, compacted), KAFKA_TOMBSTONES: 'true' });
    expect(other).toContain(
      `warning: ${compacted} is compacted: of several dead letters of a resource only the last stays`,
    );
    expect(other.join()).not.toContain('stay in it for ever');
  });

  it('that is not there, or silent, is an error', async () => {
    const nowhere = `127.0.0.1:${await freePort()}`;
    expect(await told({ KAFKA_BROKERS: nowhere })).toEqual([
      expect.stringMatching(new RegExp(`^error: no broker answers at ${nowhere} \\(.*ECONNREFUSED`)),
    ]);
    const { address } = await startBlackHole();
    expect(await told({ KAFKA_BROKERS: address }, [], AbortSignal.timeout(500))).toEqual([
      expect.stringMatching(new RegExp(`^error: no broker answers at ${address}`)),
    ]);
  });
});

describe('a Kafka with rights', () => {
  const PASSWORD = 'PLANTED-KAFKA-PASSWORD';
  let dir: string;
  let broker: KafkaBroker;

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'graph2kafka-doctor-'));
    broker = await KafkaBroker.start({
      dir,
      jvmOptions: ['-Xmx256m'],
      // Nobody listens where it says that it is.
      proxyPort: await freePort(),
      scramUsers: ['writer', 'reader', 'guest'].map((name) => {
        return { mechanism: 'SCRAM-SHA-512' as const, name, password: PASSWORD };
      }),
      listeners: [
        {
          name: 'SIGNIN',
          protocol: 'SASL_PLAINTEXT',
          properties: {
            'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
            'scram-sha-512.sasl.jaas.config':
              'org.apache.kafka.common.security.scram.ScramLoginModule required;',
          },
        },
      ],
      extraProperties: {
        'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
        'super.users': 'User:ANONYMOUS',
      },
    });
    await createTopic(broker.brokers, 'records');
    await allow('writer', AclOperations.WRITE);
    await allow('reader', AclOperations.DESCRIBE);
  });

  afterAll(async () => {
    await broker?.stop();
    await rm(dir, { recursive: true, force: true });
  });

  async function allow(user: string, operation: (typeof AclOperations)['WRITE' | 'DESCRIBE']) {
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [broker.brokers] });
    try {
      await admin.createAcls({
        creations: [
          {
            resourceType: ResourceTypes.TOPIC,
            resourceName: 'records',
            resourcePatternType: ResourcePatternTypes.LITERAL,
            principal: `User:${user}`,
            host: '*',
            operation,
            permissionType: AclPermissionTypes.ALLOW,
          },
        ],
      });
    } finally {
      await admin.close();
    }
  }

  const as = (user: string, password = PASSWORD) => ({
    ...topics('records', 'records'),
    KAFKA_BROKERS: broker.addressOf('SIGNIN'),
    KAFKA_SECURITY_PROTOCOL: 'SASL_PLAINTEXT',
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: user,
    KAFKA_SASL_PASSWORD: password,
  });

  it('is well for who may write, also where it shows no settings', async () => {
    const lines = await told(as('writer'));
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([]);
    expect(lines).toContain('ok: 1 topic: records (1 partition, 1 replica)');
  });

  it.each([
    ['reader', 'error: the right Write is missing for records'],
    ['guest', 'error: the right Describe is missing for records'],
  ])('says what is missing for %s', async (user, line) => expect(await told(as(user))).toContain(line));

  it('whose brokers name an address that is not reached is an error', async () => {
    const KAFKA_BROKERS = `127.0.0.1:${broker.portBehindProxy}`;
    const lines = await told({ ...topics('records', 'records'), KAFKA_BROKERS });
    expect(lines.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringMatching(
        /^error: the cluster names brokers that do not answer from here: 127\.0\.0\.1:\d+ \(.*ECONNREFUSED/,
      ),
    ]);
  });

  it('says that it refuses the sign-in, without the password', async () => {
    const remarks = await check(as('writer', 'PLANTED-WRONG'));
    expect(remarks).toEqual([
      {
        level: 'error',
        found: 'Kafka refuses the sign-in',
        cure: 'correct KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD, or KAFKA_OIDC_*',
      },
    ]);
  });
});

describe('a topic', () => {
  const good: SeenTopic = {
    name: 'records',
    mayWrite: true,
    partitions: 12,
    replicas: 3,
    behind: 0,
    minInSync: 2,
    maxBytes: 1_048_588,
    cleanup: 'compact,delete',
  };
  const judge = (more: Partial<SeenTopic>) =>
    judgeTopics([{ ...good, ...more }], { deadLetters: ['letters'], creates: false, tombstones: false })
      .slice(1)
      .map(({ level, found }) => `${level}: ${found}`);

  it('is well with three replicas, two of them in sync', () => expect(judge({})).toEqual([]));

  it.each<[Partial<SeenTopic>, RegExp]>([
    [{ minInSync: 1 }, /^warning: min\.insync\.replicas=1 for records: /],
    [{ behind: 2 }, /^warning: replicas are behind for records/],
    [{ mayWrite: undefined }, /^warning: this Kafka does not tell whether records may be written to/],
    [{ mayWrite: false }, /^error: the right Write is missing for records/],
  ])('%j is told', (more, line) => expect(judge(more)).toEqual([expect.stringMatching(line)]));

  it('whose settings are hidden is not doubted', () => {
    expect(judge({ minInSync: undefined, maxBytes: undefined, cleanup: undefined })).toEqual([]);
  });
});
