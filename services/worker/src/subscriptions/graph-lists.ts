/** Graph's lists that one reconciliation has asked for, one for each tenant at most, and a newer one only now and then. */
import { type HeldFleet, LeaseLostError, type ListsAsked } from './fleet.ts';
import type { GraphCalls } from './graph-calls.ts';
import { type KnownOf, type Listing, type OwnMarks, readListing } from './graph-list.ts';
import type { GraphSubscription } from './subscriptions-api.ts';
import { LIST_AGAIN_MS } from './sweep-need.ts';

export type GraphLists = {
  has(tenantId: string): boolean;
  /** The newest one; told apart when it is first asked for. */
  of(tenantId: string): Listing | undefined;
  /** A new one; those who ask at the same time get the same. */
  ask(tenantId: string): Promise<void>;
  /** One that is good enough, or else a new one; undefined where none may be asked for now, or Graph does not give it. */
  showing(tenantId: string, isGoodEnough: (listing: Listing) => boolean): Promise<Listing | undefined>;
  /** It was held against everything. */
  noteCompared(tenantId: string, at: number): Promise<void>;
};

export type GraphListsDeps = {
  readonly marksOf: (tenantId: string) => OwnMarks | undefined;
  readonly callsOf: (tenantId: string) => GraphCalls | undefined;
  /** Before this reconciliation. */
  readonly asked: ListsAsked;
  readonly fleet: Pick<HeldFleet, 'setState'>;
  readonly now: () => number;
  /** Whether `now` goes by Graph's clock by now. */
  readonly clockIsSure: () => boolean;
  /** What is known of them, for those that were verified before. */
  readonly knownOf: KnownOf;
};

/**
 * A list that was begun by a clock that may be wrong is dated when its first page has told the time, and that may have taken
 * so long: rather too early than too late, since what was made after it is not judged by it.
 */
const FIRST_PAGE_MS = 60_000;

type Raw = { readonly all: readonly GraphSubscription[]; readonly at: number };

export function createGraphLists(deps: GraphListsDeps): GraphLists {
  const { marksOf, callsOf, asked, fleet, now, clockIsSure, knownOf } = deps;
  const raw = new Map<string, Raw>();
  const listings = new Map<string, Listing>();
  const underWay = new Map<string, Promise<void>>();
  let lists = asked;

  async function note(tenantId: string, noted: { at?: number; triedAt?: number }): Promise<void> {
    lists = { ...lists, [tenantId]: { triedAt: now(), ...lists[tenantId], ...noted } };
    await fleet.setState({ lists });
  }

  async function read(tenantId: string): Promise<void> {
    const calls = callsOf(tenantId);
    if (!calls) throw new Error(`tenant ${tenantId} is not served`);
    const [begunAt, wasSure] = [now(), clockIsSure()];
    let at = begunAt;
    await note(tenantId, { triedAt: at });
    const all = await calls.list((page) => {
      // The second may be asked for again.
      if (!wasSure && page > 1 && at === begunAt) at = now() - FIRST_PAGE_MS;
    });
    if (!wasSure && at === begunAt) at = now() - FIRST_PAGE_MS;
    raw.set(tenantId, { all, at });
    listings.delete(tenantId);
  }

  function ask(tenantId: string): Promise<void> {
    const known = underWay.get(tenantId);
    if (known) return known;
    const reading = read(tenantId).finally(() => underWay.delete(tenantId));
    underWay.set(tenantId, reading);
    return reading;
  }

  function of(tenantId: string): Listing | undefined {
    const [found, marks, known] = [raw.get(tenantId), marksOf(tenantId), listings.get(tenantId)];
    if (known || !found || !marks) return known;
    const listing = readListing(found.all, marks, found.at, knownOf);
    listings.set(tenantId, listing);
    return listing;
  }

  return {
    has: (tenantId) => raw.has(tenantId),
    of,
    ask,
    async showing(tenantId, isGoodEnough) {
      const known = of(tenantId);
      if (known && isGoodEnough(known)) return known;
      const isTooSoon = Math.abs(now() - (lists[tenantId]?.triedAt ?? Number.NaN)) < LIST_AGAIN_MS;
      if (!underWay.has(tenantId) && known && isTooSoon) return undefined;
      try {
        await ask(tenantId);
        return of(tenantId);
      } catch (error) {
        if (error instanceof LeaseLostError) throw error;
        return undefined;
      }
    },
    noteCompared: (tenantId, at) => note(tenantId, { at }),
  };
}
