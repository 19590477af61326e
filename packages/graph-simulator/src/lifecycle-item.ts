// One item of a lifecycle notification, as Graph writes it (Graph page "Reduce missing subscriptions and change notifications").

import { graphDateTime } from './graph-time.ts';
import type { ResourcePath } from './resource-path.ts';
import type { Subscription } from './subscription-store.ts';

export type LifecycleEvent = 'reauthorizationRequired' | 'subscriptionRemoved' | 'missed';

/** It tells of a subscription, not of a resource. */
export interface LifecycleItem {
  /** Where it goes: the lifecycleNotificationUrl. */
  readonly notificationUrl: string;
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly lifecycleEvent: LifecycleEvent;
  /** The item as JSON text. */
  readonly json: string;
}

/** Its subscription has gone by the time that it is sent. */
export function isRemoval(item: object): boolean {
  return 'lifecycleEvent' in item && item.lifecycleEvent === 'subscriptionRemoved';
}

const OUTLOOK = /^users\/(mailfolders\/|contactfolders\/|calendars\/)?(messages|events|contacts)$/;

/** The same page, supported resources. */
export function hasLifecycleEvent(event: LifecycleEvent, path: ResourcePath): boolean {
  if (event === 'reauthorizationRequired') return true;
  if (OUTLOOK.test(path.words)) return true;
  return event === 'subscriptionRemoved' && isChatMessages(path);
}

function isChatMessages({ words, operation }: ResourcePath): boolean {
  return operation === 'getallmessages' || /^(chats|teams\/channels)\/messages/.test(words);
}

export function lifecycleItem(
  subscription: Subscription,
  notificationUrl: string,
  lifecycleEvent: LifecycleEvent,
): LifecycleItem {
  const { id: subscriptionId, tenantId, clientState, expiresAtMs } = subscription;
  const body = {
    subscriptionId,
    subscriptionExpirationDateTime: graphDateTime(expiresAtMs),
    tenantId,
    clientState,
    lifecycleEvent,
  };
  return { notificationUrl, subscriptionId, tenantId, lifecycleEvent, json: JSON.stringify(body) };
}
