/** What Graph refuses, what is ours at Graph and what is not, and a clock that is wrong: against the simulator. */
import { createNonce, type QueueNames, signClientState } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { noEncryptionKeys } from '../../src/rich/encryption-keys.ts';
import { madeByHand } from '../../src/subscriptions/made-by-hand.ts';
import { createRedisFleet } from '../../src/subscriptions/redis-fleet.ts';
import { createSubscriptionStore } from '../../src/subscriptions/subscription-store.ts';
import { createSubscriptionsApi } from '../../src/subscriptions/subscriptions-api.ts';
import type { Wish } from '../../src/subscriptions/wanted-subscriptions.ts';
import { startNotificationEndpoint } from '../support/notification-endpoint.ts';
import { ownRedis } from '../support/own-redis.ts';
import { createTestReconcile, type Reconciled } from '../support/reconciling.ts';
import { keptLog } from '../support/silent-log.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SECRET = 'the-secret-of-this-test';

async function setup(options: Parameters<typeof simulateGraph>[0] = {}, changed: Partial<Reconciled> = {}) {
  const clock = { ms: Date.now() };
  const { simulator, client, user } = await simulateGraph({
    now: () => clock.ms,
    tokenLifetimeSeconds: 1_000_000,
    ...options,
  });
  const endpoint = await startNotificationEndpoint();
  const { redis, names } = ownRedis();
  const log = keptLog();
  const wish: Wish = {
    key: `calendars/${user}`,
    tenantId: simulator.tenantId,
    resource: `users/${user}/events`,
    changeType: 'created,updated,deleted',
    topic: 'graph.events',
    lifeMinutes: 10_060,
    whole: true,
  };
  const deps: Reconciled = {
    api: createSubscriptionsApi(client, simulator.url),
    redis,
    names,
    log,
    wishes: [wish],
    tenantId: simulator.tenantId,
    secrets: [SECRET],
    encryption: noEncryptionKeys,
    notificationUrl: endpoint.url,
    noteHole: async () => undefined,
    closeHole: async () => undefined,
    now: () => clock.ms,
    ...changed,
  };
  const make = (resource: string, clientState: string, notificationUrl = endpoint.url) =>
    deps.api.create({
      ...{ resource, clientState, notificationUrl, changeType: 'updated' },
      lifecycleNotificationUrl: undefined,
      expiresAt: clock.ms + 2 * HOUR,
    });
  return {
    ...{ simulator, user, endpoint, log, deps, clock, wish, make },
    reconcile: createTestReconcile(deps),
    troubles: () => troublesIn(redis, names),
    signed: () => signClientState([SECRET], simulator.tenantId, createNonce()),
    atGraph: () => simulator.subscriptions.list(simulator.clientId).map(({ id }) => id),
    store: createSubscriptionStore(redis, names),
    said: (name: string) =>
      log.lines.map((line) => JSON.parse(line)).filter(({ message }) => message === name),
  };
}

async function troublesIn(redis: Redis, names: QueueNames) {
  return (await createRedisFleet(redis, names, Date.now).counts()).troubles;
}

describe('a life that Graph finds too long', () => {
  it('is learnt from its words, for all of the kind, and said once', async () => {
    const { reconcile, wish, store, clock, simulator, said } = await setup({ users: 3 });
    const wishes = simulator.users().map(({ id }) => ({
      ...wish,
      key: `calendars/${id}`,
      resource: `users/${id}/events`,
      lifeMinutes: 10_080,
    }));
    expect(await reconcile(true, { wishes: wishes.slice(0, 1) })).toMatchObject({ created: 1, failed: [] });
    expect(await reconcile(true, { wishes })).toMatchObject({ created: 2, failed: [] });
    for (const { expiresAt } of await store.all()) expect(expiresAt).toBe(clock.ms + 10_070 * MINUTE);
    expect(graphCalls(simulator).filter((call) => call.startsWith('POST /v1.0/subscriptions'))).toHaveLength(
      4,
    );
    expect(said('subscription.shorter-life')).toMatchObject([{ asked_minutes: 10_080, minutes: 10_070 }]);
  });
});

describe('a quota that is full', () => {
  it('is named, and nothing more is asked for that counts against it', async () => {
    const { reconcile, wish, user, simulator, troubles, atGraph } = await setup({
      subscriptionQuotas: { outlookPerMailbox: 1 },
    });
    const others = ['contacts', 'messages'].flatMap((what) => {
      return ['created', 'updated', 'deleted', 'created,updated', 'updated,deleted', 'created,deleted'].map(
        (changeType) => ({
          ...wish,
          key: `${what} ${changeType}`,
          resource: `users/${user}/${what}`,
          changeType,
        }),
      );
    });
    await reconcile(true);
    const { failed } = await reconcile(true, { wishes: [wish, ...others] });
    expect(failed).toHaveLength(others.length);
    expect(await troubles()).toEqual({ quota: others.length });
    const calls = graphCalls(simulator).filter((call) => call.startsWith('POST /v1.0/subscriptions'));
    // One, and those that were on their way with the first refusal.
    expect(calls.length).toBeLessThanOrEqual(1 + 10);
    expect(atGraph()).toHaveLength(1);
  });
});

