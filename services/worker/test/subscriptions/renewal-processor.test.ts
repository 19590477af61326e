/** The scheduled reconciliation: by a real queue, once at a time over all workers, sooner when asked. */
import { SUBSCRIPTION_QUEUE } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { Worker } from 'bullmq';
import { describe, expect, it, onTestFinished } from 'vitest';
import { noEncryptionKeys } from '../../src/rich/encryption-keys.ts';
import { createReconcile, type Reconcile, type ReconcileReport } from '../../src/subscriptions/reconcile.ts';
import { startRenewalProcessor } from '../../src/subscriptions/renewal-processor.ts';
import { createSubscriptionsApi } from '../../src/subscriptions/subscriptions-api.ts';
import { addKey, loadKeys, ownFolder } from '../support/encryption-keys.ts';
import { startNotificationEndpoint } from '../support/notification-endpoint.ts';
import { ownRedis } from '../support/own-redis.ts';
import { type Reconciled, reconcileDepsOf } from '../support/reconciling.ts';
import { keptLog } from '../support/silent-log.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

const SELDOM_MS = 600_000;

async function setup() {
  const { simulator, client } = await simulateGraph({ users: 2 });
  const endpoint = await startNotificationEndpoint();
  const own = ownRedis();
  const queue = own.openQueue(SUBSCRIPTION_QUEUE);
  const log = keptLog();
  const clock = { ms: Date.now() };
  const deps: Reconciled = {
    api: createSubscriptionsApi(client, simulator.url),
    redis: own.redis,
    names: own.names,
    log,
    wishes: simulator.users().map(({ id }) => ({
      key: `calendars/${id}`,
      tenantId: simulator.tenantId,
      resource: `users/${id}/events`,
      changeType: 'created,updated,deleted',
      topic: 'graph.events',
      lifeMinutes: 180,
      whole: true,
    })),
    tenantId: simulator.tenantId,
    secrets: ['a-secret-of-this-test'],
    encryption: noEncryptionKeys,
    notificationUrl: endpoint.url,
    noteHole: async () => undefined,
    closeHole: async () => undefined,
    now: () => clock.ms,
  };
  const reports: ReconcileReport[] = [];
  /** One worker of the pool. */
  const start = async (
    everyMs: number,
    changed: Partial<Reconciled> = {},
    around: (reconcile: Reconcile) => Reconcile = (reconcile) => reconcile,
    leaseMs = 30_000,
  ) => {
    const reconcile = around(createReconcile(reconcileDepsOf({ ...deps, ...changed })));
    const renewal = await startRenewalProcessor(
      { connection: own.redis, prefix: own.names.prefix, queue },
      { ...deps, ...changed, reconcile },
      { everyMs, leaseMs },
      (report) => void reports.push(report),
    );
    onTestFinished(() => renewal.close());
    return renewal;
  };
  const lists = () =>
    graphCalls(simulator).filter((call) => call.startsWith('GET /v1.0/subscriptions')).length;
  return { simulator, endpoint, deps, own, queue, log, clock, reports, start, lists };
}

describe('a worker that starts', () => {
  it('reconciles at once, Graph’s own list included', async () => {
    const { start, reports, simulator, lists } = await setup();
    await start(SELDOM_MS);
    await eventually(() => expect(simulator.subscriptions.size).toBe(2));
    await eventually(() =>
      expect(reports[0]).toMatchObject({ wanted: 2, created: 2, listed: true, failed: [] }),
    );
    expect(lists()).toBe(1);
  });

  it('does so beside others without making anything twice: one reconciliation at a time over the pool', async () => {
    const { start, reports, simulator } = await setup();
    let [now, most] = [0, 0];
    const counted =
      (reconcile: Reconcile): Reconcile =>
      (ask) => {
        most = Math.max(most, ++now);
        return reconcile(ask).finally(() => now--);
      };
    const workers = await Promise.all([1, 2, 3].map(() => start(50, {}, counted)));
    await Promise.all(workers.map((worker) => worker.request()));
    await eventually(() => expect(reports.length).toBeGreaterThan(5));
    expect(most).toBe(1);
    expect(simulator.subscriptions.size).toBe(2);
    expect(reports.reduce((sum, { created }) => sum + created, 0)).toBe(2);
    expect(reports.flatMap(({ failed }) => failed)).toEqual([]);
  });
});

