// One item of a change notification, as Graph writes it (Graph page "changeNotification resource type").

import type { JsonObject } from './graph-exchange.ts';
import { graphDateTime } from './graph-time.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { encryptedPart } from './resource-data.ts';
import type { ChangeType } from './resource-kinds.ts';
import type { StoredResource } from './resource-store.ts';
import type { Subscription } from './subscription-store.ts';
import type { TokenAudience } from './validation-tokens.ts';
import { notifiedResource } from './watched-by.ts';

/** A change as subscriptions are told of it. */
export interface AnnouncedChange {
  readonly resource: StoredResource;
  readonly changeType: ChangeType;
  /** Further properties of resourceData. */
  readonly details?: JsonObject;
}

/** An item on its way to an endpoint, with what the change log tells of it. */
export interface NotificationItem {
  readonly notificationUrl: string;
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly resource: string;
  readonly changeType: ChangeType;
  readonly version: number;
  readonly etag: string;
  /** Whom the validation token is for; undefined without resource data. */
  readonly audience: TokenAudience | undefined;
  /** The item as JSON text, made once however often it is sent. */
  readonly json: string;
}

function itemBody(subscription: Subscription, change: AnnouncedChange, idForms: ItemIdForms): JsonObject {
  const { resource, changeType, details } = change;
  const { resource: name, resourceData } = notifiedResource(subscription, resource, idForms, details);
  return {
    subscriptionId: subscription.id,
    subscriptionExpirationDateTime: graphDateTime(subscription.expiresAtMs),
    changeType,
    resource: name,
    resourceData,
    clientState: subscription.clientState,
    tenantId: subscription.tenantId,
    ...encryptedPart(subscription, resource, changeType),
  };
}

/** The token goes along with every item of such a subscription, also where a deletion left nothing to encrypt. */
function audienceOf({ includeResourceData, notificationUrlAppId, applicationId, tenantId }: Subscription) {
  return includeResourceData ? { appId: notificationUrlAppId ?? applicationId, tenantId } : undefined;
}

export function notificationItem(
  subscription: Subscription,
  change: AnnouncedChange,
  idForms: ItemIdForms,
): NotificationItem {
  const { resource, changeType } = change;
  return {
    notificationUrl: subscription.notificationUrl,
    subscriptionId: subscription.id,
    tenantId: subscription.tenantId,
    resource: resource.path.key,
    changeType,
    version: resource.version,
    etag: resource.etag,
    audience: audienceOf(subscription),
    json: JSON.stringify(itemBody(subscription, change, idForms)),
  };
}
