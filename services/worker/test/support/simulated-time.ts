/** A clock that stands still until everybody waits, and then goes on to where somebody has waited for. */
import { type CallPace, holdTurns, PACES, takeTurn } from '../../src/subscriptions/call-pace.ts';

export class SimulatedTime {
  private ms: number;
  private readonly sleepers: { readonly at: number; readonly wake: () => void }[] = [];

  constructor(ms: number) {
    this.ms = ms;
  }

  readonly now = (): number => this.ms;

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => void this.sleepers.push({ at: this.ms + ms, wake }));

  advance(ms: number): void {
    this.ms += ms;
    this.wakeDue();
  }

  /** Wakes who sleeps the shortest; false where nobody does. */
  wakeNext(): boolean {
    if (this.sleepers.length === 0) return false;
    this.ms = Math.max(this.ms, Math.min(...this.sleepers.map(({ at }) => at)));
    this.wakeDue();
    return true;
  }

  /** Lets it go on until it has ended. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const ended = work.finally(() => {
      isDone = true;
    });
    ended.catch(() => undefined);
    for (;;) {
      await new Promise((resolve) => void setImmediate(resolve));
      if (isDone) return ended;
      this.wakeNext();
    }
  }

  private wakeDue(): void {
    for (let i = this.sleepers.length - 1; i >= 0; i--) {
      const one = this.sleepers[i];
      if (!one || one.at > this.ms) continue;
      this.sleepers.splice(i, 1);
      one.wake();
    }
  }
}

/** Turns as Redis counts them, in this clock. */
export function simulatedPace(now: () => number): CallPace {
  const free = new Map<string, number>();
  return {
    async turn(tenantId, call, mostMs) {
      const key = `${call} ${tenantId}`;
      const turn = takeTurn(free.get(key) ?? 0, now(), PACES[call]);
      if (turn.waitMs <= mostMs) free.set(key, turn.free);
      return turn.waitMs;
    },
    async hold(tenantId, call, ms) {
      const key = `${call} ${tenantId}`;
      free.set(key, holdTurns(free.get(key) ?? 0, now(), ms, PACES[call]));
    },
  };
}
