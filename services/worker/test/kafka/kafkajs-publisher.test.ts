/** The publisher against a real broker, its records read back from outside. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, KafkaBroker, readTopic } from '@graph2kafka/test-harness';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { createKafka, createKafkajsPublisher } from '../../src/kafka/kafkajs-publisher.ts';
import { type KafkaRecord, PublishError, type RecordPublisher } from '../../src/kafka/record-publisher.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { ownTopic, ownTopicName } from '../support/own-topic.ts';
import { keptLog } from '../support/silent-log.ts';

function openPublisher(brokers = inject('kafkaBrokers')): RecordPublisher {
  const publisher = createKafkajsPublisher(createKafka([brokers], 'test', keptLog()));
  onTestFinished(() => publisher.close());
  return publisher;
}

/** For a test that hurts it, or sets it otherwise. */
async function ownBroker(extraProperties: Record<string, string> = {}): Promise<KafkaBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-publisher-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const broker = await KafkaBroker.start({ dir, extraProperties });
  onTestFinished(() => broker.stop());
  return broker;
}

const recordOf = (topic: string, key = 'key', value: string | null = '{}'): KafkaRecord => ({
  topic,
  key,
  value,
  headers: { 'content-type': 'application/cloudevents+json' },
});

async function problemOf(publishing: Promise<void>): Promise<PublishError> {
  const error = await publishing.then(
    () => new Error('it was published'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PublishError)) throw error;
  return error;
}

describe('a published record', () => {
  it('is in the topic when the promise resolves: key, value, headers, tombstone', async () => {
    const topic = await ownTopic();
    const publisher = openPublisher();
    await publisher.publish(recordOf(topic, 'ä/1', '{"subject":"Grüße"}'));
    expect(await readTopic({ brokers: inject('kafkaBrokers'), topic })).toMatchObject([
      {
        key: 'ä/1',
        value: '{"subject":"Grüße"}',
        headers: { 'content-type': 'application/cloudevents+json' },
      },
    ]);
    await publisher.publish(recordOf(topic, 'ä/1', null));
    expect((await readTopic({ brokers: inject('kafkaBrokers'), topic })).at(-1)).toMatchObject({
      value: null,
    });
  });

  it('shares the partition of its key, in the order of publishing; keys spread', async () => {
    const topic = await ownTopic(6);
    const publisher = openPublisher();
    const keys = Array.from({ length: 24 }, (_, i) => `tenant/users/${i}`);
    for (const value of ['1', '2', '3']) {
      await Promise.all(keys.map((key) => publisher.publish(recordOf(topic, key, value))));
    }
    const records = await readTopic({ brokers: inject('kafkaBrokers'), topic });
    for (const key of keys) {
      const own = records.filter((record) => record.key === key);
      expect(own.map(({ value }) => value)).toEqual(['1', '2', '3']);
      expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
    }
    expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(3);
  });

  it('is one of many that were sent at the same time, all of them there once', async () => {
    const topic = await ownTopic(3);
    const publisher = openPublisher();
    const keys = Array.from({ length: 200 }, (_, i) => String(i));
    await Promise.all(keys.map((key) => publisher.publish(recordOf(topic, key))));
    const records = await readTopic({ brokers: inject('kafkaBrokers'), topic });
    expect(records.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
  });
});

describe('a record that cannot be published', () => {
  it('is too large where the broker says so, and the ones after it are not', async () => {
    const topic = await ownTopic();
    const publisher = openPublisher();
    const error = await problemOf(publisher.publish(recordOf(topic, 'key', `"${'x'.repeat(2_000_000)}"`)));
    expect(error.problem).toBe('tooLarge');
    expect(error.message).toContain(topic);
    expect(error.message.length).toBeLessThan(400);
    await publisher.publish(recordOf(topic));
  });

  it('is refused where there is no such topic, which is not made by the way, though the broker would', async () => {
    const broker = await ownBroker({ 'auto.create.topics.enable': 'true' });
    const topic = ownTopicName();
    const error = await problemOf(openPublisher(broker.brokers).publish(recordOf(topic)));
    expect(error).toMatchObject({ problem: 'refused', message: expect.stringContaining(topic) });
    const admin = createKafka([broker.brokers], 'test', keptLog()).admin();
    await admin.connect();
    onTestFinished(() => admin.disconnect());
    expect(await admin.listTopics()).not.toContain(topic);
  });

  it('is refused where the name of the topic is none', async () => {
    expect(await problemOf(openPublisher().publish(recordOf('no topic')))).toMatchObject({
      problem: 'refused',
    });
  });

  it('finds Kafka unavailable where nobody listens, within seconds', async () => {
    const publisher = openPublisher(`127.0.0.1:${await freePort()}`);
    const startedAt = performance.now();
    expect(await problemOf(publisher.publish(recordOf('topic')))).toMatchObject({ problem: 'unavailable' });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
  });
});

describe('a broker that comes back', () => {
  it('is written to again by the same publisher, whether it was there at first or not', async () => {
    const broker = await ownBroker();
    const topic = await ownTopic(1, broker.brokers);
    const [early, late] = [openPublisher(broker.brokers), openPublisher(broker.brokers)];
    await early.publish(recordOf(topic, 'before'));

    await broker.stop();
    const problems = await Promise.all(
      [early, late].map((one) => problemOf(one.publish(recordOf(topic, 'lost')))),
    );
    expect(problems.map(({ problem }) => problem)).toEqual(['unavailable', 'unavailable']);

    await broker.restart();
    await eventually(() => early.publish(recordOf(topic, 'early')));
    await eventually(() => late.publish(recordOf(topic, 'late')));
    const keys = (await readTopic({ brokers: broker.brokers, topic })).map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining(['before', 'early', 'late']));
  }, 60_000);
});

describe('a closed publisher', () => {
  it('may be closed again, and before it was ever used', async () => {
    const topic = await ownTopic();
    const [used, unused] = [openPublisher(), openPublisher()];
    await used.publish(recordOf(topic));
    await Promise.all([used.close(), used.close()]);
    await used.close();
    await unused.close();
    await unused.close();
  });

  it('ends what it had just begun, and leaves no connection', async () => {
    const hole = await startBlackHole();
    const impatient = { connectionTimeout: 300, requestTimeout: 300, retry: { retries: 1 } };
    const publisher = createKafkajsPublisher(
      new Kafka({ brokers: [hole.address], logLevel: logLevel.NOTHING, ...impatient }),
    );
    const publishing = publisher.publish(recordOf('topic')).catch((error: unknown) => error);
    await eventually(() => expect(hole.sockets.size).toBeGreaterThan(0));
    await publisher.close();
    expect(await publishing).toBeInstanceOf(PublishError);
    await eventually(() => expect(hole.sockets.size).toBe(0));
  });

  it('does not connect again for what comes too late', async () => {
    const topic = await ownTopic();
    const publisher = openPublisher();
    await publisher.publish(recordOf(topic));
    await publisher.close();
    expect(await problemOf(publisher.publish(recordOf(topic)))).toMatchObject({ problem: 'unavailable' });
  });
});
