/** What is known of subscriptions and wishes, one row for each, as `g2k list` and the admin port show them. Pure. */
import type { WishRecord } from '../subscriptions/fleet.ts';
import { isByHand } from '../subscriptions/made-by-hand.ts';
import { servingOf } from '../subscriptions/next-look.ts';
import type { KnownSubscription } from '../subscriptions/subscription-store.ts';
import type { Trouble, TroubleReason } from '../subscriptions/troubles.ts';
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';
import { LISTED_STATES, type ListedState } from './listed-states.ts';
import { iso } from './times.ts';

/** Times are ISO. */
export type FleetRow = {
  readonly state: ListedState;
  /** Absent for one made by hand. */
  readonly wish?: string;
  readonly tenant?: string;
  readonly resource?: string;
  readonly subscription?: string;
  readonly expires?: string;
  /** Why it is not as it should be, and when that is tried again. */
  readonly reason?: TroubleReason | 'expired';
  readonly detail?: string;
  readonly nextTry?: string;
};

/** Nobody can do anything here: it is looked at again once a day. */
const SKIPPED: ReadonlySet<TroubleReason> = new Set(['no-mailbox', 'not-found', 'access-policy']);

/** In the order of the wishes; `wishes` undefined: what is wanted is not known here. */
export function fleetRows(
  records: readonly WishRecord[],
  wishes: ReadonlyMap<string, Wish> | undefined,
  now: number,
): FleetRow[] {
  const byWish = new Map(records.map((record) => [record.wish, record]));
  for (const key of wishes?.keys() ?? [])
    if (!byWish.has(key)) byWish.set(key, { wish: key, subscriptions: [] });
  return [...byWish.values()]
    .toSorted((a, b) => (a.wish < b.wish ? -1 : 1))
    .flatMap((record) => rowsOf(record, wishes?.get(record.wish), now));
}

export function rowsOf(record: WishRecord, wish: Wish | undefined, now: number): FleetRow[] {
  const serving = servingOf(record.subscriptions);
  const others = record.subscriptions
    .filter((one) => one !== serving)
    .toSorted((a, b) => (a.replacedAt ?? 0) - (b.replacedAt ?? 0));
  const first = rowOfWish(record, serving, wish, now);
  return [...(first ? [first] : []), ...others.flatMap((one) => rowOfOther(one, now))];
}

function rowOfWish(
  { wish: key, trouble, intent, subscriptions }: WishRecord,
  serving: KnownSubscription | undefined,
  wish: Wish | undefined,
  now: number,
): FleetRow | undefined {
  const { tenantId: tenant, resource } = wish ?? subscriptions[0] ?? {};
  const about = { wish: key, ...(tenant && { tenant }), ...(resource && { resource }) };
  if (serving) {
    const isOver = serving.expiresAt <= now;
    const state = stateOf(trouble) ?? (isOver ? 'failing' : 'serving');
    const reason = trouble || !isOver ? troubleOf(trouble) : { reason: 'expired' as const };
    return { state, ...about, ...shownOf(serving), ...reason };
  }
  const state = stateOf(trouble) ?? (wish || intent ? 'waiting' : undefined);
  return state && { state, ...about, ...troubleOf(trouble) };
}

function rowOfOther(one: KnownSubscription, now: number): FleetRow[] {
  const shown = { tenant: one.tenantId, resource: one.resource, ...shownOf(one) };
  if (!isByHand(one)) return [{ state: 'replaced', wish: one.wish, ...shown }];
  return one.expiresAt > now ? [{ state: 'by-hand', ...shown }] : [];
}

function shownOf({ id, expiresAt }: KnownSubscription) {
  return { subscription: id, expires: iso(expiresAt) };
}

function stateOf(trouble: Trouble | undefined): 'failing' | 'skipped' | undefined {
  return trouble && (SKIPPED.has(trouble.reason) ? 'skipped' : 'failing');
}

function troubleOf(trouble: Trouble | undefined) {
  return trouble && { reason: trouble.reason, detail: trouble.detail, nextTry: iso(trouble.until) };
}

export type RowTest = {
  /** Object id in lower case. */
  readonly user?: string;
  readonly state?: ListedState;
  /** Id. */
  readonly tenant?: string;
  readonly expiresWithinMs?: number;
};

/** `expiresWithinMs` keeps what lives; with `replaced` what is wanted no more is asked for by its state alone. */
export function matchesRow(
  { state, resource = '', wish = '', tenant, expires }: FleetRow,
  test: RowTest,
  now: number,
): boolean {
  if (test.state !== undefined && state !== test.state) return false;
  if (test.tenant !== undefined && tenant !== test.tenant) return false;
  if (test.user !== undefined && !namesUser(resource, wish, test.user)) return false;
  if (test.expiresWithinMs === undefined) return true;
  if (expires === undefined || (state === 'replaced' && test.state === undefined)) return false;
  return Date.parse(expires) - now <= test.expiresWithinMs;
}

function namesUser(resource: string, wish: string, user: string): boolean {
  return `/${resource.toLowerCase()}/`.includes(`/${user}/`) || wish.toLowerCase().endsWith(`/${user}`);
}

/** `12 serving, 1 failing` */
export function countsOfRows(rows: readonly FleetRow[]): string {
  const counts = LISTED_STATES.map(
    (state) => [state, rows.filter((row) => row.state === state).length] as const,
  );
  return counts
    .filter(([, count]) => count > 0)
    .map(([state, count]) => `${count} ${state}`)
    .join(', ');
}
