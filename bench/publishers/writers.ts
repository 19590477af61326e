/** A number of writers that publish without end, and what the topic holds of it afterwards. */
import { eventually, readTopic } from '@graph2kafka/test-harness';
import type { LibraryProducer } from '../../services/worker/test/support/library-producers.ts';
import { now } from '../benchmark.ts';

export type Judgement = {
  readonly acknowledged: number;
  /** Acknowledged, and not in the topic. */
  readonly lost: number;
  /** In the topic once more than it was tried: what was reported as failed and tried again may be there twice. */
  readonly repeated: number;
  /** Records that show an older value of their key after a newer one. */
  readonly backInTime: number;
  readonly failed: number;
};

export type Writers = {
  /** Epoch ms of each acknowledgement. */
  readonly acknowledgedAt: readonly number[];
  /** Milliseconds from call to acknowledgement. */
  readonly latenciesMs: readonly number[];
  /** Ends them; what never settles is left behind after `patienceMs`. */
  stop(patienceMs: number): Promise<void>;
  judge(brokers: string, topic: string): Promise<Judgement>;
};

/** Each writer has a key of its own, and counts up in its value, trying again what failed. */
export function startWriters(producer: LibraryProducer, topic: string, concurrency: number): Writers {
  const acknowledged: string[] = [];
  const acknowledgedAt: number[] = [];
  const latenciesMs: number[] = [];
  const failures = new Map<string, number>();
  let failed = 0;
  let isOver = false;

  async function write(key: string): Promise<void> {
    for (let value = 1; !isOver; ) {
      const calledAt = now();
      try {
        await producer.publish({ topic, key, value: String(value) });
        acknowledged.push(`${key}:${value}`);
        acknowledgedAt.push(now());
        latenciesMs.push(now() - calledAt);
        value++;
      } catch {
        failed++;
        const name = `${key}:${value}`;
        failures.set(name, (failures.get(name) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  const writing = Promise.all(Array.from({ length: concurrency }, (_, i) => write(`writer-${i}`)));
  return {
    acknowledgedAt,
    latenciesMs,
    async stop(patienceMs) {
      isOver = true;
      await Promise.race([writing, new Promise((resolve) => setTimeout(resolve, patienceMs).unref())]);
    },
    async judge(brokers, inTopic) {
      // A broker that has just come back may still be without leaders.
      const records = await eventually(() => readTopic({ brokers, topic: inTopic }), { timeoutMs: 30_000 });
      const values = records.map(({ key, value }) => ({ key: key ?? '', value: Number(value) }));
      return { ...compare(acknowledged, failures, values), failed };
    },
  };
}

type Found = { readonly key: string; readonly value: number };

/** Records of a key share a partition, so that their order here is the topic's. */
function compare(
  acknowledged: readonly string[],
  failures: ReadonlyMap<string, number>,
  found: readonly Found[],
): Omit<Judgement, 'failed'> {
  const copies = new Map<string, number>();
  const newest = new Map<string, number>();
  let [repeated, backInTime] = [0, 0];
  for (const { key, value } of found) {
    const name = `${key}:${value}`;
    const copy = (copies.get(name) ?? 0) + 1;
    copies.set(name, copy);
    if (copy > 1 + (failures.get(name) ?? 0)) repeated++;
    const before = newest.get(key) ?? 0;
    if (value < before) backInTime++;
    newest.set(key, Math.max(before, value));
  }
  const lost = acknowledged.filter((name) => !copies.has(name)).length;
  return { acknowledged: acknowledged.length, lost, repeated, backInTime };
}
