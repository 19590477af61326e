/** What a subscription id stands for, asked before each run. */
import { describe, expect, it } from 'vitest';
import {
  createSubscriptionStore,
  type KnownSubscription,
} from '../../src/subscriptions/subscription-store.ts';
import { createSubscriptionViews } from '../../src/subscriptions/subscription-views.ts';
import { ownRedis } from '../support/own-redis.ts';

const subscription = (id: string, more: Partial<KnownSubscription> = {}): KnownSubscription => ({
  id,
  wish: 'calendars/ada',
  resource: 'users/ada/events',
  changeType: 'created',
  topic: 'graph.calendars',
  whole: true,
  nonce: 'nonce',
  expiresAt: 1,
  ...more,
});

function setup() {
  const { redis, names } = ownRedis();
  const store = createSubscriptionStore(redis, names);
  const clock = { ms: 1_000_000 };
  return { store, clock, loadViews: createSubscriptionViews(store, 'graph.events', () => clock.ms) };
}

describe('a subscription id', () => {
  it('stands for the view of the wish that it serves', async () => {
    const { store, loadViews } = setup();
    await store.save(subscription('a'));
    const viewOf = await loadViews(['a']);
    expect(viewOf('a')).toEqual({
      wish: 'calendars/ada',
      topic: 'graph.calendars',
      whole: true,
      nonce: 'nonce',
      watched: [{ word: 'users', id: 'ada' }, { word: 'events' }],
      collection: [{ word: 'users', id: 'ada' }, { word: 'events' }],
    });
  });

  it('tells which properties its records show, and the nonce that its notifications have to carry', async () => {
    const { store, loadViews } = setup();
    await store.save(subscription('a', { rich: true, select: ['subject'], nonce: 'of-a' }));
    await store.save(subscription('b'));
    const viewOf = await loadViews(['a', 'b']);
    expect(viewOf('a')).toMatchObject({ select: ['subject'], nonce: 'of-a' });
    expect(viewOf('b')).not.toHaveProperty('select');
  });

  it('that is a part of a mailbox cannot be read as a whole', async () => {
    const { store, loadViews } = setup();
    await store.save(subscription('a', { whole: false }));
    expect((await loadViews(['a']))('a')).not.toHaveProperty('collection');
  });

  it('still does so after it was replaced: what it notified may arrive for hours', async () => {
    const { store, loadViews } = setup();
    await store.save(subscription('a', { replacedAt: 1 }));
    expect((await loadViews(['a']))('a')).toMatchObject({ wish: 'calendars/ada' });
  });

  it('that is not ours goes to the default topic, where "deleted" is no certain deletion', async () => {
    const { loadViews } = setup();
    expect((await loadViews(['x']))('x')).toEqual({ wish: undefined, topic: 'graph.events', whole: false });
  });

  it('that was made a moment ago is known long before the others are read again', async () => {
    const { store, loadViews, clock } = setup();
    await store.save(subscription('a'));
    expect((await loadViews(['new']))('new').wish).toBeUndefined();
    await store.save(subscription('new', { wish: 'calendars/bob' }));
    clock.ms += 501;
    expect((await loadViews(['a', 'new']))('new')).toMatchObject({ wish: 'calendars/bob' });
  });

  it('that was forgotten is forgotten within seconds', async () => {
    const { store, loadViews, clock } = setup();
    await store.save(subscription('a'));
    await loadViews(['a']);
    await store.remove('a');
    clock.ms += 5001;
    expect((await loadViews(['a']))('a').wish).toBeUndefined();
  });

  it('is looked up once for many runs at the same time', async () => {
    const { redis, names } = ownRedis();
    const store = createSubscriptionStore(redis, names);
    await store.save(subscription('a'));
    let reads = 0;
    const counted = { ...store, all: () => store.all().finally(() => reads++) };
    const loadViews = createSubscriptionViews(counted, 'graph.events', () => 0);
    const looked = await Promise.all(Array.from({ length: 20 }, () => loadViews(['a'])));
    expect(new Set(looked.map((viewOf) => viewOf('a').wish))).toEqual(new Set(['calendars/ada']));
    await loadViews(['a']);
    expect(reads).toBe(1);
  });
});
