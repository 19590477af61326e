/** What serves well, but has an old certificate, secret or address: renewed or made anew, some at a time. Pure. */
import {
  findToMakeAnew,
  type Held,
  hasSetback,
  MOST_NEW_CERTIFICATES,
  MOST_NEW_SECRETS,
  needsCertificate,
} from './changeover.ts';
import type { Action } from './renewal-plan.ts';
import type { KnownSubscription } from './subscription-store.ts';
import type { EncryptionCertificate } from './subscriptions-api.ts';
import type { Wish } from './wanted-subscriptions.ts';

/** What nothing else is due for; what ends next comes first. */
export type Served = { readonly wish: Wish; readonly subscription: KnownSubscription };

type Creation = Extract<Action, { readonly do: 'create' }>;
type Renewal = Extract<Action, { readonly do: 'renew' }>;

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
export function renewalOf(served: Served, now: number, held: Held, redirects = false): Renewal {
  const certificate = newCertificateFor(served, now, held);
  return { do: 'renew', ...served, ...(certificate && { certificate }), ...(redirects && { redirects }) };
}

export function planNewCertificates(settled: readonly Served[], now: number, held: Held): Renewal[] {
  return settled
    .filter((served) => newCertificateFor(served, now, held) !== undefined)
    .slice(0, MOST_NEW_CERTIFICATES)
    .map((served) => renewalOf(served, now, held));
}

/**
 * A rich one has to have the newest certificate first: whether Graph takes that is found out by a PATCH, before any
 * subscription is let go for its secret.
 */
export function planMadeAnew(
  settled: readonly Served[],
  known: readonly KnownSubscription[],
  unserved: ReadonlySet<string>,
  now: number,
  held: Held,
): Creation[] {
  if (hasSetback(known, unserved, now)) return [];
  const old = findToMakeAnew(known, held, now);
  return settled
    .filter(({ wish, subscription }) => old.has(subscription) && canBeMade(wish, subscription, held))
    .slice(0, MOST_NEW_SECRETS)
    .map(({ wish, subscription }) => {
      const changesOver = subscription.secret === held.secrets?.[0] ? 'lifecycle' : 'secret';
      return { do: 'create', wish, replaces: subscription, lost: false, changesOver };
    });
}

function canBeMade({ rich }: Wish, { certificateId }: KnownSubscription, { certificate }: Held): boolean {
  return rich !== true || (certificate !== undefined && certificateId === certificate.id);
}
