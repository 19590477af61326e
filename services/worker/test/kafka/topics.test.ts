/** Topics exist before the first record; whether Kafka is there is told by a real round trip. */
import { eventually, freePort } from '@graph2kafka/test-harness';
import { Kafka, logLevel } from 'kafkajs';
import { describe, expect, inject, it } from 'vitest';
import { createKafka } from '../../src/kafka/kafkajs-publisher.ts';
import { ensureTopics, MissingTopicsError, probeKafka } from '../../src/kafka/topics.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { ownTopic, ownTopicName } from '../support/own-topic.ts';
import { keptLog } from '../support/silent-log.ts';

const kafkaAt = (brokers: string) => createKafka([brokers], 'test', keptLog());
const kafka = () => kafkaAt(inject('kafkaBrokers'));
const make = { create: true, partitions: 3, replication: -1 };
const leave = { ...make, create: false };

async function describeTopics(topics: string[]) {
  const admin = kafka().admin();
  await admin.connect();
  try {
    const { topics: found } = await admin.fetchTopicMetadata({ topics });
    const described = found.map(({ name, partitions }) => ({ name, partitions: partitions.length }));
    return described.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } finally {
    await admin.disconnect();
  }
}

describe('missing topics', () => {
  it('are made where that is allowed, each once, and ready to be written to', async () => {
    const [there, missing] = [await ownTopic(), ownTopicName()];
    expect(await ensureTopics(kafka(), [there, missing, missing], make)).toEqual([missing]);
    expect(await describeTopics([missing])).toEqual([{ name: missing, partitions: 3 }]);
    expect(await ensureTopics(kafka(), [there, missing], make)).toEqual([]);
  });

  it('are an error that names them and the setting where it is not', async () => {
    const [there, one, two] = [await ownTopic(), ownTopicName(), ownTopicName()];
    const problem = await ensureTopics(kafka(), [there, one, two], leave).catch((error: unknown) => error);
    expect(problem).toBeInstanceOf(MissingTopicsError);
    const { message } = problem as MissingTopicsError;
    expect(message).toContain(one);
    expect(message).toContain(two);
    expect(message).toContain('KAFKA_CREATE_TOPICS=true');
    expect(message).not.toContain(there);
    expect(await ensureTopics(kafka(), [there], leave)).toEqual([]);
  });

  it('are made once by workers that start at the same time', async () => {
    const topics = [ownTopicName(), ownTopicName()].toSorted();
    await Promise.all(Array.from({ length: 4 }, () => ensureTopics(kafka(), topics, make)));
    expect(await describeTopics(topics)).toEqual(topics.map((name) => ({ name, partitions: 3 })));
  });
});

describe('a probe of Kafka', () => {
  it('succeeds where a broker answers', async () => {
    await probeKafka(kafka());
  });

  it('fails at once where nobody listens', async () => {
    const startedAt = performance.now();
    await expect(probeKafka(kafkaAt(`127.0.0.1:${await freePort()}`))).rejects.toThrow();
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  it('fails soon where connections are taken and never answered, and leaves none behind', async () => {
    const hole = await startBlackHole();
    // The worker's own client waits 10 s for a request: the probe ends before, its connection with the request.
    const patient = new Kafka({ brokers: [hole.address], requestTimeout: 5000, logLevel: logLevel.NOTHING });
    const startedAt = performance.now();
    await expect(probeKafka(patient)).rejects.toThrow('no answer within 3000 ms');
    expect(performance.now() - startedAt).toBeLessThan(4500);
    await eventually(() => expect(hole.sockets.size).toBe(0), { timeoutMs: 15_000 });
  });
});
