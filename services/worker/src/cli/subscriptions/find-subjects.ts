/** What a command is to be done with: a wish, or a subscription by its id. Pure. */
import type { WishRecord } from '../../subscriptions/fleet.ts';
import type { KnownSubscription } from '../../subscriptions/subscription-store.ts';
import type { Wish } from '../../subscriptions/wanted-subscriptions.ts';
import { CommandError } from '../command-error.ts';

export type Subject = {
  readonly record: WishRecord;
  /** Undefined where it is wanted no more, or what is wanted is not known. */
  readonly wish: Wish | undefined;
  /** Where an id was given. */
  readonly subscription?: KnownSubscription;
};

/** Throws a `CommandError` that names what is not known. */
export function findSubject(
  text: string,
  records: readonly WishRecord[],
  wishes: ReadonlyMap<string, Wish> | undefined,
): Subject {
  for (const record of records) {
    const wish = wishes?.get(record.wish);
    if (record.wish === text) return { record, wish };
    const subscription = record.subscriptions.find(({ id }) => id.toLowerCase() === text.toLowerCase());
    if (subscription) return { record, wish, subscription };
  }
  const wish = wishes?.get(text);
  if (wish) return { record: { wish: text, subscriptions: [] }, wish };
  throw new CommandError(
    `there is no wish and no subscription ${JSON.stringify(text)}; \`g2k list\` names them, \`g2k export\` what else Graph has`,
  );
}
