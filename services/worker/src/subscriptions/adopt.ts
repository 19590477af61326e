/** Takes over what Graph has already: what its list shows of ours, and what it says is in the way of a new one. */
import { keep } from './keep.ts';
import { isOfBefore, type ListedSubscription, matches } from './renewal-plan.ts';
import { TroubleError } from './troubles.ts';
import type { Wish } from './wanted-subscriptions.ts';
import { SETTLE_MS, type WorkDeps } from './work-deps.ts';

/** Graph says that it exists: ours, made by a request whose answer was lost; another wish's; or somebody else's. */
export async function adoptTwin(deps: WorkDeps, wish: Wish, conflict: unknown): Promise<void> {
  const { fleet } = deps;
  const isTwin = (one: Seen) => matches(one, wish);
  const listing = await deps.listWith(({ ours, others }) => ours.some(isTwin) || others.some(isTwin));
  if (!listing)
    throw new TroubleError('in-doubt', 'a subscription exists that Graph’s list has to name', {
      cause: conflict,
    });
  const twins = listing.ours.filter(isTwin);
  const serving = await deps.servedBy(twins.map(({ id }) => id));
  const twin = twins.find(
    ({ id, elsewhere }) => elsewhere === undefined && (serving.get(id) ?? wish.key) === wish.key,
  );
  const intended = deps.recordOf(wish.key)?.intent?.nonce;
  if (twin && wish.immutableIds && twin.nonce !== intended) return letGo(deps, wish, twin, conflict);
  if (twin) return adopt(deps, wish, twin, twin.nonce === intended);
  // Made by a request of ours, before the address was another.
  const moved = twins.find(({ id, nonce }) => nonce === intended && !serving.has(id));
  if (moved) return letGo(deps, wish, moved, conflict);
  await fleet.intend(wish.key, undefined);
  const taken = twins[0] ?? listing.others.find(isTwin);
  throw new TroubleError(
    'taken',
    `a subscription for ${wish.resource} exists that ${whoseIs(taken, serving)}`,
    { cause: conflict },
  );
}

type Seen = Omit<ListedSubscription, 'nonce' | 'secret'>;

function whoseIs(taken: Seen | undefined, serving: ReadonlyMap<string, string>): string {
  if (!taken) return 'this app may not see: another app, or a quota that Graph answers as a conflict';
  const wish = serving.get(taken.id);
  if (wish !== undefined) return `serves ${wish}: want it once only`;
  if (taken.elsewhere !== undefined)
    return `notifies ${taken.elsewhere} (${taken.id}): delete it, or have its owner do so`;
  return `does not carry our clientState (${taken.id}): delete it, or have its owner do so`;
}

export async function adopt(
  deps: WorkDeps,
  wish: Wish,
  listed: ListedSubscription,
  asIntended: boolean,
): Promise<void> {
  const { subscriptions = [], intent } = deps.recordOf(wish.key) ?? {};
  const grantedAt = asIntended && intent ? intent.settlesAt - SETTLE_MS : undefined;
  // While everything is caught up with, its renewal, which is next, has it read.
  const isKnown = (asIntended && subscriptions.length === 0) || isOfBefore({ grantedAt }, deps.seen);
  const hole = isKnown ? undefined : 'its subscription was lost sight of';
  await keep(deps, wish, listed, {
    ...{ hole, line: 'subscription.adopted' },
    ...(grantedAt !== undefined && { grantedAt }),
  });
}

/** Another one is not made at once: Graph may go on for a while to see what was deleted. */
async function letGo(
  { graph, fleet }: WorkDeps,
  { key, resource }: Wish,
  { id, elsewhere }: ListedSubscription,
  conflict: unknown,
) {
  await graph.delete(id);
  await fleet.intend(key, undefined);
  throw new TroubleError(
    'in-doubt',
    `a subscription for ${resource} existed ${elsewhere ? `that notified ${elsewhere}` : 'whose ids may not be immutable'}: it is deleted, and made anew with the next look`,
    { cause: conflict },
  );
}
