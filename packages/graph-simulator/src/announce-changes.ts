// What follows from a change: a line in the change log, and a notification for each subscription that wants it.
import type { ChangeLog } from './change-log.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { notificationItem } from './notification-item.ts';
import type { Notifier } from './notifier.ts';
import { type ChangeType, kindOf } from './resource-kinds.ts';
import type { ResourceChange, StoredResource } from './resource-store.ts';
import type { SubscriptionStore, WatchedTenant } from './subscription-store.ts';
import { isUnnamed } from './watched-by.ts';

export interface AnnounceChangesDeps {
  readonly subscriptions: SubscriptionStore;
  readonly changeLog: ChangeLog;
  readonly notifier: Notifier;
  readonly idForms: ItemIdForms;
}

/**
 * Users and groups know no "created": Graph announces a new one as updated. Of files and lists everything is an update;
 * where else a kind knows no "deleted", nobody is told.
 */
function announcedAs(changeType: ChangeType, { path }: StoredResource): ChangeType | undefined {
  const known = kindOf(path)?.changeTypes;
  if (known === undefined || known.includes(changeType)) return changeType;
  return changeType === 'deleted' && !isUnnamed(path) ? undefined : 'updated';
}

/** The line is written before the first notification can leave, so that no delivery precedes its change. */
export function announceChange(
  deps: AnnounceChangesDeps,
  tenant: WatchedTenant,
  change: ResourceChange,
): void {
  const { changeType, resource, at, notifyTimes, details } = change;
  const { version, etag, path } = resource;
  const announced = change.announcedAs ?? announcedAs(changeType, resource);
  const isTold = notifyTimes > 0 && announced !== undefined;
  const watching = isTold ? deps.subscriptions.watching(tenant, change, announced) : [];
  const subscribed = watching.length > 0;
  const { tenantId } = tenant;
  deps.changeLog.append({
    kind: 'change',
    at,
    tenantId,
    resource: path.key,
    changeType,
    version,
    etag,
    subscribed,
  });
  for (const { subscription, changeType: told } of watching) {
    const announcement = { resource, changeType: told, ...(details !== undefined && { details }) };
    const item = notificationItem(subscription, announcement, deps.idForms);
    for (let i = 0; i < notifyTimes; i += 1) deps.notifier.notify(item);
  }
}
