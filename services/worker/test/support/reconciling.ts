/** Reconciliations of one tenant, with what a test changes from one to the next, on a Redis of its own. */
import type { QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import type { CallPace } from '../../src/subscriptions/call-pace.ts';
import { createReconcile, type ReconcileDeps, type TenantDeps } from '../../src/subscriptions/reconcile.ts';
import { createRedisFleet } from '../../src/subscriptions/redis-fleet.ts';
import type { Wish } from '../../src/subscriptions/wanted-subscriptions.ts';

export type Reconciled = Pick<TenantDeps, 'api' | 'tenantId' | 'secrets' | 'notificationUrl'> &
  Pick<ReconcileDeps, 'log' | 'encryption' | 'noteHole' | 'closeHole' | 'now'> & {
    readonly redis: Redis;
    readonly names: QueueNames;
    readonly wishes: readonly Wish[];
    readonly sweepOrphans?: ReconcileDeps['sweepOrphans'];
    readonly clockIsSure?: () => boolean;
    readonly lifecycleNotificationUrl?: string;
    readonly handshakeProblem?: ReconcileDeps['handshakeProblem'];
    /** By default nobody waits. */
    readonly pace?: CallPace;
  };

/** `everything`: with Graph's list, and without a wait after what failed before. */
export function createTestReconcile(deps: Reconciled) {
  let current = deps;
  const reconcile = createReconcile(reconcileDepsOf(deps, () => current));
  return async (everything: boolean, changed: Partial<Reconciled> = {}) => {
    current = { ...deps, ...changed };
    const report = await reconcile({ everything });
    if (!report) throw new Error('another one reconciles');
    return report;
  };
}

/** `now`: what holds at the moment. */
export function reconcileDepsOf(deps: Reconciled, now: () => Reconciled = () => deps): ReconcileDeps {
  return {
    fleet: createRedisFleet(deps.redis, deps.names, deps.now),
    pace: deps.pace ?? { turn: async () => 0, hold: async () => undefined },
    wishes: { current: async () => now().wishes },
    tenants: () => {
      const { api, tenantId, secrets, notificationUrl, lifecycleNotificationUrl } = now();
      return [{ api, tenantId, secrets, notificationUrl, lifecycleNotificationUrl }];
    },
    encryption: { held: () => now().encryption.held(), current: () => now().encryption.current() },
    get sweepOrphans() {
      return now().sweepOrphans ?? 'certain';
    },
    noteHole: (subscription) => now().noteHole(subscription),
    closeHole: (subscription, reason) => now().closeHole(subscription, reason),
    log: deps.log,
    now: deps.now,
    handshakeProblem: async (url) => now().handshakeProblem?.(url),
    ...(deps.clockIsSure && { clockIsSure: deps.clockIsSure }),
    sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
  };
}
