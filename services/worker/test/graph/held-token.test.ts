/** When a held token is renewed, and until when it does. */
import { describe, expect, it } from 'vitest';
import { hold, isRefreshDue, isUsable } from '../../src/graph/held-token.ts';

const NOW = Date.UTC(2026, 10, 23, 12, 0, 0);
const SECOND = 1000;
const MINUTE = 60 * SECOND;

const held = (lifeMs: number, refreshAfterMs?: number) =>
  hold(
    {
      token: 't',
      expiresOnTimestamp: NOW + lifeMs,
      ...(refreshAfterMs === undefined ? {} : { refreshAfterTimestamp: NOW + refreshAfterMs }),
    },
    NOW,
  );

describe('a held token', () => {
  it.each([
    ['of an hour, some minutes before its end', held(60 * MINUTE), 60 * MINUTE - 290 * SECOND],
    ['of a minute, after half of it', held(MINUTE), 30 * SECOND],
    ['of a day that says when, then', held(24 * 60 * MINUTE, 720 * MINUTE), 720 * MINUTE],
    [
      'that says to wait too long, before its end',
      held(60 * MINUTE, 90 * MINUTE),
      60 * MINUTE - 290 * SECOND,
    ],
  ])('%s, is to be renewed', (_name, token, afterMs) => {
    expect(isRefreshDue(token, NOW + afterMs - 1)).toBe(false);
    expect(isRefreshDue(token, NOW + afterMs)).toBe(true);
  });

  it('is not asked for again within ten seconds of a try', () => {
    const tried = { ...held(MINUTE), triedAt: NOW + 30 * SECOND };
    expect(isRefreshDue(tried, NOW + 40 * SECOND - 1)).toBe(false);
    expect(isRefreshDue(tried, NOW + 40 * SECOND)).toBe(true);
  });

  it('does until its very end, and never after it', () => {
    expect(isUsable(held(MINUTE), NOW + MINUTE - 1)).toBe(true);
    expect(isUsable(held(MINUTE), NOW + MINUTE)).toBe(false);
    expect(isUsable(held(-MINUTE), NOW)).toBe(false);
  });
});