describe('a user without a mailbox', () => {
  it('is skipped with a reason, looked at again after a day, and holds up nobody', async () => {
    const { reconcile, wish, clock, simulator, troubles, said } = await setup({ users: 2 });
    const [first, second] = simulator.users();
    const wishes = [first, second].map((one) => ({
      ...wish,
      key: `calendars/${one?.id}`,
      resource: `users/${one?.id}/events`,
    }));
    const body = { error: { code: 'MailboxNotEnabledForRESTAPI', message: 'No licence.' } };
    simulator.faults.add({ method: 'POST', path: '/v1.0/subscriptions', times: 1, status: 404, body });
    expect(await reconcile(true, { wishes })).toMatchObject({ created: 1 });
    expect(await troubles()).toEqual({ 'no-mailbox': 1 });
    expect(said('subscription.skipped')).toMatchObject([{ level: 'warn', reason: 'no-mailbox' }]);
    clock.ms += 17 * HOUR;
    expect(await reconcile(false, { wishes })).toMatchObject({ created: 0, failed: [] });
    clock.ms += 7 * HOUR;
    expect(await reconcile(false, { wishes })).toMatchObject({ created: 1, failed: [] });
    expect(await troubles()).toEqual({});
  });
});

describe('what nobody wants at Graph', () => {
  it('is deleted where our clientState and our address show that it is ours; everything else stays', async () => {
    const { reconcile, make, user, signed, atGraph, store, endpoint } = await setup();
    await make(`users/${user}/messages`, signed());
    const elsewhere = await make(`users/${user}/contacts`, signed(), `${endpoint.url}?other`);
    const theirs = await make(`users/${user}/mailFolders/inbox/messages`, 'somebody-elses');
    expect(await reconcile(true)).toMatchObject({ created: 1, swept: 1, failed: [] });
    const [own] = await store.all();
    expect(atGraph().toSorted()).toEqual([elsewhere.id, theirs.id, own?.id].toSorted());
    expect(await reconcile(true)).toMatchObject({ swept: 0 });
  });

  it.each(['certain', 'likely'] as const)(
    'stays where somebody made it by hand, and nobody renews it (%s)',
    async (sweepOrphans) => {
      const { reconcile, make, user, signed, atGraph, store, simulator, clock } = await setup(
        {},
        { sweepOrphans, wishes: [] },
      );
      const made = await make(`users/${user}/messages`, signed());
      await store.save(
        madeByHand({
          ...{ id: made.id, tenantId: simulator.tenantId, resource: made.resource, changeType: 'updated' },
          ...{ topic: 'graph.events', whole: true, nonce: 'nonce', expiresAt: made.expirationDateTime },
        }),
      );
      expect(await reconcile(true)).toMatchObject({ swept: 0, deleted: 0, renewed: 0 });
      clock.ms += 90 * MINUTE;
      expect(await reconcile(true)).toMatchObject({ swept: 0, deleted: 0, renewed: 0 });
      expect(atGraph()).toEqual([made.id]);
    },
  );

  it('is deleted by one mark alone where that is set, and not at all where it is switched off', async () => {
    for (const [sweepOrphans, left] of [
      ['likely', 1],
      ['off', 3],
    ] as const) {
      const { reconcile, make, user, signed, atGraph, endpoint } = await setup(
        {},
        { sweepOrphans, wishes: [] },
      );
      await make(`users/${user}/contacts`, signed(), `${endpoint.url}?other`);
      await make(`users/${user}/messages`, signClientState(['taken away'], 'tenant', createNonce()));
      await make(`users/${user}/mailFolders/inbox/messages`, 'somebody-elses');
      await reconcile(true);
      expect(atGraph()).toHaveLength(left);
    }
  });
});

describe('a clock that is wrong', () => {
  it('changes and notes nothing before Graph has told the time', async () => {
    const world = await setup();
    await world.reconcile(true);
    const [before] = world.atGraph();
    const aheadMs = 9 * 24 * HOUR;
    const wrong = createTestReconcile({
      ...world.deps,
      now: () => world.clock.ms + aheadMs,
      clockIsSure: () => false,
      // As long as that is allowed, since it is added to a time that is wrong.
      wishes: [{ ...world.wish, lifeMinutes: 45 }],
    });
    world.simulator.faults.add({ method: 'GET', path: '/v1.0/subscriptions', status: 503, times: 3 });
    const known = await world.store.all();
    expect(await wrong(false)).toMatchObject({ created: 0, renewed: 0, listed: false });
    expect(world.atGraph()).toEqual([before]);
    expect(await world.store.all()).toEqual(known);
    expect(
      (await createRedisFleet(world.deps.redis, world.deps.names, Date.now).look(world.clock.ms, 9)).due,
    ).toEqual([]);
  });
});
