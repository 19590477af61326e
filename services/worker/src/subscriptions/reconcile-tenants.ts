/** One reconciliation over all tenants, one after the other: what fails in one is no reason to leave out the next. */

import {
  type ReconcileDeps,
  type ReconcileReport,
  reconcileSubscriptions,
} from './reconcile-subscriptions.ts';
import type { CertificateInUse, SecretsInUse } from './rotations.ts';
import type { SubscriptionStore } from './subscription-store.ts';

export type Reconcile = (askGraph: boolean) => Promise<ReconcileReport>;

/**
 * `tenants` is asked each time, since secrets are replaced while the service runs. The wishes and the store are of all of
 * them; each is reconciled with its own.
 */
export function createReconcileTenants(tenants: () => readonly ReconcileDeps[]): Reconcile {
  return async (askGraph) => {
    const reports: ReconcileReport[] = [];
    for (const deps of tenants()) reports.push(await reconcileSubscriptions(ownOf(deps), askGraph));
    return reports.reduce(joined);
  };
}

function ownOf(deps: ReconcileDeps): ReconcileDeps {
  const { tenantId } = deps;
  const wishes = deps.wishes.filter((wish) => wish.tenantId === tenantId);
  return { ...deps, wishes, store: storeOf(deps.store, tenantId) };
}

function storeOf(store: SubscriptionStore, tenantId: string): SubscriptionStore {
  return { ...store, all: async () => (await store.all()).filter((one) => one.tenantId === tenantId) };
}

function joined(a: ReconcileReport, b: ReconcileReport): ReconcileReport {
  return {
    wanted: a.wanted + b.wanted,
    created: a.created + b.created,
    renewed: a.renewed + b.renewed,
    adopted: a.adopted + b.adopted,
    deleted: a.deleted + b.deleted,
    listed: a.listed && b.listed,
    failed: [...a.failed, ...b.failed],
    bySecret: addSecrets(a.bySecret, b.bySecret),
    oldSecretsFreed: a.oldSecretsFreed || b.oldSecretsFreed,
    certificates: addCertificates(a.certificates, b.certificates),
  };
}

function addSecrets(a: SecretsInUse, b: SecretsInUse): SecretsInUse {
  return { current: a.current + b.current, old: a.old + b.old, replaced: a.replaced + b.replaced };
}

/** The keys are held for all tenants, so that both have the same ones. */
function addCertificates(
  a: readonly CertificateInUse[],
  b: readonly CertificateInUse[],
): readonly CertificateInUse[] {
  const more = new Map(b.map(({ id, subscriptions }) => [id, subscriptions]));
  return a.map((one) => ({ ...one, subscriptions: one.subscriptions + (more.get(one.id) ?? 0) }));
}
