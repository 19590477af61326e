/**
 * A topic from its beginning to where it ends when asked, once, for people who look into it. Belongs to no consumer
 * group and leaves nothing behind; creates no topic. Compacted topics and such with gaps are read like any other.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { Consumer, type RecordsBatch } from '@platformatic/kafka';
import { describeTopics } from './describe-topics.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { brokerCodesOf, setupProblemOf } from './kafka-error.ts';
import { platformaticOptions } from './platformatic-options.ts';
import { probeKafka } from './probe-kafka.ts';
import { KafkaSetupError } from './topics.ts';

export type StoredRecord = {
  readonly partition: number;
  readonly offset: number;
  /** Epoch milliseconds, as the topic has them: of the append, or of the producer. */
  readonly timestamp: number;
  readonly key: string | null;
  readonly headers: Readonly<Record<string, string>>;
  /** `null`: a tombstone. */
  readonly value: Buffer | null;
};

export type ReadTopicOptions = {
  /** This one record alone, where it is still there. */
  readonly only?: { readonly partition: number; readonly offset: number };
  /** Bytes asked for at once. Default 1 MB; the broker sends at least one batch, however large. */
  readonly fetchBytes?: number;
};

/** A partition and the part of it that is to be read: `from` is read, `to` is not. */
type Span = { readonly partition: number; readonly from: bigint; readonly to: bigint };

type Position = { readonly topicId: string; readonly leader: number; readonly partition: number };

const FETCH_BYTES = 1_000_000;
/** For an answer without records: there are some, so the broker hardly waits. */
const MAX_WAIT_MS = 500;
/** Answers without records before the rest of a partition counts as gone: the first may come from a quota. */
const EMPTY_ANSWERS = 3;

/** Attribute bits of a batch (Kafka protocol, record batch). */
const LOG_APPEND_TIME = 1 << 3;
const CONTROL = 1 << 5;

/**
 * Partition by partition, each in its order. Rejects with a `KafkaSetupError` where people have to mend something
 * (no such topic, no right, no sign-in), with any other error where Kafka is away.
 */
export async function* readTopic(
  connection: KafkaConnection,
  topic: string,
  options: ReadTopicOptions = {},
): AsyncGenerator<StoredRecord> {
  const consumer = new Consumer({
    ...platformaticOptions(connection),
    // A new leader takes its time; this is nobody's request that could wait for less.
    retries: 5,
    retryDelay: 500,
    // Never joined, so that no broker hears of it; the client wants a name.
    groupId: 'graph2kafka-reader',
  });
  try {
    // It gives up sooner than the reader, whose patience is for new leaders.
    await probeKafka(connection);
    await requireTopic(consumer, topic);
    consumer.topics.track(topic);
    for (const span of await spansOf(consumer, topic, options.only)) {
      yield* readSpan(consumer, topic, span, options.fetchBytes ?? FETCH_BYTES);
    }
  } catch (error) {
    const problem = mayNotRead(error)
      ? `Kafka does not let us read the topic ${topic}: allow Read`
      : setupProblemOf(error);
    throw problem ? new KafkaSetupError(problem, { cause: error }) : error;
  } finally {
    await consumer.close().catch(() => undefined);
  }
}

function mayNotRead(error: unknown): boolean {
  return brokerCodesOf(error).includes('TOPIC_AUTHORIZATION_FAILED');
}

async function requireTopic(consumer: Consumer, topic: string): Promise<void> {
  const [described] = await describeTopics(consumer, [topic]);
  switch (described?.state) {
    case 'led':
      return;
    case 'hidden':
      throw new KafkaSetupError(`Kafka does not let us see the topic ${topic}: allow Describe and Read`);
    case 'leaderless':
      throw new Error(`a partition of the topic ${topic} has no leader`);
    default:
      throw new KafkaSetupError(`Kafka has no topic ${topic}: correct KAFKA_DEAD_LETTER_TOPIC`);
  }
}

