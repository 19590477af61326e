/** One action of the plan: carried out where its tenant takes calls, and what came of it noted. */

import { AddressError, carryOut } from './carry-out.ts';
import { lostLately } from './catch-up.ts';
import { LeaseLostError, type WishRecord } from './fleet.ts';
import { HeldUpError, isUnanswered } from './graph-calls.ts';
import { servingOf } from './next-look.ts';
import type { Action } from './renewal-plan.ts';
import { retryAt } from './renewal-time.ts';
import { CATCH_UP, changeState, circumstancesOf, type Session, tenantsHeldUp, wishOf } from './session.ts';
import { explainTrouble, TROUBLES, type Trouble } from './troubles.ts';
import { fingerprintOf } from './wish-fingerprints.ts';
import type { WorkDeps } from './work-deps.ts';

/** Calls under way at once; the pace is kept beside. */
export const AT_ONCE = 10;
/** Calls in a row without an answer after which it is asked whether Graph answers at all. */
const MOST_UNANSWERED = 10;
/** Then so long nothing is tried: the others would wait for their time-outs, and for their next try, in vain. */
const AWAY_MS = 60_000;

/** Resolves to whether it was done. `byWish`: what was known before. */
export async function perform(
  session: Session,
  action: Action,
  byWish: ReadonlyMap<string, WishRecord>,
): Promise<boolean> {
  const { fleet, tally, state } = session;
  const key = wishOf(action);
  const record = byWish.get(key);
  const tenantId = 'wish' in action ? action.wish.tenantId : action.subscription.tenantId;
  if (tenantsHeldUp(session).has(tenantId)) return false;
  try {
    await carryOut(workDeps(session, tenantId, byWish), action);
    tally.done[action.do]++;
    if (isAtGraph(action)) session.silence.unanswered.delete(tenantId);
    if (action.do === 'renew' && action.certificate) tally.hasChangedCertificates = true;
    if (record?.trouble) await fleet.note(key, undefined);
    if (state.setback?.wish === key) await changeState(session, { setback: undefined });
    return true;
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    if (error instanceof HeldUpError) holdUp(session, tenantId, error.ms);
    else if (error instanceof AddressError) refuseAddress(session, tenantId, error);
    else {
      await noteTrouble(session, action, record, error);
      await countUnanswered(session, tenantId, error);
    }
    return false;
  }
}

function isAtGraph({ do: what }: Action): boolean {
  return what === 'create' || what === 'renew' || what === 'delete';
}

function holdUp({ heldUp, tally, deps }: Session, tenantId: string, ms: number): void {
  const until = deps.now() + ms;
  heldUp.set(tenantId, until);
  tally.throttledUntil = Math.min(tally.throttledUntil ?? until, until);
}

/** The others would be refused as well; they are tried again with the next list. */
function refuseAddress({ deps, tenants, refused, tally }: Session, tenantId: string, error: AddressError) {
  const url = tenants.get(tenantId)?.notificationUrl ?? '';
  if (refused.has(url)) return;
  refused.add(url);
  tally.failed.push(error.message);
  deps.log.error({ tenant: tenantId, err: error }, 'subscription.address-not-taken');
}

/** That some are refused says nothing of the others; that Graph gives no list either says that it is away. */
async function countUnanswered(session: Session, tenantId: string, error: unknown): Promise<void> {
  const { silence, calls, heldUp, deps } = session;
  const { unanswered, confirmed, refuted } = silence;
  if (!isUnanswered(error)) {
    unanswered.delete(tenantId);
    return;
  }
  const count = (unanswered.get(tenantId) ?? 0) + 1;
  unanswered.set(tenantId, count);
  if (count < MOST_UNANSWERED || refuted.has(tenantId) || heldUp.has(tenantId)) return;
  if (!confirmed.has(tenantId)) {
    // Those under way, which may find the same, do not ask as well.
    refuted.add(tenantId);
    if (await calls.get(tenantId)?.isAnswering()) return;
    refuted.delete(tenantId);
    confirmed.add(tenantId);
  }
  heldUp.set(tenantId, deps.now() + AWAY_MS);
}

/** Whether the next call is to find out if Graph answers by now. */
export function isSilent({ silence }: Session): boolean {
  return [...silence.unanswered.values()].some((count) => count >= MOST_UNANSWERED);
}

async function noteTrouble(
  session: Session,
  action: Action,
  record: WishRecord | undefined,
  error: unknown,
): Promise<void> {
  const { now, log } = session.deps;
  const key = wishOf(action);
  const explained = explainTrouble(error);
  const isInDoubt = action.do === 'create' && explained.maybeDone === true;
  const reason = isInDoubt ? 'in-doubt' : explained.reason;
  const before = record?.trouble;
  const tries = before?.reason === reason ? before.tries + 1 : 1;
  const serving = servingOf(record?.subscriptions ?? []);
  const trouble: Trouble = {
    reason,
    detail: explained.detail,
    since: before?.since ?? now(),
    tries,
    until: retryAt(now(), tries, TROUBLES[reason], key, serving?.expiresAt),
    ...('wish' in action && { of: fingerprintOf(action.wish) }),
  };
  await session.fleet.note(key, trouble);
  const said = { wish: key, action: action.do, reason };
  session.tally.failed.push(
    `${action.do} ${key}: ${error instanceof Error ? error.message : 'unknown error'}`,
  );
  if (isForPeople(reason)) log.warn({ ...said, detail: trouble.detail }, 'subscription.skipped');
  else log.error({ ...said, err: error }, 'subscription.action-failed');
}

/** A mailbox that is not there is no fault of the service, and not one that it can mend. */
function isForPeople(reason: Trouble['reason']): boolean {
  return reason === 'no-mailbox' || reason === 'not-found' || reason === 'access-policy';
}

function workDeps(session: Session, tenantId: string, byWish: ReadonlyMap<string, WishRecord>): WorkDeps {
  const { deps, fleet, lives, tenants, calls, lists, state } = session;
  const [tenant, graph] = [tenants.get(tenantId), calls.get(tenantId)];
  if (!tenant || !graph) throw new Error(`tenant ${tenantId} is not served`);
  const { secrets, notificationUrl, lifecycleNotificationUrl } = tenant;
  const { encryption, noteHole, closeHole, log, now } = deps;
  return {
    ...{ tenantId, secrets, notificationUrl, lifecycleNotificationUrl },
    ...{ encryption, noteHole, closeHole, graph, fleet, lives, log, now },
    recordOf: (wish) => byWish.get(wish),
    servedBy: (ids) => servedBy(session, ids),
    listWith: (shows) => lists.showing(tenantId, shows),
    seen: circumstancesOf(session),
    catchingUp: state.catchUp && CATCH_UP[state.catchUp.why],
    lostLately: lostLately(session),
  };
}

async function servedBy({ fleet }: Session, ids: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const known = await fleet.find(ids);
  return new Map(known.flatMap((one) => (one.replacedAt === undefined ? [[one.id, one.wish]] : [])));
}
