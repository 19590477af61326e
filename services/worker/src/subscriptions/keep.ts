/** Notes a subscription that serves from now on, and has read again what it was not notified of. */
import type { ListedSubscription } from './renewal-plan.ts';
import type { KnownSubscription } from './subscription-store.ts';
import type { Wish } from './wanted-subscriptions.ts';
import type { WorkDeps } from './work-deps.ts';

type Keeping = {
  /** What has to be read again, and why. */
  readonly hole: string | undefined;
  readonly line: 'subscription.created' | 'subscription.adopted';
  readonly grantedAt?: number;
};

export async function keep(
  deps: WorkDeps,
  wish: Wish,
  { id, resource, changeType, certificateId, nonce, secret, lifecycle, expiresAt }: ListedSubscription,
  { hole, line, grantedAt }: Keeping,
): Promise<void> {
  const { key, tenantId, topic, whole, filter, rich, select, prefer, notificationOnly, immutableIds } = wish;
  await saveClosing(deps, {
    id,
    wish: key,
    tenantId,
    resource,
    ...(filter !== undefined && { filter }),
    changeType,
    topic,
    whole,
    ...(rich && { rich }),
    ...(select && { select }),
    ...(prefer && { prefer }),
    ...(notificationOnly && { notificationOnly }),
    ...(immutableIds && { immutableIds }),
    ...(certificateId && { certificateId }),
    nonce,
    ...(secret && { secret }),
    ...(lifecycle && { lifecycle }),
    servingSince: deps.now(),
    expiresAt,
    ...(grantedAt !== undefined && { grantedAt }),
    ...(hole !== undefined && { hole }),
  });
  deps.log.info({ wish: key, id, expires: iso(expiresAt) }, line);
}

/** The hole is noted with it, and taken off once its reading was asked for: cut off between, it is found again. */
export async function saveClosing(
  { fleet, closeHole }: WorkDeps,
  subscription: KnownSubscription,
): Promise<void> {
  await fleet.save(subscription);
  const { hole, ...whole } = subscription;
  if (hole === undefined) return;
  await closeHole(whole, hole);
  await fleet.save(whole);
}

export function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
