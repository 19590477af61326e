/**
 * Holds everything against what is wanted, and against Graph's lists where there are new ones, and decides when each wish is
 * to be looked at. The work itself is done page by page (`due-pages.ts`), so that a sweep that is cut off has lost nothing.
 */
import { MOST_NEW_CERTIFICATES, MOST_NEW_SECRETS } from './changeover.ts';
import type { WishRecord } from './fleet.ts';
import { indexed } from './graph-list.ts';
import { byEnd, CHANGEOVER_EVERY_MS, type NextLook, servingOf } from './next-look.ts';
import { planRecords } from './plan-records.ts';
import { REMEMBER_MS } from './renewal-time.ts';
import { circumstancesOf, isUndecided, nextOf, type Session, wishOf } from './session.ts';
import { isSettled } from './settled.ts';
import { fingerprintOf } from './wish-fingerprints.ts';

/** `again`: what failed before is tried at once. */
export async function sweep(session: Session, records: readonly WishRecord[], again: boolean): Promise<void> {
  const now = session.deps.now();
  const unsettled = unsettledOf(session, records, now);
  const planned = await planRecords(session, unsettled);
  const atOnce = new Set(planned.map(wishOf));
  // What Graph's list shows of it may not be known any more when it is tried again.
  const adoptable = new Set(planned.filter((action) => action.do === 'adopt').map(wishOf));
  const at = new Map<string, number | undefined>();
  const changeovers: Changeover[] = [];
  for (const record of unsettled) {
    const due = nextOf(session, record, now);
    const isFree =
      again ||
      !record.trouble ||
      record.trouble.until <= now ||
      adoptable.has(record.wish) ||
      isForAnother(session, record);
    if (due.forChangeover) changeovers.push({ record, due });
    else if (atOnce.has(record.wish) && isFree)
      at.set(record.wish, Math.min(byEnd(record, now), due.at ?? now));
    else at.set(record.wish, due.at);
  }
  spread(session, changeovers, atOnce, now, at);
  for (const record of unsettled) await cleanUp(session, record, now);
  for (const { wish, dueAt } of unsettled) if (at.get(wish) === dueAt) at.delete(wish);
  await session.fleet.schedule(at);
}

/** Most are as they should be, and are looked at when they are due, as was noted: these cost nothing more. */
function unsettledOf(session: Session, records: readonly WishRecord[], now: number): WishRecord[] {
  const { wishes, tenants, held, lists } = session;
  const seen = circumstancesOf(session);
  const views = new Map(
    [...tenants.keys()].map((id) => {
      const listing = lists.of(id);
      return [id, { held: held.get(id) ?? {}, listed: listing && indexed(listing).byId, seen }];
    }),
  );
  let wanted = 0;
  const unsettled = records.filter((record) => {
    const wish = wishes.get(record.wish);
    if (!wish) return true;
    wanted++;
    const view = views.get(wish.tenantId);
    return view === undefined || !isSettled(record, wish, now, view);
  });
  if (wanted === wishes.size) return unsettled;
  const known = new Set(records.map(({ wish }) => wish));
  for (const wish of wishes.keys()) if (!known.has(wish)) unsettled.push({ wish, subscriptions: [] });
  return unsettled;
}

/** What is left of wishes that are gone, and of tenants that are served no more. */
async function cleanUp(session: Session, record: WishRecord, now: number): Promise<void> {
  const { fleet, wishes, tenants } = session;
  const { wish, subscriptions, trouble, intent } = record;
  if (wishes.has(wish) || isUndecided(session, wish)) return;
  if (trouble && !servingOf(subscriptions)) await fleet.note(wish, undefined);
  if (intent) await fleet.intend(wish, undefined);
  for (const { id, tenantId, expiresAt } of subscriptions) {
    if (!tenants.has(tenantId) && now - expiresAt > REMEMBER_MS) await fleet.forget(id);
  }
}

type Changeover = { readonly record: WishRecord; readonly due: NextLook };

/** So many a minute as may be changed over in one, what ends next first. */
function spread(
  { wishes }: Session,
  changeovers: readonly Changeover[],
  atOnce: ReadonlySet<string>,
  now: number,
  at: Map<string, number | undefined>,
): void {
  const endOf = ({ record }: Changeover) => servingOf(record.subscriptions)?.expiresAt ?? 0;
  const later = { rich: 0, plain: 0 };
  for (const { record, due } of changeovers.toSorted((a, b) => endOf(a) - endOf(b))) {
    const isRich = wishes.get(record.wish)?.rich === true;
    const most = isRich ? MOST_NEW_CERTIFICATES : MOST_NEW_SECRETS;
    const turn = Math.floor(later[isRich ? 'rich' : 'plain']++ / most);
    const soonest = Math.max(due.at ?? now, now + turn * CHANGEOVER_EVERY_MS);
    at.set(record.wish, atOnce.has(record.wish) ? now : soonest);
  }
}

/** What it is wanted for now is not what failed. */
function isForAnother({ wishes }: Session, { wish: key, trouble }: WishRecord): boolean {
  const wish = wishes.get(key);
  return wish !== undefined && trouble?.of !== undefined && trouble.of !== fingerprintOf(wish);
}

/** What a stop has left is due, but what the list told of it is not kept: not to be called after one. */
export async function noteSwept(session: Session): Promise<void> {
  const { present, listed, lists, heldUp } = session;
  for (const id of listed) {
    const at = lists.of(id)?.at;
    // What is left to a later reconciliation would be made without a look at the list.
    if (at !== undefined && !heldUp.has(id)) await lists.noteCompared(id, at);
  }
  const { wanted, held } = present;
  await session.fleet.setState({ swept: { wanted, held } });
}
