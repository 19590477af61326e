/** What Graph says of a subscription itself, and what it makes us do. */
import type { TakenResource } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import type { PublishOutcomes } from '../../src/inbox/publish-outcomes.ts';
import { createLifecycleProcessor, type LifecycleDeps } from '../../src/subscriptions/lifecycle-processor.ts';
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
  tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
  resource: 'users/ada/events',
  changeType: 'created',
  topic: 'graph.events',
  whole: true,
  nonce: 'nonce',
  expiresAt: 1,
};

const lifecycle = (lifecycleEvent: string, subscriptionId = 'a', nonces = ['nonce']): TakenResource =>
  taken(
    nonces.map((nonce, nth) =>
      entry('created', nth + 1, {
        subscriptionId,
        last: '',
        news: { kind: 'lifecycle', tenantId: TENANT, subscriptionId, lifecycleEvent, nonce },
      }),
    ),
    { resource: `lifecycle/${lifecycleEvent}` },
  );

/** Store and queue are real; what is published is kept, so that its order beside the demand can be seen. */
async function setup(stored: KnownSubscription = known, kafka?: Error) {
  const { redis, names } = ownRedis();
  const store = createSubscriptionStore(redis, names);
  await store.save(stored);
  const done: string[] = [];
  const publish: PublishOutcomes = {
    outcome: async () => 'whole',
    async giveUp(_taken, stage, reason) {
      if (kafka) throw kafka;
      done.push(`${stage}: ${reason}`);
    },
  };
  const log = keptLog();
  const requestReconcile = async () => void done.push('reconcile');
  const closeHole = async ({ id }: { id: string }) => void done.push(`read again ${id}`);
  const counted: string[] = [];
  const count = (event: string) => void counted.push(event);
  const deps: LifecycleDeps = { store, publish, requestReconcile, closeHole, count, log };
  return { store, done, deps, handle: createLifecycleProcessor(deps), log, counted };
}

describe('reauthorizationRequired', () => {
  it('demands a renewal, which reauthorizes as well', async () => {
    const { store, done, handle } = await setup();
    await handle(lifecycle('reauthorizationRequired'));
    expect(await store.get('a')).toEqual({ ...known, demand: 'renew' });
    expect(done).toEqual(['reconcile']);
  });

  it('of a subscription that is replaced or not ours demands nothing, and is logged', async () => {
    const { store, done, handle, log } = await setup({ ...known, replacedAt: 5 });
    await handle(lifecycle('reauthorizationRequired'));
    await handle(lifecycle('reauthorizationRequired', 'foreign'));
    expect(await store.all()).toEqual([{ ...known, replacedAt: 5 }]);
    expect(done).toEqual([]);
    expect(log.lines.join()).toMatch(/"replaced".*lifecycle\.not-served.*"not ours".*lifecycle\.not-served/s);
  });

  it('that comes while the subscription is renewed takes nothing of what the renewal has found out', async () => {
    const { store, deps } = await setup();
    const renewing = createLifecycleProcessor({
      ...deps,
      store: {
        ...store,
        async get(id) {
          const read = await store.get(id);
          await store.save({ ...known, expiresAt: 99, certificateId: 'new' });
          return read;
        },
      },
    });
    await renewing(lifecycle('reauthorizationRequired'));
    expect(await store.get('a')).toMatchObject({ expiresAt: 99, certificateId: 'new' });
  });

  it('brings one renewal, however often it comes before it and in the minutes after it', async () => {
    const { store, done, handle } = await setup();
    for (let i = 0; i < 3; i++) await handle(lifecycle('reauthorizationRequired'));
    expect(await store.get('a')).toMatchObject({ demand: 'renew' });
    await store.save({ ...known, expiresAt: 2 });
    for (let i = 0; i < 3; i++) await handle(lifecycle('reauthorizationRequired'));
    expect(await store.get('a')).toEqual({ ...known, expiresAt: 2 });
    expect(done).toEqual(['reconcile', 'reconcile', 'reconcile']);
  });
});

describe('subscriptionRemoved', () => {
  it('shows the hole first and then demands a new subscription', async () => {
    const { store, done, handle } = await setup();
    await handle(lifecycle('subscriptionRemoved'));
    expect(await store.get('a')).toEqual({ ...known, demand: 'recreate' });
    expect(done).toEqual([expect.stringMatching(/^resync: .*removed/), 'reconcile']);
  });

  it('that comes while the subscription is renewed has it made anew all the same', async () => {
    const { store, handle } = await setup();
    await handle(lifecycle('reauthorizationRequired'));
    await handle(lifecycle('subscriptionRemoved'));
    await store.save({ ...known, expiresAt: 2 });
    expect(await store.get('a')).toEqual({ ...known, expiresAt: 2, demand: 'recreate' });
  });

  it('of a subscription that is replaced shows the hole, and demands nothing', async () => {
    const { done, handle } = await setup({ ...known, replacedAt: 5 });
    await handle(lifecycle('subscriptionRemoved'));
    await handle(lifecycle('missed'));
    expect(done).toEqual([expect.stringMatching(/^resync: .*removed/), expect.stringMatching(/^resync: /)]);
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

describe('a lifecycle event with the clientState of another subscription', () => {
  it.each(['reauthorizationRequired', 'subscriptionRemoved', 'missed'])(
    'brings nothing about and is warned of: %s',
    async (event) => {
      const { store, done, handle, log } = await setup();
      await handle(lifecycle(event, 'a', ['of another', 'of a third']));
      expect(done).toEqual([]);
      expect(await store.get('a')).toEqual(known);
      expect(log.lines.join()).toMatch(/lifecycle\.not-believed/);
    },
  );

  it('hides no true one that came before it', async () => {
    const { done, handle } = await setup();
    await handle(lifecycle('missed', 'a', ['nonce', 'of another']));
    expect(done).toHaveLength(2);
  });
});

describe('a lifecycle event of a kind that is not known yet', () => {
  it('is logged, counted and done with', async () => {
    const { done, handle, log, counted } = await setup();
    await handle(lifecycle('somethingNew'));
    await handle(lifecycle('missed'));
    expect(done).not.toContain('reconcile');
    expect(log.lines.join()).toMatch(/lifecycle\.unknown/);
    expect(counted).toEqual(['unknown', 'missed']);
  });
});
