/** The subscriptions that Redis knows. */
import { describe, expect, it } from 'vitest';
import {
  createSubscriptionStore,
  type KnownSubscription,
} from '../../src/subscriptions/subscription-store.ts';
import { ownRedis } from '../support/own-redis.ts';

const known: KnownSubscription = {
  id: 'a',
  wish: 'calendars/ada',
  tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
  resource: 'users/ada/events',
  changeType: 'created',
  topic: 'graph.events',
  whole: true,
  nonce: 'nonce',
  expiresAt: 1,
};

describe('the subscription store', () => {
  it('gives back what was saved last, and nothing that was removed', async () => {
    const { redis, names } = ownRedis();
    const store = createSubscriptionStore(redis, names);
    expect([await store.all(), await store.get('a')]).toEqual([[], undefined]);
    await store.save(known);
    await store.save({ ...known, demand: 'renew' });
    await store.save({ ...known, id: 'b', replacedAt: 7 });
    expect(await store.get('a')).toEqual({ ...known, demand: 'renew' });
    expect((await store.all()).map(({ id }) => id).toSorted()).toEqual(['a', 'b']);
    await store.remove('a');
    await store.remove('a');
    expect(await store.all()).toEqual([{ ...known, id: 'b', replacedAt: 7 }]);
  });

  it('keeps deployments apart that share a Redis', async () => {
    const [ours, theirs] = [ownRedis(), ownRedis()].map(({ redis, names }) =>
      createSubscriptionStore(redis, names),
    );
    await ours?.save(known);
    expect(await theirs?.all()).toEqual([]);
  });
});
