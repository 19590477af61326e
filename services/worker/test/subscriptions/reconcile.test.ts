/** Reconciliations against the simulator, its subscriptions made with real handshakes, what we know kept in Redis. */
import { createNonce, signClientState, verifyClientState } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { GraphError } from '../../src/graph/graph-error.ts';
import { noEncryptionKeys } from '../../src/rich/encryption-keys.ts';
import { createSubscriptionStore } from '../../src/subscriptions/subscription-store.ts';
import { createSubscriptionsApi } from '../../src/subscriptions/subscriptions-api.ts';
import type { Wish } from '../../src/subscriptions/wanted-subscriptions.ts';
import { startNotificationEndpoint } from '../support/notification-endpoint.ts';
import { ownRedis } from '../support/own-redis.ts';
import { createTestReconcile, type Reconciled } from '../support/reconciling.ts';
import { keptLog } from '../support/silent-log.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

const SECRETS = ['first-secret-of-ours', 'second-secret-of-ours'];
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const LIFE_MINUTES = 180;

const idle = { wanted: 1, created: 0, renewed: 0, adopted: 0, deleted: 0, failed: [] };

async function setup(options: { users?: number; pageSize?: number } = {}) {
  const clock = { ms: Date.now() };
  const { simulator, client, user } = await simulateGraph({
    users: options.users ?? 1,
    subscriptionsPageSize: options.pageSize ?? 100,
    now: () => clock.ms,
    // Its clock goes ahead of the process's, by which @azure/identity renews tokens.
    tokenLifetimeSeconds: 1_000_000,
  });
  const endpoint = await startNotificationEndpoint();
  const { redis, names } = ownRedis();
  const store = createSubscriptionStore(redis, names);
  const log = keptLog();
  const wishes: Wish[] = simulator.users().map(({ id }) => ({
    key: `calendars/${id}`,
    tenantId: simulator.tenantId,
    resource: `users/${id}/events`,
    changeType: 'created,updated,deleted',
    topic: 'graph.events',
    lifeMinutes: LIFE_MINUTES,
    whole: true,
  }));
  const holes: string[] = [];
  const closed: string[] = [];
  const deps: Reconciled = {
    api: createSubscriptionsApi(client, simulator.url),
    redis,
    names,
    log,
    wishes,
    tenantId: simulator.tenantId,
    secrets: SECRETS,
    encryption: noEncryptionKeys,
    notificationUrl: endpoint.url,
    noteHole: async ({ id }) => void holes.push(id),
    closeHole: async ({ id }) => void closed.push(id),
    now: () => clock.ms,
  };
  return {
    simulator,
    user,
    endpoint,
    store,
    log,
    deps,
    clock,
    holes,
    closed,
    wish: wishes[0] as Wish,
    reconcile: createTestReconcile(deps),
    atGraph: () => simulator.subscriptions.list(simulator.clientId),
    serving: async () => (await store.all()).filter(({ replacedAt }) => replacedAt === undefined),
    /** A subscription for the first wish that we do not know of. */
    async makeBehindOurBack(clientState: string) {
      return deps.api.create({
        resource: wishes[0]?.resource ?? '',
        changeType: 'created,updated,deleted',
        notificationUrl: endpoint.url,
        lifecycleNotificationUrl: undefined,
        clientState,
        expiresAt: clock.ms + 2 * HOUR,
      });
    },
  };
}

