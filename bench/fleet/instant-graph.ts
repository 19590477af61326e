/** Graph's subscriptions in memory, answering at once or after the same time always, and the loop over them. */
import { noEncryptionKeys } from '../../services/worker/src/rich/encryption-keys.ts';
import { createReconcile, type ReconcileDeps } from '../../services/worker/src/subscriptions/reconcile.ts';
import type {
  GraphSubscription,
  SubscriptionsApi,
} from '../../services/worker/src/subscriptions/subscriptions-api.ts';
import type { Wish } from '../../services/worker/src/subscriptions/wanted-subscriptions.ts';
import { keptLog } from '../../services/worker/test/support/silent-log.ts';
import { TENANTS } from './fleet-wishes.ts';
import { NOTIFICATION_URL, SECRET } from './scheduler-process.ts';

export class InstantGraph implements SubscriptionsApi {
  private readonly living = new Map<string, GraphSubscription>();
  private readonly answers: () => Promise<void>;
  private made = 0;

  /** `answers`: awaited before each answer. */
  constructor(answers: () => Promise<void> = async () => undefined) {
    this.answers = answers;
  }

  ids(): string[] {
    return [...this.living.keys()];
  }

  create: SubscriptionsApi['create'] = async (draft) => {
    await this.answers();
    const { resource, changeType, notificationUrl, clientState, expiresAt } = draft;
    const id = `made-${++this.made}`;
    const one = { id, resource, changeType, notificationUrl, clientState, expirationDateTime: expiresAt };
    this.living.set(id, one);
    return one;
  };

  renew: SubscriptionsApi['renew'] = async (id, expirationDateTime) => {
    await this.answers();
    const known = this.living.get(id);
    if (!known) throw new Error(`there is no subscription ${id}`);
    const one = { ...known, expirationDateTime };
    this.living.set(id, one);
    return one;
  };

  delete: SubscriptionsApi['delete'] = async (id) => {
    await this.answers();
    this.living.delete(id);
  };

  list: SubscriptionsApi['list'] = async (beforeTry) => {
    await beforeTry?.();
    await this.answers();
    return [...this.living.values()];
  };
}

export type LoopDeps = Pick<ReconcileDeps, 'fleet' | 'pace' | 'now' | 'sleep'> & {
  readonly wishes: readonly Wish[];
  readonly graph: SubscriptionsApi;
};

/** Of one tenant, the first. */
export function reconcileOf({ wishes, graph, ...deps }: LoopDeps) {
  const tenant = {
    tenantId: TENANTS[0],
    api: graph,
    secrets: [SECRET],
    notificationUrl: NOTIFICATION_URL,
    lifecycleNotificationUrl: undefined,
  };
  return createReconcile({
    ...deps,
    wishes: { current: async () => wishes },
    tenants: () => [tenant],
    encryption: noEncryptionKeys,
    sweepOrphans: 'certain',
    noteHole: async () => undefined,
    closeHole: async () => undefined,
    log: keptLog('fatal'),
  });
}
