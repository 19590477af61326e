/** A clock that stands still until everybody waits, and then goes on to where somebody has waited for. */
import { type CallPace, holdTurns, PACES, takeTurn } from '../../src/subscriptions/call-pace.ts';

type Sleeper = { readonly at: number; readonly wake: () => void };

/** So often others, such as an interruption, come to their turn. */
const YIELD_EVERY = 2000;

export class SimulatedTime {
  private ms: number;
  /** Who sleeps the longest comes first; of those for the same time the last to come. */
  private readonly sleepers: Sleeper[] = [];

  constructor(ms: number) {
    this.ms = ms;
  }

  readonly now = (): number => this.ms;

  readonly sleep = (ms: number): Promise<void> =>
    new Promise((wake) => this.insert({ at: this.ms + ms, wake }));

  advance(ms: number): void {
    this.ms += ms;
    while ((this.sleepers.at(-1)?.at ?? Number.POSITIVE_INFINITY) <= this.ms) this.sleepers.pop()?.wake();
  }

  /** Wakes who sleeps the shortest; false where nobody does. */
  wakeNext(): boolean {
    const next = this.sleepers.pop();
    if (!next) return false;
    this.ms = Math.max(this.ms, next.at);
    next.wake();
    return true;
  }

  /** Lets it go on until it has ended. */
  async run<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    const ended = work.finally(() => {
      isDone = true;
    });
    ended.catch(() => undefined);
    for (let steps = 1; ; steps++) {
      // Nobody sleeps where somebody waits for more than a promise: a server, the disk.
      const isIdle = this.sleepers.length === 0 || steps % YIELD_EVERY === 0;
      await (isIdle ? new Promise((resolve) => void setImmediate(resolve)) : untilAllWait());
      if (isDone) return ended;
      this.wakeNext();
    }
  }

  private insert(one: Sleeper): void {
    const { sleepers } = this;
    let at = sleepers.length;
    while (at > 0 && (sleepers[at - 1]?.at ?? 0) <= one.at) at--;
    sleepers.splice(at, 0, one);
  }
}

/** A tick that is asked for among promises comes after all that can go on by them. */
function untilAllWait(): Promise<void> {
  return new Promise((resolve) => queueMicrotask(() => process.nextTick(resolve)));
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
