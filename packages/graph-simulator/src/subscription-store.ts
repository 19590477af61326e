// Holds the live subscriptions, finds those that want a change, and removes them when their time is over.
import type { SubscriptionAction } from './change-log.ts';
import type { JsonObject } from './graph-exchange.ts';
import { graphDateTime } from './graph-time.ts';
import type { ChangeType } from './resource-kinds.ts';
import type { ResourcePath } from './resource-path.ts';
import type { ResourceChange, ResourceStore } from './resource-store.ts';
import type { Clock, ClockTimer } from './simulator-clock.ts';
import { filteredChange, type SubscriptionFilter } from './subscription-filters.ts';
import { countersOf } from './subscription-quotas.ts';
import { watchedKeys } from './watched-by.ts';

export interface Subscription {
  readonly id: string;
  readonly applicationId: string;
  readonly tenantId: string;
  /** As the app wrote it; `path` is the same without query, with users by id, and `target` is its key. */
  readonly resource: string;
  readonly path: ResourcePath;
  readonly target: string;
  readonly changeType: string;
  readonly changeTypes: ReadonlySet<ChangeType>;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | null;
  readonly clientState: string | null;
  readonly latestSupportedTlsVersion: string;
  readonly includeResourceData: boolean;
  readonly encryptionCertificate: string | null;
  readonly encryptionCertificateId: string | null;
  readonly notificationUrlAppId: string | null;
  readonly notificationQueryOptions: string | null;
  readonly filter: SubscriptionFilter | undefined;
  /** It was made with `Prefer: IdType="ImmutableId"`. */
  readonly immutableIds: boolean;
  readonly creatorId: string;
  readonly expiresAtMs: number;
  /** When the token ends with which it was made, renewed or reauthorized last. */
  readonly authorizedUntilMs: number;
  /** Counts up over all subscriptions: their order in lists, and where a list's next page begins. */
  readonly sequence: number;
}

/** What a PATCH may alter (Graph pages "Update subscription" and "Change notifications that include resource data"). */
type Updatable = Pick<
  Subscription,
  | 'authorizedUntilMs'
  | 'expiresAtMs'
  | 'notificationUrl'
  | 'encryptionCertificate'
  | 'encryptionCertificateId'
>;

/** An application in a tenant. */
export interface Subscriber {
  readonly clientId: string;
  readonly tenantId: string;
}

/** A subscription that hears of a change, and as which: of a view, entering and leaving are told. */
export interface Watching {
  readonly subscription: Subscription;
  readonly changeType: ChangeType;
}

export interface SubscriptionStoreDeps {
  readonly clock: Clock;
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
    notificationQueryOptions: subscription.notificationQueryOptions,
    notificationContentType: null,
    lifecycleNotificationUrl: subscription.lifecycleNotificationUrl,
    expirationDateTime: graphDateTime(subscription.expiresAtMs),
    creatorId: subscription.creatorId,
    includeResourceData: subscription.includeResourceData ? true : null,
    latestSupportedTlsVersion: subscription.latestSupportedTlsVersion,
    encryptionCertificate: subscription.encryptionCertificate,
    encryptionCertificateId: subscription.encryptionCertificateId,
    notificationUrlAppId: subscription.notificationUrlAppId,
  };
}

/** One application's subscriptions with one key want the same changes of the same resource, written alike. */
function twinKey(
  { clientId, tenantId }: Subscriber,
  { resource, changeTypes }: Pick<Subscription, 'resource' | 'changeTypes'>,
): string {
  return JSON.stringify([tenantId, clientId, resource, [...changeTypes].sort()]);
}

const subscriberOf = ({ applicationId: clientId, tenantId }: Subscription): Subscriber => ({
  clientId,
  tenantId,
});

export class SubscriptionStore {
  readonly #deps: SubscriptionStoreDeps;
  /** In the order of creation, which renewing does not alter. */
  readonly #all = new Map<string, Subscription>();
  readonly #byTarget = new Map<string, Set<string>>();
  readonly #byTwinKey = new Map<string, Set<string>>();
  readonly #byCounter = new Map<string, Set<string>>();
  #earliestExpiryMs = Number.POSITIVE_INFINITY;
  #expiry: ClockTimer | undefined;
  #lastSequence = 0;

  constructor(deps: SubscriptionStoreDeps) {
    this.#deps = deps;
  }

  get size(): number {
    this.expireDue();
    return this.#all.size;
  }

