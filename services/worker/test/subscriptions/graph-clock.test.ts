/** The time by Graph's clock. */
import { describe, expect, it } from 'vitest';
import { createGraphClock } from '../../src/subscriptions/graph-clock.ts';

const NOON = Date.UTC(2026, 10, 23, 12);

describe('the clock', () => {
  it('is the one here until Graph has answered, and goes by its answers from then on, whatever happens here', () => {
    const here = { wall: NOON + 5 * 3_600_000, elapsed: 1000 };
    const clock = createGraphClock(
      () => here.wall,
      () => here.elapsed,
    );
    expect([clock.now(), clock.isSure]).toEqual([here.wall, false]);
    clock.note(null, 1000, 1200);
    clock.note('soon', 1000, 1200);
    expect(clock.isSure).toBe(false);
    here.elapsed = 1200;
    clock.note(new Date(NOON).toUTCString(), 1000, 1200);
    expect([clock.now(), clock.isSure]).toEqual([NOON + 600, true]);
    here.wall -= 86_400_000;
    here.elapsed += 60_000;
    expect(clock.now()).toBe(NOON + 60_600);
  });
});
