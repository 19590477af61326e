/** The work that is due, page by page: read, planned, carried out, and noted when to look again. */
import { eachOf } from './each-of.ts';
import type { WishRecord } from './fleet.ts';
import { servingOf } from './next-look.ts';
import { AT_ONCE, isSilent, perform } from './perform.ts';
import { planRecords } from './plan-records.ts';
import { createProgressNotes, type ProgressNotes } from './progress-notes.ts';
import type { Action } from './renewal-plan.ts';
import { changeState, nextOf, readAll, type Session, tenantOf, tenantsHeldUp, wishOf } from './session.ts';
import { sweep } from './sweep.ts';

/** A subscription that was let go for its secret and could not be made anew stops the others for so long. */
const SETBACK_MS = 600_000;
/** Wishes that are read, planned and noted together. */
const PAGE = 200;

export async function workAllDue(session: Session): Promise<void> {
  const { deps, tenants } = session;
  const seenBefore = new Map<string, number>();
  const progress = createProgressNotes(session);
  const skipped = new Set<string>();
  let wasSilent = isSilent(session);
  for (;;) {
    if (tenants.size > 0 && tenantsHeldUp(session).size === tenants.size) break;
    const due = await nextPage(session, skipped);
    if (due.length === 0 || deps.stopping?.aborted) break;
    await workPage(session, due, { progress, skipped });
    // A wish that is due again and again is for the next reconciliation: others may have to wait for this one's end.
    for (const key of due) seenBefore.set(key, (seenBefore.get(key) ?? 0) + 1);
    if (due.every((key) => (seenBefore.get(key) ?? 0) > 3)) break;
    if (wasSilent && !isSilent(session)) await orderByEnd(session);
    wasSilent = isSilent(session);
  }
  await progress.end();
}

/** Where Graph did not answer last time, a few find out whether it does by now. */
async function nextPage(session: Session, skipped: ReadonlySet<string>): Promise<string[]> {
  const size = isSilent(session) ? AT_ONCE : PAGE;
  const { due } = await session.fleet.look(session.deps.now(), size + skipped.size);
  return due.filter((key) => !skipped.has(key)).slice(0, size);
}

/** After an outage much is overdue, in the order in which it became due: now what ends next comes first, without a wait. */
async function orderByEnd(session: Session): Promise<void> {
  await readAll(session);
  await sweep(session, session.records ?? [], true);
}

type PageDeps = {
  readonly progress: ProgressNotes;
  /** What is due and held up: it stays in its place, and others come to their turn. */
  readonly skipped: Set<string>;
};

async function workPage(
  session: Session,
  keys: readonly string[],
  { progress, skipped }: PageDeps,
): Promise<void> {
  const records = await session.fleet.read(keys);
  const heldTenants = tenantsHeldUp(session);
  const free = records.filter((record) => !heldTenants.has(tenantOf(session, record)));
  await listForDoubts(session, free);
  const actions = (await planRecords(session, free)).toSorted((a, b) => urgency(a) - urgency(b));
  const byWish = new Map(records.map((record) => [record.wish, record]));
  const deletions = actions.filter((action) => action.do === 'delete');
  const changeovers = actions.filter((action) => action.do === 'create' && action.changesOver !== undefined);
  const apart = new Set<Action>([...deletions, ...changeovers]);
  const others = actions.filter((action) => !apart.has(action));
  const performOne = async (action: Action) => {
    const isDone = await perform(session, action, byWish);
    await progress.worked(wishOf(action));
    return isDone;
  };
  await eachOf(deletions, AT_ONCE, performOne);
  await eachOf(others, AT_ONCE, performOne);
  await changeOver(session, changeovers, performOne);
  await reschedule(session, keys, skipped);
  await progress.pageDone(keys);
}

/** But after one that was let go and could not be made anew, no other one is: it serves as it is. */
async function changeOver(
  session: Session,
  actions: readonly Action[],
  performOne: (action: Action) => Promise<boolean>,
): Promise<void> {
  for (const action of actions) {
    if (await performOne(action)) continue;
    return changeState(session, {
      setback: { wish: wishOf(action), until: session.deps.now() + SETBACK_MS },
    });
  }
}

async function reschedule(session: Session, keys: readonly string[], skipped: Set<string>): Promise<void> {
  const now = session.deps.now();
  const soonest = now + 1000;
  const heldTenants = tenantsHeldUp(session);
  const at = new Map<string, number | undefined>();
  for (const record of await session.fleet.read(keys)) {
    session.worked.set(record.wish, record);
    const next = nextOf(session, record, now).at;
    const isHeldUp = heldTenants.has(tenantOf(session, record));
    if (isHeldUp && next !== undefined && next <= now) skipped.add(record.wish);
    else at.set(record.wish, next === undefined ? undefined : Math.max(next, soonest));
  }
  await session.fleet.schedule(at);
}

/** Wishes with an answer that was lost, and those that were expected in an older list, need one that shows them. */
async function listForDoubts(session: Session, records: readonly WishRecord[]): Promise<void> {
  const now = session.deps.now();
  const doubted = records.filter(
    ({ wish, subscriptions, intent }) =>
      intent && session.wishes.has(wish) && !servingOf(subscriptions) && intent.settlesAt <= now,
  );
  for (const [tenantId, all] of Map.groupBy(doubted, (record) => tenantOf(session, record))) {
    const settled = Math.max(...all.map(({ intent }) => intent?.settlesAt ?? 0));
    await session.lists.showing(tenantId, ({ at }) => at >= settled);
  }
}

/** What ends next comes first; what is not there at all comes after what still can be kept. */
function urgency(action: Action): number {
  return action.do === 'renew' ? action.subscription.expiresAt : Number.MAX_SAFE_INTEGER;
}
