/** One reconciliation: lists, sweep and all that is due, page by page. As `reconciliation.ts`, `sweep.ts` and `due-pages.ts` have it, without waiting. */
import { MOST_NEW_SECRETS } from '../../../services/worker/src/subscriptions/changeover.ts';
import { CHANGEOVER_EVERY_MS, servingOf } from '../../../services/worker/src/subscriptions/next-look.ts';
import type { Action, ListedSubscription } from '../../../services/worker/src/subscriptions/renewal-plan.ts';
import { isSettled, type View } from '../../../services/worker/src/subscriptions/settled.ts';
import {
  CLOCKS_APART_MS,
  findCatchUp,
  isOutdated,
  whatIsNeeded,
} from '../../../services/worker/src/subscriptions/sweep-need.ts';
import { AT_ONCE } from './calls.ts';
import type { Listing } from './graph-model.ts';
import { deleteAtGraph, isAnswering, isSilent, keyOf, perform, tryList } from './perform.ts';
import {
  byEndOf,
  isCutOff,
  memoryOf,
  nextOf,
  note,
  planOf,
  type Session,
  showing,
  tenantsHeldUp,
  wishAt,
} from './session.ts';

const PAGE = 200;
const SETBACK_MS = 600_000;
const LIST_WHEN_PRESSED_MS = 900_000;

export function reconcileOnce(session: Session): void {
  const { fleet, isSure, listings, tenants, now } = session;
  const need = whatIsNeeded(session.present);
  const isTrusted = isSure() && session.present.memory && fleet.state.generation !== undefined;
  if (!need.sweep && isTrusted) workBeforeLists(session);
  const asked = need.lists.filter((tenantId) => !isPressed(session, tenantId));
  for (const tenantId of asked) tryList(session, tenantId);
  for (const tenantId of tenants) if (!isSure()) isAnswering(session, tenantId);
  if (!isSure()) return;
  session.present = { ...session.present, now: now(), clockIsSure: true };
  const listed = asked.filter((tenantId) => listings.has(tenantId));
  const isSwept = need.sweep || listed.length > 0;
  if (settleState(session, isSwept) || isSwept) sweep(session, need.again);
  workAllDue(session);
  if (!isSwept) return;
  sweepOrphans(session, listed);
  noteSwept(session, listed);
}

function workBeforeLists(session: Session): void {
  if (settleState(session, false)) sweep(session, false);
  session.present = { ...session.present, state: session.fleet.state, memory: memoryOf(session) };
  workAllDue(session);
}

function isPressed({ heldUp, present, fleet }: Session, tenantId: string): boolean {
  const triedAt = fleet.state.lists?.[tenantId]?.triedAt ?? Number.NaN;
  return heldUp.size > 0 && Math.abs(present.now - triedAt) < LIST_WHEN_PRESSED_MS;
}

/** Whether everything is caught up with from now on. */
function settleState(session: Session, isSwept: boolean): boolean {
  const { fleet, listings, tenants, blind, present, now } = session;
  const isUnmarked = fleet.state.generation === undefined;
  if (isUnmarked) for (const id of tenants) if (!listings.has(id)) blind.add(id);
  const why = findCatchUp(present, isSwept && showsOutdated(session));
  fleet.setState({
    aliveAt: now(),
    ...(why && { catchUp: { at: now() - CLOCKS_APART_MS, why } }),
    ...(isUnmarked && blind.size === 0 && isSwept && { generation: 'made' }),
  });
  return why !== undefined;
}

/** Only what differs from what is known can show that. */
function showsOutdated(session: Session): boolean {
  const { fleet, present } = session;
  const odd = listedOfChanged(session).filter(
    ({ id, expiresAt }) => fleet.byId.get(id)?.expiresAt !== expiresAt,
  );
  if (odd.length === 0) return false;
  const places = new Map(odd.map(({ id }) => [id, session.graph.get(id)?.wish ?? -1]));
  const intents = new Set(odd.flatMap(({ id }) => fleet.record(places.get(id) ?? -1).intent?.nonce ?? []));
  return isOutdated(odd, {
    aliveAt: present.state.aliveAt,
    isUnmarked: present.state.generation === undefined,
    known: fleet.byId,
    hasIntent: (nonce) => intents.has(nonce),
    lifeMinutesOf({ id }) {
      const place = places.get(id) ?? -1;
      return fleet.byId.has(id) && fleet.record(place).trouble
        ? undefined
        : wishAt(session, place).lifeMinutes;
    },
  });
}

