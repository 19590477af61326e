/**
 * Subscriptions that an operator made by hand (`g2k create`), outside of subscriptions.yaml. They are kept as ones that
 * serve no wish but are still to be heard of: so their notifications are understood, no sweep takes them for orphans, and
 * nobody renews them. Pure.
 */
import type { KnownSubscription } from './subscription-store.ts';

/** No entry of subscriptions.yaml can have a name with a space. */
const PREFIX = 'by hand ';

export function isByHand({ wish }: Pick<KnownSubscription, 'wish'>): boolean {
  return wish.startsWith(PREFIX);
}

/** It is forgotten as one that was replaced when it ended. */
export function madeByHand(
  made: Omit<KnownSubscription, 'wish' | 'replacedAt' | 'demand' | 'hole'>,
): KnownSubscription {
  return { ...made, wish: `${PREFIX}${made.id}`, replacedAt: made.expiresAt };
}
