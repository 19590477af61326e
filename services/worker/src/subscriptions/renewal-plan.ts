/**
 * What has to be done so that every wish has one living subscription: a pure function of what is wanted, what we know,
 * what Graph lists and the time. Applying it twice does nothing the second time, but for renewing what was adopted late
 * in its life.
 */
import { canonicalResource, parseResourcePath } from '@graph2kafka/shared';
import {
  findOldSecrets,
  type Held,
  hasSetback,
  isRecognized,
  isUnverifiable,
  MOST_NEW_CERTIFICATES,
  MOST_NEW_SECRETS,
  needsCertificate,
} from './changeover.ts';
import { REMEMBER_MS, renewAt } from './renewal-time.ts';
import type { KnownSubscription } from './subscription-store.ts';
import type { EncryptionCertificate } from './subscriptions-api.ts';
import type { Wish } from './wanted-subscriptions.ts';
import { filterKey, sameSelect, selectKey } from './watched-resource.ts';

export type Action =
  | {
      readonly do: 'create';
      readonly wish: Wish;
      readonly replaces: KnownSubscription | undefined;
      /** The replaced one was found gone, not let go: changes since are a hole. */
      readonly lost: boolean;
      /** It serves well, but carries an old clientState secret: this can wait. */
      readonly forSecret?: true;
    }
  | {
      readonly do: 'renew';
      readonly wish: Wish;
      readonly subscription: KnownSubscription;
      /** Present where Graph still encrypts with another one. */
      readonly certificate?: EncryptionCertificate;
    }
  /** Only how we look at what it notifies has changed: Graph is not told. */
  | { readonly do: 'amend'; readonly wish: Wish; readonly subscription: KnownSubscription }
  /** It was noted that something was not notified, and its reading was not asked for yet. */
  | { readonly do: 'close'; readonly wish: Wish; readonly subscription: KnownSubscription }
  /** It is ours at Graph, but we had lost sight of it. */
  | {
      readonly do: 'adopt';
      readonly wish: Wish;
      readonly listed: ListedSubscription;
      /** It is what a request of ours made whose answer was lost. */
      readonly asIntended?: true;
    }
  /** No longer wanted. */
  | { readonly do: 'delete'; readonly subscription: KnownSubscription }
  /** Replaced long enough ago: nothing of it can arrive any more. */
  | { readonly do: 'forget'; readonly subscription: KnownSubscription };

/** A subscription in Graph's list whose clientState is ours. */
export type ListedSubscription = {
  readonly id: string;
  /** Without filter and `$select`. */
  readonly resource: string;
  readonly filter?: string;
  readonly select?: readonly string[];
  readonly changeType: string;
  readonly rich?: boolean;
  readonly certificateId?: string;
  readonly nonce: string;
  /** Fingerprint of the secret that signed its clientState. */
  readonly secret?: string;
  readonly expiresAt: number;
  /** Host that it notifies, where that is not our address: it serves no wish of ours. */
  readonly elsewhere?: string;
};

/** A subscription was asked for, and it is not known whether Graph has made it. */
export type Intent = {
  /** Of the clientState that was sent. */
  readonly nonce: string;
  /** Epoch milliseconds; a list that was begun earlier may not show it. */
  readonly settlesAt: number;
};

/** What is known beside wishes and subscriptions. */
export type Circumstances = {
  /** When the list was begun: what was made or renewed later is not judged by it. */
  readonly listedAt?: number;
  /** By key of the wish. A wish with one is given nothing new before a list has been seen. */
  readonly intents?: ReadonlyMap<string, Intent>;
  /** Whatever Graph granted before has to be renewed: nobody has answered Graph for a while. */
  readonly catchUpAt?: number;
  /** The clock here may be wrong: what seems to have expired is tried to be renewed first. */
  readonly clockIsUnsure?: boolean;
  /** Until then nothing is let go for its secret: one that was could not be made anew. */
  readonly setbackUntil?: number;
};

type ForWish = Extract<Action, { readonly wish: Wish }>;
type Served = { readonly wish: Wish; readonly subscription: KnownSubscription };

/**
 * `listed` is absent where Graph was not asked this time. What has to go is let go first: Graph refuses a second
 * subscription for the same resource and changes, also while the first one serves a wish that was only renamed.
 * What only is to be changed over comes after all that is due.
 */
