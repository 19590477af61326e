/** Both clients behind the publisher, against a real broker that is well, its records read back from outside. */
import { createTopic, deleteTopic, eventually, freePort, readTopic } from '@graph2kafka/test-harness';
import { describe, expect, inject, it } from 'vitest';
import { startBlackHole } from '../support/black-hole.ts';
import { ownTopic, ownTopicName } from '../support/own-topic.ts';
import {
  CLIENTS,
  openPublisher,
  ownBroker,
  problemOf,
  recordOf,
  takingTheKeyOf,
} from '../support/publishers.ts';

const brokers = () => inject('kafkaBrokers');
const readAll = (topic: string, from = brokers()) => readTopic({ brokers: from, topic });
const numbered = (count: number) => Array.from({ length: count }, (_, i) => String(i));

/** Keys and their hashes as Apache Kafka's own test has them (UtilsTest.testMurmur2). */
const MURMUR2 = new Map([
  ['21', -973_932_308],
  ['foobar', -790_332_482],
  ['a-little-bit-long-string', -985_981_536],
  ['a-little-bit-longer-string', -1_486_304_829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58_897_971],
  ['abc', 479_470_107],
]);

describe.each(CLIENTS)('a record published with %s', (client) => {
  it('is in the topic when the promise resolves: key, value, headers, tombstone', async () => {
    const topic = await ownTopic();
    const publisher = openPublisher(client);
    await publisher.publish(recordOf(topic, 'ä/1', '{"subject":"Grüße"}'));
    expect(await readAll(topic)).toMatchObject([
      {
        key: 'ä/1',
        value: '{"subject":"Grüße"}',
        headers: { 'content-type': 'application/cloudevents+json' },
      },
    ]);
    await publisher.publish(recordOf(topic, 'ä/1', Buffer.from('bytes')));
    await publisher.publish(recordOf(topic, 'ä/1', null));
    expect((await readAll(topic)).map(({ value }) => value).slice(1)).toEqual(['bytes', null]);
  });

  it('shares the partition of its key, in the order of publishing, also within a batch', async () => {
    const topic = await ownTopic(6);
    const publisher = openPublisher(client);
    const keys = numbered(24).map((i) => `tenant/users/${i}`);
    const values = numbered(5);
    await Promise.all(
      values.flatMap((value) => keys.map((key) => publisher.publish(recordOf(topic, key, value)))),
    );
    const records = await readAll(topic);
    for (const key of keys) {
      const own = records.filter((record) => record.key === key);
      expect(own.map(({ value }) => value)).toEqual(values);
      expect(new Set(own.map(({ partition }) => partition)).size).toBe(1);
    }
    expect(new Set(records.map(({ partition }) => partition)).size).toBeGreaterThan(3);
  });

  it("is put where Kafka's own clients put its key", async () => {
    const topic = await ownTopic(7);
    const publisher = openPublisher(client);
    await Promise.all([...MURMUR2.keys()].map((key) => publisher.publish(recordOf(topic, key))));
    const found = (await readAll(topic)).map(({ key, partition }) => [key, partition]);
    const wanted = [...MURMUR2].map(([key, hash]) => [key, (hash & 0x7fffffff) % 7]);
    expect(found.toSorted()).toEqual(wanted.toSorted());
  });

  it('is one of many that were sent at the same time, all of them there once', async () => {
    const topic = await ownTopic(3);
    const publisher = openPublisher(client);
    const keys = numbered(2000);
    await Promise.all(keys.map((key) => publisher.publish(recordOf(topic, key))));
    const records = await readAll(topic);
    expect(records.map(({ key }) => key).toSorted()).toEqual(keys.toSorted());
  });
});

describe.each(CLIENTS)('records published at the same time with %s', (client) => {
  it('share a batch, and those that come while it is under way share the next', async () => {
    const topic = await ownTopic();
    const batches: number[] = [];
    const publisher = openPublisher(client, brokers(), {}, (writer) => ({
      ...writer,
      write: (batch) => {
        batches.push(batch.records.length);
        return writer.write(batch);
      },
    }));
    await publisher.publish(recordOf(topic, 'first'));
    const early = numbered(50).map((key) => publisher.publish(recordOf(topic, key)));
    await eventually(() => batches.length === 2);
    const late = numbered(50).map((key) => publisher.publish(recordOf(topic, `late-${key}`)));
    await Promise.all([...early, ...late]);
    expect(batches).toEqual([1, 50, 50]);
  });
});

