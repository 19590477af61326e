/** Topics exist before the first record; whether Kafka is there is told by a real round trip. */
import { eventually, freePort, topicPartitions } from '@graph2kafka/test-harness';
import { Admin, ConfigResourceTypes } from '@platformatic/kafka';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { probeKafka } from '../../src/kafka/probe-kafka.ts';
import { ensureTopics, KafkaSetupError } from '../../src/kafka/topics.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { ownTopic, ownTopicName } from '../support/own-topic.ts';
import { connectionTo } from '../support/publishers.ts';

const kafka = () => connectionTo(inject('kafkaBrokers'));
const make = { create: true, partitions: 3, replication: -1, configs: { 'cleanup.policy': 'delete' } };
const leave = { ...make, create: false };

const partitionsOf = async (topic: string) => (await topicPartitions(inject('kafkaBrokers'), topic)).length;

async function configOf(topic: string): Promise<Record<string, string | null | undefined>> {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [inject('kafkaBrokers')] });
  onTestFinished(() => admin.close());
  const [described] = await admin.describeConfigs({
    resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic }],
  });
  return Object.fromEntries((described?.configs ?? []).map(({ name, value }) => [name, value]));
}

async function setupProblem(ensuring: Promise<unknown>): Promise<string> {
  const error = await ensuring.then(
    () => new Error('nothing was wrong'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof KafkaSetupError)) throw error;
  return error.message;
}

describe('missing topics', () => {
  it('are made where that is allowed, each once, and ready to be written to', async () => {
    const [there, missing] = [await ownTopic(), ownTopicName()];
    expect(await ensureTopics(kafka(), [there, missing, missing], make)).toEqual([missing]);
    expect(await partitionsOf(missing)).toBe(3);
    expect(await ensureTopics(kafka(), [there, missing], make)).toEqual([]);
  });

  it('are made as they are to be: clean-up, retention, largest batch', async () => {
    const topic = ownTopicName();
    const configs = {
      'cleanup.policy': 'compact,delete',
      'retention.ms': '7200000',
      'max.message.bytes': '2000000',
      'message.timestamp.type': 'LogAppendTime',
    };
    await ensureTopics(kafka(), [topic], { ...make, configs });
    expect(await configOf(topic)).toMatchObject(configs);
  });

  it('are an error that names them and the setting where it is not', async () => {
    const [there, one, two] = [await ownTopic(), ownTopicName(), ownTopicName()];
    const problem = await setupProblem(ensureTopics(kafka(), [there, one, two], leave));
    expect(problem).toContain(one);
    expect(problem).toContain(two);
    expect(problem).toContain('KAFKA_CREATE_TOPICS=true');
    expect(problem).not.toContain(there);
    expect(await ensureTopics(kafka(), [there], leave)).toEqual([]);
  });

  it('are made once by workers that start at the same time', async () => {
    const topics = [ownTopicName(), ownTopicName()];
    await Promise.all(Array.from({ length: 4 }, () => ensureTopics(kafka(), topics, make)));
    expect(await Promise.all(topics.map(partitionsOf))).toEqual([3, 3]);
  });

  it.each([
    ['KAFKA_TOPIC_REPLICATION', { ...make, replication: 3 }],
    ['KAFKA_TOPIC_CLEANUP_POLICY', { ...make, configs: { 'cleanup.policy': 'never' } }],
  ])('that the brokers cannot make so are an error that names %s', async (setting, settings) => {
    const topic = ownTopicName();
    const problem = await setupProblem(ensureTopics(kafka(), [topic], settings));
    expect(problem).toContain(setting);
    expect(problem).toContain(topic);
  });

  it('are an error where the name is none', async () => {
    expect(await setupProblem(ensureTopics(kafka(), ['no topic'], make))).toContain('no topic');
  });
});

describe('a Kafka that is not there', () => {
  it('is no error of the operator', async () => {
    const away = connectionTo(`127.0.0.1:${await freePort()}`);
    const error = await ensureTopics(away, ['topic'], make).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(KafkaSetupError);
  });
});

describe('a probe of Kafka', () => {
  it('succeeds where a broker answers', async () => {
    await probeKafka(kafka());
  });

  it('fails where nobody listens', async () => {
    await expect(probeKafka(connectionTo(`127.0.0.1:${await freePort()}`))).rejects.toThrow();
  });

  it('fails where connections are taken and never answered, and leaves none behind', async () => {
    const hole = await startBlackHole();
    await expect(probeKafka(connectionTo(hole.address))).rejects.toThrow();
    await eventually(() => expect(hole.sockets.size).toBe(0));
  });
});
