/**
 * What has to be done so that every wish has one living subscription: a pure function of what is wanted, what we know,
 * what Graph lists and the time. Applying it twice does nothing the second time, but for renewing what was adopted late
 * in its life.
 */
import type { KnownSubscription } from './subscription-store.ts';
import type { EncryptionCertificate } from './subscriptions-api.ts';
import { sameResource, type Wish } from './wanted-subscriptions.ts';
import { sameSelect } from './watched-resource.ts';

export type Action =
  | {
      readonly do: 'create';
      readonly wish: Wish;
      readonly replaces: KnownSubscription | undefined;
      /** The replaced one was found gone, not let go: changes since are a hole. */
      readonly lost: boolean;
    }
  | {
      readonly do: 'renew';
      readonly wish: Wish;
      readonly subscription: KnownSubscription;
      /** Present where Graph still encrypts with another one. */
      readonly certificate?: EncryptionCertificate;
    }
  /** It is ours at Graph, but we had lost sight of it. */
  | { readonly do: 'adopt'; readonly wish: Wish; readonly listed: ListedSubscription }
  /** No longer wanted. */
  | { readonly do: 'delete'; readonly subscription: KnownSubscription }
  /** Replaced long enough ago: nothing of it can arrive any more. */
  | { readonly do: 'forget'; readonly subscription: KnownSubscription };

/** A subscription in Graph's list whose clientState is ours. */
export type ListedSubscription = {
  readonly id: string;
  /** Without the `$select`. */
  readonly resource: string;
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

/**
 * `listed` is absent where Graph was not asked this time. What has to go is let go first: Graph refuses a second
 * subscription for the same resource and changes, also while the first one serves a wish that was only renamed.
 */
export function planRenewal(
  wishes: readonly Wish[],
  known: readonly KnownSubscription[],
  listed: readonly ListedSubscription[] | undefined,
  now: number,
  certificate?: EncryptionCertificate,
): Action[] {
  const current = known.filter(({ replacedAt }) => replacedAt === undefined);
  // Of two that serve one wish the one that lives longer counts.
  const serving = new Map(
    current.toSorted((a, b) => a.expiresAt - b.expiresAt).map((one) => [one.wish, one]),
  );
  const wanted = new Set(wishes.map(({ key }) => key));
  const ids = new Set(known.map(({ id }) => id));
  const unclaimed = new Set(listed?.filter(({ id, expiresAt }) => !ids.has(id) && expiresAt > now));
  return [
    ...current
      .filter((one) => !wanted.has(one.wish) || serving.get(one.wish) !== one)
      .map((subscription): Action => ({ do: 'delete', subscription })),
    ...wishes.flatMap((wish) => {
      const one = serving.get(wish.key);
      return one ? planServed(wish, one, listed, now, certificate) : [planUnserved(wish, unclaimed)];
    }),
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
  certificate: EncryptionCertificate | undefined,
): Action[] {
  // What Graph itself told us of (subscriptionRemoved) is known as a hole already.
  if (isLost(serving, listed, now))
    return [{ do: 'create', wish, replaces: serving, lost: serving.demand !== 'recreate' }];
  if (!serves(serving, wish)) return [{ do: 'create', wish, replaces: serving, lost: false }];
  if (wish.rich && certificate && needsCertificate(serving, certificate, now))
    return [{ do: 'renew', wish, subscription: serving, certificate }];
  return isDue(serving, wish, now) ? [{ do: 'renew', wish, subscription: serving }] : [];
}

/** Takes what it adopts out of `unclaimed`, so that no other wish adopts the same one. */
function planUnserved(wish: Wish, unclaimed: Set<ListedSubscription>): Action {
  const ours = [...unclaimed].find((one) => matches(one, wish));
  if (!ours) return { do: 'create', wish, replaces: undefined, lost: false };
  unclaimed.delete(ours);
  return { do: 'adopt', wish, listed: ours };
}

function isLost(
  subscription: KnownSubscription,
  listed: readonly ListedSubscription[] | undefined,
  now: number,
): boolean {
  if (subscription.demand === 'recreate' || subscription.expiresAt <= now) return true;
  return listed !== undefined && !listed.some(({ id }) => id === subscription.id);
}

/** Longer than a worker takes to see a new key, wherever that is kept. */
const NO_WAY_BACK_MS = 900_000;

/** Never back to one that was just left: the worker that plans may not hold the newer key yet. */
function needsCertificate(
  { certificateId, formerCertificates = [] }: KnownSubscription,
  { id: current }: EncryptionCertificate,
  now: number,
): boolean {
  const wasJustLeft = formerCertificates.some(
    ({ id, until }) => id === current && now - until < NO_WAY_BACK_MS,
  );
  return certificateId !== current && !wasJustLeft;
}

/** With a third of its life left there is time for a weekend of failing renewals. */
export function isDue({ demand, expiresAt }: KnownSubscription, { lifeMinutes }: Wish, now: number): boolean {
  return demand === 'renew' || expiresAt - now < (lifeMinutes * 60_000) / 3;
}

function serves(subscription: KnownSubscription, wish: Wish): boolean {
  return (
    matches(subscription, wish) &&
    subscription.topic === wish.topic &&
    sameSelect(subscription.select, wish.select)
  );
}

/** Whether Graph's subscription is the one that is wished for; what an ordinary one selects Graph is not told. */
export function matches(
  subscription: Pick<ListedSubscription, 'resource' | 'select' | 'changeType' | 'rich'>,
  wish: Wish,
): boolean {
  const sorted = (changeType: string) => changeType.toLowerCase().split(',').sort().join();
  const isRich = wish.rich === true;
  return (
    sameResource(subscription.resource, wish.resource) &&
    sorted(subscription.changeType) === sorted(wish.changeType) &&
    (subscription.rich === true) === isRich &&
    (!isRich || sameSelect(subscription.select, wish.select))
  );
}