describe.each([
  ['platformatic', 'gzip'],
  ['platformatic', 'snappy'],
  ['platformatic', 'lz4'],
  ['platformatic', 'zstd'],
  ['kafkajs', 'gzip'],
] as const)('a batch published with %s and %s', (client, compression) => {
  it('is read by others as it was', async () => {
    const topic = await ownTopic();
    const publisher = openPublisher(client, brokers(), { compression });
    const keys = numbered(50);
    await Promise.all(keys.map((key) => publisher.publish(recordOf(topic, key, 'word '.repeat(100)))));
    const records = await readAll(topic);
    expect(records.map(({ key }) => key)).toEqual(keys);
    expect(records[49]?.value).toBe('word '.repeat(100));
  });
});

describe.each(CLIENTS)('a record that cannot be published with %s', (client) => {
  /** Nothing compresses it. */
  const noise = (bytes: number) => {
    let state = 1;
    return Buffer.from(
      Uint8Array.from({ length: bytes }, () => {
        state = (state * 48_271) % 2_147_483_647;
        return state & 0xff;
      }),
    );
  };

  it('is too large where the broker says so, compressed as well; what was sent with it is not', async () => {
    const topic = await ownTopic();
    const publisher = openPublisher(client);
    const keys = numbered(100);
    const publishing = keys.map((key) => publisher.publish(recordOf(topic, key)));
    const bad = problemOf(publisher.publish(recordOf(topic, 'bad', noise(1_500_000))));
    const rest = keys.map((key) => publisher.publish(recordOf(topic, `later-${key}`)));
    await Promise.all([...publishing, ...rest]);
    const error = await bad;
    expect(error.problem).toBe('tooLarge');
    expect(error.message).toContain(topic);
    expect(error.message.length).toBeLessThan(400);
    const wanted = [...keys, ...keys.map((key) => `later-${key}`)];
    expect((await readAll(topic)).map(({ key }) => key)).toEqual(wanted);
  });

  it('is published compressed where it is too large otherwise', async () => {
    const topic = await ownTopic();
    const publisher = openPublisher(client);
    const value = 'compressible '.repeat(200_000);
    await publisher.publish(recordOf(topic, 'large', value));
    expect((await readAll(topic))[0]?.value).toBe(value);
  });

  it('is never offered to a broker that would cut the connection on it', async () => {
    const topic = await ownTopic();
    const publisher = openPublisher(client, brokers(), { maxRequestBytes: 50_000 });
    const error = await problemOf(publisher.publish(recordOf(topic, 'bad', noise(60_000))));
    expect(error).toMatchObject({ problem: 'tooLarge', message: expect.stringContaining('50000') });
    await publisher.publish(recordOf(topic, 'good', 'compressible '.repeat(10_000)));
    expect((await readAll(topic)).map(({ key }) => key)).toEqual(['good']);
  });

  it('is invalid where the topic can never take it, and leaves the ones beside it alone', async () => {
    const topic = ownTopicName();
    await createTopic(brokers(), topic, { config: { 'cleanup.policy': 'compact' } });
    const publisher = openPublisher(client, brokers(), {}, takingTheKeyOf('bad'));
    const keys = numbered(20);
    const good = keys.slice(0, 13).map((key) => publisher.publish(recordOf(topic, key)));
    const bad = problemOf(publisher.publish(recordOf(topic, 'bad')));
    const others = keys.slice(13).map((key) => publisher.publish(recordOf(topic, key)));
    await Promise.all([...good, ...others]);
    expect((await bad).problem).toBe('invalid');
    expect((await readAll(topic)).map(({ key }) => key)).toEqual(keys);
  });

  it('is refused where there is no such topic, which is not made by the way, though the broker would', async () => {
    const broker = await ownBroker({ extraProperties: { 'auto.create.topics.enable': 'true' } });
    const topic = ownTopicName();
    const publisher = openPublisher(client, broker.brokers);
    expect(await problemOf(publisher.publish(recordOf(topic)))).toMatchObject({
      problem: 'refused',
      message: expect.stringContaining(topic),
    });
    await createTopic(broker.brokers, topic);
    await publisher.publish(recordOf(topic));
    expect(await readAll(topic, broker.brokers)).toHaveLength(1);
  });

  it('is refused where the name of the topic is none', async () => {
    expect(await problemOf(openPublisher(client).publish(recordOf('no topic')))).toMatchObject({
      problem: 'refused',
    });
  });

  it('is refused where the topic was deleted meanwhile, and published where it was made again', async () => {
    const topic = await ownTopic(2);
    const publisher = openPublisher(client);
    await Promise.all(numbered(10).map((key) => publisher.publish(recordOf(topic, key))));
    await deleteTopic(brokers(), topic);
    expect((await problemOf(publisher.publish(recordOf(topic, 'gone')))).problem).toBe('refused');
    await createTopic(brokers(), topic, { partitions: 3 });
    const keys = numbered(30);
    await eventually(() => publisher.publish(recordOf(topic, 'again')));
    await Promise.all(keys.map((key) => publisher.publish(recordOf(topic, key))));
    expect((await readAll(topic)).map(({ key }) => key).toSorted()).toEqual(['again', ...keys].toSorted());
  });

  it('finds Kafka unavailable where nobody listens', async () => {
    const publisher = openPublisher(client, `127.0.0.1:${await freePort()}`);
    expect((await problemOf(publisher.publish(recordOf('topic')))).problem).toBe('unavailable');
  });

  it('finds Kafka unavailable where connections are taken and never answered, and leaves none', async () => {
    const hole = await startBlackHole();
    const publisher = openPublisher(client, hole.address, { requestTimeoutMs: 300 });
    expect((await problemOf(publisher.publish(recordOf('topic')))).problem).toBe('unavailable');
    await publisher.close();
    await eventually(() => expect(hole.sockets.size).toBe(0));
  });
});

