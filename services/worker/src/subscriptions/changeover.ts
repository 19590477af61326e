/**
 * Which living subscriptions have to be changed over to the newest certificate or clientState secret, and how many in
 * one reconciliation. Pure.
 */
import type { KnownSubscription } from './subscription-store.ts';
import type { EncryptionCertificate } from './subscriptions-api.ts';

/** What this worker holds; another one of the pool may hold something else while it is being replaced. */
export type Held = {
  /** The one for new subscriptions. */
  readonly certificate?: EncryptionCertificate | undefined;
  /** Fingerprints of the clientState secrets: the first signs, all verify. */
  readonly secrets?: readonly string[];
  /** Fingerprint of LIFECYCLE_NOTIFICATION_URL. */
  readonly lifecycle?: string;
};

/**
 * Renewals and these share the 500 writes in 20 s that Graph takes from an app in a tenant (Graph: throttling-limits).
 * By the minute 10,000 subscriptions are changed over in less than an hour; the old key is needed for 8 hours more anyway.
 */
export const MOST_NEW_CERTIFICATES = 200;

/**
 * Each takes two writes and a handshake, and has everything that it watches read again: little enough to be done
 * within the minute. 10,000 subscriptions take a little more than 3 hours.
 */
export const MOST_NEW_SECRETS = 50;

/** Longer than a worker takes to see what was replaced, wherever that is kept, and than most deployments take. */
export const NO_WAY_BACK_MS = 900_000;

/**
 * One that was let go and could not be made anew stops the others for so long. A receiver that Graph does not reach
 * then costs 6 subscriptions an hour instead of all, and a mailbox that can not be watched any more holds up none.
 */
const SETBACK_MS = 600_000;

/** Never back to one that was just left: the worker that plans may not hold the newer key yet. */
export function needsCertificate(
  { certificateId, formerCertificates = [] }: KnownSubscription,
  { id: current }: EncryptionCertificate,
  now: number,
): boolean {
  const wasJustLeft = formerCertificates.some(
    ({ id, until }) => id === current && now - until < NO_WAY_BACK_MS,
  );
  return certificateId !== current && !wasJustLeft;
}

/**
 * Those that carry another secret than the first one, or one that is not known, and those that send lifecycle notifications
 * elsewhere: Graph changes neither, so they have to be made anew. Two workers that are not set alike must not replace each
 * other's work: what was just made is left alone, and no wish goes back to what a remembered subscription of it has left.
 */
export function findToMakeAnew(
  known: readonly KnownSubscription[],
  held: Held,
  now: number,
): ReadonlySet<KnownSubscription> {
  const replaced = known.filter(({ replacedAt }) => replacedAt !== undefined);
  const wishesOf = (all: readonly KnownSubscription[]) => new Set(all.map(({ wish }) => wish));
  const leftSecret = wishesOf(replaced.filter((one) => !hasOldSecret(one, held)));
  const leftAddress = wishesOf(replaced.filter(({ lifecycle }) => lifecycle === held.lifecycle));
  return new Set(
    known.filter(
      (one) =>
        one.replacedAt === undefined &&
        ((hasOldSecret(one, held) && !leftSecret.has(one.wish)) ||
          (tellsElsewhere(one, held) && !leftAddress.has(one.wish))) &&
        !wasJustMade(one, now),
    ),
  );
}

/** It was made with another secret than new ones are, or with one that is not known. */
export function hasOldSecret({ secret }: KnownSubscription, { secrets: [newest] = [] }: Held): boolean {
  return newest !== undefined && secret !== newest;
}

/** Its lifecycle notifications go to another address; one of which that is not known is left as it is. */
export function tellsElsewhere({ lifecycle }: KnownSubscription, held: Held): boolean {
  return lifecycle !== undefined && held.lifecycle !== undefined && lifecycle !== held.lifecycle;
}

/** Whether Graph's list shows that it is ours: what carries a secret that is not held looks like somebody else's. */
export function isRecognized({ secret }: KnownSubscription, { secrets }: Held): boolean {
  return secrets === undefined || secret === undefined || secrets.includes(secret);
}

/**
 * Its secret was taken away: the receiver drops its notifications as forged. One that was just made may carry a secret
 * that this worker does not hold yet.
 */
export function isUnverifiable(subscription: KnownSubscription, held: Held, now: number): boolean {
  return !isRecognized(subscription, held) && !wasJustMade(subscription, now);
}

function wasJustMade({ servingSince }: KnownSubscription, now: number): boolean {
  return servingSince !== undefined && now - servingSince < NO_WAY_BACK_MS;
}

/** Whether a wanted subscription was let go a while ago and has not been made anew since. */
export function hasSetback(
  known: readonly KnownSubscription[],
  unserved: ReadonlySet<string>,
  now: number,
): boolean {
  return known.some(
    ({ wish, replacedAt }) => replacedAt !== undefined && now - replacedAt < SETBACK_MS && unserved.has(wish),
  );
}
