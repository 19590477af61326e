/** What Graph says of a subscription itself, and what it makes us do. */
import type { TakenResource } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import type { PublishOutcomes } from '../../src/inbox/publish-outcomes.ts';
import { createLifecycleProcessor } from '../../src/subscriptions/lifecycle-processor.ts';
import {
  createSubscriptionStore,
  type KnownSubscription,
} from '../../src/subscriptions/subscription-store.ts';
import { ownRedis } from '../support/own-redis.ts';
import { keptLog } from '../support/silent-log.ts';
import { entry, TENANT, taken } from '../support/taken-entry.ts';

const known: KnownSubscription = {
  id: 'a',
  wish: 'calendars/ada',
  resource: 'users/ada/events',
  changeType: 'created',
  topic: 'graph.events',
  whole: true,
  nonce: 'nonce',
  expiresAt: 1,
};

const lifecycle = (lifecycleEvent: string, subscriptionId = 'a'): TakenResource =>
  taken(
    [
      entry('created', 1, {
        subscriptionId,
        last: '',
        news: { kind: 'lifecycle', tenantId: TENANT, subscriptionId, lifecycleEvent },
      }),
    ],
    { resource: `lifecycle/${lifecycleEvent}` },
  );

/** Store and queue are real; what is published is kept, so that its order beside the demand can be seen. */
async function setup(stored: KnownSubscription = known, kafka?: Error) {
  const { redis, names } = ownRedis();
  const store = createSubscriptionStore(redis, names);
  await store.save(stored);
  const done: string[] = [];
  const publish: PublishOutcomes = {
    outcome: async () => undefined,
    async giveUp(_taken, stage, reason) {
      if (kafka) throw kafka;
      done.push(`${stage}: ${reason}`);
    },
  };
  const log = keptLog();
  const requestReconcile = async () => void done.push('reconcile');
  const closeHole = async ({ id }: { id: string }) => void done.push(`read again ${id}`);
  const handle = createLifecycleProcessor({ store, publish, requestReconcile, closeHole, log });
  return { store, done, handle, log };
}

describe('reauthorizationRequired', () => {
  it('demands a renewal, which reauthorizes as well', async () => {
    const { store, done, handle } = await setup();
    await handle(lifecycle('reauthorizationRequired'));
    expect(await store.get('a')).toEqual({ ...known, demand: 'renew' });
    expect(done).toEqual(['reconcile']);
  });

  it('of a subscription that is replaced or not ours demands nothing', async () => {
    const { store, done, handle } = await setup({ ...known, replacedAt: 5 });
    await handle(lifecycle('reauthorizationRequired'));
    await handle(lifecycle('reauthorizationRequired', 'foreign'));
    expect(await store.all()).toEqual([{ ...known, replacedAt: 5 }]);
    expect(done).toEqual([]);
  });
});

describe('subscriptionRemoved', () => {
  it('shows the hole first and then demands a new subscription', async () => {
    const { store, done, handle } = await setup();
    await handle(lifecycle('subscriptionRemoved'));
    expect(await store.get('a')).toEqual({ ...known, demand: 'recreate' });
    expect(done).toEqual([expect.stringMatching(/^resync: .*removed/), 'reconcile']);
  });

  it('is left in the inbox where Kafka does not take the hole', async () => {
    const { store, handle } = await setup(known, new Error('Kafka is away'));
    await expect(handle(lifecycle('subscriptionRemoved'))).rejects.toThrow('Kafka is away');
    expect(await store.get('a')).toEqual(known);
  });
});

describe('missed', () => {
  it('shows the hole, has everything read again and leaves the subscription alone', async () => {
    const { store, done, handle } = await setup();
    await handle(lifecycle('missed'));
    expect(done).toEqual([expect.stringMatching(/^resync: /), 'read again a']);
    expect(await store.get('a')).toEqual(known);
  });
});

describe('a lifecycle event of a kind that is not known yet', () => {
  it('is logged and done with', async () => {
    const { done, handle, log } = await setup();
    await handle(lifecycle('somethingNew'));
    expect(done).toEqual([]);
    expect(log.lines.join()).toMatch(/lifecycle\.unknown/);
  });
});
