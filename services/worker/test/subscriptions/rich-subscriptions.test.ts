/** Rich subscriptions against the simulator, which checks certificates and selections as Graph does. */
import { describe, expect, it } from 'vitest';
import { parseWantedSubscriptions } from '../../src/declaration/read-declaration.ts';
import type { EncryptionKeys } from '../../src/rich/encryption-keys.ts';
import { secretFingerprint } from '../../src/subscriptions/secret-fingerprint.ts';
import {
  createSubscriptionStore,
  type KnownSubscription,
} from '../../src/subscriptions/subscription-store.ts';
import { createSubscriptionsApi } from '../../src/subscriptions/subscriptions-api.ts';
import { addKey, loadKeys, ownFolder } from '../support/encryption-keys.ts';
import { startNotificationEndpoint } from '../support/notification-endpoint.ts';
import { ownRedis } from '../support/own-redis.ts';
import { createTestReconcile, type Reconciled } from '../support/reconciling.ts';
import { keptLog } from '../support/silent-log.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SECRET = 'the-secret-of-this-test';

const NO_KEYS: Pick<EncryptionKeys, 'held' | 'current'> = { held: () => [], current: () => undefined };

async function setup() {
  const clock = { ms: Date.now() };
  const { simulator, client, user } = await simulateGraph({
    now: () => clock.ms,
    tokenLifetimeSeconds: 10_000_000,
  });
  const endpoint = await startNotificationEndpoint();
  const { redis, names } = ownRedis();
  const store = createSubscriptionStore(redis, names);
  const folder = await ownFolder();
  await addKey(folder, 'key-1', { startsAt: clock.ms - 10 * DAY });
  const load = () => loadKeys(`file:${folder}/`, { now: () => clock.ms });
  const wishes = parseWantedSubscriptions(
    `subscriptions:
  - { name: calendars, resource: 'users/{user}/events', users: [${user}], rich: true, select: [subject, start, end] }`,
    'subscriptions.yaml',
    { topic: 'graph.events', tenantId: simulator.tenantId },
  );
  const deps: Reconciled = {
    api: createSubscriptionsApi(client, simulator.url),
    redis,
    names,
    log: keptLog(),
    wishes,
    tenantId: simulator.tenantId,
    secrets: [SECRET],
    encryption: await load(),
    notificationUrl: endpoint.url,
    noteHole: async () => undefined,
    closeHole: async () => undefined,
    now: () => clock.ms,
  };
  const serving = async () => {
    const [one, ...others] = (await store.all()).filter(({ replacedAt }) => replacedAt === undefined);
    expect(others).toEqual([]);
    return one as KnownSubscription;
  };
  return {
    simulator,
    user,
    clock,
    folder,
    load,
    store,
    wishes,
    serving,
    atGraph: () => simulator.subscriptions.list(simulator.clientId),
    reconcile: createTestReconcile(deps),
  };
}

describe('a rich subscription', () => {
  it('is made with the current certificate and its selection; the next look finds nothing to do', async () => {
    const { reconcile, atGraph, serving, user, simulator, clock } = await setup();
    const report = await reconcile(true);
    expect(report).toMatchObject({ created: 1, failed: [], bySecret: { current: 1, old: 0, replaced: 0 } });
    expect(report.certificates).toMatchObject([{ id: 'key-1', subscriptions: 1 }]);
    expect(atGraph()).toMatchObject([
      {
        resource: `users/${user}/events?$select=subject,start,end`,
        includeResourceData: true,
        encryptionCertificateId: 'key-1',
        expiresAtMs: clock.ms + 1430 * 60_000,
      },
    ]);
    expect(await serving()).toMatchObject({
      resource: `users/${user}/events`,
      rich: true,
      select: ['subject', 'start', 'end'],
      certificateId: 'key-1',
      secret: secretFingerprint(SECRET),
    });
    expect(await reconcile(true)).toMatchObject({ created: 0, renewed: 0, failed: [] });
    expect(graphCalls(simulator).filter((call) => !call.startsWith('GET'))).toHaveLength(1);
  });

  it('is adopted from Graph’s list with its certificate after Redis was emptied', async () => {
    const { reconcile, atGraph, store, serving } = await setup();
    await reconcile(true);
    const before = await serving();
    await store.remove(before.id);
    expect(await reconcile(true)).toMatchObject({ adopted: 1, created: 0, renewed: 0, failed: [] });
    // Nobody knows any more when Graph granted its life.
    const { grantedAt: _unknown, ...shown } = before;
    expect(await serving()).toEqual(shown);
    expect(atGraph()).toHaveLength(1);
  });

  it('is not made without a certificate, and that is said', async () => {
    const { reconcile, atGraph } = await setup();
    const { failed } = await reconcile(true, { encryption: NO_KEYS });
    expect(failed).toEqual([expect.stringContaining('there is no encryption key with a certificate')]);
    expect(atGraph()).toEqual([]);
  });

  it('is not let go for another one that cannot be made for want of a certificate', async () => {
    const { reconcile, atGraph, wishes, serving } = await setup();
    await reconcile(true);
    const { id } = await serving();
    const elsewhere = wishes.map((one) => ({ ...one, topic: 'elsewhere' }));
    expect((await reconcile(true, { wishes: elsewhere, encryption: NO_KEYS })).failed).toHaveLength(1);
    expect(atGraph()).toMatchObject([{ id }]);
    expect(await serving()).toMatchObject({ id });
  });

  it('replaces an ordinary one of its wish, and is replaced when it is to select something else', async () => {
    const { reconcile, atGraph, wishes } = await setup();
    const [wish] = wishes;
    const { rich: _rich, select: _select, ...ordinary } = wish as NonNullable<typeof wish>;
    await reconcile(true, { wishes: [ordinary] });
    expect(atGraph()).toMatchObject([{ includeResourceData: false }]);
    expect(await reconcile(true)).toMatchObject({ created: 1, failed: [] });
    expect(atGraph()).toMatchObject([{ includeResourceData: true }]);
    const narrower = wishes.map((one) => ({ ...one, select: ['subject'] }));
    expect(await reconcile(true, { wishes: narrower })).toMatchObject({ created: 1, failed: [] });
    expect(atGraph()).toMatchObject([{ resource: expect.stringMatching(/\?\$select=subject$/) }]);
    expect(await reconcile(true, { wishes: narrower })).toMatchObject({ created: 0, failed: [] });
  });
});

