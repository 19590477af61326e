/**
 * What has to be done so that every wish has one living subscription: a pure function of what is wanted, what we know,
 * what Graph lists and the time. Applying it twice does nothing the second time, but for renewing what was adopted late
 * in its life.
 */
import { canonicalResource, parseResourcePath } from '@graph2kafka/shared';
import { type Held, isRecognized, isUnverifiable, NO_WAY_BACK_MS } from './changeover.ts';
import { planMadeAnew, planNewCertificates, renewalOf, type Served } from './plan-changeover.ts';
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
      /** It serves well, but has what Graph cannot change: an old clientState secret, an old address for lifecycle notifications. */
      readonly changesOver?: 'secret' | 'lifecycle';
    }
  | {
      readonly do: 'renew';
      readonly wish: Wish;
      readonly subscription: KnownSubscription;
      /** Present where Graph still encrypts with another one. */
      readonly certificate?: EncryptionCertificate;
      /** It notifies another address than ours. */
      readonly redirects?: true;
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
  /** Host that it notifies, where that is not our address: it serves no wish of ours, unless we know that it did. */
  readonly elsewhere?: string;
  /** Fingerprint of the address of its lifecycle notifications. */
  readonly lifecycle?: string;
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
  /** Our own address does not answer a handshake: nothing is turned to it. */
  readonly isUnanswered?: boolean;
  /** Until then nothing is let go for its secret: one that was could not be made anew. */
  readonly setbackUntil?: number;
};

type ForWish = Extract<Action, { readonly wish: Wish }>;

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
  const listedById = listed && new Map(listed.map((one) => [one.id, one]));
  const unclaimed = Map.groupBy(
    listed?.filter(
      ({ id, expiresAt, elsewhere }) => !ids.has(id) && expiresAt > now && elsewhere === undefined,
    ) ?? [],
    watchKey,
  );
  const due = wishes.flatMap((wish): ForWish[] => {
    const one = serving.get(wish.key);
    return one
      ? planServed(wish, one, listedById, now, held, seen)
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
    ...(now < (seen.setbackUntil ?? 0) ? [] : planMadeAnew(settled, known, unserved, now, held)).filter(
      ({ changesOver }) => changesOver !== 'lifecycle' || seen.isUnanswered !== true,
    ),
    ...known
      .filter(({ replacedAt }) => replacedAt !== undefined && now - replacedAt > REMEMBER_MS)
      .map((subscription): Action => ({ do: 'forget', subscription })),
  ];
}

function planServed(
  wish: Wish,
  serving: KnownSubscription,
  listed: ReadonlyMap<string, ListedSubscription> | undefined,
  now: number,
  held: Held,
  seen: Circumstances,
): ForWish[] {
  // What Graph itself told us of (subscriptionRemoved) is known as a hole already.
  if (isLost(serving, listed, now, held, seen))
    return [{ do: 'create', wish, replaces: serving, lost: serving.demand !== 'recreate' }];
  if (!serves(serving, wish)) return [{ do: 'create', wish, replaces: serving, lost: false }];
  const shown = listed?.get(serving.id);
  const told = learnt(serving, shown, held);
  const subscription = showsAsWished(serving, wish) ? told : amended(told, wish);
  const redirects =
    shown?.elsewhere !== undefined && seen.isUnanswered !== true && !wasJustRedirected(serving, now);
  if (redirects || isDue(serving, wish, now, seen))
    return [renewalOf({ wish, subscription }, now, held, redirects)];
  if (subscription !== serving) return [{ do: 'amend', wish, subscription }];
  return serving.hole === undefined ? [] : [{ do: 'close', wish, subscription }];
}

/** Of what was made before this was noted the list tells, and it is noted where it is not as it should be. */
function learnt(
  serving: KnownSubscription,
  { lifecycle }: Partial<ListedSubscription> = {},
  held: Held,
): KnownSubscription {
  const isNew = serving.lifecycle === undefined && lifecycle !== undefined && held.lifecycle !== undefined;
  return isNew && lifecycle !== held.lifecycle ? { ...serving, lifecycle } : serving;
}

/** Another worker may still be set to the old address: they must not turn everything back and forth. */
function wasJustRedirected({ redirectedAt }: KnownSubscription, now: number): boolean {
  return redirectedAt !== undefined && now - redirectedAt < NO_WAY_BACK_MS;
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
  listed: ReadonlyMap<string, ListedSubscription> | undefined,
  now: number,
  held: Held,
  { listedAt }: Circumstances,
): boolean {
  if (subscription.demand === 'recreate') return true;
  if (subscription.expiresAt <= now) return true;
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
  seen: Circumstances,
): boolean {
  if (subscription.demand === 'renew' || isOfBefore(subscription, seen)) return true;
  return renewAt(subscription, wish) <= now;
}

/** Granted before everything was to be caught up with, or nobody knows when. */
export function isOfBefore(
  { grantedAt = Number.NEGATIVE_INFINITY }: { readonly grantedAt?: number | undefined },
  { catchUpAt }: Circumstances,
): boolean {
  return catchUpAt !== undefined && grantedAt < catchUpAt;
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
    (subscription.prefer ?? []).join() === (wish.prefer ?? []).join() &&
    (subscription.notificationOnly === true) === (wish.notificationOnly === true)
  );
}

function amended(subscription: KnownSubscription, wish: Wish): KnownSubscription {
  const { select: _select, prefer: _prefer, notificationOnly: _only, ...kept } = subscription;
  const { tenantId, select, prefer, notificationOnly } = wish;
  return {
    ...kept,
    tenantId,
    ...(select && { select }),
    ...(prefer && { prefer }),
    ...(notificationOnly && { notificationOnly }),
  };
}

export type Watch = Pick<ListedSubscription, 'resource' | 'filter' | 'select' | 'changeType' | 'rich'>;

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
