// Pseudo-random numbers that depend on a seed alone, so that a run can be repeated.

export interface SeededRandom {
  /** 0 ≤ x < 1. */
  next(): number;
  /** 0 ≤ n < bound, whole. */
  below(bound: number): number;
  pick<T>(items: readonly T[]): T;
  chance(probability: number): boolean;
  bytes(count: number): Buffer;
  guid(): string;
}

/** The generator "mulberry32": 32 bits of state, plenty for plausible calendars, worthless for secrets. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function guidOf(bytes: Buffer): string {
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** @param seed any number; only its lower 32 bits count. */
export function seededRandom(seed: number): SeededRandom {
  const next = mulberry32(seed);
  const below = (bound: number) => Math.floor(next() * bound);
  const bytes = (count: number) => Buffer.from(Array.from({ length: count }, () => below(256)));
  return {
    next,
    below,
    bytes,
    chance: (probability) => next() < probability,
    guid: () => guidOf(bytes(16)),
    pick: (items) => {
      if (items.length === 0) throw new RangeError('Cannot pick from an empty list.');
      return items[below(items.length)] as (typeof items)[number];
    },
  };
}
