/** Reading a topic once, to its end: against real brokers, written by a plain producer. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTopic, eventually, freePort, KafkaBroker } from '@graph2kafka/test-harness';
import { Admin } from '@platformatic/kafka';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { KafkaConnection } from '../../src/kafka/kafka-connection.ts';
import { type ReadTopicOptions, readTopic, type StoredRecord } from '../../src/kafka/read-topic.ts';
import { KafkaSetupError } from '../../src/kafka/topics.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { sendRecords as send } from '../support/send-records.ts';

const connectionTo = (brokers: string): KafkaConnection => ({
  brokers: [brokers],
  clientId: 'read-topic-test',
  tls: undefined,
  sasl: undefined,
  metadataMaxAgeMs: 60_000,
  connectionsMaxIdleMs: undefined,
});

async function read(
  topic: string,
  options?: ReadTopicOptions,
  brokers = inject('kafkaBrokers'),
): Promise<StoredRecord[]> {
  return await Array.fromAsync(readTopic(connectionTo(brokers), topic, options));
}

async function topicOf(partitions: number, config: Record<string, string> = {}): Promise<string> {
  const topic = `read-${randomUUID()}`;
  await createTopic(inject('kafkaBrokers'), topic, { partitions, config });
  return topic;
}

const textOf = ({ value }: StoredRecord) => value?.toString() ?? null;

describe('a topic that is read once', () => {
  it('gives every record with its place, time, key, headers and value', async () => {
    const topic = await topicOf(2, { 'message.timestamp.type': 'LogAppendTime' });
    const before = Date.now();
    await send(topic, [
      { key: 'a/ä', value: 'one', headers: { ce_type: 'T' } },
      { key: 'b', value: null },
      { key: 'c', value: 'three', partition: 1 },
    ]);
    const records = await read(topic);
    expect(records.map((record) => ({ ...record, value: textOf(record) }))).toMatchObject([
      { partition: 0, offset: 0, key: 'a/ä', value: 'one', headers: { ce_type: 'T' } },
      { partition: 0, offset: 1, key: 'b', value: null, headers: {} },
      { partition: 1, offset: 0, key: 'c', value: 'three' },
    ]);
    for (const { timestamp } of records) {
      expect(timestamp).toBeGreaterThanOrEqual(before - 1000);
      expect(timestamp).toBeLessThanOrEqual(Date.now() + 1000);
    }
  });

  it('is read in many small pieces as in one', async () => {
    const topic = await topicOf(1);
    const values = Array.from({ length: 60 }, (_, n) => `${n}-${'x'.repeat(300)}`);
    await send(
      topic,
      values.map((value) => ({ value })),
    );
    expect((await read(topic, { fetchBytes: 1000 })).map(textOf)).toEqual(values);
  });

  it('ends where it ended when the reading began', async () => {
    const topic = await topicOf(1);
    await send(topic, [{ value: 'one' }, { value: 'two' }]);
    const seen: (string | null)[] = [];
    for await (const record of readTopic(connectionTo(inject('kafkaBrokers')), topic, { fetchBytes: 1 })) {
      seen.push(textOf(record));
      if (seen.length === 1) await send(topic, [{ value: 'late' }]);
    }
    expect(seen).toEqual(['one', 'two']);
  });

  it('can give one record alone, and none where there is none', async () => {
    const topic = await topicOf(2);
    await send(topic, [{ value: 'zero' }, { value: 'one' }, { value: 'two' }]);
    expect((await read(topic, { only: { partition: 0, offset: 1 } })).map(textOf)).toEqual(['one']);
    expect(await read(topic, { only: { partition: 0, offset: 3 } })).toEqual([]);
    expect(await read(topic, { only: { partition: 7, offset: 0 } })).toEqual([]);
  });

  it('may be empty', async () => {
    expect(await read(await topicOf(3))).toEqual([]);
  });

  it('leaves no consumer group behind', async () => {
    const topic = await topicOf(1);
    await send(topic, [{ value: 'one' }]);
    expect(await read(topic)).toHaveLength(1);
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [inject('kafkaBrokers')] });
    try {
      expect([...(await admin.listGroups()).keys()]).not.toContain('graph2kafka-reader');
    } finally {
      await admin.close();
    }
  });
});

describe('a topic with gaps', () => {
  it('gives what compaction and retention have left, in order', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-compacted-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const broker = await KafkaBroker.start({ dir, extraProperties: { 'log.cleaner.backoff.ms': '100' } });
    onTestFinished(() => broker.stop());
    const topic = 'compacted';
    await createTopic(broker.brokers, topic, {
      config: {
        'cleanup.policy': 'compact',
        'segment.bytes': '1048576',
        'segment.ms': '100',
        'min.cleanable.dirty.ratio': '0.01',
        'max.compaction.lag.ms': '1',
        'delete.retention.ms': '1',
      },
    });
    const keys = Array.from({ length: 20 }, (_, n) => `k${n % 4}`);
    await send(
      topic,
      keys.map((key, n) => ({ key, value: `${n}` })),
      broker.brokers,
    );
    // A newer record closes the segment, so that those before it can be compacted.
    await eventually(
      async () => {
        await send(topic, [{ key: 'closing', value: 'last' }], broker.brokers);
        const left = await read(topic, {}, broker.brokers);
        const old = left.filter(({ key }) => key !== 'closing');
        expect(old.map(textOf)).toEqual(['16', '17', '18', '19']);
        expect(old.map(({ offset }) => offset)).toEqual([16, 17, 18, 19]);
        expect(left.at(-1)?.key).toBe('closing');
      },
      { timeoutMs: 20_000, intervalMs: 300 },
    );
  });
});

describe('a topic that cannot be read', () => {
  it('because it does not exist is named, and not created', async () => {
    const topic = `missing-${randomUUID()}`;
    const twice = [await problemOf(topic), await problemOf(topic)];
    for (const problem of twice) {
      expect(problem).toBeInstanceOf(KafkaSetupError);
      expect(problem.message).toContain(`Kafka has no topic ${topic}`);
    }
  });

  it('because no broker is there, or none answers, fails within seconds', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const { address: silent } = await startBlackHole();
    for (const brokers of [nobody, silent]) {
      const problem = await problemOf('any', brokers);
      expect(problem).not.toBeInstanceOf(KafkaSetupError);
    }
  });
});

async function problemOf(topic: string, brokers?: string): Promise<Error> {
  return read(topic, {}, brokers).then(
    () => Promise.reject(new Error('it was read')),
    (error: unknown) => error as Error,
  );
}
