import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { freePort } from '../src/free-port.ts';
import { KafkaBroker } from '../src/kafka-broker.ts';
import { createTopic, endOffsets, isServing, parseBrokers, topicPartitions } from '../src/kafka-requests.ts';
import { TcpProxy } from '../src/tcp-proxy.ts';
import { readTopic } from '../src/topic-reader.ts';
import { produce } from './produce.ts';

let dir: string;
let proxyPort: number;
let broker: KafkaBroker;

const isUp = (timeoutMs = 2_000) =>
  isServing({ host: '127.0.0.1', port: broker.port }, timeoutMs).catch(() => false);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'graph2kafka-kafka-'));
  proxyPort = await freePort();
  broker = await KafkaBroker.start({
    dir,
    proxyPort,
    extraProperties: { 'message.max.bytes': '2000' },
  });
});

afterAll(async () => {
  await broker?.stop();
  await rm(dir, { recursive: true, force: true });
});

describe('KafkaBroker', () => {
  it('is ready to create topics when it has started, and creates none by itself', async () => {
    await createTopic(broker.brokers, 'wanted', { partitions: 3 });
    await createTopic(broker.brokers, 'wanted', { partitions: 3 });
    const ends = await endOffsets(broker.brokers, 'wanted');
    expect(ends.sort((a, b) => a.partition - b.partition)).toEqual([
      { partition: 0, endOffset: 0 },
      { partition: 1, endOffset: 0 },
      { partition: 2, endOffset: 0 },
    ]);
    expect(await endOffsets(broker.brokers, 'unwanted')).toEqual([]);
    expect(await endOffsets(broker.brokers, 'unwanted')).toEqual([]);
  });

  it('takes further settings', async () => {
    await createTopic(broker.brokers, 'small');
    await produce(broker.brokers, 'small', { value: 'x'.repeat(1_000) });
    await expect(produce(broker.brokers, 'small', { value: 'x'.repeat(3_000) })).rejects.toThrow(
      'exit code 1',
    );
  });

  it('has the same data at the same port after kill -9 and after an orderly restart', async () => {
    const { port, pid } = broker;
    await createTopic(broker.brokers, 'kept');
    await produce(broker.brokers, 'kept', { value: 'before' });
    await broker.kill9();
    expect(await isUp()).toBe(false);
    await broker.restart();
    await produce(broker.brokers, 'kept', { value: 'between' });
    await broker.restart();
    const records = await readTopic({ brokers: broker.brokers, topic: 'kept' });
    expect(records.map(({ value }) => value)).toEqual(['before', 'between']);
    expect(broker.port).toBe(port);
    expect(broker.pid).not.toBe(pid);
  });

  it('answers nothing while it is frozen, and again when it is thawed', async () => {
    broker.freeze();
    expect(await isUp(300)).toBe(false);
    broker.thaw();
    await eventually(() => isUp());
  });

  it('sends the clients that come through a proxy back through it, and others not', async () => {
    const proxy = await TcpProxy.start({ port: proxyPort, target: { port: broker.portBehindProxy ?? 0 } });
    onTestFinished(() => proxy.close());
    const throughProxy = `127.0.0.1:${proxyPort}`;
    await createTopic(broker.brokers, 'proxied');
    const leaderPort = async (brokers: string) => (await topicPartitions(brokers, 'proxied'))[0]?.leader.port;
    expect(await leaderPort(broker.brokers)).toBe(broker.port);
    expect(proxy.counts.accepted).toBe(0);
    expect(await leaderPort(throughProxy)).toBe(proxyPort);
    await produce(throughProxy, 'proxied', { value: 'by proxy' });
    const records = await readTopic({ brokers: broker.brokers, topic: 'proxied' });
    expect(records.map(({ value }) => value)).toEqual(['by proxy']);
  });

  it('stops twice', async () => {
    await Promise.all([broker.stop(), broker.stop()]);
    expect(await isUp()).toBe(false);
    await broker.restart();
  });

  it('says why it cannot start', async () => {
    const elsewhere = await mkdtemp(join(tmpdir(), 'graph2kafka-kafka-'));
    onTestFinished(() => rm(elsewhere, { recursive: true, force: true }));
    const extraProperties = { 'num.io.threads': 'many' };
    await expect(KafkaBroker.start({ dir: elsewhere, extraProperties })).rejects.toThrow('num.io.threads');
  });
});

// Needs Maven and its repository, so it runs on demand only.
it.runIf(process.env.TEST_DOWNLOADS)(
  'fetches and prepares Kafka once for two that start at once',
  async () => {
    const parent = await mkdtemp(join(tmpdir(), 'graph2kafka-fetch-'));
    onTestFinished(() => rm(parent, { recursive: true, force: true }));
    const libDir = join(parent, 'kafka', 'lib');
    const told: string[] = [];
    const onProgress = (text: string) => told.push(text);
    const brokers = await Promise.all(
      ['a', 'b'].map((name) => KafkaBroker.start({ dir: join(parent, name), libDir, onProgress })),
    );
    await Promise.all(brokers.map((each) => each.stop()));
    expect(told).toEqual([expect.stringContaining('Fetching'), expect.stringContaining('Preparing')]);
    const [archive] = (await readdir(join(parent, 'kafka'))).filter((name) => name.startsWith('classes-'));
    expect(await readdir(join(parent, 'kafka', archive ?? ''))).toEqual(['kafka.jsa']);
  },
);

it.each(['', 'host', 'host:', 'host:port'])('refuses %j as a list of brokers', (brokers) => {
  expect(() => parseBrokers(brokers)).toThrow();
});

it('reads a list of brokers', () => {
  expect(parseBrokers('127.0.0.1:9092, kafka:9093')).toEqual([
    { host: '127.0.0.1', port: 9092 },
    { host: 'kafka', port: 9093 },
  ]);
});
