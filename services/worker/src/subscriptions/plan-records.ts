/** The plan for some of the wishes, from what is known of them and what Graph's lists show of them. */
import { tellsElsewhere } from './changeover.ts';
import type { WishRecord } from './fleet.ts';
import { indexed, type Listing } from './graph-list.ts';
import { doAnswer } from './own-addresses.ts';
import { type Action, type ListedSubscription, planRenewal, watchKey } from './renewal-plan.ts';
import { circumstancesOf, isUndecided, type Session } from './session.ts';
import type { KnownSubscription } from './subscription-store.ts';
import type { Wish } from './wanted-subscriptions.ts';

export async function planRecords(session: Session, records: readonly WishRecord[]): Promise<Action[]> {
  const now = session.deps.now();
  const circumstances = circumstancesOf(session);
  const intents = new Map(records.flatMap(({ wish, intent }) => (intent ? [[wish, intent]] : [])));
  const actions: Action[] = [];
  for (const [tenantId, tenant] of session.tenants) {
    const held = session.held.get(tenantId) ?? {};
    const known = records.flatMap(({ subscriptions, wish }) =>
      subscriptions.filter((one) => one.tenantId === tenantId && !isUndecided(session, wish)),
    );
    const wishes = records.flatMap(({ wish: key }) => {
      const wish = session.wishes.get(key);
      return wish?.tenantId === tenantId ? [wish] : [];
    });
    const ids = new Set(known.map(({ id }) => id));
    const listing = session.lists.of(tenantId);
    const listed = listing && (await listedFor(session, listing, known, wishes));
    const isMoving =
      known.some((one) => tellsElsewhere(one, held)) ||
      listed?.some(({ id, elsewhere }) => elsewhere !== undefined && ids.has(id)) === true;
    const isUnanswered =
      session.refused.has(tenant.notificationUrl) || (isMoving && !(await doAnswer(session, tenant)));
    const seen = { ...circumstances, intents, isUnanswered, ...(listing && { listedAt: listing.at }) };
    const planned = planRenewal(wishes, known, listed, now, held, seen);
    const isBlind = session.blind.has(tenantId);
    actions.push(...planned.filter((action) => !isBlind || action.do !== 'create'));
  }
  return actions;
}

/** Of the list what concerns these; what others are served by would look like nobody's. */
async function listedFor(
  { fleet }: Session,
  listing: Listing,
  known: readonly KnownSubscription[],
  wishes: readonly Wish[],
): Promise<ListedSubscription[]> {
  const { byId, likeWatch } = indexed(listing);
  const own = new Map(known.flatMap(({ id }) => (byId.has(id) ? [[id, byId.get(id)]] : [])));
  const served = new Set(known.filter(({ replacedAt }) => replacedAt === undefined).map(({ wish }) => wish));
  const unserved = wishes.filter(({ key }) => !served.has(key));
  const alike = unserved.flatMap((wish) => likeWatch(watchKey(wish))).filter(({ id }) => !own.has(id));
  const claimed = new Set((await fleet.find(alike.map(({ id }) => id))).map(({ id }) => id));
  const others = new Map(alike.map((one) => [one.id, one]));
  return [...own.values(), ...others.values()].flatMap((one) => (one && !claimed.has(one.id) ? [one] : []));
}
