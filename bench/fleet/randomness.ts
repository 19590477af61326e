/** Numbers that look random and are the same for a seed, so that what failed can be seen again. */

export type Randomness = {
  /** From 0 up to, not including, 1. */
  next(): number;
  /** Evenly from one to the other. */
  between(from: number, to: number): number;
  isHit(probability: number): boolean;
};

/** Mulberry32. */
export function randomness(seed: number): Randomness {
  let state = Math.imul(seed, 0x9e3779b1) | 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    next,
    between: (from, to) => from + next() * (to - from),
    isHit: (probability) => next() < probability,
  };
}
