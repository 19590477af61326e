/**
 * Writes with @platformatic/kafka: its connections, metadata and encoding, and producer sequences of our own, since
 * the ones of its producer do not outlive a failed send (docs/decisions/0004-kafka-producer.md). Batches for
 * partitions of one broker share a request, and a broker has one request of ours at a time.
 */
import { type Connection, Producer, protocolErrorsCodesById } from '@platformatic/kafka';
import { isTopicRefusal, verdictOf } from './broker-verdict.ts';
import { type KafkaConnection, REQUEST_TIMEOUT_MS } from './kafka-connection.ts';
import { brokerCodesOf, reasonOf } from './kafka-error.ts';
import {
  type PartitionBatch,
  type PartitionWriter,
  TopicRefusedError,
  type Verdict,
} from './partition-writer.ts';
import { outliveLateErrors, platformaticOptions } from './platformatic-options.ts';
import { type ProduceBatches, type ProducedPartition, produceApi } from './platformatic-produce.ts';
import { createProducerSequences, type ProducerSequences } from './producer-sequences.ts';

type Waiting = { readonly batch: PartitionBatch; readonly settle: (verdict: Verdict) => void };

/** Of one request, uncompressed: twelve full batches would be 6 MB, which a slow line takes too long for. */
const REQUEST_BYTES = 1_000_000;

/** What the broker has forgotten, or never knew: it expires ids, and loses them with a log that is cut or made anew. */
const FORGOTTEN = new Set([
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'UNKNOWN_PRODUCER_ID',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_PRODUCER_ID_MAPPING',
]);

export function createPlatformaticWriter(
  connection: KafkaConnection,
  maxRequestBytes?: number,
): PartitionWriter {
  const client = outliveLateErrors(new Producer({ ...platformaticOptions(connection), idempotent: false }));
  const brokers = new Map<number, { readonly waiting: Waiting[]; busy: boolean }>();
  const staleTopics = new Set<string>();
  const lastUse = new WeakMap<Connection, number>();
  const requestBytes = Math.min(REQUEST_BYTES, maxRequestBytes ?? REQUEST_BYTES);
  const { requestTimeoutMs = REQUEST_TIMEOUT_MS } = connection;
  let sequences: Promise<ProducerSequences> | undefined;
  let produce: Promise<ProduceBatches> | undefined;

  async function metadataOf(topic: string) {
    try {
      const forceUpdate = staleTopics.has(topic);
      const { topics } = await client.metadata({ topics: [topic], forceUpdate });
      staleTopics.delete(topic);
      const found = topics.get(topic);
      if (!found) throw new TopicRefusedError('there is no such topic');
      return found;
    } catch (error) {
      throw toTopicError(error);
    }
  }

  async function leaderOf({ topic, partition }: PartitionBatch): Promise<number> {
    const { partitions } = await metadataOf(topic);
    const leader = partitions[partition]?.leader ?? -1;
    if (leader < 0) throw new Error(`partition ${partition} has no leader`);
    return leader;
  }

  function connectOnce(): Promise<[ProducerSequences, ProduceBatches]> {
    sequences ??= client.initIdempotentProducer({}).then(
      ({ producerId, producerEpoch }) => createProducerSequences({ id: producerId, epoch: producerEpoch }),
      (error: unknown) => {
        sequences = undefined;
        throw error;
      },
    );
    produce ??= client.listApis().then(
      (apis) => produceApi(apis, requestTimeoutMs),
      (error: unknown) => {
        produce = undefined;
        throw error;
      },
    );
    return Promise.all([sequences, produce]);
  }

  /** One that was left alone for too long may be dead without our knowing: better a new one than a time-out. */
  async function connectionTo(broker: number): Promise<Connection> {
    const maxIdleMs = connection.connectionsMaxIdleMs ?? Number.POSITIVE_INFINITY;
    const open = async () => {
      const found = (await client.connectToBrokers([broker])).get(broker);
      if (!found) throw new Error(`broker ${broker} is not in the cluster`);
      return found;
    };
    const found = await open();
    const idleMs = performance.now() - (lastUse.get(found) ?? performance.now());
    if (idleMs <= maxIdleMs) return found;
    await found.close();
    return open();
  }

  /** Requests to the broker one after the other, each with what has come together meanwhile. */
  async function serve(broker: number, lane: { readonly waiting: Waiting[]; busy: boolean }): Promise<void> {
    lane.busy = true;
    // Batches of several partitions are offered in the same moment.
    await new Promise((resolve) => setImmediate(resolve));
    while (lane.waiting.length > 0) await sendNext(broker, lane.waiting);
    lane.busy = false;
  }

  async function sendNext(broker: number, waiting: Waiting[]): Promise<void> {
    let taken: Waiting[] = [];
    try {
      const [numbers, send] = await connectOnce();
      const target = await connectionTo(broker);
      taken = takeForOneRequest(waiting, numbers, requestBytes);
      lastUse.set(target, performance.now());
      const produced = await send(
        target,
        taken.map(({ batch }) => batch),
        numbers,
      );
      for (const { batch, settle } of taken) settle(judge(batch, produced, numbers));
    } catch (error) {
      // Without a request under way all that wait for the broker have learned the same.
      const mayBeWritten = taken.length > 0;
      for (const { batch, settle } of mayBeWritten ? taken : waiting.splice(0)) {
        staleTopics.add(batch.topic);
        settle(afterFailure(error, mayBeWritten));
      }
    }
  }

  function judge(
    batch: PartitionBatch,
    produced: readonly ProducedPartition[],
    numbers: ProducerSequences,
  ): Verdict {
    const { topic, partition, records } = batch;
    const answer = produced.find((each) => each.topic === topic && each.partition === partition);
    const code = answer
      ? (protocolErrorsCodesById[answer.errorCode] ?? `error ${answer.errorCode}`)
      : 'NO_ANSWER';
    const verdict: Verdict =
      code === 'NONE'
        ? { kind: 'written' }
        : verdictOf(code, new Error(withDetail(code, answer?.errorMessage)));
    if (verdict.kind === 'written') numbers.advance(`${topic}:${partition}`, records.length);
    if (verdict.kind === 'again') staleTopics.add(topic);
    if (FORGOTTEN.has(code)) numbers.beginAnew(`${topic}:${partition}`);
    return verdict;
  }

  return {
    partitionCount: async (topic) => (await metadataOf(topic)).partitionsCount,
    async write(batch) {
      try {
        const broker = await leaderOf(batch);
        const lane = brokers.get(broker) ?? { waiting: [], busy: false };
        brokers.set(broker, lane);
        const { promise, resolve: settle } = Promise.withResolvers<Verdict>();
        lane.waiting.push({ batch, settle });
        if (!lane.busy) void serve(broker, lane);
        return await promise;
      } catch (error) {
        if (error instanceof TopicRefusedError) return { kind: 'refused', error };
        staleTopics.add(batch.topic);
        return afterFailure(error, false);
      }
    },
    async close() {
      await client.close();
    },
  };
}

