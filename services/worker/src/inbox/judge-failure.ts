/** What follows from Graph's refusal, for the resource that was asked for and, where it is the owner's, for the whole run. */
import type { Logger, TakenResource } from '@graph2kafka/shared';
import { decideAfterFailure, type Verdict } from '../failure-policy.ts';
import type { GraphError } from '../graph/graph-error.ts';
import type { Asking, HeldUp, TenantPauses } from '../limits/tenant-pauses.ts';
import type { RunProgress } from './run-progress.ts';

export type JudgeDeps = {
  readonly log: Logger;
  readonly now: () => number;
  readonly random: () => number;
  readonly pauses: TenantPauses;
};

/** What the news of a resource says of a "not found". */
export type Expected = {
  /** A deletion was notified as well, so that it is no surprise. */
  readonly deletion: boolean;
  /** Epoch milliseconds; absent where nobody has notified of what is asked for. */
  readonly newsAt?: number;
};

export async function judgeFailure(
  { log, now, random }: Omit<JudgeDeps, 'pauses'>,
  progress: RunProgress,
  taken: TakenResource,
  asking: Asking,
  error: GraphError,
  expected: Expected,
): Promise<Verdict> {
  const tried = {
    attempts: taken.attempts,
    waitingMs: taken.waitingSince === 0 ? 0 : now() - taken.waitingSince,
    sinceNewsMs: now() - (expected.newsAt ?? Number.NEGATIVE_INFINITY),
    deletionExpected: expected.deletion,
  };
  const heldUp = await asking.failed(error.failure);
  const verdict = heldUp ? verdictOf(heldUp) : decideAfterFailure(error.failure, tried, random());
  log.info({ resource: taken.resource, err: error, verdict }, 'resource.not-fetched');
  applyWait(progress, verdict, error.message);
  return verdict;
}

/** Of a pause: spends no attempt. */
export function verdictOf({ ms, whole }: HeldUp): Extract<Verdict, { next: 'wait' | 'delayOwner' }> {
  return whole ? { next: 'delayOwner', ms } : { next: 'wait', ms, countsAsAttempt: false };
}

/** What a verdict that something has to wait means for the run. */
export function applyWait(progress: RunProgress, verdict: Verdict, reason: string): void {
  progress.tally.lastError = reason;
  if (verdict.next === 'wait') progress.tally.waiting++;
  if (verdict.next === 'delayOwner') progress.hinder({ ms: verdict.ms, reason, kafkaAway: false });
}
