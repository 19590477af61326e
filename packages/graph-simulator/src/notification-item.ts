// One item of a change notification, as Graph writes it (Graph page "changeNotification resource type").

import type { JsonObject } from './graph-exchange.ts';
import { graphDateTime } from './graph-time.ts';
import { type ChangeType, kindOf, notificationName } from './resource-kinds.ts';
import type { StoredResource } from './resource-store.ts';
import type { Subscription } from './subscription-store.ts';

/** An item on its way to an endpoint, with what the change log tells of it. */
export interface NotificationItem {
  readonly notificationUrl: string;
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly resource: string;
  readonly changeType: ChangeType;
  readonly version: number;
  readonly etag: string;
  /** The item as JSON text, made once however often it is sent. */
  readonly json: string;
}

function resourceData(resource: StoredResource, odataType: string, name: string): JsonObject {
  const etag = resource.body['@odata.etag'] === undefined ? {} : { '@odata.etag': resource.etag };
  const id = resource.path.segments.at(-1)?.id;
  return { '@odata.type': odataType, '@odata.id': name, ...etag, id };
}

function itemBody(subscription: Subscription, resource: StoredResource, changeType: ChangeType): JsonObject {
  const kind = kindOf(resource.path);
  const name = kind === undefined ? resource.path.key : notificationName(kind, resource.path);
  return {
    subscriptionId: subscription.id,
    subscriptionExpirationDateTime: graphDateTime(subscription.expiresAtMs),
    changeType,
    resource: name,
    resourceData: resourceData(resource, kind?.odataType ?? '#Microsoft.Graph.Entity', name),
    clientState: subscription.clientState,
    tenantId: subscription.tenantId,
  };
}

export function notificationItem(
  subscription: Subscription,
  resource: StoredResource,
  changeType: ChangeType,
): NotificationItem {
  return {
    notificationUrl: subscription.notificationUrl,
    subscriptionId: subscription.id,
    tenantId: subscription.tenantId,
    resource: resource.path.key,
    changeType,
    version: resource.version,
    etag: resource.etag,
    json: JSON.stringify(itemBody(subscription, resource, changeType)),
  };
}
