/**
 * The records of one partition on their way: what waits while a batch is under way goes with the next one, so that the
 * busier it is the larger the batches are, and nobody waits for a timer. One batch at a time, and none before the fate
 * of the one before is known: a request that timed out may still be written, and must not come after a newer record.
 *
 * Who waits for a batch that may have been written waits until its fate is known, however long that takes: its run keeps
 * the owner meanwhile, so that no other worker publishes a newer state before an older one lands late.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import type { Logger } from '@graph2kafka/shared';
import type { Compression, EncodedRecord, PartitionWriter, Verdict } from './partition-writer.ts';
import { PublishError, type PublishProblem } from './record-publisher.ts';

export type LaneSettings = {
  readonly compression: Compression;
  /** Known to be the largest request that is taken; undefined: the broker says so itself. */
  readonly maxRequestBytes: number | undefined;
  /** How long a record that was not on its way yet waits for a broker that does not take any. Default 3000. */
  readonly patienceMs?: number;
};

export type PartitionLane = {
  publish(record: EncodedRecord): Promise<void>;
  /** The process is about to end: what a try fails for is given up, whatever its fate. */
  waitNoLonger(): void;
  /** Ends at the next answer, or after the try that is under way; safe to call twice. */
  close(): Promise<void>;
};

type Pending = {
  readonly record: EncodedRecord;
  readonly since: number;
  readonly resolve: () => void;
  readonly reject: (error: PublishError) => void;
  /** Somebody waits for it: it was neither written nor given up. */
  isAwaited: boolean;
};

/** Of a batch, uncompressed: half of what a broker takes by default, as headers and compression may add to it. */
const BATCH_BYTES = 500_000;
const BATCH_RECORDS = 500;
/** Longer than a leader's election; the job that a record belongs to comes again. */
const PATIENCE_MS = 3000;
const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 1000;

