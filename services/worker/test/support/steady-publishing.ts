/** Publishes without end, a number of records at a time, and remembers which were acknowledged. */
import type { RecordPublisher } from '../../src/kafka/record-publisher.ts';
import { recordOf } from './publishers.ts';

export type SteadyPublishing = {
  /** Acknowledged so far. */
  readonly count: number;
  readonly failures: number;
  /** Resolves to `key:value` of all that were acknowledged, once nothing is under way. */
  stop(): Promise<string[]>;
};

/** Each of `concurrency` writers has a key of its own, and counts up in its value. */
export function keepPublishing(
  publisher: RecordPublisher,
  topic: string,
  concurrency: number,
): SteadyPublishing {
  const acknowledged: string[] = [];
  let failures = 0;
  let isOver = false;

  async function write(key: string): Promise<void> {
    for (let value = 1; !isOver; value++) {
      try {
        await publisher.publish(recordOf(topic, key, String(value)));
        acknowledged.push(`${key}:${value}`);
      } catch {
        failures++;
      }
    }
  }

  const writers = Array.from({ length: concurrency }, (_, i) => write(`writer-${i}`));
  return {
    get count() {
      return acknowledged.length;
    },
    get failures() {
      return failures;
    },
    async stop() {
      isOver = true;
      await Promise.all(writers);
      return acknowledged;
    },
  };
}
