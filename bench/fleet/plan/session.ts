/** What one reconciliation of a process works with, and what it looks at beside what is due: as `reconciliation.ts` has it, without waiting. */
import type { Held } from '../../../services/worker/src/subscriptions/changeover.ts';
import { byEnd, nextLook } from '../../../services/worker/src/subscriptions/next-look.ts';
import type {
  Action,
  Circumstances,
  ListedSubscription,
} from '../../../services/worker/src/subscriptions/renewal-plan.ts';
import { planRenewal } from '../../../services/worker/src/subscriptions/renewal-plan.ts';
import type { Memory, Present } from '../../../services/worker/src/subscriptions/sweep-need.ts';
import type { Wish } from '../../../services/worker/src/subscriptions/wanted-subscriptions.ts';
import type { Calls } from './calls.ts';
import type { Changes } from './changes.ts';
import { type GraphModel, Listing } from './graph-model.ts';
import type { KnownFleet } from './known-fleet.ts';
import type { World } from './world.ts';

/** What all processes of a month share. */
export type Shared = {
  readonly world: World;
  readonly fleet: KnownFleet;
  readonly graph: GraphModel;
  readonly changes: Changes;
  readonly wishes: readonly Wish[];
  readonly tenants: readonly string[];
  /** How many wishes each tenant has. */
  readonly sizes: ReadonlyMap<string, number>;
  /** The plan is asked as it is; a test may have it forget what is intended. */
  readonly forgetsIntents: boolean;
};

export type Session = Shared & {
  readonly calls: Calls;
  readonly held: Held;
  /** Epoch milliseconds as the process takes it, and whether Graph has told. */
  readonly now: () => number;
  readonly isSure: () => boolean;
  present: Present;
  readonly listings: Map<string, Listing>;
  readonly blind: Set<string>;
  readonly heldUp: Map<string, number>;
  /** By tenant, calls in a row without an answer. */
  readonly unanswered: Map<string, number>;
  readonly confirmed: Set<string>;
  readonly refuted: Set<string>;
  /** Draws whether something happens to the process here; throws a `CutOffError`. */
  readonly step: () => void;
};

export function wishAt({ wishes }: Pick<Shared, 'wishes'>, place: number): Wish {
  const wish = wishes[place];
  if (!wish) throw new Error(`there is no wish ${place}`);
  return wish;
}

export function circumstancesOf({ fleet: { state } }: Shared): Circumstances {
  const { catchUp, setback } = state;
  return { ...(catchUp && { catchUpAt: catchUp.at }), ...(setback && { setbackUntil: setback.until }) };
}

/** By tenant, until when; a wait that is over is none. */
export function tenantsHeldUp({ heldUp, now }: Session): ReadonlyMap<string, number> {
  for (const [tenantId, until] of heldUp) if (until <= now()) heldUp.delete(tenantId);
  return heldUp;
}

export function planOf(session: Session, places: readonly number[]): Action[] {
  const { tenants, listings, fleet, held, blind, forgetsIntents } = session;
  const now = session.now();
  const circumstances = circumstancesOf(session);
  return tenants.flatMap((tenantId) => {
    const own = places.filter((place) => wishAt(session, place).tenantId === tenantId);
    if (own.length === 0) return [];
    const records = own.map((place) => fleet.record(place));
    const listing = listings.get(tenantId);
    const intents = new Map(
      forgetsIntents ? [] : records.flatMap(({ wish, intent }) => (intent ? [[wish, intent]] : [])),
    );
    const planned = planRenewal(
      own.map((place) => wishAt(session, place)),
      records.flatMap(({ subscriptions }) => subscriptions),
      listing && listedFor(session, listing, own),
      now,
      held,
      { ...circumstances, intents, ...(listing && { listedAt: listing.at }) },
    );
    return planned.filter((action) => !blind.has(tenantId) || action.do !== 'create');
  });
}

/** Of the list what concerns these. */
function listedFor({ fleet }: Session, listing: Listing, places: readonly number[]): ListedSubscription[] {
  return places.flatMap((place) => {
    const { subscriptions } = fleet.record(place);
    const isServed = subscriptions.some(({ replacedAt }) => replacedAt === undefined);
    if (!isServed) return listing.ofWish(place);
    return subscriptions.flatMap(({ id }) => listing.get(id) ?? []);
  });
}

export function nextOf(session: Session, place: number, now: number) {
  const { fleet, held } = session;
  return nextLook(fleet.record(place), wishAt(session, place), now, held, circumstancesOf(session));
}

export function byEndOf({ fleet }: Session, place: number, now: number): number {
  return byEnd(fleet.record(place), now);
}

/** Throws what the call throws. */
export function list(session: Session, tenantId: string): Listing {
  const { calls, graph, wishes, sizes, now, isSure, world, step } = session;
  const [begunAt, wasSure] = [now(), isSure()];
  note(session, tenantId, { triedAt: begunAt });
  const from = world.now;
  calls.list(tenantId, sizes.get(tenantId) ?? 0);
  step();
  // A list shows each page as it was when that was asked for: one time within its own stands for all.
  const shownAt = world.chance.between(from, world.now);
  const at = wasSure ? begunAt : now() - Math.max(60_000, world.now - from);
  const listing = new Listing({ graph, wishes, tenantId, at, shownAt });
  session.listings.set(tenantId, listing);
  session.blind.delete(tenantId);
  return listing;
}

export function note(
  { fleet, now }: Session,
  tenantId: string,
  noted: { readonly at?: number; readonly triedAt?: number },
): void {
  const { lists = {} } = fleet.state;
  fleet.setState({ lists: { ...lists, [tenantId]: { triedAt: now(), ...lists[tenantId], ...noted } } });
}

/** A list that is good enough, or a new one where it may be asked for; undefined where there is none. */
export function showing(
  session: Session,
  tenantId: string,
  isGoodEnough: (listing: Listing) => boolean,
): Listing | undefined {
  const known = session.listings.get(tenantId);
  if (known && isGoodEnough(known)) return known;
  const triedAt = session.fleet.state.lists?.[tenantId]?.triedAt ?? Number.NaN;
  if (known && Math.abs(session.now() - triedAt) < 60_000) return undefined;
  try {
    return list(session, tenantId);
  } catch (error) {
    if (isCutOff(error)) throw error;
    return undefined;
  }
}

export function isCutOff(error: unknown): boolean {
  return error instanceof Error && error.name === 'CutOffError';
}

/** What the next reconciliation of the process goes by. */
export function memoryOf({ fleet: { state }, unanswered }: Session): Memory {
  return { generation: state.generation, aliveAt: state.aliveAt ?? 0, unanswered };
}