describe('a new certificate', () => {
  it('is given to the living subscription by one PATCH once its time has begun; the old key stays needed for 8 hours', async () => {
    const { reconcile, load, folder, clock, serving, atGraph, simulator } = await setup();
    await reconcile(true);
    const { id } = await serving();
    await addKey(folder, 'key-2', { startsAt: clock.ms + 600_000 });
    const encryption = await load();
    expect(await reconcile(false, { encryption })).toMatchObject({ renewed: 0, failed: [] });

    clock.ms += 600_000;
    const changed = await reconcile(false, { encryption });
    expect(changed).toMatchObject({ renewed: 1, created: 0, failed: [] });
    expect(changed.certificates).toMatchObject([
      { id: 'key-1', subscriptions: 1 },
      { id: 'key-2', subscriptions: 1 },
    ]);
    expect(atGraph()).toMatchObject([{ id, encryptionCertificateId: 'key-2' }]);
    expect(await serving()).toMatchObject({
      id,
      certificateId: 'key-2',
      formerCertificates: [{ id: 'key-1', until: clock.ms }],
    });
    expect(await reconcile(true, { encryption })).toMatchObject({ renewed: 0, failed: [] });
    expect(graphCalls(simulator).filter((call) => call.startsWith('PATCH'))).toHaveLength(1);

    clock.ms += 8 * HOUR + 1;
    const later = await reconcile(false, { encryption });
    expect(later.certificates).toMatchObject([
      { id: 'key-1', subscriptions: 0 },
      { id: 'key-2', subscriptions: 1 },
    ]);
  });

  it('is what a subscription that is made from then on is encrypted with', async () => {
    const { reconcile, load, folder, clock, wishes, serving, atGraph } = await setup();
    await addKey(folder, 'key-2', { startsAt: clock.ms - DAY });
    const encryption = await load();
    await reconcile(true, { encryption });
    expect(atGraph()).toMatchObject([{ encryptionCertificateId: 'key-2' }]);

    await addKey(folder, 'key-3', { startsAt: clock.ms });
    const elsewhere = wishes.map((one) => ({ ...one, select: ['subject'] }));
    await reconcile(true, { encryption: await load(), wishes: elsewhere });
    expect(atGraph()).toMatchObject([{ encryptionCertificateId: 'key-3' }]);
    expect(await serving()).toMatchObject({ certificateId: 'key-3', select: ['subject'] });
  });

  it('that Graph does not take lets no subscription die: it is renewed as it is, and that is said', async () => {
    const { reconcile, load, folder, clock, serving, simulator } = await setup();
    await reconcile(true);
    await addKey(folder, 'key-2', { startsAt: clock.ms });
    clock.ms += 16 * HOUR;
    simulator.faults.add({ method: 'PATCH', status: 400 });
    const { failed } = await reconcile(false, { encryption: await load() });
    expect(failed).toHaveLength(1);
    const { certificateId, expiresAt } = await serving();
    expect({ certificateId, expiresAt }).toEqual({
      certificateId: 'key-1',
      expiresAt: clock.ms + 1430 * 60_000,
    });
  });
});
