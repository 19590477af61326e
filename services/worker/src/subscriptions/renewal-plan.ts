/**
 * What has to be done so that every wish has one living subscription: a pure function of what is wanted, what we know,
 * what Graph lists and the time. Applying it twice does nothing the second time, but for renewing what was adopted late
 * in its life.
 */
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
import type { KnownSubscription } from './subscription-store.ts';
import type { EncryptionCertificate } from './subscriptions-api.ts';
import { sameResource, type Wish } from './wanted-subscriptions.ts';
import { sameFilter, sameSelect } from './watched-resource.ts';

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
  /** It is ours at Graph, but we had lost sight of it. */
  | { readonly do: 'adopt'; readonly wish: Wish; readonly listed: ListedSubscription }
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
};

/** Graph redelivers for up to 4 hours: so long an old subscription's notifications may arrive. */
const REMEMBER_MS = 4 * 3_600_000;

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
): Action[] {
  const current = known.filter(({ replacedAt }) => replacedAt === undefined);
  // Of two that serve one wish the one that lives longer counts.
  const serving = new Map(
    current.toSorted((a, b) => a.expiresAt - b.expiresAt).map((one) => [one.wish, one]),
  );
  const wanted = new Set(wishes.map(({ key }) => key));
  const ids = new Set(known.map(({ id }) => id));
  const unclaimed = new Set(listed?.filter(({ id, expiresAt }) => !ids.has(id) && expiresAt > now));
  const due = wishes.flatMap((wish): ForWish[] => {
    const one = serving.get(wish.key);
    return one ? planServed(wish, one, listed, now, held) : [planUnserved(wish, unclaimed)];
  });
  const settled = settledOf(wishes, serving, due);
  const unserved = new Set(wishes.flatMap(({ key }) => (serving.has(key) ? [] : [key])));
  return [
    ...current
      .filter((one) => !wanted.has(one.wish) || serving.get(one.wish) !== one)
      .map((subscription): Action => ({ do: 'delete', subscription })),
    ...due,
    ...planNewCertificates(settled, now, held),
    ...planNewSecrets(settled, known, unserved, now, held),
    ...known
      .filter(({ replacedAt }) => replacedAt !== undefined && now - replacedAt > REMEMBER_MS)
      .map((subscription): Action => ({ do: 'forget', subscription })),
  ];
}

function planServed(
  wish: Wish,
  serving: KnownSubscription,
  listed: readonly ListedSubscription[] | undefined,
  now: number,
  held: Held,
): ForWish[] {
  // What Graph itself told us of (subscriptionRemoved) is known as a hole already.
  if (isLost(serving, listed, now, held))
    return [{ do: 'create', wish, replaces: serving, lost: serving.demand !== 'recreate' }];
  if (!serves(serving, wish)) return [{ do: 'create', wish, replaces: serving, lost: false }];
  const subscription = showsAsWished(serving, wish) ? serving : amended(serving, wish);
  if (isDue(serving, wish, now)) return [renewalOf({ wish, subscription }, now, held)];
  return subscription === serving ? [] : [{ do: 'amend', wish, subscription }];
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
function planUnserved(wish: Wish, unclaimed: Set<ListedSubscription>): ForWish {
  const ours = [...unclaimed].find((one) => matches(one, wish));
  if (!ours) return { do: 'create', wish, replaces: undefined, lost: false };
  unclaimed.delete(ours);
  return { do: 'adopt', wish, listed: ours };
}

function isLost(
  subscription: KnownSubscription,
  listed: readonly ListedSubscription[] | undefined,
  now: number,
  held: Held,
): boolean {
  if (subscription.demand === 'recreate' || subscription.expiresAt <= now) return true;
  if (isUnverifiable(subscription, held, now)) return true;
  if (listed === undefined || !isRecognized(subscription, held)) return false;
  return !listed.some(({ id }) => id === subscription.id);
}

/** With a third of its life left there is time for a weekend of failing renewals. */
export function isDue({ demand, expiresAt }: KnownSubscription, { lifeMinutes }: Wish, now: number): boolean {
  return demand === 'renew' || expiresAt - now < (lifeMinutes * 60_000) / 3;
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

/** Whether Graph's subscription is the one that is wished for; what an ordinary one selects Graph is not told. */
export function matches(
  subscription: Pick<ListedSubscription, 'resource' | 'filter' | 'select' | 'changeType' | 'rich'>,
  wish: Wish,
): boolean {
  const sorted = (changeType: string) => changeType.toLowerCase().split(',').sort().join();
  const isRich = wish.rich === true;
  return (
    sameResource(subscription.resource, wish.resource) &&
    sameFilter(subscription.filter, wish.filter) &&
    sorted(subscription.changeType) === sorted(wish.changeType) &&
    (subscription.rich === true) === isRich &&
    (!isRich || sameSelect(subscription.select, wish.select))
  );
}
