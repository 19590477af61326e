/**
 * A tenant, or one kind of resource of it, that Graph is not asked for now; and when refusals of single owners say
 * that it is to be so. Pure.
 */
import type { GraphFailure } from '../graph/graph-error.ts';

export type PauseReason =
  /** Graph throttles the app: until the time that it names. */
  | 'throttled'
  /** No token, or a fresh one is refused: until somebody mends it. */
  | 'unauthorized'
  /** The consent to a kind of resource is withdrawn: until somebody gives it again. */
  | 'forbidden';

/** In the place of a kind's name: everything of the tenant. */
export const ALL = 'all';

export type Pause = {
  readonly tenantId: string;
  /** Name of a kind of resource ("chat message"), or `ALL`. */
  readonly resources: string;
  readonly reason: PauseReason;
  /** Graph's answer, in words. */
  readonly detail: string;
  /** Epoch milliseconds, by Redis's clock. */
  readonly since: number;
  /** When Graph may be asked again: by one owner first. */
  readonly until: number;
};

/** What was seen of an owner's refusals, and of the others'. */
export type Evidence = {
  /** Milliseconds since the owner was refused for the first time. */
  readonly ageMs: number;
  /** Distinct owners that were refused since this worker was last answered, this one included. */
  readonly owners: number;
  /** This worker was answered after the owner's first refusal: it is not everybody who is refused. */
  readonly answeredSince: boolean;
};

/** How refusals of one sort are judged. */
export type RefusalRule = {
  readonly reason: PauseReason;
  /** What the pause is of: everything, or the kind that was asked for. */
  readonly unit: 'tenant' | 'kind';
  /** So many owners are refused, and none is answered: it is everybody. */
  readonly owners: number;
  /** One that is refused alone for so long is refused for itself. */
  readonly decideAfterMs: number;
  /** A refusal counts for so long. */
  readonly rememberMs: number;
  readonly pauseMs: number;
};

export type RefusalTimes = {
  /** What is refused with 403 waits so long for the fate of others, before it counts as refused for itself. */
  readonly decideAfterMs: number;
  /** Between probes of what people have to mend: often enough to notice, rare enough to be no load. */
  readonly untilMendedMs: number;
};

export const REFUSAL_TIMES: RefusalTimes = { decideAfterMs: 4000, untilMendedMs: 30_000 };

/** What is undecided is asked for again after this. */
export const UNDECIDED_MS = 1500;

/** Without a Retry-After. */
const THROTTLED_MS = 10_000;
const SHORTEST_THROTTLED_MS = 1000;
/**
 * Owners that are throttled within ten seconds, with no answer between: mailboxes have limits of their own, and five that
 * reach them at once, while nobody else is answered, are not to be expected.
 */
const THROTTLED_OWNERS = 5;
const THROTTLED_WITHIN_MS = 10_000;
/** As long as a token of before may still do, so that workers differ; and a mailbox's own refusal is judged anew after it. */
const REMEMBERED_MS = 600_000;
/** Two mailboxes: an access policy of Exchange refuses single ones, and the first that is read ends a wrong suspicion. */
const FORBIDDEN_OWNERS = 2;

/** How to judge this failure; `undefined`: it says nothing of others. */
export function refusalRule(failure: GraphFailure, times: RefusalTimes): RefusalRule | undefined {
  switch (failure.kind) {
    case 'throttled': {
      const askedMs = Math.max(SHORTEST_THROTTLED_MS, failure.retryAfterMs ?? THROTTLED_MS);
      const certain = failure.scope === 'app';
      return {
        reason: 'throttled',
        unit: 'tenant',
        owners: certain ? 1 : THROTTLED_OWNERS,
        decideAfterMs: 0,
        rememberMs: THROTTLED_WITHIN_MS,
        // What is only concluded is soon tried again: it may have been five mailboxes after all.
        pauseMs: certain ? askedMs : Math.min(askedMs, THROTTLED_MS),
      };
    }
    case 'unauthorized':
      return {
        reason: 'unauthorized',
        unit: 'tenant',
        owners: 1,
        decideAfterMs: 0,
        rememberMs: REMEMBERED_MS,
        pauseMs: times.untilMendedMs,
      };
    case 'forbidden':
      return {
        reason: 'forbidden',
        unit: 'kind',
        // The directory's word for "the app lacks the permission"; ErrorAccessDenied speaks of one mailbox.
        owners: failure.code === 'Authorization_RequestDenied' ? 1 : FORBIDDEN_OWNERS,
        decideAfterMs: times.decideAfterMs,
        rememberMs: REMEMBERED_MS,
        pauseMs: times.untilMendedMs,
      };
    default:
      return undefined;
  }
}

/** Whether all owners are meant, or this one alone, or time has to tell. `isPaused`: it was found so before. */
export function judgeRefusal(
  { owners, decideAfterMs }: RefusalRule,
  evidence: Evidence,
  isPaused: boolean,
): 'all' | 'owner' | 'undecided' {
  if (evidence.answeredSince) return 'owner';
  if (isPaused || evidence.owners >= owners) return 'all';
  return evidence.ageMs >= decideAfterMs ? 'owner' : 'undecided';
}

/** Whether an answer of this kind shows that the app may read what it asked for. */
export function isAnswer(failure: GraphFailure, unit: RefusalRule['unit']): boolean {
  if (failure.kind === 'notFound' || failure.kind === 'gone') return true;
  return unit === 'tenant' && failure.kind === 'forbidden';
}

const SPREAD_MS = { least: 300, most: 5000 } as const;

/** When one that is held up comes back: after the pause, and after the probe; not all at one instant. */
export function comeBackIn(leftMs: number, random: number): number {
  const spread = Math.min(SPREAD_MS.most, Math.max(2 * SPREAD_MS.least, leftMs / 2));
  return leftMs + SPREAD_MS.least + spread * random;
}
