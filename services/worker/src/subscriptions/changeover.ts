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
 * Those that carry another secret than the first one, or one that is not known: Graph changes no clientState, so they
 * have to be made anew. Two workers that hold the secrets in different orders must not replace each other's work: what
 * was just made is left alone, and no wish goes back to a secret that a remembered subscription of it has left.
 */
export function findOldSecrets(
  known: readonly KnownSubscription[],
  { secrets: [newest] = [] }: Held,
  now: number,
): ReadonlySet<KnownSubscription> {
  if (newest === undefined) return new Set();
  const hasLeftIt = new Set(
    known.flatMap(({ wish, secret, replacedAt }) =>
      replacedAt !== undefined && secret === newest ? [wish] : [],
    ),
  );
  return new Set(
    known.filter(
      (one) =>
        one.replacedAt === undefined &&
        one.secret !== newest &&
        !hasLeftIt.has(one.wish) &&
        !wasJustMade(one, now),
    ),
  );
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
