/** Another NOTIFICATION_URL or LIFECYCLE_NOTIFICATION_URL, carried into living subscriptions at the simulator. */
import { createNonce, signClientState } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { noEncryptionKeys } from '../../src/rich/encryption-keys.ts';
import { handshakeProblem } from '../../src/subscriptions/handshake-problem.ts';
import { createRedisFleet } from '../../src/subscriptions/redis-fleet.ts';
import { createSubscriptionStore } from '../../src/subscriptions/subscription-store.ts';
import { createSubscriptionsApi } from '../../src/subscriptions/subscriptions-api.ts';
import { startNotificationEndpoint } from '../support/notification-endpoint.ts';
import { ownRedis } from '../support/own-redis.ts';
import { createTestReconcile, type Reconciled } from '../support/reconciling.ts';
import { keptLog } from '../support/silent-log.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

const SECRET = 'a-secret-of-this-test';
const MINUTE = 60_000;

async function setup(users = 3) {
  const clock = { ms: Date.now() };
  const { simulator, client } = await simulateGraph({
    ...{ users, now: () => clock.ms, tokenLifetimeSeconds: 1_000_000 },
  });
  const [before, after] = [await startNotificationEndpoint(), await startNotificationEndpoint()];
  const { redis, names } = ownRedis();
  const store = createSubscriptionStore(redis, names);
  const log = keptLog();
  const holes: string[] = [];
  const wishes = simulator.users().map(({ id }) => ({
    ...{ key: `calendars/${id}`, tenantId: simulator.tenantId, resource: `users/${id}/events` },
    ...{ changeType: 'created,updated,deleted', topic: 'graph.events', lifeMinutes: 180, whole: true },
  }));
  const contacts = `users/${simulator.users()[0]?.id}/contacts`;
  const deps: Reconciled = {
    ...{ api: createSubscriptionsApi(client, simulator.url), redis, names, log, wishes },
    ...{ tenantId: simulator.tenantId, secrets: [SECRET], encryption: noEncryptionKeys },
    notificationUrl: before.url,
    noteHole: async () => undefined,
    closeHole: async ({ id }) => void holes.push(id),
    now: () => clock.ms,
    handshakeProblem,
  };
  const reconcile = createTestReconcile(deps);
  await reconcile(true);
  clock.ms += 2 * MINUTE;
  const atGraph = () => simulator.subscriptions.list(simulator.clientId);
  /** With a clientState of ours, by nobody that is known. */
  const makeAt = (notificationUrl: string, resource = contacts, nonce = createNonce()) =>
    deps.api.create({
      ...{ resource, changeType: 'created,updated,deleted' },
      ...{ notificationUrl, lifecycleNotificationUrl: undefined },
      clientState: signClientState([SECRET], simulator.tenantId, nonce),
      expiresAt: clock.ms + 120 * MINUTE,
    });
  /** As a process leaves it that is killed right after Graph's answer. */
  const intend = async (wish: string, notificationUrl: string, resource?: string) => {
    const nonce = createNonce();
    const held = await createRedisFleet(redis, names, deps.now).hold();
    if (!held) throw new Error('another one reconciles');
    await held.intend(wish, { nonce, settlesAt: clock.ms + MINUTE });
    await held.release();
    return makeAt(notificationUrl, resource, nonce);
  };
  return { simulator, before, after, store, holes, clock, deps, reconcile, atGraph, wishes, makeAt, intend };
}