async function spansOf(consumer: Consumer, topic: string, only: ReadTopicOptions['only']): Promise<Span[]> {
  const [from, to] = await Promise.all([
    offsets(consumer, topic, EARLIEST),
    offsets(consumer, topic, LATEST),
  ]);
  const spans = to.map((end, partition) => ({ partition, from: from[partition] ?? 0n, to: end }));
  if (!only) return spans;
  const wanted = BigInt(only.offset);
  return spans
    .filter(({ partition, from: first, to: end }) => {
      return partition === only.partition && wanted >= first && wanted < end;
    })
    .map(({ partition }) => ({ partition, from: wanted, to: wanted + 1n }));
}

/** Stand for the first and the last offset instead of a time (ListOffsets). */
const EARLIEST = -2n;
const LATEST = -1n;

async function offsets(consumer: Consumer, topic: string, timestamp: bigint): Promise<bigint[]> {
  return (await consumer.listOffsets({ topics: [topic], timestamp })).get(topic) ?? [];
}

async function* readSpan(
  consumer: Consumer,
  topic: string,
  { partition, from, to }: Span,
  fetchBytes: number,
): AsyncGenerator<StoredRecord> {
  let next = from;
  let empty = 0;
  while (next < to && empty < EMPTY_ANSWERS) {
    const batches = await fetchBatches(consumer, topic, partition, next, fetchBytes);
    if (batches === 'gone') {
      // Retention was here meanwhile.
      const first = (await offsets(consumer, topic, EARLIEST))[partition] ?? to;
      next = first > next ? first : to;
      continue;
    }
    empty = batches.length === 0 ? empty + 1 : 0;
    for (const batch of batches) {
      for (const record of recordsOf(batch, partition)) {
        const offset = BigInt(record.offset);
        if (offset >= next && offset < to) yield record;
      }
      // Also where compaction has left nothing but the batch's frame.
      const after = batch.firstOffset + BigInt(batch.lastOffsetDelta) + 1n;
      if (after > next) next = after;
    }
  }
}

async function fetchBatches(
  consumer: Consumer,
  topic: string,
  partition: number,
  offset: bigint,
  fetchBytes: number,
): Promise<readonly RecordsBatch[] | 'gone'> {
  const position = await positionOf(consumer, topic, partition);
  try {
    const answer = await consumer.fetch({
      node: position.leader,
      maxWaitTime: MAX_WAIT_MS,
      maxBytes: fetchBytes,
      topics: [{ topicId: position.topicId, partitions: [requestFor(position, offset, fetchBytes)] }],
    });
    if (answer.throttleTimeMs > 0) await pause(answer.throttleTimeMs);
    const parts = answer.responses.flatMap(({ partitions }) => partitions);
    return parts
      .filter(({ partitionIndex }) => partitionIndex === partition)
      .flatMap(({ records }) => records ?? []);
  } catch (error) {
    if (brokerCodesOf(error).includes('OFFSET_OUT_OF_RANGE')) return 'gone';
    throw error;
  }
}

async function positionOf(consumer: Consumer, topic: string, partition: number): Promise<Position> {
  const { topics } = await consumer.metadata({ topics: [topic] });
  const found = topics.get(topic);
  const leader = found?.partitions[partition]?.leader;
  if (found === undefined || leader === undefined)
    throw new Error(`partition ${partition} of ${topic} is gone`);
  return { topicId: found.id, leader, partition };
}

function requestFor({ partition }: Position, fetchOffset: bigint, partitionMaxBytes: number) {
  return { partition, fetchOffset, partitionMaxBytes, currentLeaderEpoch: -1, lastFetchedEpoch: -1 };
}

function* recordsOf(batch: RecordsBatch, partition: number): Generator<StoredRecord> {
  if ((batch.attributes & CONTROL) !== 0) return;
  const isAppendTime = (batch.attributes & LOG_APPEND_TIME) !== 0;
  for (const { offsetDelta, timestampDelta, key, value, headers } of batch.records) {
    yield {
      partition,
      offset: Number(batch.firstOffset) + offsetDelta,
      timestamp: Number(isAppendTime ? batch.maxTimestamp : batch.firstTimestamp + timestampDelta),
      key: key?.toString('utf8') ?? null,
      headers: Object.fromEntries(
        headers.map(([name, text]) => [name?.toString('utf8') ?? '', text?.toString('utf8') ?? '']),
      ),
      value,
    };
  }
}
