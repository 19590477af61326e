/** Both clients behind the publisher, while brokers and the way to them fail: what is acknowledged is in the topic. */

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  createTopic,
  eventually,
  freePort,
  KafkaBroker,
  readTopic,
  startHoldingProxy,
  TcpProxy,
  topicPartitions,
} from '@graph2kafka/test-harness';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RecordPublisher } from '../../src/kafka/record-publisher.ts';
import { ownTopicName } from '../support/own-topic.ts';
import { CLIENTS, isProduceRequest, openPublisher, problemOf, recordOf } from '../support/publishers.ts';
import { keepPublishing } from '../support/steady-publishing.ts';

const CUTS = 3;

async function valuesOf(brokers: string, topic: string, key: string): Promise<(string | null)[]> {
  const records = await readTopic({ brokers, topic });
  return records.filter((record) => record.key === key).map(({ value }) => value);
}

async function madeTopic(brokers: string, options = {}): Promise<string> {
  const topic = ownTopicName();
  await createTopic(brokers, topic, options);
  return topic;
}

/** Until it is taken, as an owner's run does. */
const insist = (publisher: RecordPublisher, ...record: Parameters<typeof recordOf>) =>
  eventually(() => publisher.publish(recordOf(...record)), { timeoutMs: 20_000 });

let dir: string;
/** Harmed by one test after the other. */
let broker: KafkaBroker;
let proxyPort: number;
/** A cluster of two. */
let first: KafkaBroker;
let second: KafkaBroker;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'graph2kafka-outages-'));
  proxyPort = await freePort();
  const jvmOptions = ['-Xmx256m'];
  broker = await KafkaBroker.start({ dir: join(dir, '1'), proxyPort, jvmOptions });
  first = await KafkaBroker.start({ dir: join(dir, '2'), jvmOptions });
  second = await KafkaBroker.start({ dir: join(dir, '3'), joins: first, jvmOptions });
});

afterAll(async () => {
  await Promise.all([broker?.stop(), second?.stop()]);
  await first?.stop();
  await rm(dir, { recursive: true, force: true });
});

