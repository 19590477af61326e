// Holds the live subscriptions, finds those that want a change, and removes them when their time is over.
import type { SubscriptionAction } from './change-log.ts';
import type { JsonObject } from './graph-exchange.ts';
import { graphDateTime } from './graph-time.ts';
import type { ChangeType } from './resource-kinds.ts';
import { collectionOf, resourcePath } from './resource-path.ts';
import type { StoredResource } from './resource-store.ts';

export interface Subscription {
  readonly id: string;
  readonly applicationId: string;
  readonly tenantId: string;
  /** As the app wrote it; `target` is its canonical key. */
  readonly resource: string;
  readonly target: string;
  readonly changeType: string;
  readonly changeTypes: ReadonlySet<ChangeType>;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | null;
  readonly clientState: string | null;
  readonly latestSupportedTlsVersion: string;
  readonly creatorId: string;
  readonly expiresAtMs: number;
  /** Counts up over all subscriptions: their order in lists, and where a list's next page begins. */
  readonly sequence: number;
}

export interface SubscriptionStoreDeps {
  readonly now: () => number;
  readonly onAction: (action: SubscriptionAction, subscription: Subscription) => void;
}

/** What Graph answers for a subscription, nulls included. */
export function subscriptionBody(subscription: Subscription): JsonObject {
  return {
    id: subscription.id,
    resource: subscription.resource,
    applicationId: subscription.applicationId,
    changeType: subscription.changeType,
    clientState: subscription.clientState,
    notificationUrl: subscription.notificationUrl,
    notificationQueryOptions: null,
    notificationContentType: null,
    lifecycleNotificationUrl: subscription.lifecycleNotificationUrl,
    expirationDateTime: graphDateTime(subscription.expiresAtMs),
    creatorId: subscription.creatorId,
    includeResourceData: null,
    latestSupportedTlsVersion: subscription.latestSupportedTlsVersion,
    encryptionCertificate: null,
    encryptionCertificateId: null,
    notificationUrlAppId: null,
  };
}

/** The canonical keys that a subscription may name to hear of this resource: itself, its collection, its folder. */
function targetsOf({ path, body }: StoredResource): string[] {
  const targets = [path.key, collectionOf(path).key];
  const folder = body.parentFolderId;
  const [owner, items] = path.segments;
  if (typeof folder !== 'string' || owner === undefined || path.words !== 'users/messages') return targets;
  const folderView = resourcePath([owner, { word: 'mailfolders', id: folder }, { word: items?.word ?? '' }]);
  return [...targets, folderView.key];
}

export class SubscriptionStore {
  readonly #deps: SubscriptionStoreDeps;
  readonly #all = new Map<string, Subscription>();
  readonly #byTarget = new Map<string, Map<string, Subscription>>();
  #earliestExpiryMs = Number.POSITIVE_INFINITY;
  #lastSequence = 0;

  constructor(deps: SubscriptionStoreDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#all.size;
  }

  add(draft: Omit<Subscription, 'sequence'>): Subscription {
    this.#lastSequence += 1;
    const subscription = { ...draft, sequence: this.#lastSequence };
    this.#put(subscription);
    this.#deps.onAction('created', subscription);
    return subscription;
  }

  get(id: string): Subscription | undefined {
    this.expireDue();
    return this.#all.get(id);
  }

  /** Live ones in the order of creation; of one application only, if it is given. */
  list(applicationId?: string): Subscription[] {
    this.expireDue();
    const all = [...this.#all.values()].sort((a, b) => a.sequence - b.sequence);
    return applicationId === undefined ? all : all.filter((one) => one.applicationId === applicationId);
  }

  /** Alters what Graph lets an app alter; a subscription that has gone meanwhile stays gone. */
  renew(
    id: string,
    patch: Partial<Pick<Subscription, 'expiresAtMs' | 'notificationUrl'>>,
  ): Subscription | undefined {
    const current = this.get(id);
    if (current === undefined) return undefined;
    const subscription = { ...current, ...patch };
    this.#put(subscription);
    this.#deps.onAction('renewed', subscription);
    return subscription;
  }

  reauthorize(id: string): boolean {
    const current = this.get(id);
    if (current !== undefined) this.#deps.onAction('reauthorized', current);
    return current !== undefined;
  }

  remove(id: string): boolean {
    const current = this.get(id);
    if (current !== undefined) this.#drop(current, 'deleted');
    return current !== undefined;
  }

  /** Those that hear of a change of this kind, each once. */
  watching(resource: StoredResource, changeType: ChangeType): Subscription[] {
    this.expireDue();
    return targetsOf(resource).flatMap((target) =>
      [...(this.#byTarget.get(target)?.values() ?? [])].filter((one) => one.changeTypes.has(changeType)),
    );
  }

  /** Removes what has expired by now. Every question does so too; a timer calls it for the sake of the log. */
  expireDue(): void {
    const nowMs = this.#deps.now();
    if (this.#earliestExpiryMs > nowMs) return;
    this.#earliestExpiryMs = Number.POSITIVE_INFINITY;
    for (const subscription of this.#all.values()) {
      if (subscription.expiresAtMs <= nowMs) this.#drop(subscription, 'expired');
      else this.#earliestExpiryMs = Math.min(this.#earliestExpiryMs, subscription.expiresAtMs);
    }
  }

  #put(subscription: Subscription): void {
    this.#all.set(subscription.id, subscription);
    const watchers = this.#byTarget.get(subscription.target) ?? new Map<string, Subscription>();
    watchers.set(subscription.id, subscription);
    this.#byTarget.set(subscription.target, watchers);
    this.#earliestExpiryMs = Math.min(this.#earliestExpiryMs, subscription.expiresAtMs);
  }

  #drop(subscription: Subscription, action: 'deleted' | 'expired'): void {
    this.#all.delete(subscription.id);
    const watchers = this.#byTarget.get(subscription.target);
    watchers?.delete(subscription.id);
    if (watchers?.size === 0) this.#byTarget.delete(subscription.target);
    this.#deps.onAction(action, subscription);
  }
}
