/** When a wish is to be looked at next: its renewal, another try, what has to be forgotten. Pure. */
import type { KnownSubscription } from './subscription-store.ts';
import type { Wish } from './wanted-subscriptions.ts';

const MINUTE_MS = 60_000;
/** A weekend of failing renewals, and a day for whoever has to mend their cause. */
const LONGEST_MARGIN_MS = 72 * 60 * MINUTE_MS;
/** Graph gives no shorter life (api/resources/subscription, "expirationDateTime"). */
const SHORTEST_LIFE_MS = 45 * MINUTE_MS;
/** Graph redelivers for up to 4 hours: so long an old subscription's notifications may arrive. */
export const REMEMBER_MS = 4 * 60 * MINUTE_MS;
/** However little life is left, a renewal that fails is not tried more often. */
const SHORTEST_WAIT_MS = 30_000;

/** A number from 0 to 1 that is always the same for a text, and spread evenly over texts (FNV-1a, then mixed). */
export function shareOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x45d9f3b);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

type Living = Pick<KnownSubscription, 'wish' | 'expiresAt' | 'grantedAt'>;

/** A third of its life before its end: of the life that Graph granted, which may be less than what was asked for. */
function marginOf({ expiresAt, grantedAt }: Living, lifeMinutes: number): number {
  const wanted = lifeMinutes * MINUTE_MS;
  const granted = grantedAt === undefined ? wanted : Math.max(SHORTEST_LIFE_MS, expiresAt - grantedAt);
  return Math.min(Math.min(wanted, granted) / 3, LONGEST_MARGIN_MS);
}

/** Between a half and a third of its life before its end, so that those that were made together spread. */
export function renewAt(subscription: Living, { lifeMinutes }: Pick<Wish, 'lifeMinutes'>): number {
  const margin = marginOf(subscription, lifeMinutes);
  return Math.round(subscription.expiresAt - margin * (1 + shareOf(subscription.wish) / 2));
}

/** Waits between tries, doubling from the first to the longest. */
export type Patience = { readonly firstMs: number; readonly longestMs: number };

/**
 * Some of the wait is left off by a share of the wish, so that what failed together does not come back together. While
 * something lives, an eighth of what it has left is the most that is waited: a renewal is not let slip by patience.
 */
export function retryAt(
  now: number,
  tries: number,
  { firstMs, longestMs }: Patience,
  wish: string,
  expiresAt = Number.NEGATIVE_INFINITY,
): number {
  const wait = Math.min(firstMs * 2 ** Math.min(tries - 1, 20), longestMs) * (1 - shareOf(wish) / 4);
  const left = expiresAt - now;
  return Math.round(now + (left > 0 ? Math.min(wait, Math.max(SHORTEST_WAIT_MS, left / 8)) : wait));
}