describe('a wish', () => {
  it('gets a subscription after a handshake, signed with the first secret; the next look finds nothing to do', async () => {
    const { reconcile, simulator, endpoint, atGraph, serving, wish, clock } = await setup();
    expect(await reconcile(true)).toMatchObject({ ...idle, created: 1 });
    expect(endpoint.hits).toBe(1);
    const [made] = atGraph();
    const [known] = await serving();
    expect(known).toMatchObject({ id: made?.id, wish: wish.key, topic: 'graph.events', whole: true });
    expect(known?.expiresAt).toBe(clock.ms + LIFE_MINUTES * MINUTE);
    const state = verifyClientState(made?.clientState, simulator.tenantId, {
      secrets: [SECRETS[0] ?? ''],
      accepted: [],
    });
    expect(state).toEqual({ verified: true, nonce: known?.nonce });
    expect(await reconcile(true)).toMatchObject(idle);
    expect(await reconcile(false)).toMatchObject(idle);
  });

  it('is renewed in time, by one call, and not before', async () => {
    const { reconcile, simulator, serving, clock } = await setup();
    await reconcile(true);
    // Between a half and a third of its life before its end, as its wish has it.
    for (const ms of [HOUR - MINUTE, (LIFE_MINUTES / 2) * MINUTE - HOUR]) {
      clock.ms += ms;
      expect(await reconcile(false)).toMatchObject(idle);
    }
    clock.ms += (LIFE_MINUTES / 6) * MINUTE + MINUTE;
    expect(await reconcile(false)).toMatchObject({ ...idle, renewed: 1 });
    expect((await serving())[0]?.expiresAt).toBe(clock.ms + LIFE_MINUTES * MINUTE);
    expect(await reconcile(false)).toMatchObject(idle);
    expect(graphCalls(simulator).filter((call) => call.startsWith('PATCH'))).toHaveLength(1);
  });

  it('gets a new subscription where the old one is not found; the old id stays known for 4 hours', async () => {
    const { reconcile, holes, store, serving, atGraph, simulator, clock } = await setup();
    await reconcile(true);
    const [old] = await serving();
    simulator.subscriptions.remove(old?.id ?? '');
    await store.demand(old?.id ?? '', 'renew');
    expect(await reconcile(false)).toMatchObject({ failed: [] });
    const [heir] = await serving();
    expect(heir?.id).not.toBe(old?.id);
    expect(atGraph().map(({ id }) => id)).toEqual([heir?.id]);
    expect(await store.get(old?.id ?? '')).toMatchObject({ replacedAt: clock.ms, wish: old?.wish });
    expect(heir).not.toHaveProperty('demand');
    expect(holes).toEqual([old?.id]);

    clock.ms += 4 * HOUR;
    await reconcile(false);
    expect(await store.get(old?.id ?? '')).toBeDefined();
    clock.ms += 1001;
    await reconcile(false);
    expect(await store.get(old?.id ?? '')).toBeUndefined();
    expect(await serving()).toHaveLength(1);
  });

  it('gets a new subscription where Graph says that the old one was removed, or does not list it', async () => {
    const { reconcile, holes, store, serving, simulator } = await setup();
    await reconcile(true);
    const [first] = await serving();
    await store.demand(first?.id ?? '', 'recreate');
    expect(await reconcile(false)).toMatchObject({ ...idle, created: 1 });
    const [second] = await serving();
    expect(holes).toEqual([]);
    simulator.subscriptions.remove(second?.id ?? '');
    expect(await reconcile(true)).toMatchObject({ ...idle, created: 1 });
    expect(holes).toEqual([second?.id]);
    expect(await serving()).toHaveLength(1);
    expect(await reconcile(true)).toMatchObject(idle);
  });

  it('gets a new subscription where the old one has expired while nobody looked', async () => {
    const { reconcile, holes, serving, clock, atGraph } = await setup();
    await reconcile(true);
    clock.ms += LIFE_MINUTES * MINUTE + 1;
    expect(await reconcile(false)).toMatchObject({ ...idle, created: 1 });
    expect(holes).toHaveLength(1);
    expect(atGraph().map(({ id }) => id)).toEqual((await serving()).map(({ id }) => id));
  });

  it('adopts a subscription of ours that Graph lists and we do not know', async () => {
    const { reconcile, makeBehindOurBack, serving, simulator } = await setup();
    const nonce = createNonce();
    const made = await makeBehindOurBack(signClientState([SECRETS[1] ?? ''], simulator.tenantId, nonce));
    expect(await reconcile(true)).toMatchObject({ ...idle, adopted: 1 });
    expect(await serving()).toMatchObject([{ id: made.id, nonce, expiresAt: made.expirationDateTime }]);
  });

  it('adopts its twin where Graph refuses a second one: a reply of ours was lost', async () => {
    const { reconcile, makeBehindOurBack, serving, simulator } = await setup();
    await reconcile(true, { wishes: [] });
    const nonce = createNonce();
    const made = await makeBehindOurBack(signClientState(SECRETS, simulator.tenantId, nonce));
    expect(await reconcile(false)).toMatchObject({ failed: [] });
    expect(await serving()).toMatchObject([{ id: made.id, nonce }]);
    expect(await reconcile(true)).toMatchObject(idle);
  });

  it('is served after the reply to its making was lost on the way', async () => {
    const { reconcile, serving, deps, atGraph, clock } = await setup();
    // The simulator's faults come before the work, so that the loss is played here: made, but never heard of.
    const losing = {
      ...deps.api,
      async create(draft: Parameters<typeof deps.api.create>[0]) {
        await deps.api.create(draft);
        throw new GraphError({ kind: 'transient', detail: 'no complete answer in time' });
      },
    };
    const askedAt = clock.ms;
    expect((await reconcile(false, { api: losing })).failed).toHaveLength(1);
    expect(await serving()).toEqual([]);
    // It may still be at work: nothing is asked for again, and no list is believed, before it must have ended.
    clock.ms += 59_000;
    expect(await reconcile(false)).toMatchObject(idle);
    clock.ms += 2_000;
    expect(await reconcile(false)).toMatchObject({ ...idle, adopted: 1 });
    // Graph granted it when it was asked for, not when it was found.
    expect(await serving()).toMatchObject(atGraph().map(({ id }) => ({ id, grantedAt: askedAt })));
    expect(atGraph()).toHaveLength(1);
  });

  it('fails with clear words where a subscription of somebody else is in the way', async () => {
    const { reconcile, makeBehindOurBack, serving, wish, atGraph } = await setup();
    await makeBehindOurBack('somebody-elses-client-state');
    const { failed } = await reconcile(true);
    expect(failed).toEqual([
      expect.stringContaining(`create ${wish.key}: a subscription for ${wish.resource} exists`),
    ]);
    expect(failed[0]).toMatch(/clientState/);
    expect(failed[0]).not.toContain('somebody-elses');
    expect(await serving()).toEqual([]);
    expect(atGraph()).toHaveLength(1);
  });

  it('that is renamed keeps being served', async () => {
    const { reconcile, serving, wish, atGraph } = await setup();
    await reconcile(true);
    const renamed = [{ ...wish, key: wish.key.replace('calendars', 'agendas') }];
    expect(await reconcile(false, { wishes: renamed })).toMatchObject({ created: 1, deleted: 1, failed: [] });
    expect(await serving()).toMatchObject([{ wish: renamed[0]?.key }]);
    expect(atGraph().map(({ id }) => id)).toEqual((await serving()).map(({ id }) => id));
    expect(await reconcile(true, { wishes: renamed })).toMatchObject(idle);
  });

  it('never takes the subscription that serves another wish', async () => {
    const { reconcile, serving, wish } = await setup();
    await reconcile(true);
    const rival = { ...wish, key: 'rival', topic: 'elsewhere' };
    const before = await serving();
    const { failed } = await reconcile(true, { wishes: [wish, rival] });
    expect(failed).toEqual([expect.stringMatching(new RegExp(`^create rival: .*${wish.key}`))]);
    expect(await serving()).toEqual(before);
  });
});

