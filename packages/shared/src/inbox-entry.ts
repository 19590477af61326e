/**
 * An entry: one accepted notification as it lies in its owner's inbox, with what the receiver knew when it came.
 * Written by the receiver, read by the worker; known fields only, no clientState and no token.
 */
import { createHash } from 'node:crypto';
import type { ChangeNotification, LifecycleNotification } from './change-notification.ts';
import type { StoredContent } from './content-store.ts';
import { canonicalResource, laneOf, ownerOf, parseResourcePath, type ResourcePath } from './resource-path.ts';

export type ChangeType = ChangeNotification['changeType'];

/** What the worker gets to know of a notification. */
export type News =
  | {
      readonly kind: 'change';
      readonly tenantId: string;
      readonly subscriptionId: string;
      readonly changeType: ChangeType;
      /** The path as Graph sent it; for people, never for requests. */
      readonly resource: string;
      readonly odataType?: string;
      readonly etag?: string;
      readonly notificationId?: string;
      /** W3C Trace Context of the POST that brought it. */
      readonly traceparent?: string;
      /** Names what the notification carries, encrypted (`content-store.ts`). */
      readonly contentId?: string;
      /** Nobody has notified of it: a delta query has shown it, and it is to be looked up. */
      readonly by?: 'delta';
      readonly nonce?: string;
    }
  | {
      readonly kind: 'lifecycle';
      readonly tenantId: string;
      readonly subscriptionId: string;
      readonly lifecycleEvent: string;
      readonly nonce?: string;
    }
  | {
      /** Notifications of this subscription are missing: what it watches is to be read, page by page. */
      readonly kind: 'resync';
      readonly tenantId: string;
      readonly subscriptionId: string;
      readonly reason: string;
      /** Nothing is missing; what was read may have been too old. */
      readonly again?: true;
      readonly nonce?: string;
    }
  | {
      readonly kind: 'unreadable';
      readonly tenantId: string;
      readonly subscriptionId: string;
      readonly reason: string;
      /** The start of the path as it came, if there was one. */
      readonly resource?: string;
      readonly nonce?: string;
    };

export type InboxEntry = {
  /** `{tenantId}/users/{id}`: entries of one owner are worked one run at a time. */
  readonly owner: string;
  /** Canonical resource, or a name of the same kind for news that names none; entries of one wait together. */
  readonly resource: string;
  /** Epoch milliseconds. */
  readonly receivedAt: number;
  readonly news: News;
  /** To be stored beside it; whoever does so names it in the `contentId` of the news. */
  readonly content?: StoredContent;
};

/** A tenant's id or domain; anything else could not be part of a key. */
const TENANT = /^[a-z0-9][a-z0-9.-]{0,63}$/i;

/** A GUID; Graph's test items carry `NA`. */
const SUBSCRIPTION = /^[a-z0-9-]{1,64}$/i;

export function changeEntry(
  item: ChangeNotification,
  nonce: string | undefined,
  receivedAt: number,
): InboxEntry {
  const tenantId = item.tenantId.toLowerCase();
  const target = targetOf(item);
  if (!target.ok) return unreadableEntry({ ...item, nonce, reason: target.reason }, receivedAt);
  if (!TENANT.test(tenantId))
    return unreadableEntry({ ...item, nonce, reason: 'tenantId is no id' }, receivedAt);
  if (!SUBSCRIPTION.test(item.subscriptionId))
    return unreadableEntry({ ...item, nonce, reason: 'subscriptionId is no id' }, receivedAt);
  const content = item.encryptedContent;
  return {
    owner: `${tenantId}/${ownerOf(target.path)}`,
    resource: canonicalResource(target.path),
    receivedAt,
    ...(content === undefined ? {} : { content }),
    news: {
      kind: 'change',
      tenantId,
      subscriptionId: item.subscriptionId,
      changeType: item.changeType,
      resource: item.resource,
      ...present({
        odataType: item.resourceData?.['@odata.type'],
        etag: item.resourceData?.['@odata.etag'],
        notificationId: item.id,
        nonce,
      }),
    },
  };
}

/**
 * The resource that changed. `resource` and `@odata.id` need not be equal text: the second is the one to fetch
 * (Graph: change-notifications-with-resource-data); where they name different owners, neither can be trusted.
 */
