// Counts calls in windows of time, and says for how long a caller that made too many has to wait.

interface Window {
  readonly endsMs: number;
  calls: number;
}

/** Windows of one length, a caller's beginning with its first call. */
export class CallWindows {
  readonly #lengthMs: number;
  readonly #windows = new Map<string, Window>();

  constructor(lengthMs: number) {
    this.#lengthMs = lengthMs;
  }

  /**
   * Counts a call; one that is refused counts too, as Graph has it ("early retries count as usage").
   * @param cost how many calls it counts as
   * @returns milliseconds until the window is over, if there were more calls in it than allowed
   */
  count(caller: string, allowed: number, nowMs: number, cost = 1): number | undefined {
    const window = this.#window(caller, nowMs);
    window.calls += cost;
    return window.calls > allowed ? window.endsMs - nowMs : undefined;
  }

  /** Calls counted in the window that is open now. */
  used(caller: string, nowMs: number): number {
    const window = this.#windows.get(caller);
    return window !== undefined && window.endsMs > nowMs ? window.calls : 0;
  }

  #window(caller: string, nowMs: number): Window {
    const known = this.#windows.get(caller);
    if (known !== undefined && known.endsMs > nowMs) return known;
    this.#forgetPast(nowMs);
    const made = { endsMs: nowMs + this.#lengthMs, calls: 0 };
    this.#windows.set(caller, made);
    return made;
  }

  #forgetPast(nowMs: number): void {
    for (const [caller, { endsMs }] of this.#windows) if (endsMs <= nowMs) this.#windows.delete(caller);
  }
}
