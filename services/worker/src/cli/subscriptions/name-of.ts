/** How a subscription is called in front of people. Pure. */
import { isByHand } from '../../subscriptions/made-by-hand.ts';
import type { KnownSubscription } from '../../subscriptions/subscription-store.ts';

/** `calendars/{user} (2b1c…)`, or the id alone of one made by hand. */
export function nameOf(one: Pick<KnownSubscription, 'id' | 'wish'>): string {
  return isByHand(one) ? one.id : `${one.wish} (${one.id})`;
}
