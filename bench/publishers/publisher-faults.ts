/** What happens to brokers and to the way to them while a candidate publishes, and what became of its records. */
import {
  createTopic,
  eventually,
  type KafkaBroker,
  readTopic,
  startHoldingProxy,
  TcpProxy,
  topicPartitions,
} from '@graph2kafka/test-harness';
import { now } from '../benchmark.ts';
import type { Candidate } from './candidates.ts';
import { type Judgement, startWriters, type Writers } from './writers.ts';

export type Ground = {
  readonly broker: KafkaBroker;
  readonly proxyPort: number;
  readonly first: KafkaBroker;
  readonly second: KafkaBroker;
};

/** `recoveredMs`: from the end of the fault to the next acknowledgement; undefined: none came within 30 s. */
export type Outcome = Judgement & { readonly recoveredMs?: number | undefined };

const WRITERS = 20;
const REQUEST_TIMEOUT_MS = 2000;
const RECOVERS_WITHIN_MS = 30_000;
const PRODUCE = 0;
const isProduceRequest = (request: Buffer) => request.length >= 6 && request.readInt16BE(4) === PRODUCE;
const newTopicName = () => `publishers-${crypto.randomUUID()}`;

async function madeTopic(brokers: string, partitions: number, replication = 1): Promise<string> {
  const topic = newTopicName();
  await eventually(() => createTopic(brokers, topic, { partitions, replication }));
  return topic;
}

type Trial = {
  readonly candidate: Candidate;
  /** As the candidate connects, and as the judge reads. */
  readonly brokers: string;
  readonly direct: string;
  readonly topic: string;
};

async function trying(
  { candidate, brokers, direct, topic }: Trial,
  fault: (writers: Writers) => Promise<{ readonly endedAt?: number }>,
): Promise<Outcome> {
  const producer = candidate.open(brokers, REQUEST_TIMEOUT_MS);
  const writers = startWriters(producer, topic, WRITERS);
  await eventually(() => writers.acknowledgedAt.length > 200);
  const { endedAt } = await fault(writers);
  const recoveredMs = endedAt === undefined ? undefined : await recovery(writers, endedAt);
  await writers.stop(5000);
  await Promise.race([
    producer.close().catch(() => undefined),
    new Promise((resolve) => setTimeout(resolve, 5000)),
  ]);
  return { ...(await writers.judge(direct, topic)), recoveredMs };
}

async function recovery(writers: Writers, endedAt: number): Promise<number | undefined> {
  const next = () => writers.acknowledgedAt.find((at) => at > endedAt);
  await eventually(() => next() !== undefined, { timeoutMs: RECOVERS_WITHIN_MS }).catch(() => undefined);
  const at = next();
  return at === undefined ? undefined : at - endedAt;
}

/** The broker has written, and the client cannot know it. */
export async function cutAnswers(candidate: Candidate, ground: Ground, cuts: number): Promise<Outcome> {
  const { broker, proxyPort } = ground;
  const proxy = await TcpProxy.start({ port: proxyPort, target: { port: broker.portBehindProxy ?? 0 } });
  proxy.delayMs = 2;
  try {
    const direct = broker.brokers;
    const topic = await madeTopic(direct, 3);
    return await trying({ candidate, brokers: `127.0.0.1:${proxyPort}`, direct, topic }, async (writers) => {
      for (let cut = 0; cut < cuts; cut++) {
        await proxy.cutNextResponse(isProduceRequest).done;
        const before = writers.acknowledgedAt.length;
        await eventually(() => writers.acknowledgedAt.length > before + 100, { timeoutMs: 15_000 }).catch(
          () => undefined,
        );
      }
      return {};
    });
  } finally {
    await proxy.close();
  }
}

/** Whether a write that was thought lost comes after a newer record of its key. */
export async function holdWrite(candidate: Candidate, { broker, proxyPort }: Ground): Promise<string> {
  const proxy = await startHoldingProxy(proxyPort, broker.portBehindProxy ?? 0);
  const producer = candidate.open(`127.0.0.1:${proxyPort}`, 700);
  try {
    const topic = await madeTopic(broker.brokers, 1);
    const insist = (value: string) =>
      eventually(() => producer.publish({ topic, key: 'key', value }), { timeoutMs: 15_000 });
    await insist('0');
    const held = proxy.holdNext(isProduceRequest);
    await producer.publish({ topic, key: 'key', value: '1' }).catch(() => undefined);
    await held.held;
    await insist('2');
    await held.release();
    await insist('3');
    const values = (await readTopic({ brokers: broker.brokers, topic })).map(({ value }) => value).join(' ');
    return values === '0 1 2 3' ? 'refused' : values;
  } catch {
    return 'stuck';
  } finally {
    await Promise.race([
      producer.close().catch(() => undefined),
      new Promise((resolve) => setTimeout(resolve, 5000)),
    ]);
    await proxy.close();
  }
}

export async function killBroker(candidate: Candidate, { broker }: Ground): Promise<Outcome> {
  const topic = await madeTopic(broker.brokers, 3);
  return trying({ candidate, brokers: broker.brokers, direct: broker.brokers, topic }, async () => {
    await broker.kill9();
    await broker.restart();
    return { endedAt: now() };
  });
}

export async function freezeBroker(
  candidate: Candidate,
  { broker }: Ground,
  seconds: number,
): Promise<Outcome> {
  const topic = await madeTopic(broker.brokers, 3);
  return trying({ candidate, brokers: broker.brokers, direct: broker.brokers, topic }, async () => {
    broker.freeze();
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    broker.thaw();
    return { endedAt: now() };
  });
}

/** One of two brokers is killed; the time counts from the election of the other. */
export async function moveLeaders(candidate: Candidate, { first, second }: Ground): Promise<Outcome> {
  const brokers = `${first.brokers},${second.brokers}`;
  const topic = await madeTopic(brokers, 6, 2);
  try {
    return await trying({ candidate, brokers, direct: first.brokers, topic }, async () => {
      await second.kill9();
      await eventually(
        async () =>
          (await topicPartitions(first.brokers, topic)).every(({ leader }) => leader.port === first.port),
        { timeoutMs: 20_000 },
      );
      const endedAt = now();
      // Some partitions never moved: what counts is that all go on.
      await new Promise((resolve) => setTimeout(resolve, 3000));
      return { endedAt };
    });
  } finally {
    await second.restart();
  }
}

export type Speed = { readonly recordsPerSecond: number; readonly aloneP50Ms: number };

/** With many writers, and one alone: that one's latency is what lanes and batching may add to. */
export async function measureSpeed(
  candidate: Candidate,
  { broker }: Ground,
  seconds: number,
): Promise<Speed> {
  const topic = await madeTopic(broker.brokers, 12);
  const producer = candidate.open(broker.brokers, 10_000);
  const during = async (concurrency: number) => {
    const writers = startWriters(producer, topic, concurrency);
    await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
    const until = now();
    await writers.stop(5000);
    return { writers, until };
  };
  await during(128);
  const many = await during(128);
  const alone = await during(1);
  await producer.close().catch(() => undefined);
  const sorted = alone.writers.latenciesMs.toSorted((a, b) => a - b);
  return {
    recordsPerSecond: many.writers.acknowledgedAt.filter((at) => at <= many.until).length / seconds,
    aloneP50Ms: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN,
  };
}
