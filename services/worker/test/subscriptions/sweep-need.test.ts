/** When everything has to be looked at, and when Redis is taken for an older copy of itself. */
import { describe, expect, it } from 'vitest';
import {
  CLOCKS_APART_MS,
  findCatchUp,
  isOutdated,
  type Marks,
  type Present,
  whatIsNeeded,
} from '../../src/subscriptions/sweep-need.ts';

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
  memory: { generation: 'g', aliveAt: NOW, unanswered: new Map() },
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

  it('that has no mark yet is looked at once, and not each minute until its list is given', () => {
    const { generation: _, lists: _lists, ...unmarked } = present().state;
    const memory = { generation: undefined, aliveAt: NOW, unanswered: new Map() };
    expect(whatIsNeeded(present({ memory, state: unmarked }))).toMatchObject({
      sweep: false,
      lists: ['tenant'],
    });
    const { swept: _swept, ...fresh } = unmarked;
    expect(whatIsNeeded(present({ memory, state: fresh })).sweep).toBe(true);
  });

  it('is another one where its generation is', () => {
    const other = present({ state: { ...present().state, generation: 'h' } });
    expect(whatIsNeeded(other).sweep).toBe(true);
    expect(findCatchUp(other, false)).toBe('lost');
  });

  it('that another process has found exchanged, and marked, is caught up with once', () => {
    const state = { ...present().state, generation: 'h', aliveAt: NOW + 1000 };
    const seenTo = { at: NOW + 1000 - CLOCKS_APART_MS, why: 'lost' } as const;
    expect(findCatchUp(present({ state: { ...state, catchUp: seenTo } }), false)).toBeUndefined();
    expect(
      findCatchUp(present({ state: { ...state, catchUp: { ...seenTo, at: NOW - CLOCKS_APART_MS } } }), false),
    ).toBe('lost');
  });

  it('that this process saw before it was marked is not exchanged because another one has marked it', () => {
    const memory = { ...present().memory, generation: undefined } as Present['memory'];
    expect(findCatchUp(present({ memory }), false)).toBeUndefined();
  });

  it('whose last sign of life is over an hour old was left alone for longer than a token lives', () => {
    const alone = present({ memory: undefined, state: aliveAt(NOW - 61 * MINUTE) });
    expect(findCatchUp(alone, false)).toBe('away');
  });
});

describe('Graph’s list', () => {
  const LIFE = 10_000;
  const granted = (id: string, at: number) => ({
    ...{ id, resource: `users/${id}/events`, changeType: 'updated', nonce: id },
    expiresAt: at + LIFE * MINUTE,
  });
  const range = (count: number) => Array.from({ length: count }, (_, nth) => `s${nth}`);
  const shows = (grantedAt: number, count: number, more: Partial<Marks> = {}) =>
    isOutdated(
      range(count).map((id) => granted(id, grantedAt)),
      {
        aliveAt: NOW,
        isUnmarked: false,
        known: new Map(range(count).map((id) => [id, { expiresAt: NOW }])),
        hasIntent: () => false,
        lifeMinutesOf: () => LIFE,
        ...more,
      },
    );

  it('shows no older copy by the few that were renewed when a process was killed, however small the fleet is', () => {
    expect(shows(NOW + MINUTE, 2)).toBe(false);
    expect(shows(NOW + MINUTE, 10)).toBe(false);
  });

  it('shows one by a single one that was renewed long after the last sign of life, or by many', () => {
    expect(shows(NOW + 7 * MINUTE, 1)).toBe(true);
    expect(shows(NOW + MINUTE, 21)).toBe(true);
  });

  it('shows one by those that nobody knows, unless they were asked for', () => {
    expect(shows(NOW + 7 * MINUTE, 1, { known: new Map() })).toBe(true);
    expect(shows(NOW + 7 * MINUTE, 1, { known: new Map(), hasIntent: () => true })).toBe(false);
    expect(shows(NOW + 7 * MINUTE, 1, { lifeMinutesOf: () => undefined })).toBe(false);
  });
});