describe('a wish for part of the changes, or other ids', () => {
  it('sends its filter encoded, and knows its subscription again', async () => {
    const { reconcile, serving, wish, atGraph, store } = await setup();
    const filtering = [{ ...wish, filter: "startswith(subject,'a&b')", whole: false }];
    await reconcile(true, { wishes: filtering });
    expect(atGraph()).toMatchObject([{ resource: `${wish.resource}?$filter=startswith(subject%2C'a%26b')` }]);
    expect(await serving()).toMatchObject([{ resource: wish.resource, filter: filtering[0]?.filter }]);
    expect(await reconcile(true, { wishes: filtering })).toMatchObject(idle);
    await store.remove((await serving())[0]?.id ?? '');
    expect(await reconcile(true, { wishes: filtering })).toMatchObject({ ...idle, adopted: 1 });
  });

  it('says with its creation that ids are immutable, and makes anew what it finds at Graph', async () => {
    const { reconcile, serving, wish, atGraph, store } = await setup();
    const immutable = [{ ...wish, immutableIds: true }];
    await reconcile(true, { wishes: immutable });
    const [made] = atGraph();
    expect(made).toMatchObject({ immutableIds: true, resource: wish.resource });
    expect(await serving()).toMatchObject([{ id: made?.id, immutableIds: true }]);
    await store.remove(made?.id ?? '');
    expect(await reconcile(true, { wishes: immutable })).toMatchObject({ failed: [] });
    expect(atGraph()).toMatchObject([{ id: expect.not.stringMatching(made?.id ?? ''), immutableIds: true }]);
    expect(await serving()).toMatchObject([{ id: atGraph()[0]?.id }]);
  });

  it('lets go first what it meets at Graph and did not know, since its ids may be others', async () => {
    const { reconcile, wish, atGraph, makeBehindOurBack, simulator, clock } = await setup();
    await reconcile(true, { wishes: [] });
    await makeBehindOurBack(signClientState(SECRETS, simulator.tenantId, createNonce()));
    const immutable = [{ ...wish, immutableIds: true }];
    const { failed } = await reconcile(false, { wishes: immutable });
    expect(failed).toEqual([expect.stringMatching(/may not be immutable: it is deleted/)]);
    expect(atGraph()).toEqual([]);
    clock.ms += 61_000;
    expect(await reconcile(false, { wishes: immutable })).toMatchObject({ ...idle, created: 1 });
    expect(atGraph()).toMatchObject([{ immutableIds: true }]);
  });

  it('keeps its subscription when only the way of looking changes', async () => {
    const { reconcile, serving, wish, atGraph } = await setup();
    await reconcile(true);
    const [made] = atGraph();
    const changed = [{ ...wish, select: ['subject'], prefer: ['outlook.timezone="Europe/Berlin"'] }];
    expect(await reconcile(true, { wishes: changed })).toMatchObject(idle);
    const [{ select, prefer }] = changed as [(typeof changed)[number]];
    expect(await serving()).toMatchObject([{ id: made?.id, select, prefer }]);
    expect(atGraph()).toEqual([made]);
  });
});

