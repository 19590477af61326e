// Waits for a condition with a deadline, in place of a sleep.
import { setTimeout as delay } from 'node:timers/promises';

export interface EventuallyOptions {
  /** After this long without success the last failure is thrown. Default 10 000: a Kafka rebalance fits in. */
  readonly timeoutMs?: number;
  /** Pause between two tries. Default 25: short beside what is waited for, long beside a try on loopback. */
  readonly intervalMs?: number;
}

/** What `eventually` returns: the value of the try that succeeded. */
export type Succeeded<T> = Exclude<T, false | null | 0 | ''>;

/**
 * Calls `attempt` until it succeeds, and returns its value. It fails when it throws or returns something falsy,
 * with one exception: `undefined` is success, because that is what an assertion returns. So a `find()` needs a
 * `?? null`. A try that hangs is abandoned at the deadline.
 *
 * @throws the last failure, with the elapsed time in front and the original error as `cause`
 */
export async function eventually<T>(
  attempt: () => T | Promise<T>,
  { timeoutMs = 10_000, intervalMs = 25 }: EventuallyOptions = {},
): Promise<Succeeded<T>> {
  const startedAt = performance.now();
  const remainingMs = () => timeoutMs - (performance.now() - startedAt);
  const deadline = deadlineIn(timeoutMs);
  let lastFailure: unknown = new Error('the first try did not end');
  try {
    while (remainingMs() > 0) {
      const outcome = await Promise.race([outcomeOf(attempt), deadline.passed]);
      if (outcome === 'deadline') break;
      if ('value' in outcome) return outcome.value as Succeeded<T>;
      lastFailure = outcome.failure;
      await delay(Math.max(0, Math.min(intervalMs, remainingMs())));
    }
  } finally {
    deadline.cancel();
  }
  throw timedOut(lastFailure, performance.now() - startedAt);
}

type Outcome = { readonly value: unknown } | { readonly failure: unknown };

async function outcomeOf(attempt: () => unknown): Promise<Outcome> {
  try {
    const value = await attempt();
    if (value || value === undefined) return { value };
    return { failure: new Error(`the condition was ${value === '' ? 'an empty text' : String(value)}`) };
  } catch (failure) {
    return { failure };
  }
}

function deadlineIn(timeoutMs: number): { passed: Promise<'deadline'>; cancel: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const passed = new Promise<'deadline'>((resolve) => {
    timer = setTimeout(() => resolve('deadline'), timeoutMs);
  });
  return { passed, cancel: () => clearTimeout(timer) };
}

function timedOut(failure: unknown, elapsedMs: number): Error {
  const reason = failure instanceof Error ? failure.message : String(failure);
  return new Error(`Not within ${Math.round(elapsedMs)} ms: ${reason}`, { cause: failure });
}
