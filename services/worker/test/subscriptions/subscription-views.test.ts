/** What a subscription id stands for, asked before each run. */
import { describe, expect, it } from 'vitest';
import {
  createSubscriptionStore,
  type KnownSubscription,
} from '../../src/subscriptions/subscription-store.ts';
import { createSubscriptionViews } from '../../src/subscriptions/subscription-views.ts';
import { ownRedis } from '../support/own-redis.ts';

const TENANT = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';
const OTHER_TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';

const subscription = (id: string, more: Partial<KnownSubscription> = {}): KnownSubscription => ({
  id,
  wish: 'calendars/ada',
  tenantId: TENANT,
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
  return {
    store,
    clock,
    loadViews: createSubscriptionViews(
      store,
      () => 'graph.events',
      () => clock.ms,
    ),
  };
}

describe('a subscription id', () => {
  it('stands for the view of the wish that it serves', async () => {
    const { store, loadViews } = setup();
    await store.save(subscription('a'));
    const viewOf = await loadViews(['a'], TENANT);
    expect(viewOf('a')).toEqual({
      wish: 'calendars/ada',
      topic: 'graph.calendars',
      whole: true,
      nonce: 'nonce',
      watched: [{ word: 'users', id: 'ada' }, { word: 'events' }],
    });
  });

  it('tells which properties its records show, and the nonce that its notifications have to carry', async () => {
    const { store, loadViews } = setup();
    await store.save(subscription('a', { rich: true, select: ['subject'], nonce: 'of-a' }));
    await store.save(subscription('b'));
    const viewOf = await loadViews(['a', 'b'], TENANT);
    expect(viewOf('a')).toMatchObject({ select: ['subject'], nonce: 'of-a' });
    expect(viewOf('b')).not.toHaveProperty('select');
  });

  it('tells how its resources are to be asked for, with immutable ids before the rest', async () => {
    const { store, loadViews } = setup();
    const prefer = ['outlook.timezone="UTC"'];
    await store.save(subscription('a', { prefer, immutableIds: true }));
    await store.save(subscription('b', { prefer }));
    const viewOf = await loadViews(['a', 'b'], TENANT);
    expect(viewOf('a').prefer).toEqual(['IdType="ImmutableId"', ...prefer]);
    expect(viewOf('b').prefer).toEqual(prefer);
  });

  it('tells where nothing is to be read', async () => {
    const { store, loadViews } = setup();
    await store.save(subscription('a', { notificationOnly: true }));
    await store.save(subscription('b'));
    const viewOf = await loadViews(['a', 'b'], TENANT);
    expect(viewOf('a')).toMatchObject({ notificationOnly: true });
    expect(viewOf('b')).not.toHaveProperty('notificationOnly');
  });

  it.each(['users/ada', 'drives/one/root', 'chats/getAllMessages', 'groups/one/members'])(
    'that watches %s is no list that can be read',
    async (resource) => {
      const { store, loadViews } = setup();
      await store.save(subscription('a', { resource }));
      const view = (await loadViews(['a'], TENANT))('a');
      expect(view).toHaveProperty('watched');
      expect(view).not.toHaveProperty('collection');
    },
  );

  it('that is a part of a mailbox cannot be read as a whole', async () => {
    const { store, loadViews } = setup();
    await store.save(subscription('a', { whole: false }));
    expect((await loadViews(['a'], TENANT))('a')).not.toHaveProperty('collection');
  });

  it('still does so after it was replaced: what it notified may arrive for hours', async () => {
    const { store, loadViews } = setup();
    await store.save(subscription('a', { replacedAt: 1 }));
    expect((await loadViews(['a'], TENANT))('a')).toMatchObject({ wish: 'calendars/ada' });
  });

  it('says nothing of what another tenant notifies by it: that goes to the topic of that tenant', async () => {
    const { store } = setup();
    const loadViews = createSubscriptionViews(
      store,
      (tenantId) => `graph.${tenantId}`,
      () => 0,
    );
    await store.save(subscription('a'));
    expect((await loadViews(['a'], OTHER_TENANT))('a')).toEqual({
      wish: undefined,
      topic: `graph.${OTHER_TENANT}`,
      whole: false,
    });
    expect((await loadViews(['a'], TENANT))('a')).toMatchObject({ wish: 'calendars/ada' });
  });

  it('that is not ours goes to the default topic, where "deleted" is no certain deletion', async () => {
    const { loadViews } = setup();
    expect((await loadViews(['x'], TENANT))('x')).toEqual({
      wish: undefined,
      topic: 'graph.events',
      whole: false,
    });
  });

  it('that was made a moment ago is known long before the others are read again', async () => {
    const { store, loadViews, clock } = setup();
    await store.save(subscription('a'));
    expect((await loadViews(['new'], TENANT))('new').wish).toBeUndefined();
    await store.save(subscription('new', { wish: 'calendars/bob' }));
    clock.ms += 501;
    expect((await loadViews(['a', 'new'], TENANT))('new')).toMatchObject({ wish: 'calendars/bob' });
  });

  it('that was forgotten is forgotten within seconds', async () => {
    const { store, loadViews, clock } = setup();
    await store.save(subscription('a'));
    await loadViews(['a'], TENANT);
    await store.remove('a');
    clock.ms += 5001;
    expect((await loadViews(['a'], TENANT))('a').wish).toBeUndefined();
  });

  it('is looked up once for many runs at the same time', async () => {
    const { redis, names } = ownRedis();
    const store = createSubscriptionStore(redis, names);
    await store.save(subscription('a'));
    let reads = 0;
    const counted = { many: (ids: readonly string[]) => store.many(ids).finally(() => reads++) };
    const loadViews = createSubscriptionViews(
      counted,
      () => 'graph.events',
      () => 0,
    );
    const looked = await Promise.all(Array.from({ length: 20 }, () => loadViews(['a'], TENANT)));
    expect(new Set(looked.map((viewOf) => viewOf('a').wish))).toEqual(new Set(['calendars/ada']));
    await loadViews(['a'], TENANT);
    expect(reads).toBe(1);
  });
});