function targetOf(
  item: ChangeNotification,
): { ok: true; path: ResourcePath } | { ok: false; reason: string } {
  const named = parseResourcePath(item.resource);
  const odataId = item.resourceData?.['@odata.id'];
  const precise = odataId === undefined ? undefined : parseResourcePath(odataId);
  if (named.ok && precise?.ok && differInOwner(named.path, precise.path)) {
    return { ok: false, reason: 'resource and @odata.id name different owners' };
  }
  if (precise?.ok && precise.path.at(-1)?.id !== undefined) return precise;
  if (named.ok) return { ok: true, path: memberOf(named.path, item.resourceData?.id) };
  return { ok: false, reason: `resource: ${named.reason}` };
}

/** A collection alone (`communications/callRecords`) belongs to nobody, and contradicts none of its members. */
function differInOwner([one]: ResourcePath, [other]: ResourcePath): boolean {
  if (one?.word !== other?.word) return true;
  return one?.id !== undefined && other?.id !== undefined && one.id !== other.id;
}

/** Where the path ends in a collection, its member by `resourceData.id`; the path itself where that is no id. */
function memberOf(path: ResourcePath, id: string | undefined): ResourcePath {
  if (id === undefined || path.at(-1)?.id !== undefined) return path;
  const member = parseResourcePath(`${canonicalResource(path)}('${id.replaceAll("'", "''")}')`);
  return member.ok ? member.path : path;
}

/** Lifecycle notifications name no resource: their owner is the subscription, repeated ones of a kind are one. */
export function lifecycleEntry(
  item: LifecycleNotification,
  nonce: string | undefined,
  receivedAt: number,
): InboxEntry {
  const tenantId = item.tenantId.toLowerCase();
  const subscriptionId = item.subscriptionId.toLowerCase();
  if (!TENANT.test(tenantId) || !SUBSCRIPTION.test(subscriptionId)) {
    return unreadableEntry({ ...item, nonce, reason: 'tenantId or subscriptionId is no id' }, receivedAt);
  }
  return {
    owner: `${tenantId}/subscriptions/${subscriptionId}`,
    resource: `lifecycle/${item.lifecycleEvent.slice(0, 64)}`,
    receivedAt,
    news: {
      kind: 'lifecycle',
      tenantId,
      subscriptionId: item.subscriptionId,
      lifecycleEvent: item.lifecycleEvent,
      ...present({ nonce }),
    },
  };
}

export type ResyncNews = Extract<News, { kind: 'resync' }>;

/**
 * Has what `subscriptionId` watches read, in the runs of the owner of that. Another look at what lags waits, and so has a
 * name of its own.
 */
export function resyncEntry(owner: string, news: Omit<ResyncNews, 'kind'>, receivedAt: number): InboxEntry {
  const resource = `${news.again ? 'again' : 'resync'}/${news.subscriptionId}`;
  return { owner, resource, receivedAt, news: { kind: 'resync', ...news } };
}

/** A verified notification that cannot be understood; the worker publishes it to the dead letters. */
export function unreadableEntry(
  item: {
    tenantId: unknown;
    subscriptionId: unknown;
    resource?: unknown;
    nonce: string | undefined;
    reason: string;
  },
  receivedAt: number,
): InboxEntry {
  const tenantId = idOrUnknown(item.tenantId, TENANT).toLowerCase();
  const subscriptionId = idOrUnknown(item.subscriptionId, SUBSCRIPTION);
  const resource = typeof item.resource === 'string' ? item.resource.slice(0, 200).toWellFormed() : undefined;
  const fingerprint = createHash('sha256')
    .update(JSON.stringify([subscriptionId, item.reason, resource]))
    .digest('hex');
  return {
    owner: `${tenantId}/lanes/${laneOf(fingerprint)}`,
    resource: `unreadable/${fingerprint.slice(0, 32)}`,
    receivedAt,
    news: {
      kind: 'unreadable',
      tenantId,
      subscriptionId,
      reason: item.reason,
      ...present({ resource, nonce: item.nonce }),
    },
  };
}

function idOrUnknown(value: unknown, form: RegExp): string {
  return typeof value === 'string' && form.test(value) ? value : 'unknown';
}

/** Leaves out what is undefined, so that nothing is stored for it. */
function present<T extends Record<string, string | undefined>>(fields: T): { [K in keyof T]?: string } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: string;
  };
}