describe.each(CLIENTS)('%s', (client) => {
  it('loses and repeats nothing where the answer to a write is cut off, twenty at a time', async () => {
    const proxy = await TcpProxy.start({ port: proxyPort, target: { port: broker.portBehindProxy ?? 0 } });
    onTestFinished(() => proxy.close());
    proxy.delayMs = 2;
    const topic = await madeTopic(broker.brokers, { partitions: 3 });
    const publisher = openPublisher(client, `127.0.0.1:${proxyPort}`);
    await publisher.publish(recordOf(topic, 'first', '0'));
    const publishing = keepPublishing(publisher, topic, 20);
    for (let cut = 0; cut < CUTS; cut++) await proxy.cutNextResponse(isProduceRequest).done;
    const acknowledged = await publishing.stop();
    expect(publishing.failures).toBe(0);
    const found = await readTopic({ brokers: broker.brokers, topic });
    const values = found.filter(({ key }) => key !== 'first').map(({ key, value }) => `${key}:${value}`);
    expect(values.toSorted()).toEqual(acknowledged.toSorted());
    expect(proxy.counts.responsesCut).toBe(CUTS);
  }, 60_000);

  it('lets no write that was thought lost come after a newer record of its key', async () => {
    const proxy = await startHoldingProxy(proxyPort, broker.portBehindProxy ?? 0);
    onTestFinished(() => proxy.close());
    const topic = await madeTopic(broker.brokers);
    const publisher = openPublisher(client, `127.0.0.1:${proxyPort}`, { requestTimeoutMs: 700 });
    await publisher.publish(recordOf(topic, 'key', '0'));
    const request = proxy.holdNext(isProduceRequest);
    const older = publisher.publish(recordOf(topic, 'key', '1'));
    await request.held;
    await older;
    await publisher.publish(recordOf(topic, 'key', '2'));
    await request.release();
    await publisher.publish(recordOf(topic, 'key', '3'));
    expect(await valuesOf(broker.brokers, topic, 'key')).toEqual(['0', '1', '2', '3']);
  }, 60_000);

  it('waits for the fate of what was on its way to a frozen broker, and says soon to others that it is away', async () => {
    const topic = await madeTopic(broker.brokers);
    const publisher = openPublisher(client, broker.brokers, { requestTimeoutMs: 700, patienceMs: 500 });
    await publisher.publish(recordOf(topic, 'key', '0'));
    broker.freeze();
    const onItsWay = publisher.publish(recordOf(topic, 'key', '1'));
    // What comes within the same turn of the event loop would go with it.
    for (let turn = 0; turn < 20; turn++) await nextTurn();
    expect((await problemOf(publisher.publish(recordOf(topic, 'key', '2')))).problem).toBe('unavailable');
    broker.thaw();
    await onItsWay;
    await publisher.publish(recordOf(topic, 'key', '3'));
    expect(await valuesOf(broker.brokers, topic, 'key')).toEqual(['0', '1', '3']);
  }, 60_000);

  it('goes on by itself after a broker was killed, with what it had acknowledged in the topic', async () => {
    const topic = await madeTopic(broker.brokers, { partitions: 3 });
    const publisher = openPublisher(client, broker.brokers);
    const neverUsed = openPublisher(client, broker.brokers);
    await publisher.publish(recordOf(topic, 'first', '0'));
    const publishing = keepPublishing(publisher, topic, 20);
    await eventually(() => publishing.count > 100);
    await broker.kill9();
    const problem = await problemOf(neverUsed.publish(recordOf(topic, 'early', '0')));
    expect(problem.problem).toBe('unavailable');
    await broker.restart();
    const before = publishing.count;
    await eventually(() => publishing.count > before + 100, { timeoutMs: 20_000 });
    const acknowledged = await publishing.stop();
    await insist(neverUsed, topic, 'early', '1');
    const found = await readTopic({ brokers: broker.brokers, topic });
    const values = new Set(found.map(({ key, value }) => `${key}:${value}`));
    expect(acknowledged.filter((each) => !values.has(each))).toEqual([]);
  }, 60_000);

  it('follows a partition to its next leader, and leaves nothing behind', async () => {
    const brokers = `${first.brokers},${second.brokers}`;
    const topic = ownTopicName();
    await eventually(() => createTopic(brokers, topic, { partitions: 6, replication: 2 }));
    const leaders = async () =>
      (await topicPartitions(first.brokers, topic)).map(({ leader }) => leader.port);
    expect(new Set(await leaders())).toEqual(new Set([first.port, second.port]));
    const publisher = openPublisher(client, brokers, { requestTimeoutMs: 2000 });
    await publisher.publish(recordOf(topic, 'first', '0'));
    const publishing = keepPublishing(publisher, topic, 20);
    await eventually(() => publishing.count > 100);
    await second.kill9();
    onTestFinished(() => second.restart());
    await eventually(async () => expect(new Set(await leaders())).toEqual(new Set([first.port])), {
      timeoutMs: 20_000,
    });
    const keys = Array.from({ length: 50 }, (_, i) => `after-${i}`);
    await Promise.all(keys.map((key) => insist(publisher, topic, key, '0')));
    const acknowledged = await publishing.stop();
    const found = await readTopic({ brokers: first.brokers, topic });
    const values = new Set(found.map(({ key, value }) => `${key}:${value}`));
    const wanted = [...acknowledged, ...keys.map((key) => `${key}:0`)];
    expect(wanted.filter((each) => !values.has(each))).toEqual([]);
  }, 90_000);
});

describe('a connection that rested for too long', () => {
  it.each([
    ['is not used again where it may be dead', 0, true],
    ['is used again where that is not limited', undefined, false],
  ])('%s', async (_name, connectionsMaxIdleMs, isNew) => {
    const proxy = await TcpProxy.start({ port: proxyPort, target: { port: broker.portBehindProxy ?? 0 } });
    onTestFinished(() => proxy.close());
    const topic = await madeTopic(broker.brokers);
    const publisher = openPublisher('platformatic', `127.0.0.1:${proxyPort}`, { connectionsMaxIdleMs });
    await publisher.publish(recordOf(topic, 'key', '0'));
    const before = proxy.counts.accepted;
    await publisher.publish(recordOf(topic, 'key', '1'));
    expect(proxy.counts.accepted > before).toBe(isNew);
    expect(await valuesOf(broker.brokers, topic, 'key')).toEqual(['0', '1']);
  });
});
