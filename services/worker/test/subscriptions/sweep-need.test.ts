/** When everything has to be looked at, and when Redis is taken for an older copy of itself. */
import { describe, expect, it } from 'vitest';
import { findCatchUp, type Present, whatIsNeeded } from '../../src/subscriptions/sweep-need.ts';

const MINUTE = 60_000;
const NOW = 1_700_000_000_000;

/** Redis as this process left it a moment ago. */
const present = (more: Partial<Present> = {}): Present => ({
  state: {
    generation: 'g',
    aliveAt: NOW,
    swept: { wanted: 'wishes', held: 'keys' },
    lists: { tenant: { at: NOW, triedAt: NOW } },
  },
  memory: { generation: 'g', aliveAt: NOW },
  ...{ wanted: 'wishes', held: 'keys', tenants: ['tenant'], now: NOW, clockIsSure: true, everything: false },
  ...more,
});
const aliveAt = (ms: number): Present['state'] => ({ ...present().state, aliveAt: ms });

describe('a Redis', () => {
  it('that is as it was left needs no look at everything', () => {
    expect(whatIsNeeded(present())).toEqual({ sweep: false, lists: [], again: false });
    expect(findCatchUp(present(), false)).toBeUndefined();
  });

  it('is the same one where the clock of another process, which wrote last, is a little behind', () => {
    const behind = present({ state: aliveAt(NOW - 2000) });
    expect(whatIsNeeded(behind).sweep).toBe(false);
    expect(findCatchUp(behind, false)).toBeUndefined();
  });

  it('is an older copy where its last sign of life is earlier by minutes', () => {
    const older = present({ state: aliveAt(NOW - 5 * MINUTE) });
    expect(whatIsNeeded(older)).toMatchObject({ sweep: true, lists: [] });
    expect(findCatchUp(older, false)).toBe('lost');
  });

  it('is another one where its generation is', () => {
    const other = present({ state: { ...present().state, generation: 'h' } });
    expect(whatIsNeeded(other).sweep).toBe(true);
    expect(findCatchUp(other, false)).toBe('lost');
  });

  it('whose last sign of life is over an hour old was left alone for longer than a token lives', () => {
    const alone = present({ memory: undefined, state: aliveAt(NOW - 61 * MINUTE) });
    expect(findCatchUp(alone, false)).toBe('away');
  });
});
