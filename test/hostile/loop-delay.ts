/**
 * Loaded before a service (`node --import …/loop-delay.ts`): samples how late its event loop is, and says it at the end
 * on standard error. The product holds no such thing.
 */
import { writeSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';

export type LoopDelay = {
  /** Beyond the time between two samples. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly samples: number;
};

const BETWEEN_SAMPLES_MS = 10;
/** Compiling and loading block a service that nobody sends anything to yet. */
const LISTENS_AFTER_MS = 1500;
const STANDARD_ERROR = 2;

// Node loads it into its own loader thread and the processes of a test run as well; they have nothing to say.
if (process.argv[1]?.endsWith('services/receiver/src/main.ts')) {
  const delays = monitorEventLoopDelay({ resolution: BETWEEN_SAMPLES_MS });
  setTimeout(() => delays.enable(), LISTENS_AFTER_MS).unref();
  const beyond = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - BETWEEN_SAMPLES_MS);
  process.on('exit', () => {
    const loopDelay: LoopDelay = {
      p50Ms: beyond(delays.percentile(50)),
      p99Ms: beyond(delays.percentile(99)),
      maxMs: beyond(delays.max),
      samples: delays.count,
    };
    writeSync(STANDARD_ERROR, `${JSON.stringify({ loopDelay })}\n`);
  });
}