describe('a subscription that follows on another one of its wish', () => {
  it('has everything read again once it lives, and the first one has not', async () => {
    const { reconcile, serving, deps, closed } = await setup();
    await reconcile(true);
    expect(closed).toEqual([]);
    const [first] = await serving();
    await deps.api.delete(first?.id ?? '');
    await reconcile(true);
    const [second] = await serving();
    expect(closed).toEqual([second?.id]);
  });
});

describe('a hole', () => {
  it('is noted for what was lost, also where noting it fails at first', async () => {
    const { reconcile, holes, clock, serving } = await setup();
    await reconcile(true);
    const [lost] = await serving();
    clock.ms += LIFE_MINUTES * MINUTE + 1;
    const failing = async () => Promise.reject(new Error('Redis is away'));
    expect((await reconcile(false, { noteHole: failing })).failed).toHaveLength(1);
    clock.ms += 60_000;
    await reconcile(false);
    expect(holes).toEqual([lost?.id]);
    expect(await serving()).toHaveLength(1);
  });

  it('is none where the operator changed the wish', async () => {
    const { reconcile, holes, wish } = await setup();
    await reconcile(true);
    await reconcile(true, { wishes: [{ ...wish, topic: 'elsewhere' }] });
    await reconcile(true, { wishes: [] });
    expect(holes).toEqual([]);
  });
});

describe('what is caught up with after an hour without a look', () => {
  it('is all that was granted before, and not what a worker grants meanwhile whose clock is seconds behind', async () => {
    const { reconcile, deps, clock, wish } = await setup({ users: 2 });
    const behind = createTestReconcile({ ...deps, now: () => clock.ms - 4000 });
    await reconcile(true, { wishes: [wish] });
    clock.ms += 61 * MINUTE;
    expect(await reconcile(false, { wishes: [wish] })).toMatchObject({ renewed: 1, created: 0 });
    expect(await behind(true)).toMatchObject({ renewed: 0, created: 1 });
    expect(await reconcile(true)).toMatchObject({ renewed: 0, created: 0 });
  });
});

describe('what is no longer wanted', () => {
  it('is deleted at Graph and remembered for what may still arrive', async () => {
    const { reconcile, store, atGraph, clock, user } = await setup();
    await reconcile(true);
    expect(await reconcile(false, { wishes: [] })).toMatchObject({ ...idle, wanted: 0, deleted: 1 });
    expect(atGraph()).toEqual([]);
    expect(await store.all()).toMatchObject([{ wish: `calendars/${user}`, replacedAt: clock.ms }]);
    expect(await reconcile(true, { wishes: [] })).toMatchObject({ ...idle, wanted: 0 });
  });

  it('stays known where Graph does not delete it, until it does', async () => {
    const { reconcile, serving, simulator, atGraph, clock } = await setup();
    await reconcile(true);
    simulator.faults.add({ method: 'DELETE', status: 500 });
    expect((await reconcile(false, { wishes: [] })).failed).toEqual([
      expect.stringMatching(/^delete calendars/),
    ]);
    expect(await serving()).toHaveLength(1);
    clock.ms += 30_000;
    expect(await reconcile(false, { wishes: [] })).toMatchObject({ deleted: 1, failed: [] });
    expect(atGraph()).toEqual([]);
  });
});

