// Reads topics with readers that are not the product's, so that the product's own cannot hide a fault in itself.
import { setTimeout as delay } from 'node:timers/promises';
import type { ChildProcess } from './child-process.ts';
import { launchConsoleConsumer } from './console-consumer-reader.ts';
import { KAFKA_LIB_DIR } from './kafka-jars.ts';
import { endOffsets, type PartitionEnd } from './kafka-requests.ts';
import { hasKcat, launchKcat } from './kcat-reader.ts';
import type { LaunchReader, TopicRecord } from './topic-record.ts';

export type { TopicRecord } from './topic-record.ts';

export interface TopicReaderOptions {
  readonly brokers: string;
  readonly topic: string;
  /** The folder of Kafka's jars. Default: where a local broker's are. */
  readonly libDir?: string;
  /** Default: kcat where it is on PATH. */
  readonly reader?: 'kcat' | 'console-consumer';
}

export interface TopicFollower extends AsyncIterable<TopicRecord>, AsyncDisposable {
  /** Ends the reader and the iteration; safe to call twice. */
  close(): Promise<void>;
}

// A reader on loopback that brings nothing for so long, before the end, hangs.
const STALL_MS = 30_000;
const POLL_MS = 5;
const WAIT_FOR_TOPIC_MS = 200;

/**
 * All records from the beginning to the end as of the call, sorted by partition and offset.
 * A topic that does not exist has none. @throws when the reader fails or stalls
 */
export async function readTopic(options: TopicReaderOptions): Promise<TopicRecord[]> {
  const records: TopicRecord[] = [];
  await scanTopic(options, (record) => records.push(record));
  return records.sort((a, b) => a.partition - b.partition || a.offset - b.offset);
}

/** As `readTopic`, but hands the records over one by one, in the order of each partition, and keeps none. */
export async function scanTopic(
  options: TopicReaderOptions,
  onRecord: (record: TopicRecord) => void,
): Promise<void> {
  const ends = await endOffsets(options.brokers, options.topic);
  const scan = new Scan(ends, onRecord);
  if (scan.isComplete) return;
  const launch = await chooseReader(options);
  const reader = await launch({
    ...launchOptions(options),
    follow: false,
    onRecord: (record) => scan.take(record),
    onUnreadable: (error) => scan.fail(error),
  });
  try {
    while (!scan.isComplete && !reader.hasExited) {
      await Promise.race([reader.exited, delay(POLL_MS)]);
      if (scan.idleMs > STALL_MS) throw new Error(`${reader.name} brought nothing for ${STALL_MS} ms`);
    }
    scan.throwIfFailed();
    if (!scan.isComplete) await throwUnlessCleanExit(reader);
  } finally {
    await reader.stop();
  }
}

/**
 * The records from the beginning, and then those that come. Waits for a topic that does not exist yet; does not
 * notice partitions added later. Iterate once.
 */
export function followTopic(options: TopicReaderOptions): TopicFollower {
  return new Follower(options);
}

/** How far a reading to known ends has come. */
class Scan {
  readonly #ends: ReadonlyMap<number, number>;
  readonly #unfinished: Set<number>;
  readonly #onRecord: (record: TopicRecord) => void;
  #lastRecordAt = performance.now();
  #failure: { readonly error: unknown } | undefined;

  constructor(ends: readonly PartitionEnd[], onRecord: (record: TopicRecord) => void) {
    const filled = ends.filter(({ endOffset }) => endOffset > 0);
    this.#ends = new Map(filled.map(({ partition, endOffset }) => [partition, endOffset]));
    this.#unfinished = new Set(this.#ends.keys());
    this.#onRecord = onRecord;
  }

  get isComplete(): boolean {
    return this.#unfinished.size === 0 || this.#failure !== undefined;
  }

  get idleMs(): number {
    return performance.now() - this.#lastRecordAt;
  }

  /** Called from the reader's output, where nobody would catch an error: it is kept. */
  take(record: TopicRecord): void {
    this.#lastRecordAt = performance.now();
    const end = this.#ends.get(record.partition) ?? 0;
    if (record.offset >= end || this.#failure) return;
    try {
      this.#onRecord(record);
    } catch (error) {
      this.fail(error);
    }
    if (record.offset + 1 >= end) this.#unfinished.delete(record.partition);
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure.error;
  }
}

class Follower implements TopicFollower {
  readonly #arrived: TopicRecord[] = [];
  readonly #closing = new AbortController();
  readonly #finished: Promise<void>;
  #failure: { readonly error: unknown } | undefined;
  #isFinished = false;
  #wake = () => {};

  constructor(options: TopicReaderOptions) {
    this.#finished = this.#follow(options)
      .catch((error) => {
        this.#failure = { error };
      })
      .then(() => {
        this.#isFinished = true;
        this.#wake();
      });
  }

  async *[Symbol.asyncIterator](): AsyncIterator<TopicRecord> {
    try {
      while (true) {
        // Taken at once: shifting a long array record by record is quadratic.
        for (const record of this.#arrived.splice(0)) yield record;
        if (this.#arrived.length > 0) continue;
        if (this.#isFinished) break;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      if (this.#failure && !this.#closing.signal.aborted) throw this.#failure.error;
    } finally {
      await this.close();
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #follow(options: TopicReaderOptions): Promise<void> {
    const { signal } = this.#closing;
    const aborted = new Promise<void>((resolve) =>
      signal.addEventListener('abort', () => resolve(), { once: true }),
    );
    while (!signal.aborted && (await endOffsets(options.brokers, options.topic)).length === 0) {
      await Promise.race([aborted, delay(WAIT_FOR_TOPIC_MS, undefined, { ref: false })]);
    }
    if (signal.aborted) return;
    const launch = await chooseReader(options);
    const unreadable = Promise.withResolvers<never>();
    const reader = await launch({
      ...launchOptions(options),
      follow: true,
      onRecord: (record) => this.#take(record),
      onUnreadable: unreadable.reject,
    });
    try {
      await Promise.race([aborted, reader.exited, unreadable.promise]);
      if (!signal.aborted) throw endedEarly(reader);
    } finally {
      await reader.stop();
    }
  }

  #take(record: TopicRecord): void {
    this.#arrived.push(record);
    this.#wake();
  }
}

async function chooseReader({ reader }: TopicReaderOptions): Promise<LaunchReader> {
  const useKcat = reader === undefined ? await hasKcat() : reader === 'kcat';
  return useKcat ? launchKcat : launchConsoleConsumer;
}

function launchOptions({ brokers, topic, libDir = KAFKA_LIB_DIR }: TopicReaderOptions) {
  return { brokers, topic, libDir };
}

// A reader that saw the end of each partition may end by itself, short of an offset that compaction has removed.
async function throwUnlessCleanExit(reader: ChildProcess): Promise<void> {
  const { code } = await reader.exited;
  if (code !== 0) throw endedEarly(reader);
}

function endedEarly(reader: ChildProcess): Error {
  return new Error(`${reader.name} ended before its work was done. It said:\n${reader.lines().join('\n')}`);
}
