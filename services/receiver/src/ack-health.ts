/**
 * How Graph will judge our answers: over ten minutes, more than 10 % that took longer than 3 s make an endpoint "slow"
 * (notifications come ten minutes late), more than 15 % that took longer than 10 s make it "drop" (they are lost)
 * (Graph: change-notifications-delivery-webhooks). Pure; times are in milliseconds of a clock that never goes back.
 */

const BUCKET_MS = 10_000;
const BUCKETS = 60;

export const SLOW_MS = 3000;
export const VERY_SLOW_MS = 10_000;

export type AckCounts = {
  readonly answers: number;
  /** Took longer than 3 s; those of longer than 10 s among them. */
  readonly slow: number;
  readonly verySlow: number;
};

export type AckWindow = {
  note(at: number, durationMs: number): void;
  /** Of the last ten minutes; the oldest ten seconds go all at once. */
  counts(at: number): AckCounts;
};

type Bucket = { index: number; answers: number; slow: number; verySlow: number };

/** Counts in a ring of ten-second buckets: its size does not depend on the traffic. */
export function createAckWindow(): AckWindow {
  const ring: Bucket[] = Array.from({ length: BUCKETS }, () => emptyBucket(Number.NEGATIVE_INFINITY));
  return {
    note(at, durationMs) {
      const index = Math.floor(at / BUCKET_MS);
      const slot = index % BUCKETS;
      let bucket = ring[slot];
      if (bucket?.index !== index) bucket = ring[slot] = emptyBucket(index);
      bucket.answers++;
      if (durationMs > SLOW_MS) bucket.slow++;
      if (durationMs > VERY_SLOW_MS) bucket.verySlow++;
    },
    counts(at) {
      const oldest = Math.floor(at / BUCKET_MS) - BUCKETS + 1;
      const total = { answers: 0, slow: 0, verySlow: 0 };
      for (const { index, answers, slow, verySlow } of ring) {
        if (index < oldest) continue;
        total.answers += answers;
        total.slow += slow;
        total.verySlow += verySlow;
      }
      return total;
    },
  };
}

function emptyBucket(index: number): Bucket {
  return { index, answers: 0, slow: 0, verySlow: 0 };
}

/** `slowing`: look into it. `endangered`: half-way to what Graph punishes. */
export type AckHealth = 'good' | 'slowing' | 'endangered';

/** Graph was said to judge from 100 on; of several receivers each sees only a part of what Graph counts. */
const FEWEST_ANSWERS = 50;

/** Graph's limits are 10 % and 15 %. */
const SLOWING_SHARE = 0.02;
const ENDANGERED_SHARE = 0.05;
const ENDANGERED_VERY_SLOW_SHARE = 0.03;

/** A level is left at half of what it was entered with, so that it does not flap. */
const LEAVING = 0.5;

export function judgeAcks({ answers, slow, verySlow }: AckCounts, before: AckHealth): AckHealth {
  if (answers < FEWEST_ANSWERS) return 'good';
  const isEndangered = (factor: number) =>
    slow >= answers * ENDANGERED_SHARE * factor || verySlow >= answers * ENDANGERED_VERY_SLOW_SHARE * factor;
  const isSlowing = (factor: number) => slow >= answers * SLOWING_SHARE * factor;
  if (isEndangered(before === 'endangered' ? LEAVING : 1)) return 'endangered';
  return isSlowing(before === 'good' ? 1 : LEAVING) ? 'slowing' : 'good';
}