export function planRenewal(
  wishes: readonly Wish[],
  known: readonly KnownSubscription[],
  listed: readonly ListedSubscription[] | undefined,
  now: number,
  held: Held = {},
  seen: Circumstances = {},
): Action[] {
  const current = known.filter(({ replacedAt }) => replacedAt === undefined);
  // Of two that serve one wish the one that lives longer counts.
  const serving = new Map(
    current.toSorted((a, b) => a.expiresAt - b.expiresAt).map((one) => [one.wish, one]),
  );
  const wanted = new Set(wishes.map(({ key }) => key));
  const ids = new Set(known.map(({ id }) => id));
  const listedIds = listed && new Set(listed.map(({ id }) => id));
  const unclaimed = Map.groupBy(
    listed?.filter(
      ({ id, expiresAt, elsewhere }) => !ids.has(id) && expiresAt > now && elsewhere === undefined,
    ) ?? [],
    watchKey,
  );
  const due = wishes.flatMap((wish): ForWish[] => {
    const one = serving.get(wish.key);
    return one
      ? planServed(wish, one, listedIds, now, held, seen)
      : planUnserved(wish, unclaimed, listed !== undefined, seen);
  });
  const settled = settledOf(wishes, serving, due);
  const unserved = new Set(wishes.flatMap(({ key }) => (serving.has(key) ? [] : [key])));
  return [
    ...current
      .filter((one) => !wanted.has(one.wish) || serving.get(one.wish) !== one)
      .map((subscription): Action => ({ do: 'delete', subscription })),
    ...due,
    ...planNewCertificates(settled, now, held),
    ...(now < (seen.setbackUntil ?? 0) ? [] : planNewSecrets(settled, known, unserved, now, held)),
    ...known
      .filter(({ replacedAt }) => replacedAt !== undefined && now - replacedAt > REMEMBER_MS)
      .map((subscription): Action => ({ do: 'forget', subscription })),
  ];
}

function planServed(
  wish: Wish,
  serving: KnownSubscription,
  listed: ReadonlySet<string> | undefined,
  now: number,
  held: Held,
  seen: Circumstances,
): ForWish[] {
  // What Graph itself told us of (subscriptionRemoved) is known as a hole already.
  if (isLost(serving, listed, now, held, seen))
    return [{ do: 'create', wish, replaces: serving, lost: serving.demand !== 'recreate' }];
  if (!serves(serving, wish)) return [{ do: 'create', wish, replaces: serving, lost: false }];
  const subscription = showsAsWished(serving, wish) ? serving : amended(serving, wish);
  if (isDue(serving, wish, now, seen)) return [renewalOf({ wish, subscription }, now, held)];
  if (subscription !== serving) return [{ do: 'amend', wish, subscription }];
  return serving.hole === undefined ? [] : [{ do: 'close', wish, subscription }];
}

/** Wishes that nothing is due for; what ends next comes first. */
function settledOf(
  wishes: readonly Wish[],
  serving: ReadonlyMap<string, KnownSubscription>,
  due: readonly ForWish[],
): Served[] {
  const busy = new Set(due.map(({ wish }) => wish.key));
  return wishes
    .flatMap((wish) => {
      const subscription = serving.get(wish.key);
      return subscription && !busy.has(wish.key) ? [{ wish, subscription }] : [];
    })
    .toSorted((a, b) => a.subscription.expiresAt - b.subscription.expiresAt);
}

function newCertificateFor(
  { wish, subscription }: Served,
  now: number,
  { certificate }: Held,
): EncryptionCertificate | undefined {
  return wish.rich && certificate && needsCertificate(subscription, certificate, now)
    ? certificate
    : undefined;
}

/** What is to be renewed anyway is changed over on the way. */
function renewalOf(served: Served, now: number, held: Held): ForWish {
  const certificate = newCertificateFor(served, now, held);
  return { do: 'renew', ...served, ...(certificate && { certificate }) };
}

function planNewCertificates(settled: readonly Served[], now: number, held: Held): Action[] {
  return settled
    .filter((served) => newCertificateFor(served, now, held) !== undefined)
    .slice(0, MOST_NEW_CERTIFICATES)
    .map((served) => renewalOf(served, now, held));
}

/**
 * A rich one has to have the newest certificate first: whether Graph takes that is found out by a PATCH, before any
 * subscription is let go for its secret.
 */