/** Those from the front that share an identity and a compression and fit; one that does not fit goes alone. */
function takeForOneRequest(waiting: Waiting[], numbers: ProducerSequences, maxBytes: number): Waiting[] {
  const taken: Waiting[] = [];
  let bytes = 0;
  for (const each of [...waiting]) {
    bytes += each.batch.records.reduce((sum, record) => sum + record.bytes, 0);
    if (taken.length > 0 && (bytes > maxBytes || !canJoin(taken[0], each, numbers))) break;
    taken.push(each);
  }
  waiting.splice(0, taken.length);
  return taken;
}

function canJoin(first: Waiting | undefined, other: Waiting, numbers: ProducerSequences): boolean {
  if (!first || first.batch.compression !== other.batch.compression) return false;
  const [a, b] = [first, other].map(
    ({ batch }) => numbers.next(`${batch.topic}:${batch.partition}`).identity,
  );
  return a?.id === b?.id && a?.epoch === b?.epoch;
}

/** The broker's own words say which right or limit it was; they hold no part of a record. */
function withDetail(code: string, detail: string | null | undefined): string {
  return detail ? `${code} (${detail.slice(0, 200)})` : code;
}

function afterFailure(thrown: unknown, mayBeWritten: boolean): Verdict {
  const error = new Error(reasonOf(thrown), { cause: thrown });
  if (brokerCodesOf(thrown).includes('CLUSTER_AUTHORIZATION_FAILED')) return { kind: 'refused', error };
  return { kind: 'again', error, mayBeWritten };
}

function toTopicError(error: unknown): Error {
  if (error instanceof TopicRefusedError) return error;
  const code = brokerCodesOf(error).find(isTopicRefusal);
  if (code) return new TopicRefusedError(code, { cause: error });
  const reason = reasonOf(error);
  // The client has no code of its own for it.
  if (reason.startsWith('Unknown topic')) {
    return new TopicRefusedError('UNKNOWN_TOPIC_OR_PARTITION', { cause: error });
  }
  return new Error(reason, { cause: error });
}