describe('many wishes', () => {
  it('are all served, and found again over all pages of the list', async () => {
    const { reconcile, store, simulator } = await setup({ users: 7, pageSize: 2 });
    expect(await reconcile(true)).toMatchObject({ wanted: 7, created: 7, failed: [] });
    expect(await reconcile(true)).toMatchObject({ created: 0, adopted: 0 });
    for (const { id } of await store.all()) await store.remove(id);
    expect(await reconcile(true)).toMatchObject({ created: 0, adopted: 7 });
    expect(simulator.subscriptions.size).toBe(7);
  });

  it('are served though one of them cannot be: its line names it', async () => {
    const { reconcile, endpoint, serving, deps, clock } = await setup({ users: 3 });
    const [, second] = deps.wishes;
    const notMadeYet = deps.wishes.filter((wish) => wish !== second);
    await reconcile(true, { wishes: notMadeYet });
    endpoint.break(true);
    const { failed, created } = await reconcile(true);
    expect({ failed, created }).toEqual({
      failed: [expect.stringMatching(new RegExp(`^create ${second?.key}: `))],
      created: 0,
    });
    expect(await serving()).toHaveLength(2);
    endpoint.break(false);
    clock.ms += MINUTE;
    expect(await reconcile(false)).toMatchObject({ created: 1, failed: [] });
  });

  it('are not all held up by a first one that fails', async () => {
    const { reconcile, simulator, serving } = await setup({ users: 3 });
    simulator.faults.add({ method: 'POST', path: '/v1.0/subscriptions', status: 500 });
    expect(await reconcile(true)).toMatchObject({ created: 2, failed: [expect.any(String)] });
    expect(await serving()).toHaveLength(2);
  });

  it('are renewed also while Graph does not give its list', async () => {
    const { reconcile, clock, simulator, serving } = await setup({ users: 2 });
    await reconcile(true);
    clock.ms += LIFE_MINUTES * MINUTE - 10 * MINUTE;
    simulator.faults.add({ method: 'GET', path: '/v1.0/subscriptions', status: 429 });
    const { renewed, failed, listed } = await reconcile(true);
    expect({ renewed, listed }).toEqual({ renewed: 2, listed: false });
    expect(failed).toEqual([expect.stringMatching(/^list: throttled/)]);
    for (const { expiresAt } of await serving()) expect(expiresAt).toBe(clock.ms + LIFE_MINUTES * MINUTE);
  });
});

describe('what was not notified while a subscription was gone', () => {
  it('is noted once as a hole, where we find that it is gone by ourselves', async () => {
    const { reconcile, serving, deps, holes, clock } = await setup();
    await reconcile(true);
    const [first] = await serving();
    await deps.api.delete(first?.id ?? '');
    await reconcile(true);
    expect(holes).toEqual([first?.id]);
    const [second] = await serving();
    clock.ms += LIFE_MINUTES * MINUTE + MINUTE;
    await reconcile(false);
    expect(holes).toEqual([first?.id, second?.id]);
    await reconcile(true);
    expect(holes).toHaveLength(2);
  });
});

