/** `g2k renew`: prolongs living subscriptions at once, whenever they would be due. */
import { parseResourcePath } from '@graph2kafka/shared';
import { longestLifeMinutes } from '../../declaration/wish-rules.ts';
import { GraphError } from '../../graph/graph-error.ts';
import { iso, relative } from '../../listing/times.ts';
import { kindOfWatched } from '../../resources/find-kind.ts';
import type { HeldFleet, WishRecord } from '../../subscriptions/fleet.ts';
import { HeldUpError } from '../../subscriptions/graph-calls.ts';
import { isByHand, madeByHand } from '../../subscriptions/made-by-hand.ts';
import { servingOf } from '../../subscriptions/next-look.ts';
import { REMEMBER_MS, renewAt } from '../../subscriptions/renewal-time.ts';
import type { KnownSubscription } from '../../subscriptions/subscription-store.ts';
import { explainTrouble } from '../../subscriptions/troubles.ts';
import type { Wish } from '../../subscriptions/wanted-subscriptions.ts';
import { CommandError } from '../command-error.ts';
import { plainText } from '../plain-text.ts';
import type { Terminal } from '../terminal.ts';
import { type AskedFleet, underLease } from './asked-fleet.ts';
import { findSubject } from './find-subjects.ts';
import { nameOf } from './name-of.ts';

type Renewable = { readonly subscription: KnownSubscription; readonly lifeMinutes: number };
type Which = { readonly subjects: readonly string[]; readonly expiringWithinMs?: number };

/** Resolves to the exit code: 1 where one could not be renewed. */
export async function renewSubscriptions(
  which: Which,
  opened: AskedFleet,
  terminal: Terminal,
  now: () => number,
): Promise<number> {
  const wishes = await opened.wishes();
  const chosen = (records: readonly WishRecord[]) => chooseRenewable(which, records, wishes, now());
  if (chosen(await opened.records()).length === 0) {
    terminal.err('nothing that lives ends within that time');
    return 0;
  }
  const waiting = () => terminal.err('a worker is changing subscriptions: waiting for its end');
  const failed = await underLease(opened, waiting, async (held) => {
    let failures = 0;
    // What a worker has done meanwhile counts.
    for (const one of chosen(await opened.records()))
      if (!(await renewOne(one, opened, held, terminal, now))) failures++;
    return failures;
  });
  return failed === 0 ? 0 : 1;
}

/** What ends first comes first. Throws a `CommandError` for what cannot be renewed. Pure. */
export function chooseRenewable(
  { subjects, expiringWithinMs }: Which,
  records: readonly WishRecord[],
  wishes: ReadonlyMap<string, Wish> | undefined,
  now: number,
): Renewable[] {
  const chosen =
    expiringWithinMs === undefined
      ? subjects.map((text) => namedOne(text, records, wishes))
      : records.flatMap(({ subscriptions }) => livingOf(subscriptions, now + expiringWithinMs, now));
  return [...new Map(chosen.map((one) => [one.id, one])).values()]
    .toSorted((a, b) => a.expiresAt - b.expiresAt)
    .map((subscription) => ({ subscription, lifeMinutes: lifeOf(subscription, wishes) }));
}

function livingOf(
  subscriptions: readonly KnownSubscription[],
  until: number,
  now: number,
): KnownSubscription[] {
  const serving = servingOf(subscriptions);
  return [...(serving ? [serving] : []), ...subscriptions.filter(isByHand)].filter(
    ({ expiresAt }) => expiresAt > now && expiresAt <= until,
  );
}

function namedOne(
  text: string,
  records: readonly WishRecord[],
  wishes: ReadonlyMap<string, Wish> | undefined,
): KnownSubscription {
  const { record, subscription } = findSubject(text, records, wishes);
  const one = subscription ?? servingOf(record.subscriptions);
  if (!one)
    throw new CommandError(`${text} has no subscription: \`g2k apply\` makes one, \`g2k show\` says more`);
  if (one.replacedAt !== undefined && !isByHand(one))
    throw new CommandError(`${text} was replaced ${iso(one.replacedAt)}, and serves nothing`);
  return one;
}

/** As long as it is wanted to live, or as Graph lets it. */
function lifeOf(one: KnownSubscription, wishes: ReadonlyMap<string, Wish> | undefined): number {
  const wish = isByHand(one) ? undefined : wishes?.get(one.wish);
  if (wish) return wish.lifeMinutes;
  const path = parseResourcePath(one.resource);
  const kind = path.ok ? kindOfWatched(path.path) : undefined;
  if (!kind) throw new CommandError(`${one.id} watches ${one.resource}: how long it may live is not known`);
  return longestLifeMinutes(kind, one.rich === true);
}

async function renewOne(
  { subscription, lifeMinutes }: Renewable,
  { callsOf }: AskedFleet,
  held: HeldFleet,
  terminal: Terminal,
  now: () => number,
): Promise<boolean> {
  const { demand: _demand, ...rest } = subscription;
  try {
    const calls = callsOf(subscription.tenantId, held.check);
    const { expirationDateTime: expiresAt } = await calls.renew(
      subscription.id,
      now() + lifeMinutes * 60_000,
    );
    const granted = { ...rest, expiresAt, grantedAt: now() };
    const renewed = isByHand(subscription) ? madeByHand(granted) : granted;
    await held.save(renewed);
    const next = isByHand(renewed) ? expiresAt + REMEMBER_MS + 1 : renewAt(renewed, { lifeMinutes });
    await held.schedule(new Map([[renewed.wish, next]]));
    terminal.out(`${nameOf(renewed)}: renewed, it ends ${iso(expiresAt)} (${relative(expiresAt, now())})`);
    return true;
  } catch (error) {
    if (!(error instanceof GraphError || error instanceof HeldUpError)) throw error;
    const { reason, detail } = explainTrouble(error);
    const isGone = error instanceof GraphError && error.failure.kind === 'notFound';
    const why = isGone ? 'it is gone at Graph; `g2k apply` makes it anew' : `${reason}: ${detail}`;
    terminal.err(
      plainText(
        `${nameOf(subscription)}: not renewed: ${error instanceof HeldUpError ? error.message : why}`,
      ),
    );
    return false;
  }
}
