// What follows from a change: a line in the change log, and a notification for each subscription that wants it.
import type { ChangeLog } from './change-log.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { notificationItem } from './notification-item.ts';
import type { Notifier } from './notifier.ts';
import { type ChangeType, kindOf } from './resource-kinds.ts';
import type { ResourceChange, StoredResource } from './resource-store.ts';
import type { SubscriptionStore } from './subscription-store.ts';

export interface AnnounceChangesDeps {
  readonly tenantId: string;
  readonly subscriptions: SubscriptionStore;
  readonly changeLog: ChangeLog;
  readonly notifier: Notifier;
  readonly idForms: ItemIdForms;
}

/** Users and groups know no "created": Graph announces a new one as updated. */
function announcedAs(changeType: ChangeType, { path }: StoredResource): ChangeType {
  const known = kindOf(path)?.changeTypes;
  return known === undefined || known.includes(changeType) ? changeType : 'updated';
}

/** The line is written before the first notification can leave, so that no delivery precedes its change. */
export function announceChange(deps: AnnounceChangesDeps, change: ResourceChange): void {
  const { changeType, resource, at, notifyTimes, details } = change;
  const { version, etag, path } = resource;
  const announced = change.announcedAs ?? announcedAs(changeType, resource);
  const watching = notifyTimes === 0 ? [] : deps.subscriptions.watching(resource, announced, details);
  const subscribed = watching.length > 0;
  const { tenantId } = deps;
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
  const told = { resource, changeType: announced, ...(details !== undefined && { details }) };
  for (const subscription of watching) {
    const item = notificationItem(subscription, told, deps.idForms);
    for (let i = 0; i < notifyTimes; i += 1) deps.notifier.notify(item);
  }
}
