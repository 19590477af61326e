/** What a reconciliation has to look at beside what is due: everything, Graph's list, what was missed meanwhile. Pure. */
import type { CatchUpReason, FleetState } from './fleet.ts';
import type { ListedSubscription } from './renewal-plan.ts';
import type { KnownSubscription } from './subscription-store.ts';

/** Removals between are told by `subscriptionRemoved`; a list of 10,000 takes 100 of the 25 calls that 20 s have. */
export const LIST_EVERY_MS = 3_600_000;
/** A list that was not given is asked for again, and a worker that starts asks for one if nobody has, after so long. */
export const LIST_AGAIN_MS = 60_000;
/** So often it is noted that somebody reconciles. */
export const ALIVE_EVERY_MS = 300_000;
/** An access token lives for about an hour: by then Graph's challenges went unanswered, and it holds notifications back. */
const AWAY_MS = 3_600_000;

/** What this process has seen; absent: it has just begun. */
export type Memory = {
  readonly generation: string | undefined;
  readonly aliveAt: number;
  /** By tenant, how many calls in a row Graph has not answered by the end of the last reconciliation. */
  readonly unanswered: ReadonlyMap<string, number>;
};

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
  /** Whatever the lists show; what they do is held against everything anyway. */
  readonly sweep: boolean;
  /** Tenants of which Graph's list is needed. */
  readonly lists: readonly string[];
  /** What failed before is tried again at once. */
  readonly again: boolean;
};

export function whatIsNeeded(present: Present): Need {
  const { state, memory, tenants, now, clockIsSure, everything } = present;
  const isSuspect = state.generation === undefined || isExchanged(state, memory);
  const isOtherHeld = state.swept !== undefined && state.swept.held !== present.held;
  const lists = tenants.filter((tenantId) => {
    const { at = Number.NEGATIVE_INFINITY, triedAt } = state.lists?.[tenantId] ?? { triedAt: Number.NaN };
    // A time ahead of now was noted by a clock that was wrong.
    const isOlderThan = (ms: number, than: number) => !(Math.abs(now - ms) < than);
    if (everything) return true;
    if (!isOlderThan(triedAt, LIST_AGAIN_MS)) return false;
    // Which address each of them notifies only the list tells.
    if (isOtherHeld) return true;
    return isSuspect || !clockIsSure || isOlderThan(at, memory ? LIST_EVERY_MS : LIST_AGAIN_MS);
  });
  const isOther = state.swept?.wanted !== present.wanted || state.swept.held !== present.held;
  // One that nobody can list yet has been looked at once: there is nothing new to see.
  const isNew = isSuspect && (state.swept === undefined || isExchanged(state, memory));
  return {
    sweep: everything || isNew || isOther,
    lists,
    again: everything || isOtherHeld,
  };
}

/** Graph tells its time in whole seconds, so that two processes differ; what a younger copy lacks its list shows. */
const CLOCKS_DIFFER_MS = 60_000;

/**
 * Clocks that were set by Graph's whole seconds differ by so much at most. What one process grants right after another one
 * has begun to catch up must not look as if it had been before; nothing was granted in the moment before that.
 */
export const CLOCKS_APART_MS = 5000;

/** Not where another process has noticed it since, or has been the first to see what this one could not be shown. */
function isExchanged({ generation, aliveAt = 0, catchUp }: FleetState, memory: Memory | undefined): boolean {
  if (memory === undefined) return false;
  if (catchUp?.why === 'lost' && catchUp.at + CLOCKS_APART_MS > memory.aliveAt) return false;
  const isMarkedAnew = memory.generation !== undefined && memory.generation !== generation;
  return isMarkedAnew || aliveAt < memory.aliveAt - CLOCKS_DIFFER_MS;
}

/** What can be on its way when a process is killed, once or twice. */
const MOST_ON_THEIR_WAY = 20;
/** The last sign of life that was noted is no older than this while somebody works. */
const SIGN_OF_LIFE_MS = ALIVE_EVERY_MS + CLOCKS_DIFFER_MS;

export type Marks = {
  /** Epoch milliseconds of the last sign of life that is known. */
  readonly aliveAt: number | undefined;
  /** Redis names no generation, so that it is new or was emptied. */
  readonly isUnmarked: boolean;
  /** By id. */
  readonly known: ReadonlyMap<string, Pick<KnownSubscription, 'expiresAt'>>;
  readonly hasIntent: (nonce: string) => boolean;
  /** Of the wish that it would serve; undefined where it says nothing: it is not wanted, or its renewal is known to have failed. */
  readonly lifeMinutesOf: (listed: ListedSubscription) => number | undefined;
};

/**
 * Whether Graph's list shows that what we know is of an earlier time: subscriptions of ours that we do not know, or know
 * with an earlier end. Some may be on their way when a process is killed, right after its last sign of life; what was
 * granted later than that, or many, tell.
 */
export function isOutdated(
  ours: readonly ListedSubscription[],
  { aliveAt, isUnmarked, known, hasIntent, lifeMinutesOf }: Marks,
): boolean {
  const grantedAt = ours
    .filter(({ id, nonce, expiresAt, elsewhere }) => {
      if (elsewhere !== undefined) return false;
      const one = known.get(id);
      return one ? expiresAt - one.expiresAt > CLOCKS_DIFFER_MS : !hasIntent(nonce);
    })
    .flatMap((one) => {
      const minutes = lifeMinutesOf(one);
      return minutes === undefined ? [] : [one.expiresAt - minutes * 60_000];
    });
  if (isUnmarked) return grantedAt.length > 0;
  if (grantedAt.length > MOST_ON_THEIR_WAY) return true;
  return aliveAt !== undefined && grantedAt.some((at) => at > aliveAt + SIGN_OF_LIFE_MS);
}

/** `isOutdated`: as Graph's list shows. */
export function findCatchUp(present: Present, outdated: boolean): CatchUpReason | undefined {
  const { state, memory, now, clockIsSure } = present;
  if (outdated || isExchanged(state, memory)) return 'lost';
  const isAway = clockIsSure && state.aliveAt !== undefined && now - state.aliveAt > AWAY_MS;
  return isAway ? 'away' : undefined;
}
