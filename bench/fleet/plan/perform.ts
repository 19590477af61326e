/** Carries out one action of the plan at the modelled Graph and notes it: as `carry-out.ts` and `perform.ts` have it, without waiting. */
import { GraphError } from '../../../services/worker/src/graph/graph-error.ts';
import { servingOf } from '../../../services/worker/src/subscriptions/next-look.ts';
import type { Action, ListedSubscription } from '../../../services/worker/src/subscriptions/renewal-plan.ts';
import { retryAt } from '../../../services/worker/src/subscriptions/renewal-time.ts';
import type { KnownSubscription } from '../../../services/worker/src/subscriptions/subscription-store.ts';
import {
  explainTrouble,
  isConflict,
  TROUBLES,
  type TroubleReason,
} from '../../../services/worker/src/subscriptions/troubles.ts';
import { CONFLICT, HeldUpError, NOT_FOUND } from './calls.ts';
import type { Made } from './graph-model.ts';
import { isCutOff, list, type Session, showing, tenantsHeldUp, wishAt } from './session.ts';

const MINUTE_MS = 60_000;
const SETTLE_MS = 60_000;
const MOST_UNANSWERED = 10;
const AWAY_MS = 60_000;

export function keyOf(action: Action): string {
  return 'wish' in action ? action.wish.key : action.subscription.wish;
}

/** Whether it was done. Throws a `CutOffError`. */
export function perform(session: Session, action: Action): boolean {
  const { fleet, unanswered } = session;
  const place = fleet.placeOf(keyOf(action));
  const { tenantId } = wishAt(session, place);
  if (tenantsHeldUp(session).has(tenantId)) return false;
  try {
    const isTold = carryOut(session, place, action);
    if (isTold !== undefined) return noteTrouble(session, place, isTold);
    unanswered.delete(tenantId);
    if (fleet.record(place).trouble) fleet.note(place, undefined);
    fleet.endSetback(keyOf(action));
    return true;
  } catch (error) {
    if (isCutOff(error)) throw error;
    if (error instanceof HeldUpError) session.heldUp.set(tenantId, session.now() + error.ms);
    else {
      noteError(session, place, action, error);
      countUnanswered(session, tenantId, error);
    }
    return false;
  }
}

/** What is in the way beside an error of Graph. */
function carryOut(session: Session, place: number, action: Action): TroubleReason | undefined {
  switch (action.do) {
    case 'create':
      return create(session, place, action.replaces);
    case 'renew':
      return renew(session, place, action.subscription);
    case 'adopt':
      return adopt(session, place, action.listed, action.asIntended === true);
    case 'delete':
      letGo(session, place, action.subscription);
      return undefined;
    case 'forget':
      session.fleet.forget(place, action.subscription.id);
      return undefined;
    default:
      session.fleet.save(place, action.subscription);
      return undefined;
  }
}

const markCutOff = (made: Made): void => {
  made.isCutOff = true;
};

function letGo(session: Session, place: number, subscription: KnownSubscription): void {
  deleteAtGraph(session, place, subscription.id);
  const { demand: _met, ...rest } = subscription;
  session.fleet.save(place, { ...rest, replacedAt: session.now() });
}

export function deleteAtGraph({ calls, graph, wishes }: Session, place: number, id: string): void {
  const { tenantId } = wishAt({ wishes }, place);
  const work = () => {
    graph.remove(id);
    return true;
  };
  calls.write('delete', tenantId, work, NOT_FOUND, () => undefined);
}

function create(
  session: Session,
  place: number,
  replaces: KnownSubscription | undefined,
): TroubleReason | undefined {
  const { calls, graph, fleet, now, held, world } = session;
  const { tenantId, lifeMinutes } = wishAt(session, place);
  if (replaces) letGo(session, place, replaces);
  const nonce = `${place}-${world.now}`;
  const secret = held.secrets?.[0] ?? '';
  const draft = { nonce, secret, expiresAt: now() + lifeMinutes * MINUTE_MS };
  const intend = () => fleet.intend(place, { nonce, settlesAt: now() + SETTLE_MS });
  try {
    const work = () => graph.create(place, draft);
    const { shown } = calls.write('create', tenantId, work, CONFLICT, markCutOff, intend);
    keep(session, place, shown, now());
    return undefined;
  } catch (error) {
    if (isConflict(error)) return adoptTwin(session, place);
    if (error instanceof GraphError && explainTrouble(error).maybeDone !== true)
      fleet.intend(place, undefined);
    throw error;
  }
}

