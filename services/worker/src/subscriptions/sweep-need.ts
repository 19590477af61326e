/** What a reconciliation has to look at beside what is due: everything, Graph's list, what was missed meanwhile. Pure. */
import type { CatchUpReason, FleetState } from './fleet.ts';
import type { Listing } from './graph-list.ts';
import type { KnownSubscription } from './subscription-store.ts';

/** Removals between are told by `subscriptionRemoved`; a list of 10,000 takes 100 of the 25 calls that 20 s have. */
export const LIST_EVERY_MS = 3_600_000;
/** A list that was not given is asked for again, and a worker that starts asks for one if nobody has, after so long. */
export const LIST_AGAIN_MS = 60_000;
/** An access token lives for about an hour: by then Graph's challenges went unanswered, and it holds notifications back. */
const AWAY_MS = 3_600_000;

/** What this process has seen; absent: it has just begun. */
export type Memory = { readonly generation: string | undefined; readonly aliveAt: number };

export type Present = {
  readonly state: FleetState;
  readonly memory: Memory | undefined;
  /** Fingerprints of all wishes, and of what they are to be made with. */
  readonly wanted: string;
  readonly held: string;
  readonly tenants: readonly string[];
  readonly now: number;
  readonly clockIsSure: boolean;
  /** Asked for: everything is looked at, whatever was found before. */
  readonly everything: boolean;
};

export type Need = {
  readonly sweep: boolean;
  /** Tenants of which Graph's list is needed. */
  readonly lists: readonly string[];
  /** What failed before is tried again at once. */
  readonly again: boolean;
};

export function whatIsNeeded(present: Present): Need {
  const { state, memory, tenants, now, clockIsSure, everything } = present;
  const isSuspect = state.generation === undefined || isExchanged(state, memory);
  const lists = tenants.filter((tenantId) => {
    const { at = Number.NEGATIVE_INFINITY, triedAt } = state.lists?.[tenantId] ?? { triedAt: Number.NaN };
    // A time ahead of now was noted by a clock that was wrong.
    const isOlderThan = (ms: number, than: number) => !(Math.abs(now - ms) < than);
    if (everything) return true;
    if (!isOlderThan(triedAt, LIST_AGAIN_MS)) return false;
    return isSuspect || !clockIsSure || isOlderThan(at, memory ? LIST_EVERY_MS : LIST_AGAIN_MS);
  });
  const isOther = state.swept?.wanted !== present.wanted || state.swept.held !== present.held;
  return {
    sweep: everything || isSuspect || isOther || lists.length > 0 || memory === undefined,
    lists,
    again: everything || (state.swept !== undefined && state.swept.held !== present.held),
  };
}

/** Graph tells its time in whole seconds, so that two processes differ; what a younger copy lacks its list shows. */
const CLOCKS_DIFFER_MS = 60_000;

function isExchanged({ generation, aliveAt = 0 }: FleetState, memory: Memory | undefined): boolean {
  if (memory === undefined) return false;
  return memory.generation !== generation || aliveAt < memory.aliveAt - CLOCKS_DIFFER_MS;
}

/**
 * More than can be on their way when a process is killed, or a tenth: of ours in Graph's list that we do not know, or
 * know with an earlier end.
 */
const MOST_ON_THEIR_WAY = 10;

/**
 * Whether Graph's list shows that what we know is of an earlier time. `hasIntent`: by nonce. `isUnmarked`: Redis names no
 * generation, so that it is new or was emptied.
 */
export function isOutdated(
  listings: readonly Listing[],
  known: ReadonlyMap<string, KnownSubscription>,
  isWanted: (listed: Listing['ours'][number]) => boolean,
  hasIntent: (nonce: string) => boolean,
  isUnmarked: boolean,
): boolean {
  const ours = listings.flatMap((listing) => listing.ours.filter(isWanted));
  const newer = ours.filter(({ id, nonce, expiresAt }) => {
    const one = known.get(id);
    return one ? expiresAt - one.expiresAt > 60_000 : !hasIntent(nonce);
  });
  if (isUnmarked) return newer.length > 0;
  return newer.length > MOST_ON_THEIR_WAY || (newer.length > 1 && newer.length * 10 >= ours.length);
}

/** `isOutdated`: as Graph's list shows. */
export function findCatchUp(present: Present, outdated: boolean): CatchUpReason | undefined {
  const { state, memory, now, clockIsSure } = present;
  if (outdated || isExchanged(state, memory)) return 'lost';
  const isAway = clockIsSure && state.aliveAt !== undefined && now - state.aliveAt > AWAY_MS;
  return isAway ? 'away' : undefined;
}
