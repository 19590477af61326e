import { randomUUID } from 'node:crypto';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { eventually } from '../src/eventually.ts';
import { ensureKafkaJars } from '../src/kafka-jars.ts';
import { createTopic } from '../src/kafka-requests.ts';
import { followTopic, readTopic, scanTopic, type TopicRecord } from '../src/topic-reader.ts';
import { produce, produceAll } from './produce.ts';

const brokers = inject('kafkaBrokers');

async function newTopic(partitions = 1): Promise<string> {
  const topic = `reader-${randomUUID()}`;
  await createTopic(brokers, topic, { partitions });
  return topic;
}

/** Gathers what a follower brings, until the test is over. */
function gather(topic: string, reader: 'kcat' | 'console-consumer') {
  const follower = followTopic({ brokers, topic, reader });
  onTestFinished(() => follower.close());
  const records: TopicRecord[] = [];
  const finished = (async () => {
    for await (const record of follower) records.push(record);
  })();
  return { follower, records, finished };
}

describe.each(['kcat', 'console-consumer'] as const)('with %s', (reader) => {
  const read = (topic: string) => readTopic({ brokers, topic, reader });

  it('reads all that a record has', async () => {
    await ensureKafkaJars();
    const topic = await newTopic(2);
    const headers = [
      ['ce_id', 'a:b,c=d'],
      ['empty', ''],
      ['ce_subject', 'Zoë'],
    ] as const;
    await produce(brokers, topic, {
      key: 'k/ä',
      value: '{"a":"zoë 😀 \u2028","b":"x\\n\\u001f"}',
      headers,
      partition: 1,
    });
    await produce(brokers, topic, { key: 'gone', value: null, partition: 1 });
    await produce(brokers, topic, { value: 'several\nlines\r\n', partition: 0 });
    const records = await read(topic);
    expect(records).toEqual(
      [
        { partition: 0, offset: 0, key: null, value: 'several\nlines\r\n', headers: {} },
        {
          partition: 1,
          offset: 0,
          key: 'k/ä',
          value: '{"a":"zoë 😀 \u2028","b":"x\\n\\u001f"}',
          headers: Object.fromEntries(headers),
        },
        { partition: 1, offset: 1, key: 'gone', value: null, headers: {} },
      ].map((record) => ({ ...record, timestampMs: expect.closeTo(Date.now(), -5) })),
    );
  });

  it('gives nothing for a topic that does not exist, and does not make it', async () => {
    const topic = `missing-${randomUUID()}`;
    expect(await read(topic)).toEqual([]);
    expect(await read(topic)).toEqual([]);
  });

  it('gives nothing for an empty topic', async () => {
    expect(await read(await newTopic(3))).toEqual([]);
  });

  it('follows a topic that is made later, from its beginning', async () => {
    const topic = `later-${randomUUID()}`;
    const { follower, records, finished } = gather(topic, reader);
    await createTopic(brokers, topic);
    await produce(brokers, topic, { key: 'a', value: '1' });
    await eventually(() => records.length === 1, { timeoutMs: 20_000 });
    await produce(brokers, topic, { key: 'a', value: '2' });
    await eventually(() => records.length === 2);
    expect(records.map(({ value, offset }) => [offset, value])).toEqual([
      [0, '1'],
      [1, '2'],
    ]);
    await Promise.all([follower.close(), follower.close()]);
    await finished;
  });
});

it('gives the same with both readers', async () => {
  const topic = await newTopic(3);
  const records = Array.from({ length: 300 }, (_, i) => ({
    key: `key-${i % 20}`,
    value: JSON.stringify({ i, text: `é${i}` }),
  }));
  await produceAll(brokers, topic, records);
  const byKcat = await readTopic({ brokers, topic, reader: 'kcat' });
  expect(byKcat).toHaveLength(300);
  expect(await readTopic({ brokers, topic, reader: 'console-consumer' })).toEqual(byKcat);
});

it('keeps each partition’s order when it hands records over one by one', async () => {
  const topic = await newTopic(3);
  await produceAll(
    brokers,
    topic,
    Array.from({ length: 100 }, (_, i) => ({ key: `k${i}`, value: `${i}` })),
  );
  const offsets = new Map<number, number[]>();
  await scanTopic({ brokers, topic }, ({ partition, offset }) => {
    offsets.set(partition, [...(offsets.get(partition) ?? []), offset]);
  });
  for (const seen of offsets.values()) expect(seen).toEqual(seen.map((_, index) => index));
  expect([...offsets.values()].flat()).toHaveLength(100);
});

it('passes on what the receiver of a record throws', async () => {
  const topic = await newTopic();
  await produce(brokers, topic, { key: 'a', value: '1' });
  const scanning = scanTopic({ brokers, topic }, () => {
    throw new Error('not wanted');
  });
  await expect(scanning).rejects.toThrow('not wanted');
});

it('fails when no broker answers', async () => {
  await expect(readTopic({ brokers: '127.0.0.1:1', topic: 't' })).rejects.toThrow(
    /127\.0\.0\.1:1 cannot be reached/,
  );
});

it('stops waiting for a topic when it is closed', async () => {
  const { follower, records, finished } = gather(`never-${randomUUID()}`, 'kcat');
  await follower.close();
  await finished;
  expect(records).toEqual([]);
});

it('closes its reader when the loop is left', async () => {
  const topic = await newTopic();
  await produceAll(brokers, topic, [{ value: '1' }, { value: '2' }]);
  for await (const { value } of followTopic({ brokers, topic })) {
    expect(value).toBe('1');
    break;
  }
});