function adoptTwin(session: Session, place: number): TroubleReason | undefined {
  const { fleet } = session;
  const { key, tenantId } = wishAt(session, place);
  const listing = showing(session, tenantId, (one) => one.ofWish(place).length > 0);
  if (!listing) return 'in-doubt';
  const twin = listing.ofWish(place).find(({ id }) => {
    const known = fleet.byId.get(id);
    return (known?.replacedAt === undefined ? (known?.wish ?? key) : key) === key;
  });
  if (twin) return adopt(session, place, twin, twin.nonce === fleet.record(place).intent?.nonce);
  fleet.intend(place, undefined);
  return 'taken';
}

function adopt(session: Session, place: number, listed: ListedSubscription, asIntended: boolean): undefined {
  const { intent } = session.fleet.record(place);
  keep(session, place, listed, asIntended && intent ? intent.settlesAt - SETTLE_MS : undefined);
}

function keep(
  { fleet, now, wishes }: Session,
  place: number,
  { id, nonce, secret = '', expiresAt }: ListedSubscription,
  grantedAt: number | undefined,
): void {
  const { key: wish, tenantId, resource, changeType, topic, whole } = wishAt({ wishes }, place);
  fleet.save(place, {
    ...{ id, wish, tenantId, resource, changeType, topic, whole, nonce, secret, expiresAt },
    servingSince: now(),
    ...(grantedAt !== undefined && { grantedAt }),
  });
}

function renew(session: Session, place: number, subscription: KnownSubscription): TroubleReason | undefined {
  const { calls, graph, fleet, now } = session;
  const { tenantId, lifeMinutes } = wishAt(session, place);
  const { demand: _met, ...rest } = subscription;
  try {
    const expiresAt = now() + lifeMinutes * MINUTE_MS;
    const work = () => graph.renew(subscription.id, expiresAt);
    const { shown } = calls.write('renew', tenantId, work, NOT_FOUND, markCutOff);
    fleet.save(place, { ...rest, expiresAt: shown.expiresAt, grantedAt: now() });
    return undefined;
  } catch (error) {
    if (error !== NOT_FOUND) throw error;
    return create(session, place, subscription);
  }
}

function noteError(session: Session, place: number, action: Action, error: unknown): void {
  const { reason, maybeDone } = explainTrouble(error);
  noteTrouble(session, place, action.do === 'create' && maybeDone === true ? 'in-doubt' : reason);
}

function noteTrouble({ fleet, now }: Session, place: number, reason: TroubleReason): false {
  const { trouble: before, subscriptions, wish } = fleet.record(place);
  const tries = before?.reason === reason ? before.tries + 1 : 1;
  const until = retryAt(now(), tries, TROUBLES[reason], wish, servingOf(subscriptions)?.expiresAt);
  fleet.note(place, { reason, detail: '', since: before?.since ?? now(), tries, until });
  return false;
}

/** That Graph gives no list either says that it is away. */
function countUnanswered(session: Session, tenantId: string, error: unknown): void {
  const { unanswered, confirmed, refuted, heldUp, now } = session;
  if (!isUnanswered(error)) {
    unanswered.delete(tenantId);
    return;
  }
  const count = (unanswered.get(tenantId) ?? 0) + 1;
  unanswered.set(tenantId, count);
  if (count < MOST_UNANSWERED || refuted.has(tenantId) || heldUp.has(tenantId)) return;
  if (!confirmed.has(tenantId)) {
    if (isAnswering(session, tenantId)) {
      refuted.add(tenantId);
      return;
    }
    confirmed.add(tenantId);
  }
  heldUp.set(tenantId, now() + AWAY_MS);
}

export function isUnanswered(error: unknown): boolean {
  return error instanceof GraphError && explainTrouble(error).reason === 'graph-away';
}

export function isAnswering({ calls }: Session, tenantId: string): boolean {
  try {
    calls.list(tenantId, 0);
    return true;
  } catch (error) {
    if (isCutOff(error)) throw error;
    return !isUnanswered(error);
  }
}

export function isSilent({ unanswered }: Session): boolean {
  for (const count of unanswered.values()) if (count >= MOST_UNANSWERED) return true;
  return false;
}

/** Renewals must not wait for a list that Graph does not give. */
export function tryList(session: Session, tenantId: string): void {
  try {
    list(session, tenantId);
  } catch (error) {
    if (isCutOff(error)) throw error;
    if (isUnanswered(error)) session.confirmed.add(tenantId);
  }
}
