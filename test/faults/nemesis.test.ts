import { describe, expect, it } from 'vitest';
import { FAULT_KINDS, FAULTS } from './faults.ts';
import { planFaults } from './nemesis.ts';
import { seededRandom } from './seeded-random.ts';

const SPAN_MS = 300_000;
const faults = FAULT_KINDS.map((kind) => ({ kind, ...FAULTS[kind] }));
const planOf = (seed: number) => planFaults({ faults, spanMs: SPAN_MS, random: seededRandom(seed) });
const SEEDS = Array.from({ length: 200 }, (_, seed) => seed);

describe('a schedule of faults', () => {
  it('follows from its seed', () => {
    expect(planOf(7)).toEqual(planOf(7));
    expect(planOf(7)).not.toEqual(planOf(8));
  });

  it('has every fault in five minutes', () => {
    for (const seed of SEEDS) {
      expect(new Set(planOf(seed).map(({ kind }) => kind)).size, `seed ${seed}`).toBe(FAULT_KINDS.length);
    }
  });

  it('ends every fault within its time, and keeps each within its own bounds', () => {
    for (const { kind, atMs, lastsMs } of SEEDS.flatMap(planOf)) {
      const [least, most] = FAULTS[kind].lastsMs;
      expect(atMs + lastsMs).toBeLessThanOrEqual(SPAN_MS);
      expect(lastsMs).toBeGreaterThanOrEqual(least);
      expect(lastsMs).toBeLessThanOrEqual(most);
    }
  });

  it('never hurts a peer twice at once, nor more than two peers', () => {
    for (const seed of SEEDS) {
      const plan = planOf(seed);
      for (const fault of plan) {
        const during = plan.filter(
          ({ atMs, lastsMs }) => atMs <= fault.atMs && fault.atMs < atMs + Math.max(lastsMs, 1),
        );
        const peers = during.map(({ kind }) => FAULTS[kind].peer);
        expect(new Set(peers).size, `seed ${seed}`).toBe(peers.length);
        expect(peers.length, `seed ${seed}`).toBeLessThanOrEqual(2);
      }
    }
  });
});
