/**
 * The time by Graph's own clock, by which expiries are meant. A clock here that is wrong, or jumps by hours, would let
 * subscriptions lapse or make them anew in vain; so each answer's `Date` is kept, and what has passed since is measured.
 */

export type GraphClock = {
  /** Epoch milliseconds; by the clock here until Graph has answered for the first time. */
  now(): number;
  /** Whether Graph has answered. */
  readonly isSure: boolean;
  /** `date`: the header of an answer to what was asked between two times of `elapsed`. */
  note(date: string | null, askedAt: number, answeredAt: number): void;
};

/** `elapsed`: milliseconds that never go back. */
export function createGraphClock(wallClock: () => number, elapsed: () => number): GraphClock {
  let ahead: number | undefined;
  return {
    now: () => (ahead === undefined ? wallClock() : Math.round(elapsed() + ahead)),
    get isSure() {
      return ahead !== undefined;
    },
    note(date, askedAt, answeredAt) {
      const there = Date.parse(date ?? '');
      // Whole seconds, cut off: half a second is added.
      if (!Number.isNaN(there)) ahead = there + 500 - (askedAt + answeredAt) / 2;
    },
  };
}
