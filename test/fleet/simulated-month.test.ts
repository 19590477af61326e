/** A small fleet over simulated days: twenty of the seeds that `pnpm bench fleet` runs by the thousand with a large one. */
import { describe, expect, it } from 'vitest';
import { isFailed, simulateMonth } from '../../bench/fleet/simulate-month.ts';

const SUBSCRIPTIONS = 12;
const SEEDS = Array.from({ length: 20 }, (_, nth) => nth + 1);

describe('a fleet over simulated days, with outages, faults and three schedulers that are killed', () => {
  it('lapses at no time at which Graph could be reached, is renewed once in each window, and has no twin', async () => {
    const months = [];
    for (const seed of SEEDS)
      months.push(
        await simulateMonth(seed, { subscriptions: SUBSCRIPTIONS, days: 5, clocksOffMs: 5 * 60_000 }),
      );
    expect(months.filter(isFailed)).toEqual([]);
    // They did meet what they withstood.
    expect(months.filter(({ hasLong }) => hasLong).length).toBeGreaterThan(3);
    expect(months.filter(({ hasLong, outages }) => outages > (hasLong ? 1 : 0)).length).toBeGreaterThan(3);
    expect(
      months.every(({ kills, creates, patches }) => kills > 0 && creates + patches > SUBSCRIPTIONS),
    ).toBe(true);
  }, 60_000);

  it('keeps all the same with clocks that are wrong by days until Graph has answered, also while it is away', async () => {
    const months = [];
    for (const seed of [1, 2, 3, 4])
      months.push(await simulateMonth(seed, { subscriptions: 20, days: 10, clocksOffMs: 2 * 86_400_000 }));
    expect(months.filter(isFailed)).toEqual([]);
    expect(months.some(({ hasLong }) => hasLong)).toBe(true);
  }, 60_000);

  it('is the same month for the same seed', async () => {
    const options = { subscriptions: 5, days: 3, clocksOffMs: 60_000 };
    const [one, again] = [await simulateMonth(7, options), await simulateMonth(7, options)];
    expect(again).toEqual(one);
    expect(await simulateMonth(8, options)).not.toEqual({ ...one, seed: 8 });
  }, 30_000);
});
