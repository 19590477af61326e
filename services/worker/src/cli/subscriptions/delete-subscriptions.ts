/** `g2k delete` */
import { GraphError } from '../../graph/graph-error.ts';
import type { HeldFleet, WishRecord } from '../../subscriptions/fleet.ts';
import { HeldUpError } from '../../subscriptions/graph-calls.ts';
import { KEPT_PREFIX } from '../../subscriptions/kept-by-hand.ts';
import { isByHand } from '../../subscriptions/made-by-hand.ts';
import type { KnownSubscription } from '../../subscriptions/subscription-store.ts';
import { explainTrouble } from '../../subscriptions/troubles.ts';
import type { Wish } from '../../subscriptions/wanted-subscriptions.ts';
import { plainText } from '../plain-text.ts';
import { counted } from '../scan-letters.ts';
import type { Terminal } from '../terminal.ts';
import { type AskedFleet, underLease } from './asked-fleet.ts';
import { findSubject } from './find-subjects.ts';
import { nameOf } from './name-of.ts';

/** Resolves to the exit code: 1 where one could not be deleted, or nobody said yes. */
export async function deleteSubscriptions(
  subjects: readonly string[],
  opened: AskedFleet,
  isConfirmed: (question: string) => Promise<boolean>,
  terminal: Terminal,
  now: () => number,
): Promise<number> {
  const wishes = await opened.wishes();
  const chosen = (records: readonly WishRecord[]) => chooseDeletable(subjects, records, wishes);
  const records = await opened.records();
  const named = chosen(records);
  const kept = keptOnes(subjects, records, wishes);
  if (named.length + kept.length === 0) {
    terminal.err('there is nothing to delete: what was named has no subscription');
    return 1;
  }
  for (const one of named) terminal.err(plainText(`${nameOf(one)} on ${one.resource}`));
  if (named.some(({ wish }) => wishes?.has(wish) && !kept.includes(wish)))
    terminal.err('What is still wanted is made anew by a worker; take it out of subscriptions.yaml before.');
  if (!(await isConfirmed(`Delete ${counted(named.length, 'subscription')}? [y/N] `))) {
    terminal.err('nothing was done');
    return 1;
  }
  // Before its subscription: else a worker would make it anew.
  for (const key of kept) if (await opened.kept.remove(key)) terminal.out(`${key}: not wanted any more`);
  const waiting = () => terminal.err('a worker is changing subscriptions: waiting for its end');
  return underLease(opened, waiting, async (held) => {
    let failures = 0;
    for (const one of chosen(await opened.records()))
      if (!(await deleteOne(one, opened, held, terminal, now))) failures++;
    return failures === 0 ? 0 : 1;
  });
}

/** Wishes of `create --keep` that are ended with what serves them. */
function keptOnes(
  subjects: readonly string[],
  records: readonly WishRecord[],
  wishes: ReadonlyMap<string, Wish> | undefined,
): string[] {
  const keys = subjects.map((text) => findSubject(text, records, wishes).record.wish);
  return [...new Set(keys)].filter((key) => key.startsWith(KEPT_PREFIX));
}

/** Those that serve their wishes, and what was made by hand. Throws a `CommandError`. Pure. */
export function chooseDeletable(
  subjects: readonly string[],
  records: readonly WishRecord[],
  wishes: ReadonlyMap<string, Wish> | undefined,
): KnownSubscription[] {
  const found = subjects.flatMap((text) => {
    const { record, subscription } = findSubject(text, records, wishes);
    return subscription ? [subscription] : record.subscriptions;
  });
  const living = found.filter((one) => one.replacedAt === undefined || isByHand(one));
  return [...new Map(living.map((one) => [one.id, one])).values()];
}

/** It is remembered for some hours: what it has notified may still arrive. */
async function deleteOne(
  one: KnownSubscription,
  { callsOf }: AskedFleet,
  held: HeldFleet,
  terminal: Terminal,
  now: () => number,
): Promise<boolean> {
  try {
    await callsOf(one.tenantId, held.check).delete(one.id);
    const { demand: _demand, ...rest } = one;
    const endsAt = isByHand(one) ? { expiresAt: now() } : {};
    await held.save({ ...rest, ...endsAt, replacedAt: now() });
    await held.schedule(new Map([[one.wish, now()]]));
    terminal.out(`${nameOf(one)}: deleted`);
    return true;
  } catch (error) {
    if (!(error instanceof GraphError || error instanceof HeldUpError)) throw error;
    const { reason, detail } = explainTrouble(error);
    const why = error instanceof HeldUpError ? error.message : `${reason}: ${detail}`;
    terminal.err(plainText(`${nameOf(one)}: not deleted: ${why}`));
    return false;
  }
}
