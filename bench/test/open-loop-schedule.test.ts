import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dueAtMs, requestsDueBy, requestsOf } from '../load/open-loop-schedule.ts';

describe('the schedule of an open loop', () => {
  const schedule = { ratePerSecond: 50, seconds: 2 };

  it('spaces requests evenly, the first one at the start', () => {
    expect([0, 1, 2, 99].map((index) => dueAtMs(schedule, index))).toEqual([0, 20, 40, 1980]);
    expect(requestsOf(schedule)).toBe(100);
  });

  it('has a request due at its very time and not before', () => {
    expect(requestsDueBy(schedule, 39.9)).toBe(2);
    expect(requestsDueBy(schedule, 40)).toBe(3);
  });

  it('has everything due that a pause has delayed, and nothing beyond the end', () => {
    expect(requestsDueBy(schedule, 1000)).toBe(51);
    expect(requestsDueBy(schedule, 60_000)).toBe(100);
  });

  it('has nothing due before the start', () => {
    expect(requestsDueBy(schedule, -1)).toBe(0);
  });

  it('agrees with the times of its requests at every rate', () => {
    const rates = fc.double({ min: 0.5, max: 20_000, noNaN: true });
    const elapsed = fc.double({ min: 0, max: 9_000, noNaN: true });
    fc.assert(
      fc.property(rates, elapsed, (ratePerSecond, elapsedMs) => {
        const any = { ratePerSecond, seconds: 10 };
        const due = requestsDueBy(any, elapsedMs);
        // Within a microsecond, as the two ways round differently.
        if (due > 0) expect(dueAtMs(any, due - 1)).toBeLessThanOrEqual(elapsedMs + 0.001);
        if (due < requestsOf(any)) expect(dueAtMs(any, due)).toBeGreaterThan(elapsedMs - 0.001);
      }),
    );
  });
});