export function createPartitionLane(
  topic: string,
  partition: number,
  writer: PartitionWriter,
  settings: LaneSettings,
  log: Logger,
): PartitionLane {
  const queue: Pending[] = [];
  /** What the run has taken from the queue last. */
  let underWay: Pending[] = [];
  const closing = new AbortController();
  let isEnding = false;
  let running: Promise<void> | undefined;

  const failed = (problem: PublishProblem, error: Error) =>
    new PublishError(problem, `topic ${topic}: ${error.message}`, { cause: error });
  const closed = () => new PublishError('unavailable', `topic ${topic}: the publisher is closed`);

  async function run(): Promise<void> {
    // Publishes of the same moment come together.
    await new Promise((resolve) => setImmediate(resolve));
    while (queue.length > 0 && !closing.signal.aborted) {
      underWay = takeBatch(queue);
      await deliver(underWay, settings.compression);
    }
    for (const { reject } of queue.splice(0)) reject(closed());
    running = undefined;
  }

  /** Until each record is written, or told why not. */
  async function deliver(batch: Pending[], compression: Compression): Promise<void> {
    const verdict = await fateOf(batch, compression);
    const [only] = batch;
    if (verdict === undefined) return;
    if (verdict.kind === 'written') {
      for (const { resolve } of batch) resolve();
    } else if (batch.length > 1 && verdict.kind !== 'refused') {
      // One of them spoils the batch: halves find it, and the others go through, each in its turn.
      const middle = Math.ceil(batch.length / 2);
      await deliver(batch.slice(0, middle), compression);
      await deliver(batch.slice(middle), compression);
    } else if (only && verdict.kind === 'tooLarge' && compression === 'none') {
      await deliverCompressed(only, verdict.error);
    } else {
      for (const { reject } of batch) reject(failed(verdict.kind, verdict.error));
    }
  }

  /** A broker that refuses compression has still said that the record is too large. */
  async function deliverCompressed(pending: Pending, tooLarge: Error): Promise<void> {
    const verdict = await fateOf([pending], 'gzip');
    if (verdict === undefined) return;
    if (verdict.kind === 'written') pending.resolve();
    else if (verdict.kind === 'invalid') pending.reject(failed('invalid', verdict.error));
    else pending.reject(failed('tooLarge', tooLarge));
  }

  /** Offers the batch until it is known to be written or refused; undefined where it was given up. */
  async function fateOf(
    batch: Pending[],
    compression: Compression,
  ): Promise<Exclude<Verdict, { kind: 'again' }> | undefined> {
    const records = batch.map(({ record }) => record);
    const sizeProblem = findSizeProblem(records, compression, settings.maxRequestBytes);
    if (sizeProblem) return { kind: 'tooLarge', error: sizeProblem };
    let mayBeWritten = false;
    for (let tries = 1; ; tries++) {
      if (closing.signal.aborted) return giveUp(batch, closed());
      // What nobody waits for and was never on its way need not come late.
      if (!mayBeWritten && !batch.some(({ isAwaited }) => isAwaited)) return undefined;
      const verdict = await writer.write({ topic, partition, records, compression });
      if (verdict.kind !== 'again') return verdict;
      log[tries === 1 ? 'warn' : 'debug']({ topic, partition, tries, err: verdict.error }, 'kafka.client');
      mayBeWritten ||= verdict.mayBeWritten;
      if (isEnding) return giveUp(batch, failed('unavailable', verdict.error));
      tellImpatient(failed('unavailable', verdict.error), mayBeWritten ? batch : []);
      const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** Math.min(tries - 1, 10), LONGEST_PAUSE_MS);
      await pause(pauseMs, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  }

  function giveUp(batch: Pending[], error: PublishError): undefined {
    for (const { reject } of batch) reject(error);
  }

  /** All of the lane, since they wait for the same broker, but those whose fate is not known. */
  function tellImpatient(error: PublishError, inDoubt: readonly Pending[]): void {
    const patienceMs = settings.patienceMs ?? PATIENCE_MS;
    for (const pending of [...underWay, ...queue]) {
      if (inDoubt.includes(pending) || performance.now() - pending.since < patienceMs) continue;
      pending.reject(error);
      pending.isAwaited = false;
    }
    queue.splice(0, queue.length, ...queue.filter(({ isAwaited }) => isAwaited));
  }

  return {
    publish(record) {
      if (closing.signal.aborted) return Promise.reject(closed());
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      queue.push({ record, since: performance.now(), resolve, reject, isAwaited: true });
      running ??= run();
      return promise;
    },
    waitNoLonger() {
      isEnding = true;
    },
    async close() {
      closing.abort();
      await running;
    },
  };
}

/** As many from the front as fit; one that does not fit goes alone. */
function takeBatch(queue: Pending[]): Pending[] {
  let bytes = 0;
  let count = 0;
  for (const { record } of queue) {
    bytes += record.bytes;
    if (count > 0 && (bytes > BATCH_BYTES || count >= BATCH_RECORDS)) break;
    count++;
  }
  return queue.splice(0, count);
}

/** Event Hubs closes the connection on a request that is too large, so that it has to be known before. */
function findSizeProblem(
  records: readonly EncodedRecord[],
  compression: Compression,
  maxRequestBytes: number | undefined,
): Error | undefined {
  if (maxRequestBytes === undefined) return undefined;
  const bytes = records.reduce((sum, record) => sum + record.bytes, REQUEST_OVERHEAD_BYTES);
  if (bytes <= maxRequestBytes) return undefined;
  const compressed =
    compression === 'none'
      ? bytes
      : gzipSync(Buffer.concat(records.map(({ key, value }) => Buffer.concat([key, value ?? EMPTY]))))
          .length +
        records.reduce((sum, { bytes, key, value }) => sum + bytes - key.length - (value?.length ?? 0), 0);
  if (compressed <= maxRequestBytes) return undefined;
  return new Error(`the record has ${bytes} bytes, KAFKA_MAX_REQUEST_SIZE is ${maxRequestBytes}`);
}

const REQUEST_OVERHEAD_BYTES = 512;
const EMPTY = Buffer.alloc(0);