describe('the schedule', () => {
  it('warns of a certificate that ends within 30 days, and tells how many subscriptions carry an old secret', async () => {
    const { start, log, deps, simulator } = await setup();
    const folder = await ownFolder();
    await addKey(folder, 'ending', { expiresAt: Date.now() + 20 * 86_400_000 });
    const encryption = await loadKeys(`file:${folder}/`);
    const first = await start(50, { encryption });
    const said = (name: string) =>
      log.lines.map((line) => JSON.parse(line)).filter(({ message }) => message === name);
    await eventually(() =>
      expect(said('encryption.certificate-expires')).toMatchObject([{ certificate: 'ending' }]),
    );
    await eventually(() => expect(simulator.subscriptions.size).toBe(2));
    await first.close();
    await start(50, { encryption, secrets: ['the-next-secret', ...deps.secrets] });
    await eventually(() =>
      expect(said('clientstate.old-secret-in-use')).toMatchObject([{ old: 2, replaced: 0, current: 0 }]),
    );
  });

  it('goes on by itself, and asks for the list every hour only', async () => {
    const { start, reports, lists, clock } = await setup();
    await start(50);
    await eventually(() => expect(reports.length).toBeGreaterThan(3));
    expect(lists()).toBe(1);
    clock.ms += 3_600_000;
    await eventually(() => expect(lists()).toBe(2));
  });

  it('that Redis has forgotten, as one that was emptied has, is set again', async () => {
    const { start, reports, own, simulator } = await setup();
    await start(50);
    await eventually(() => expect(simulator.subscriptions.size).toBe(2));
    const forgotten = await own.redis.keys(`${own.names.prefix}:subscriptions:*`);
    expect(forgotten.length).toBeGreaterThan(0);
    await own.redis.del(...forgotten);
    const before = reports.length;
    await eventually(() => expect(reports.length).toBeGreaterThan(before + 3));
  });

  it('goes on after a reconciliation that failed as a whole', async () => {
    const { start, reports, log } = await setup();
    let failures = 0;
    await start(50, {}, (reconcile) => async () => {
      if (failures++ < 2) throw new Error('planted');
      return reconcile();
    });
    await eventually(() => expect(reports.length).toBeGreaterThan(0));
    expect(log.lines.join()).toContain('subscription.reconciliation-failed');
  });

  it('makes nothing before it has seen the list where Redis is new, and asks for one again after a minute', async () => {
    const { start, reports, simulator, clock } = await setup();
    // Each page is asked for three times.
    simulator.faults.add({ method: 'GET', path: '/v1.0/subscriptions', status: 503, times: 3 });
    await start(50);
    await eventually(() => expect(reports.length).toBeGreaterThan(2));
    expect(reports.map(({ listed, created }) => ({ listed, created }))).toEqual(
      reports.map(() => ({ listed: false, created: 0 })),
    );
    clock.ms += 60_000;
    await eventually(() =>
      expect(reports).toContainEqual(expect.objectContaining({ listed: true, created: 2, failed: [] })),
    );
    expect(simulator.subscriptions.size).toBe(2);
  });
});

describe('a request beside the schedule', () => {
  it('brings a reconciliation about, one for many requests at the same time', async () => {
    const { start, reports, queue } = await setup();
    const renewal = await start(SELDOM_MS);
    await eventually(async () =>
      expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 0, active: 0 }),
    );
    const before = reports.length;
    expect(before).toBeGreaterThan(0);
    await Promise.all(Array.from({ length: 10 }, () => renewal.request()));
    await eventually(() => expect(reports.length).toBeGreaterThan(before));
    await eventually(async () =>
      expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 0, active: 0 }),
    );
    expect(reports.length).toBeLessThan(before + 10);
  });

  it('is one word to Redis with all others of the same moment', async () => {
    const { start, queue, reports } = await setup();
    const renewal = await start(SELDOM_MS);
    const idle = async () =>
      expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 0, active: 0 });
    await eventually(() => expect(reports.length).toBeGreaterThan(0));
    await eventually(idle);
    const before = reports.length;
    for (let n = 0; n < 1000; n++) await renewal.request();
    await eventually(() => expect(reports.length).toBeGreaterThan(before + 1));
    await eventually(idle);
    expect(reports.length).toBeLessThanOrEqual(before + 3);
  });

  it('that comes during a reconciliation brings another one about: what was demanded meanwhile is seen', async () => {
    const { start, reports, queue } = await setup();
    let hold: Promise<void> | undefined;
    let looks = 0;
    const renewal = await start(SELDOM_MS, {}, (reconcile) => async (ask) => {
      looks++;
      const report = await reconcile(ask);
      await hold;
      return report;
    });
    const nothingToDo = async () =>
      expect(await queue.getJobCounts('waiting', 'active')).toEqual({ waiting: 0, active: 0 });
    await eventually(() => expect(reports.length).toBeGreaterThan(0));
    await eventually(nothingToDo);

    const goOn = Promise.withResolvers<void>();
    hold = goOn.promise;
    const before = looks;
    await renewal.request();
    await eventually(() => expect(looks).toBe(before + 1));
    await renewal.request();
    goOn.resolve();
    await eventually(() => expect(looks).toBe(before + 2));
    await eventually(nothingToDo);
  });
});

describe('a worker that was killed', () => {
  it.each([2000, 2001])('is gone on for by another one, with a lease of %d ms', async (leaseMs) => {
    const { start, reports, queue, own } = await setup();
    const begun = Promise.withResolvers<void>();
    const killed = new Worker(
      SUBSCRIPTION_QUEUE,
      () => {
        begun.resolve();
        return new Promise(() => undefined);
      },
      { connection: own.redis, prefix: own.names.prefix, lockDuration: leaseMs, skipStalledCheck: true },
    );
    killed.on('error', () => undefined);
    await queue.add('reconcile', {});
    await begun.promise;
    await killed.close(true);
    const { length: active } = await queue.getActive();
    expect(active).toBe(1);
    await start(SELDOM_MS, {}, undefined, leaseMs);
    await eventually(() => expect(reports.length).toBeGreaterThan(1));
    await eventually(async () => expect(await queue.getActiveCount()).toBe(0));
  });
});

describe('a closed renewal processor', () => {
  it('reconciles no more, and may be closed again', async () => {
    const { start, reports, queue } = await setup();
    const renewal = await start(SELDOM_MS);
    await eventually(() => expect(reports.length).toBeGreaterThan(0));
    await renewal.close();
    await renewal.close();
    const before = reports.length;
    await renewal.request();
    expect(await queue.getWaitingCount()).toBeGreaterThan(0);
    expect(reports).toHaveLength(before);
  });
});
