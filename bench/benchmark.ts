/** What every benchmark is given and gives back. */
import { performance } from 'node:perf_hooks';
import type { Report } from './report/report.ts';

export type BenchmarkContext = {
  /** An empty folder on the disk that Redis is to sync to; removed at the end. */
  readonly dir: string;
  /** What is put here ends when the benchmark does, however it does. */
  readonly cleanup: AsyncDisposableStack;
  readonly interrupted: AbortSignal;
  readonly onProgress: (text: string) => void;
};

export type Benchmark<Options> = (options: Options, context: BenchmarkContext) => Promise<Report>;

/** Epoch milliseconds with fractions, from a clock that is never set back. */
export const now = (): number => performance.timeOrigin + performance.now();

/** Settles as `waiting` does, or rejects when interrupted. Only for waiting: what starts something must be let end. */
export async function unlessInterrupted<T>(waiting: Promise<T>, interrupted: AbortSignal): Promise<T> {
  interrupted.throwIfAborted();
  let stop: () => void = () => undefined;
  const interruption = new Promise<never>((_resolve, reject) => {
    stop = () => reject(interrupted.reason);
    interrupted.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([waiting, interruption]);
  } finally {
    interrupted.removeEventListener('abort', stop);
  }
}
