/**
 * What follows a failed fetch: wait and try again, hold back the whole owner, take it as a deletion, or publish the
 * notification itself. Pure: the failure, what was tried so far, and a random number between 0 and 1 decide.
 */
import { describeFailure, type GraphFailure } from './graph/graph-error.ts';

export type Tried = {
  /** Tries that ended in waiting, before this one. */
  readonly attempts: number;
  /** Milliseconds since the first of them. */
  readonly waitingMs: number;
  /** Milliseconds since the last news of it was received: tries before it may have met a state that was over by then. */
  readonly sinceNewsMs: number;
  /** A deletion was notified as well, so that "not found" is no surprise. */
  readonly deletionExpected: boolean;
};

export type Verdict =
  /** This resource waits; the owner's other news flows on. */
  | { readonly next: 'wait'; readonly ms: number; readonly countsAsAttempt: boolean }
  /** All news of the owner has to wait; nobody's attempt is spent. */
  | { readonly next: 'delayOwner'; readonly ms: number }
  | { readonly next: 'deleted' }
  /** It cannot be had: the notification itself becomes the record. */
  | { readonly next: 'fallback'; readonly reason: string };

/** Right after a change Graph may not know the item yet (rules moved it, replicas lag): 40 s in all. */
const EARLY_404_MS = [2000, 8000, 30_000] as const;
/** Those 40 s, less what the clocks of Redis and the worker may differ by. */
const EARLY_404_IN_ALL_MS = 35_000;
/** First and longest pause of the back-off, and when it ends: Graph's own redelivery gives up after 4 h. */
const BACKOFF_MS = 1000;
const LONGEST_BACKOFF_MS = 300_000;
const LONGEST_WAIT_MS = 4 * 3_600_000;
/** An answer that is not Graph's will hardly become so; a proxy's error page may. 31 s in all. */
const UNUSABLE_TRIES = 5;
/** Without a Retry-After; Graph's per-mailbox window is 10 minutes, its concurrency limit clears in seconds. */
const THROTTLED_MS = 10_000;
/** Graph may say "0"; asking at once again would count as usage and spend no attempt, so without end. */
const SHORTEST_THROTTLED_MS = 1000;
/** A token or consent that is missing is for people to mend: often enough to notice, rare enough to be no load. */
const UNAUTHORIZED_MS = 30_000;

export function decideAfterFailure(failure: GraphFailure, tried: Tried, random: number): Verdict {
  switch (failure.kind) {
    case 'throttled':
      // Up to a tenth later, so that not all owners of a throttled app return at one instant.
      return {
        next: 'delayOwner',
        ms: Math.max(SHORTEST_THROTTLED_MS, failure.retryAfterMs ?? THROTTLED_MS) * (1 + 0.1 * random),
      };
    case 'unauthorized':
      return { next: 'delayOwner', ms: UNAUTHORIZED_MS };
    case 'notFound':
      return afterNotFound(tried);
    case 'gone':
      return { next: 'deleted' };
    case 'transient':
      return tried.waitingMs > LONGEST_WAIT_MS ? giveUp(failure) : backOff(tried, random);
    case 'unusable':
      return tried.attempts >= UNUSABLE_TRIES ? giveUp(failure) : backOff(tried, random);
    case 'forbidden':
    case 'rejected':
      return giveUp(failure);
  }
}

/**
 * By tries and by time: attempts that quick 5xx answers have spent do not make a 404 any later, nor do those of a resource
 * that was gone and has come back since. News that never stops makes nobody wait for ever.
 */
function afterNotFound({ attempts, waitingMs, sinceNewsMs, deletionExpected }: Tried): Verdict {
  const waited = Math.min(waitingMs, sinceNewsMs);
  const over = attempts >= EARLY_404_MS.length && waited >= EARLY_404_IN_ALL_MS;
  if (deletionExpected || over || waitingMs > LONGEST_WAIT_MS) return { next: 'deleted' };
  const ms = EARLY_404_MS[attempts] ?? EARLY_404_MS[2];
  return { next: 'wait', ms, countsAsAttempt: true };
}

/** 1, 2, 4 … 300 s, each between half and the whole. */
function backOff({ attempts }: Tried, random: number): Verdict {
  const ms = Math.min(BACKOFF_MS * 2 ** Math.min(attempts, 20), LONGEST_BACKOFF_MS);
  return { next: 'wait', ms: ms * (0.5 + 0.5 * random), countsAsAttempt: true };
}

function giveUp(failure: GraphFailure): Verdict {
  return { next: 'fallback', reason: describeFailure(failure) };
}