/** Of all others it is known that they are known as they are listed. */
function listedOfChanged({ changes, listings }: Session): ListedSubscription[] {
  const all = [...listings.values()];
  return changes.all().flatMap((place) => all.flatMap((listing) => listing.ofWish(place)));
}

/** Decides when each wish is to be looked at; most are as they should be. */
function sweep(session: Session, again: boolean): void {
  const { fleet } = session;
  const now = session.now();
  const unsettled = unsettledOf(session, now);
  if (unsettled.length === 0) return;
  const planned = planOf(session, unsettled);
  const atOnce = new Set(planned.map((action) => fleet.placeOf(keyOf(action))));
  const adoptable = new Set(
    planned.flatMap((action) => (action.do === 'adopt' ? fleet.placeOf(action.wish.key) : [])),
  );
  const changeovers: { place: number; at: number | undefined }[] = [];
  for (const place of unsettled) {
    const due = nextOf(session, place, now);
    const { trouble } = fleet.record(place);
    const isFree = again || !trouble || trouble.until <= now || adoptable.has(place);
    if (due.forChangeover) changeovers.push({ place, at: due.at });
    else if (atOnce.has(place) && isFree)
      fleet.schedule(place, Math.min(byEndOf(session, place, now), due.at ?? now));
    else fleet.schedule(place, due.at ?? Number.POSITIVE_INFINITY);
  }
  spread(session, changeovers, atOnce, now);
}

/** What is not due, and has not changed since it was settled, is so still. */
function unsettledOf({ fleet, wishes, changes, listings, held, tenants }: Session, now: number) {
  const { catchUp } = fleet.state;
  const seen = catchUp ? { catchUpAt: catchUp.at } : {};
  changes.judgeBy(`${held.secrets?.join()} ${catchUp?.at}`);
  const views = new Map<string, View>(tenants.map((id) => [id, { held, listed: listings.get(id), seen }]));
  const due = fleet.due.until(now, wishes.length).filter((place) => !changes.has(place));
  const changed = changes.all().filter((place) => {
    const wish = wishAt({ wishes }, place);
    const view = views.get(wish.tenantId);
    if (!view || !isSettled(fleet.record(place), wish, now, view)) return true;
    const listing = listings.get(wish.tenantId);
    // Another one beside it is for the look for orphans.
    if (listing?.ofWish(place).length === 1) changes.foundInOrder(place, listing.shownAt);
    return false;
  });
  return [...due, ...changed];
}

/** So many a minute as may be changed over in one, what ends next first. */
function spread(
  { fleet }: Session,
  changeovers: readonly { readonly place: number; readonly at: number | undefined }[],
  atOnce: ReadonlySet<number>,
  now: number,
): void {
  const endOf = (place: number) => servingOf(fleet.record(place).subscriptions)?.expiresAt ?? 0;
  const inOrder = changeovers.toSorted((a, b) => endOf(a.place) - endOf(b.place));
  for (const [nth, { place, at = now }] of inOrder.entries()) {
    const turn = Math.floor(nth / MOST_NEW_SECRETS) * CHANGEOVER_EVERY_MS;
    fleet.schedule(place, atOnce.has(place) ? now : Math.max(at, now + turn));
  }
}

function workAllDue(session: Session): void {
  const { tenants } = session;
  const seenBefore = new Map<number, number>();
  const skipped = new Set<number>();
  let wasSilent = isSilent(session);
  for (;;) {
    if (tenantsHeldUp(session).size === tenants.length) return;
    const size = isSilent(session) ? AT_ONCE : PAGE;
    const due = session.fleet.due
      .until(session.now(), size + skipped.size)
      .filter((place) => !skipped.has(place))
      .slice(0, size);
    if (due.length === 0) return;
    workPage(session, due, skipped);
    for (const place of due) seenBefore.set(place, (seenBefore.get(place) ?? 0) + 1);
    if (due.every((place) => (seenBefore.get(place) ?? 0) > 3)) return;
    if (wasSilent && !isSilent(session)) sweep(session, true);
    wasSilent = isSilent(session);
  }
}

