// The simulator's time: it flows as real time does, and a test can move it on; timers then fire as if it had passed.

export interface ClockTimer {
  cancel(): void;
}

/** What parts of the simulator need of the clock. */
export interface Clock {
  /** Epoch milliseconds. */
  now(): number;
  /** Milliseconds since the clock was made; never goes back, and holds what was skipped by `advance`. */
  elapsed(): number;
  after(delayMs: number, action: () => void): ClockTimer;
}

interface Pending {
  readonly dueMs: number;
  readonly action: () => void;
  real: NodeJS.Timeout | undefined;
}

/** Node fires at once whatever is to wait longer. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export class SimulatorClock implements Clock {
  readonly #realNow: () => number;
  readonly #startedMs = performance.now();
  readonly #pending = new Set<Pending>();
  #skippedMs = 0;
  #isClosed = false;

  /** @param realNow epoch milliseconds to which what was skipped is added */
  constructor(realNow: () => number = Date.now) {
    this.#realNow = realNow;
  }

  now(): number {
    return this.#realNow() + this.#skippedMs;
  }

  elapsed(): number {
    return performance.now() - this.#startedMs + this.#skippedMs;
  }

  /** Calls back once, after real and skipped time together have come to that. Nothing fires on a closed clock. */
  after(delayMs: number, action: () => void): ClockTimer {
    const timer: Pending = { dueMs: this.elapsed() + Math.max(delayMs, 0), action, real: undefined };
    if (!this.#isClosed) {
      this.#pending.add(timer);
      this.#arm(timer);
    }
    return { cancel: () => this.#forget(timer) };
  }

  /** Resolves after that much time, or at once where the signal is or gets aborted. */
  pause(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve();
      const done = () => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.after(delayMs, done);
      signal.addEventListener('abort', done, { once: true });
    });
  }

  /**
   * Moves the time on. What becomes due fires in its order, each at its own time, before this returns; what an answer
   * over the network would set off comes later, at the new time.
   * @throws {RangeError} backwards, or no number
   */
  advance(ms: number): void {
    if (!Number.isFinite(ms) || ms < 0) throw new RangeError(`The clock cannot be moved on by ${ms} ms.`);
    const targetMs = this.elapsed() + ms;
    const targetNowMs = this.now() + ms;
    for (let next = this.#nextDue(targetMs); next !== undefined; next = this.#nextDue(targetMs)) {
      this.#skipTo(next.dueMs);
      this.#fire(next);
    }
    this.#skipTo(targetMs);
    // The time of day comes in whole milliseconds: it too must have moved by all of it, or a span would not be over.
    this.#skippedMs += Math.max(targetNowMs - this.now(), 0);
    for (const timer of this.#pending) this.#arm(timer);
  }

  /** Forgets all timers. */
  close(): void {
    this.#isClosed = true;
    for (const timer of this.#pending) this.#forget(timer);
  }

  #skipTo(elapsedMs: number): void {
    this.#skippedMs += Math.max(elapsedMs - this.elapsed(), 0);
  }

  #nextDue(limitMs: number): Pending | undefined {
    let next: Pending | undefined;
    for (const timer of this.#pending) {
      if (timer.dueMs <= limitMs && (next === undefined || timer.dueMs < next.dueMs)) next = timer;
    }
    return next;
  }

  #arm(timer: Pending): void {
    clearTimeout(timer.real);
    const waitMs = Math.max(timer.dueMs - this.elapsed(), 0);
    timer.real =
      waitMs > LONGEST_TIMEOUT_MS
        ? setTimeout(() => this.#arm(timer), LONGEST_TIMEOUT_MS)
        : setTimeout(() => this.#fire(timer), waitMs);
  }

  #fire(timer: Pending): void {
    this.#forget(timer);
    timer.action();
  }

  #forget(timer: Pending): void {
    clearTimeout(timer.real);
    this.#pending.delete(timer);
  }
}
