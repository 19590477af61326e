/** The plan and its times alone, over a small fleet: some of the seeds that `pnpm bench fleet --plan` runs by the thousand. */
import { describe, expect, it } from 'vitest';
import { simulatePlan } from '../../bench/fleet/plan/simulate-plan.ts';
import { isFailed } from '../../bench/fleet/simulate-month.ts';

const SEEDS = Array.from({ length: 20 }, (_, nth) => nth + 1);
const SMALL = { subscriptions: 60, days: 12, clocksOffMs: 5 * 60_000 };

describe('the plan alone, over simulated days with outages, faults and three schedulers that are killed', () => {
  it('lets nothing lapse that could be kept, renews once in each window, and makes no twin', () => {
    const months = SEEDS.map((seed) => simulatePlan(seed, SMALL));
    expect(months.filter(isFailed)).toEqual([]);
    // They did meet what they withstood.
    expect(months.some(({ hasLong }) => hasLong)).toBe(true);
    expect(months.some(({ hasLong, outages }) => outages > (hasLong ? 1 : 0))).toBe(true);
    expect(months.every(({ kills, patches }) => kills > 0 && patches > SMALL.subscriptions)).toBe(true);
    expect(months.some(({ creates }) => creates >= 2 * SMALL.subscriptions)).toBe(true);
    expect(months.some(({ repeated }) => repeated > 0)).toBe(true);
    expect(months.some(({ caughtUp }) => caughtUp > 0)).toBe(true);
  }, 60_000);

  it('is found out where it forgets what was asked for and not answered', () => {
    const forgetful = { ...SMALL, subscriptions: 2000, days: 5, forgetsIntents: true };
    const months = SEEDS.map((seed) => simulatePlan(seed, forgetful));
    expect(months.some(({ twins }) => twins > 0)).toBe(true);
  }, 60_000);

  it('is the same month for the same seed', () => {
    expect(simulatePlan(7, SMALL)).toEqual(simulatePlan(7, SMALL));
    expect(simulatePlan(8, SMALL)).not.toEqual({ ...simulatePlan(7, SMALL), seed: 8 });
  });
});