describe('a new clientState secret', () => {
  const WITH_NEW = { secrets: ['third-secret-of-ours', ...SECRETS] };
  const QUARTER = 15 * MINUTE;
  const signers = async ({ atGraph, simulator }: Awaited<ReturnType<typeof setup>>) =>
    atGraph().map(({ clientState }) =>
      WITH_NEW.secrets.findIndex((secret) => {
        const only = { secrets: [secret], accepted: [] };
        return verifyClientState(clientState, simulator.tenantId, only).verified;
      }),
    );

  it('is carried by all in the end: each is replaced by one that follows on it, and none is noted as lost', async () => {
    const world = await setup({ users: 3 });
    const { reconcile, clock, serving, holes, closed } = world;
    await reconcile(true);
    expect(await reconcile(true, WITH_NEW)).toMatchObject({
      created: 0,
      bySecret: { current: 0, old: 3, replaced: 0 },
    });
    clock.ms += QUARTER;
    expect(await reconcile(true, WITH_NEW)).toMatchObject({
      created: 3,
      deleted: 0,
      failed: [],
      bySecret: { current: 3, old: 0, replaced: 3 },
      oldSecretsFreed: false,
    });
    expect(await signers(world)).toEqual([0, 0, 0]);
    const ids = (await serving()).map(({ id }) => id);
    expect(world.atGraph().map(({ id }) => id)).toEqual(expect.arrayContaining(ids));
    expect(closed.toSorted()).toEqual(ids.toSorted());
    expect(holes).toEqual([]);
    expect(await reconcile(true, WITH_NEW)).toMatchObject({ created: 0, renewed: 0, adopted: 0 });
    expect(await reconcile(true)).toMatchObject({ created: 0, renewed: 0, adopted: 0 });
  });

  it('frees the old one 4 hours after the last one that carried it was replaced; that is reported once', async () => {
    const { reconcile, clock } = await setup({ users: 2 });
    await reconcile(true);
    clock.ms += QUARTER;
    await reconcile(true, WITH_NEW);
    const renewing = 2 * HOUR + 30 * MINUTE;
    clock.ms += renewing;
    expect(await reconcile(false, WITH_NEW)).toMatchObject({ renewed: 2 });
    clock.ms += 4 * HOUR - renewing;
    const waiting = { bySecret: { current: 2, old: 0, replaced: 2 }, oldSecretsFreed: false };
    expect(await reconcile(false, WITH_NEW)).toMatchObject(waiting);
    // At most one look a second for a wish.
    clock.ms += 1001;
    const free = { current: 2, old: 0, replaced: 0 };
    expect(await reconcile(false, WITH_NEW)).toMatchObject({ bySecret: free, oldSecretsFreed: true });
    expect(await reconcile(false, WITH_NEW)).toMatchObject({ bySecret: free, oldSecretsFreed: false });
  });

  it('is not undone by a worker that does not hold it yet', async () => {
    const world = await setup();
    const { reconcile, serving, holes, clock } = world;
    await reconcile(true, WITH_NEW);
    const before = await serving();
    clock.ms += QUARTER - 1;
    expect(await reconcile(true)).toMatchObject({ created: 0, adopted: 0, deleted: 0, failed: [] });
    expect(await serving()).toEqual(before);
    expect(await signers(world)).toEqual([0]);
    expect(holes).toEqual([]);
  });

  it('costs one subscription, not all, while Graph does not reach the receiver; then all are changed over', async () => {
    const world = await setup({ users: 4 });
    const { reconcile, clock, endpoint, serving, closed } = world;
    await reconcile(true);
    clock.ms += QUARTER;
    endpoint.break(true);
    expect((await reconcile(true, WITH_NEW)).failed).toHaveLength(1);
    expect((await reconcile(true, WITH_NEW)).failed).toHaveLength(1);
    expect(world.atGraph()).toHaveLength(3);
    expect(await serving()).toHaveLength(3);
    endpoint.break(false);
    expect(await reconcile(true, WITH_NEW)).toMatchObject({ created: 1, failed: [] });
    expect(await reconcile(true, WITH_NEW)).toMatchObject({ created: 3, failed: [] });
    expect(await signers(world)).toEqual([0, 0, 0, 0]);
    expect(closed).toHaveLength(4);
  });
});

describe('what a reconciliation says', () => {
  it('holds no secret, no clientState and no nonce', async () => {
    const { reconcile, log, atGraph, serving, endpoint, deps, wish } = await setup({ users: 2 });
    const reports = [await reconcile(true, { wishes: [wish] })];
    endpoint.break(true);
    reports.push(await reconcile(true, { wishes: deps.wishes }));
    const said = JSON.stringify([log.lines, reports]);
    expect(said).toContain('subscription.created');
    expect(said).toContain('subscription.action-failed');
    for (const secret of [...SECRETS, atGraph()[0]?.clientState, (await serving())[0]?.nonce]) {
      if (secret) expect(said).not.toContain(secret);
    }
  });
});