describe.each(CLIENTS)('a closed publisher with %s', (client) => {
  it('may be closed again, and before it was ever used', async () => {
    const topic = await ownTopic();
    const [used, unused] = [openPublisher(client), openPublisher(client)];
    await used.publish(recordOf(topic));
    await Promise.all([used.close(), used.close()]);
    await used.close();
    await unused.close();
    await unused.close();
  });

  it('ends what it had just begun, and leaves no connection', async () => {
    const hole = await startBlackHole();
    const publisher = openPublisher(client, hole.address, { requestTimeoutMs: 300 });
    const publishing = problemOf(publisher.publish(recordOf('topic')));
    await eventually(() => expect(hole.sockets.size).toBeGreaterThan(0));
    await publisher.close();
    expect((await publishing).problem).toBe('unavailable');
    await eventually(() => expect(hole.sockets.size).toBe(0));
  });

  it('does not connect again for what comes too late', async () => {
    const topic = await ownTopic();
    const publisher = openPublisher(client);
    await publisher.publish(recordOf(topic));
    await publisher.close();
    expect((await problemOf(publisher.publish(recordOf(topic)))).problem).toBe('unavailable');
  });

  it('has written or refused each record that was given to it before', async () => {
    const topic = await ownTopic(3);
    const publisher = openPublisher(client);
    await publisher.publish(recordOf(topic, 'first'));
    const outcomes = numbered(500).map(async (key) => {
      const error = await publisher.publish(recordOf(topic, key)).catch((thrown: unknown) => thrown);
      return error === undefined ? key : undefined;
    });
    await publisher.close();
    const acknowledged = (await Promise.all(outcomes)).filter((key) => key !== undefined);
    const keys = (await readAll(topic)).map(({ key }) => key);
    expect(keys).toEqual(expect.arrayContaining(acknowledged));
  });
});