describe('another NOTIFICATION_URL', () => {
  it('is given to each living subscription by one PATCH, once it answers; none is made anew', async () => {
    const { reconcile, after, atGraph, simulator, clock, holes } = await setup();
    const ids = atGraph().map(({ id }) => id);
    const report = await reconcile(false, { notificationUrl: after.url });
    expect(report).toMatchObject({ renewed: 3, created: 0, deleted: 0, failed: [] });
    expect(after.hits).toBeGreaterThan(0);
    expect(atGraph().map(({ id }) => id)).toEqual(ids);
    expect(atGraph().map(({ notificationUrl }) => notificationUrl)).toEqual(ids.map(() => after.url));
    expect(holes).toEqual([]);
    clock.ms += 2 * MINUTE;
    expect(await reconcile(true, { notificationUrl: after.url })).toMatchObject({ renewed: 0, created: 0 });
    expect(graphCalls(simulator).filter((call) => call.startsWith('PATCH'))).toHaveLength(3);
  });

  it('that does not answer takes nothing away: all live on with the old one, and are renewed', async () => {
    const { reconcile, before, atGraph, clock, simulator } = await setup();
    const notificationUrl = 'https://127.0.0.1:9/nobody';
    const { failed } = await reconcile(false, { notificationUrl });
    expect(failed).toEqual([
      expect.stringMatching(
        /^address: 127\.0\.0\.1:9 does not answer: .*refuses connections \(ECONNREFUSED\)$/,
      ),
    ]);
    clock.ms += 121 * MINUTE;
    expect(await reconcile(true, { notificationUrl })).toMatchObject({ renewed: 3, created: 0, deleted: 0 });
    expect(new Set(atGraph().map((one) => one.notificationUrl))).toEqual(new Set([before.url]));
    expect(graphCalls(simulator).some((call) => call.startsWith('DELETE'))).toBe(false);
  });

  it('leaves what nobody knows at the old one alone: by now another deployment may have that address', async () => {
    const { reconcile, before, after, atGraph, clock, makeAt } = await setup();
    const unknown = await makeAt(before.url);
    const changed = { notificationUrl: after.url };
    expect(await reconcile(true, changed)).toMatchObject({ swept: 0, renewed: 3, failed: [] });
    clock.ms += 2 * MINUTE;
    expect(await reconcile(true, changed)).toMatchObject({ swept: 0 });
    expect(atGraph().map(({ id }) => id)).toContain(unknown.id);
    expect(await reconcile(true, { ...changed, sweepOrphans: 'likely' })).toMatchObject({ swept: 1 });
  });

  it('has nothing deleted that is in the way there, unless a request of ours made it', async () => {
    const { reconcile, before, after, atGraph, clock, wishes, deps, makeAt, intend } = await setup();
    const [first, ...others] = wishes;
    if (!first) throw new Error('nothing is wanted');
    await reconcile(true, { wishes: others });
    clock.ms += 2 * MINUTE;
    const inTheWay = await makeAt(before.url, first.resource);
    const changed = { notificationUrl: after.url };
    const { failed } = await reconcile(true, changed);
    expect(failed).toEqual([expect.stringContaining(`that notifies ${new URL(before.url).host}`)]);
    expect(atGraph().map(({ id }) => id)).toContain(inTheWay.id);
    await deps.api.delete(inTheWay.id);
    const ours = await intend(first.key, before.url, first.resource);
    clock.ms += 2 * MINUTE;
    await reconcile(true, changed);
    clock.ms += 2 * MINUTE;
    expect(await reconcile(true, changed)).toMatchObject({ failed: [] });
    expect(atGraph().map(({ id }) => id)).not.toContain(ours.id);
    expect(atGraph().map(({ notificationUrl }) => notificationUrl)).toEqual(wishes.map(() => after.url));
  });

  it('has deleted what a request of ours made at the old one that nobody wants any more', async () => {
    const { reconcile, before, after, atGraph, clock, intend } = await setup();
    const ours = await intend('contacts', before.url);
    clock.ms += 2 * MINUTE;
    expect(await reconcile(true, { notificationUrl: after.url })).toMatchObject({ swept: 1, renewed: 3 });
    expect(atGraph().map(({ id }) => id)).not.toContain(ours.id);
  });
});

describe('another LIFECYCLE_NOTIFICATION_URL', () => {
  it('has each made anew, once it answers and a quarter of an hour after it was made, and its hole closed', async () => {
    const { reconcile, after, atGraph, clock, holes } = await setup();
    const ids = new Set(atGraph().map(({ id }) => id));
    const changed = { lifecycleNotificationUrl: after.url };
    clock.ms += 16 * MINUTE;
    const report = await reconcile(true, changed);
    expect(report).toMatchObject({ created: 3, failed: [] });
    expect(atGraph().map((one) => one.lifecycleNotificationUrl)).toEqual([after.url, after.url, after.url]);
    expect(atGraph().some(({ id }) => ids.has(id))).toBe(false);
    expect(holes.toSorted()).toEqual(
      atGraph()
        .map(({ id }) => id)
        .toSorted(),
    );
  });

  it('that does not answer has nothing let go', async () => {
    const { reconcile, atGraph, clock } = await setup();
    const ids = atGraph().map(({ id }) => id);
    clock.ms += 16 * MINUTE;
    const report = await reconcile(true, { lifecycleNotificationUrl: 'https://127.0.0.1:9/nobody' });
    expect(report).toMatchObject({ created: 0, deleted: 0 });
    expect(atGraph().map(({ id }) => id)).toEqual(ids);
  });
});