function planNewSecrets(
  settled: readonly Served[],
  known: readonly KnownSubscription[],
  unserved: ReadonlySet<string>,
  now: number,
  held: Held,
): Action[] {
  if (hasSetback(known, unserved, now)) return [];
  const old = findOldSecrets(known, held, now);
  return settled
    .filter(({ wish, subscription }) => old.has(subscription) && canBeMade(wish, subscription, held))
    .slice(0, MOST_NEW_SECRETS)
    .map(({ wish, subscription }) => {
      return { do: 'create', wish, replaces: subscription, lost: false, forSecret: true };
    });
}

function canBeMade({ rich }: Wish, { certificateId }: KnownSubscription, { certificate }: Held): boolean {
  return rich !== true || (certificate !== undefined && certificateId === certificate.id);
}

/** Takes what it adopts out of `unclaimed`, so that no other wish adopts the same one. */
function planUnserved(
  wish: Wish,
  unclaimed: ReadonlyMap<string, ListedSubscription[]>,
  isListed: boolean,
  { intents, listedAt = Number.POSITIVE_INFINITY }: Circumstances,
): ForWish[] {
  const intent = intents?.get(wish.key);
  if (intent && (!isListed || listedAt < intent.settlesAt)) return [];
  const alike = unclaimed.get(watchKey(wish)) ?? [];
  const ours = alike.find(({ nonce }) => nonce === intent?.nonce) ?? alike[0];
  if (!ours) return [{ do: 'create', wish, replaces: undefined, lost: false }];
  alike.splice(alike.indexOf(ours), 1);
  const asIntended = ours.nonce === intent?.nonce;
  return [{ do: 'adopt', wish, listed: ours, ...(asIntended && { asIntended }) }];
}

function isLost(
  subscription: KnownSubscription,
  listed: ReadonlySet<string> | undefined,
  now: number,
  held: Held,
  { listedAt, clockIsUnsure }: Circumstances,
): boolean {
  if (subscription.demand === 'recreate') return true;
  if (subscription.expiresAt <= now && clockIsUnsure !== true) return true;
  if (isUnverifiable(subscription, held, now)) return true;
  if (listed === undefined || !isRecognized(subscription, held)) return false;
  const { servingSince = 0, grantedAt = 0 } = subscription;
  if (listedAt !== undefined && Math.max(servingSince, grantedAt) > listedAt) return false;
  return !listed.has(subscription.id);
}

export function isDue(
  subscription: KnownSubscription,
  wish: Wish,
  now: number,
  { catchUpAt }: Circumstances,
): boolean {
  const { demand, grantedAt = Number.NEGATIVE_INFINITY } = subscription;
  if (demand === 'renew' || (catchUpAt !== undefined && grantedAt < catchUpAt)) return true;
  return renewAt(subscription, wish) <= now;
}

function serves(subscription: KnownSubscription, wish: Wish): boolean {
  return (
    matches(subscription, wish) &&
    subscription.topic === wish.topic &&
    (subscription.immutableIds === true) === (wish.immutableIds === true)
  );
}

/** What Graph is not told of an ordinary one: which properties are fetched, and how. */
function showsAsWished(subscription: KnownSubscription, wish: Wish): boolean {
  return (
    subscription.tenantId === wish.tenantId &&
    sameSelect(subscription.select, wish.select) &&
    (subscription.prefer ?? []).join() === (wish.prefer ?? []).join()
  );
}

function amended(subscription: KnownSubscription, { tenantId, select, prefer }: Wish): KnownSubscription {
  const { select: _select, prefer: _prefer, ...kept } = subscription;
  return { ...kept, tenantId, ...(select && { select }), ...(prefer && { prefer }) };
}

type Watch = Pick<ListedSubscription, 'resource' | 'filter' | 'select' | 'changeType' | 'rich'>;

/** Whether Graph's subscription is the one that is wished for; what an ordinary one selects Graph is not told. */
export function matches(subscription: Watch, wish: Wish): boolean {
  return watchKey(subscription) === watchKey(wish);
}

const watchKeys = new WeakMap<Watch, string>();

/** The same text for what Graph takes for the same, however resource, filter and changes are spelled. */
export function watchKey(watch: Watch): string {
  const known = watchKeys.get(watch);
  if (known !== undefined) return known;
  const { resource, filter, select, changeType, rich = false } = watch;
  const path = parseResourcePath(resource);
  const key = JSON.stringify([
    path.ok ? canonicalResource(path.path) : resource,
    filterKey(filter),
    changeType.toLowerCase().split(',').sort().join(),
    rich,
    rich ? selectKey(select) : '',
  ]);
  watchKeys.set(watch, key);
  return key;
}