function workPage(session: Session, places: readonly number[], skipped: Set<number>): void {
  const { fleet } = session;
  const heldTenants = tenantsHeldUp(session);
  const isHeldUp = (place: number) => heldTenants.has(wishAt(session, place).tenantId);
  for (const place of places) if (isHeldUp(place)) skipped.add(place);
  const free = places.filter((place) => !isHeldUp(place));
  listForDoubts(session, free);
  const actions = planOf(session, free).toSorted((a, b) => urgency(a) - urgency(b));
  const isChangeover = (action: Action) => action.do === 'create' && action.changesOver !== undefined;
  workAtOnce(
    session,
    actions.filter((action) => action.do === 'delete'),
  );
  workAtOnce(
    session,
    actions.filter((action) => action.do !== 'delete' && !isChangeover(action)),
  );
  changeOver(session, actions.filter(isChangeover));
  session.step();
  const now = session.now();
  const stillHeld = tenantsHeldUp(session);
  for (const place of places) {
    const { at } = nextOf(session, place, now);
    if (stillHeld.has(wishAt(session, place).tenantId) && at !== undefined && at <= now) skipped.add(place);
    else fleet.schedule(place, at === undefined ? Number.POSITIVE_INFINITY : Math.max(at, now + 1000));
  }
}

/**
 * Some at once. Where the process is cut off, nothing is noted of those that are under way, and each of them may have
 * been done or not, or by half.
 */
function workAtOnce(session: Session, actions: readonly Action[]): void {
  const { calls, world } = session;
  for (let from = 0; from < actions.length; from += AT_ONCE) {
    const some = actions.slice(from, from + AT_ONCE);
    try {
      session.step();
      for (const action of some) perform(session, action);
    } catch (error) {
      if (!isCutOff(error)) throw error;
      const asked = world.chance.between(0, some.length + 1);
      for (const action of some.slice(0, asked)) {
        calls.callsUntilCut = world.chance.isHit(0.5) ? 1 : 2;
        tryPerform(session, action);
      }
      throw error;
    }
  }
}

function tryPerform(session: Session, action: Action): void {
  try {
    perform(session, action);
  } catch (error) {
    if (!isCutOff(error)) throw error;
  }
}

/** But after one that was let go and could not be made anew, no other one is. */
function changeOver(session: Session, actions: readonly Action[]): void {
  for (const action of actions) {
    session.step();
    if (perform(session, action)) continue;
    session.fleet.setState({ setback: { wish: keyOf(action), until: session.now() + SETBACK_MS } });
    return;
  }
}

/** Wishes with an answer that was lost need a list that shows what came of it. */
function listForDoubts(session: Session, places: readonly number[]): void {
  const { fleet } = session;
  const now = session.now();
  for (const tenantId of session.tenants) {
    const settled = places.flatMap((place) => {
      const { subscriptions, intent } = fleet.record(place);
      const isOwn = wishAt(session, place).tenantId === tenantId;
      return isOwn && intent && intent.settlesAt <= now && !servingOf(subscriptions) ? intent.settlesAt : [];
    });
    if (settled.length > 0) showing(session, tenantId, ({ at }) => at >= Math.max(...settled));
  }
}

function urgency(action: Action): number {
  return action.do === 'renew' ? action.subscription.expiresAt : Number.MAX_SAFE_INTEGER;
}

function sweepOrphans(session: Session, listed: readonly string[]): void {
  const { fleet, listings, changes } = session;
  const listedOf = (listing: Listing | undefined) =>
    changes.all().flatMap((place) => (listing?.ofWish(place) ?? []).map((one) => [place, one] as const));
  for (const tenantId of listed) {
    for (const [place, { id }] of listedOf(listings.get(tenantId))) {
      if (fleet.byId.has(id)) continue;
      try {
        deleteAtGraph(session, place, id);
      } catch (error) {
        if (isCutOff(error)) throw error;
      }
    }
  }
}

function noteSwept(session: Session, listed: readonly string[]): void {
  const { fleet, listings, heldUp, present } = session;
  session.step();
  for (const id of listed) {
    const at = listings.get(id)?.at;
    if (at !== undefined && !heldUp.has(id)) note(session, id, { at });
  }
  fleet.setState({ swept: { wanted: present.wanted, held: present.held } });
}
