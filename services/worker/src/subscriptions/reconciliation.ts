/**
 * One reconciliation, under its lease: Graph's lists where they are needed, the sweep, then all that is due, page by page,
 * and what is left of ours that nobody wants.
 */
import { noteState } from './catch-up.ts';
import { workAllDue } from './due-pages.ts';
import { LeaseLostError } from './fleet.ts';
import { isUnanswered } from './graph-calls.ts';
import { sweepOrphans } from './orphans.ts';
import type { ReconcileReport } from './reconcile.ts';
import {
  certificatesInUse,
  certificatesOf,
  type SecretsInUse,
  secretsInUseOf,
  wereFreed,
} from './rotations.ts';
import { readAll, type Session } from './session.ts';
import type { KnownSubscription } from './subscription-store.ts';
import { noteSwept, sweep } from './sweep.ts';
import { type Memory, whatIsNeeded } from './sweep-need.ts';

/** What is said by certificate takes a look at everything, and is left out where there was none. */
export type SessionReport = Omit<ReconcileReport, 'certificates'> &
  Partial<Pick<ReconcileReport, 'certificates'>>;

const LIST_WHEN_PRESSED_MS = 900_000;

export async function reconcileOnce(session: Session): Promise<SessionReport> {
  const { deps } = session;
  const before = await secretsInUse(session);
  const need = whatIsNeeded(session.present);
  if (!need.sweep && isTrusted(session)) await workBeforeLists(session);
  for (const tenantId of need.lists) if (!isPressed(session, tenantId)) await list(session, tenantId);
  // Graph's answers tell its time; until then whatever would be noted may be wrong by days.
  if (!(await learnsTime(session))) return report(session, before);
  session.present = { ...session.present, now: deps.now(), clockIsSure: true };
  const isSwept = need.sweep || session.listed.size > 0;
  if (isSwept) await readAll(session);
  await settleState(session);
  if (session.records) await sweep(session, session.records, need.again);
  await workAllDue(session);
  if (isSwept && deps.stopping?.aborted !== true) {
    await sweepOrphans(session);
    await noteSwept(session);
  }
  return report(session, before);
}

/** What is known was seen by this process before, and is marked: the list is no news of the whole. */
function isTrusted(session: Session): boolean {
  const { present } = session;
  return isSure(session) && present.memory !== undefined && present.state.generation !== undefined;
}

function isSure({ deps }: Session): boolean {
  return deps.clockIsSure?.() ?? true;
}

/** Who goes on for one that was killed is given no other list so soon, and may never have heard of Graph. */
async function learnsTime(session: Session): Promise<boolean> {
  for (const graph of session.calls.values()) {
    if (isSure(session)) return true;
    await graph.isAnswering();
  }
  return isSure(session);
}

/** A list of 10,000 takes minutes, and one of 100,000 half an hour: what is due does not wait for it. */
async function workBeforeLists(session: Session): Promise<void> {
  await settleState(session);
  if (session.records) await sweep(session, session.records, false);
  session.present = { ...session.present, state: session.state, memory: memoryOf(session) };
  // What it shows now is not to be taken for what a list shows that is asked for later.
  session.records = undefined;
  session.known = undefined;
  await workAllDue(session);
}

/** Nothing that is due to be caught up with may be overlooked. */
async function settleState(session: Session): Promise<void> {
  if ((await noteState(session, session.records)) && !session.records) await readAll(session);
}

/** While what is due waits for Graph to take more, lists would keep it waiting longer: they are tried now and then only. */
function isPressed({ heldUp, present: { state, now } }: Session, tenantId: string): boolean {
  const triedAt = state.lists?.[tenantId]?.triedAt ?? Number.NaN;
  return heldUp.size > 0 && Math.abs(now - triedAt) < LIST_WHEN_PRESSED_MS;
}

/** What the next one of this process goes by. */
export function memoryOf({ state, silence }: Session): Memory {
  return {
    generation: state.generation,
    aliveAt: state.aliveAt ?? 0,
    unanswered: silence.unanswered,
  };
}

/** Renewals must not wait for a list that Graph does not give; without it the plan goes by what is known. */
async function list({ deps, lists, listed, silence, tally }: Session, tenantId: string): Promise<void> {
  try {
    await lists.ask(tenantId);
    listed.add(tenantId);
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    if (isUnanswered(error)) silence.confirmed.add(tenantId);
    tally.failed.push(`list: ${error instanceof Error ? error.message : 'unknown error'}`);
    deps.log.error({ tenant: tenantId, err: error }, 'subscription.list-failed');
  }
}

async function secretsInUse({ fleet, tenants }: Session): Promise<SecretsInUse> {
  return secretsInUseOf(await fleet.counts(), [...tenants.values()]);
}

async function report(session: Session, before: SecretsInUse): Promise<SessionReport> {
  const { deps, wishes, tenants, listed, tally } = session;
  const bySecret = await secretsInUse(session);
  const { create: created, renew: renewed, adopt: adopted, delete: deleted } = tally.done;
  const known = await knownInTheEnd(session);
  const certificates = known && certificatesOf(deps.encryption.held(), certificatesInUse(known, deps.now()));
  return {
    ...{ wanted: wishes.size, created, renewed, adopted, deleted, swept: tally.swept },
    listed: listed.size === tenants.size,
    failed: tally.failed,
    ...(tally.throttledUntil !== undefined && { throttledUntil: tally.throttledUntil }),
    bySecret,
    oldSecretsFreed: wereFreed(before, bySecret),
    ...(certificates && { certificates }),
  };
}

/** Undefined where nothing can have changed that is said of all. */
async function knownInTheEnd(session: Session): Promise<KnownSubscription[] | undefined> {
  const { deps, tally, worked } = session;
  if (deps.encryption.held().length === 0) return session.records && [];
  if (!session.records && tally.hasChangedCertificates) await readAll(session);
  const before = session.records?.filter(({ wish }) => !worked.has(wish));
  return before && [...before, ...worked.values()].flatMap(({ subscriptions }) => subscriptions);
}