  add(draft: Omit<Subscription, 'sequence'>): Subscription {
    this.#lastSequence += 1;
    const subscription = { ...draft, sequence: this.#lastSequence };
    this.#all.set(subscription.id, subscription);
    for (const [index, key] of this.#keysOf(subscription)) addTo(index, key, subscription.id);
    this.#expectExpiry(subscription.expiresAtMs);
    this.#deps.onAction('created', subscription);
    return subscription;
  }

  get(id: string): Subscription | undefined {
    this.expireDue();
    return this.#all.get(id);
  }

  /** Live ones in the order of creation; of one application only, and in one tenant only, where they are given. */
  list(applicationId?: string, tenantId?: string): Subscription[] {
    this.expireDue();
    return [...this.#all.values()].filter(
      (one) =>
        (applicationId === undefined || one.applicationId === applicationId) &&
        (tenantId === undefined || one.tenantId === tenantId),
    );
  }

  /** The first that this application has on the same resource, written alike, for the same changes. */
  twinOf(
    subscriber: Subscriber,
    draft: Pick<Subscription, 'resource' | 'changeTypes'>,
  ): Subscription | undefined {
    this.expireDue();
    const [id] = this.#byTwinKey.get(twinKey(subscriber, draft)) ?? [];
    return id === undefined ? undefined : this.#all.get(id);
  }

  /** How many live ones count towards a quota. */
  countOf(counter: string): number {
    this.expireDue();
    return this.#byCounter.get(counter)?.size ?? 0;
  }

  /** Alters what Graph lets an app alter; a subscription that has gone meanwhile stays gone. */
  renew(id: string, patch: Partial<Updatable>): Subscription | undefined {
    return this.#alter(id, patch, 'renewed');
  }

  reauthorize(id: string, authorizedUntilMs?: number): boolean {
    const patch = authorizedUntilMs === undefined ? {} : { authorizedUntilMs };
    return this.#alter(id, patch, 'reauthorized') !== undefined;
  }

  /** @param action by the app, or by Graph itself */
  remove(id: string, action: 'deleted' | 'removed' = 'deleted'): boolean {
    const current = this.get(id);
    if (current !== undefined) this.#drop(current, action);
    return current !== undefined;
  }

  /** Those in the tenant that hear of a change, each once. @param announced as what it is told without a filter */
  watching(tenant: WatchedTenant, change: ResourceChange, announced: ChangeType): Watching[] {
    this.expireDue();
    const { tenantId, resources } = tenant;
    const keys = watchedKeys(change.resource, resources, change.details);
    const ids = keys.flatMap((key) => [...(this.#byTarget.get(targetKey(tenantId, key)) ?? [])]);
    return ids.flatMap((id) => {
      const subscription = this.#all.get(id);
      if (subscription === undefined) return [];
      const changeType = filteredChange(subscription.filter, announced, change);
      const isWanted = changeType !== undefined && subscription.changeTypes.has(changeType);
      return isWanted ? [{ subscription, changeType }] : [];
    });
  }

  /** Removes what has expired by now. Every question does so too; a timer does it for the sake of the log. */
  expireDue(): void {
    const nowMs = this.#deps.clock.now();
    if (this.#earliestExpiryMs > nowMs) return;
    this.#earliestExpiryMs = Number.POSITIVE_INFINITY;
    for (const subscription of [...this.#all.values()]) {
      if (subscription.expiresAtMs <= nowMs) this.#drop(subscription, 'expired');
      else this.#expectExpiry(subscription.expiresAtMs);
    }
  }

  close(): void {
    this.#expiry?.cancel();
  }

  #alter(
    id: string,
    patch: Partial<Updatable>,
    action: 'renewed' | 'reauthorized',
  ): Subscription | undefined {
    const current = this.get(id);
    if (current === undefined) return undefined;
    const subscription = { ...current, ...patch };
    this.#all.set(id, subscription);
    this.#expectExpiry(subscription.expiresAtMs);
    this.#deps.onAction(action, subscription);
    return subscription;
  }

  /** What a PATCH can alter is in none of these. */
  #keysOf(subscription: Subscription): [Index, string][] {
    const { path, tenantId, applicationId, target } = subscription;
    return [
      [this.#byTarget, targetKey(tenantId, target)],
      [this.#byTwinKey, twinKey(subscriberOf(subscription), subscription)],
      ...countersOf(path, { tenantId, clientId: applicationId }).map(({ counter }): [Index, string] => [
        this.#byCounter,
        counter,
      ]),
    ];
  }

  #expectExpiry(expiresAtMs: number): void {
    if (expiresAtMs >= this.#earliestExpiryMs) return;
    const { clock } = this.#deps;
    this.#earliestExpiryMs = expiresAtMs;
    this.#expiry?.cancel();
    this.#expiry = clock.after(expiresAtMs - clock.now(), () => {
      this.expireDue();
      // Waiting and the time of day may drift apart.
      if (this.#earliestExpiryMs === expiresAtMs) this.#earliestExpiryMs = Number.POSITIVE_INFINITY;
      for (const one of this.#all.values()) this.#expectExpiry(one.expiresAtMs);
    });
  }

  #drop(subscription: Subscription, action: 'deleted' | 'removed' | 'expired'): void {
    this.#all.delete(subscription.id);
    for (const [index, key] of this.#keysOf(subscription)) removeFrom(index, key, subscription.id);
    this.#deps.onAction(action, subscription);
  }
}

type Index = Map<string, Set<string>>;

/** What has to be known of the tenant where something has changed. */
export interface WatchedTenant {
  readonly tenantId: string;
  readonly resources: ResourceStore;
}

const targetKey = (tenantId: string, target: string) => `${tenantId} ${target}`;

function addTo(index: Index, key: string, id: string): void {
  const ids = index.get(key) ?? new Set();
  ids.add(id);
  index.set(key, ids);
}

function removeFrom(index: Index, key: string, id: string): void {
  const ids = index.get(key);
  ids?.delete(id);
  if (ids?.size === 0) index.delete(key);
}
