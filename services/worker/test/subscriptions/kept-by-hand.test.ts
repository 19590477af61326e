/** Wishes of the command line beside those of the file. */
import { describe, expect, it } from 'vitest';
import type { WishSource } from '../../src/people/wish-source.ts';
import { createKeptByHand, KEPT_PREFIX } from '../../src/subscriptions/kept-by-hand.ts';
import type { Wish } from '../../src/subscriptions/wanted-subscriptions.ts';
import { ownRedis } from '../support/own-redis.ts';

const wish = (key: string): Wish => ({
  key,
  tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
  resource: 'users',
  changeType: 'updated',
  topic: 't',
  lifeMinutes: 60,
  whole: true,
});

describe('what is kept by hand', () => {
  it('is wanted beside what the file wants, as the same array until something changes', async () => {
    const { redis, names } = ownRedis();
    const declared: readonly Wish[] = [wish('people')];
    const source: WishSource = {
      current: async () => declared,
      unread: () => ['calendars'],
      refreshEveryMs: 60_000,
      refresh: async () => ({ changed: false, sources: [] }),
    };
    const kept = createKeptByHand(redis, names);
    const both = kept.with(source);
    expect(await both.current()).toBe(declared);
    expect(both.unread()).toEqual(['calendars']);
    const key = `${KEPT_PREFIX}1`;
    await kept.add(wish(key));
    const all = await both.current();
    expect(all).toEqual([wish('people'), wish(key)]);
    expect(await both.current()).toBe(all);
    expect([await kept.remove(key), await kept.remove(key)]).toEqual([true, false]);
    expect(await both.current()).toBe(declared);
  });
});
