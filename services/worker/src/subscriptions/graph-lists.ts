/** Graph's lists that one reconciliation has asked for, one for each tenant at most, and a newer one only now and then. */
import { type HeldFleet, LeaseLostError, type ListsAsked } from './fleet.ts';
import type { GraphCalls } from './graph-calls.ts';
import { type Listing, type OwnMarks, readListing } from './graph-list.ts';
import { LIST_AGAIN_MS } from './sweep-need.ts';

export type GraphLists = {
  /** The newest one. */
  of(tenantId: string): Listing | undefined;
  /** A new one; those who ask at the same time get the same. */
  ask(tenantId: string): Promise<Listing>;
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
};

export function createGraphLists({ marksOf, callsOf, asked, fleet, now }: GraphListsDeps): GraphLists {
  const listings = new Map<string, Listing>();
  const underWay = new Map<string, Promise<Listing>>();
  let lists = asked;

  async function note(tenantId: string, noted: { at?: number; triedAt?: number }): Promise<void> {
    lists = { ...lists, [tenantId]: { triedAt: now(), ...lists[tenantId], ...noted } };
    await fleet.setState({ lists });
  }

  async function read(tenantId: string): Promise<Listing> {
    const [marks, calls] = [marksOf(tenantId), callsOf(tenantId)];
    if (!marks || !calls) throw new Error(`tenant ${tenantId} is not served`);
    const at = now();
    await note(tenantId, { triedAt: at });
    const listing = readListing(await calls.list(), marks, at);
    listings.set(tenantId, listing);
    return listing;
  }

  function ask(tenantId: string): Promise<Listing> {
    const known = underWay.get(tenantId);
    if (known) return known;
    const reading = read(tenantId).finally(() => underWay.delete(tenantId));
    underWay.set(tenantId, reading);
    return reading;
  }

  return {
    of: (tenantId) => listings.get(tenantId),
    ask,
    async showing(tenantId, isGoodEnough) {
      const known = listings.get(tenantId);
      if (known && isGoodEnough(known)) return known;
      const isTooSoon = Math.abs(now() - (lists[tenantId]?.triedAt ?? Number.NaN)) < LIST_AGAIN_MS;
      if (!underWay.has(tenantId) && known && isTooSoon) return undefined;
      return ask(tenantId).catch((error: unknown) => {
        if (error instanceof LeaseLostError) throw error;
        return undefined;
      });
    },
    noteCompared: (tenantId, at) => note(tenantId, { at }),
  };
}
