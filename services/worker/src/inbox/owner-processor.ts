/** Turns what a run says into what BullMQ has to do with the owner's job; the only place that speaks of jobs. */
import type { OwnerJobData } from '@graph2kafka/shared';
import { DelayedError, type Job, UnrecoverableError } from 'bullmq';
import { type OwnerRunDeps, type RunReport, runOwner } from './owner-run.ts';

export type OwnerProcessor = (job: Job<OwnerJobData>, lockToken?: string) => Promise<RunReport>;

/** `onReport` is told of every run: metrics, and a stop of the intake when Kafka is away. */
export function createOwnerProcessor(
  deps: OwnerRunDeps,
  onReport: (owner: string, report: RunReport) => void,
): OwnerProcessor {
  return async (job, lockToken) => {
    const { owner } = job.data;
    // BullMQ runs a job whose hash is gone as an empty one; its owner is then found by the waker.
    if (typeof owner !== 'string')
      throw new UnrecoverableError('the job names no owner: its data is gone from Redis');
    const report = await runOwner(deps, owner);
    onReport(owner, report);
    if (report.next.step === 'done') return report;
    await showProgress(job, report, deps.now());
    if (report.next.step === 'again') return moveBehindOthers(job, lockToken, 1);
    if (report.next.step === 'delay') return moveBehindOthers(job, lockToken, report.next.ms);
    return report;
  };
}

/** What people see in Bull Board: counts, the last error, and when the rest is due. */
async function showProgress(job: Job, report: RunReport, now: number): Promise<void> {
  const { next, lastError } = report;
  await job.updateProgress({ ...report });
  if (next.step === 'again') return;
  const dueAt = new Date(
    now + (next.step === 'delay' ? next.ms : next.step === 'later' ? next.inMs : 0),
  ).toISOString();
  const reason = next.step === 'delay' ? next.reason : (lastError ?? 'a try before this one');
  await job.log(`${next.step === 'delay' ? 'the owner' : 'the rest'} waits until ${dueAt}: ${reason}`);
}

/** Delayed by 1 ms a job goes to the back of the queue; `moveToWait` would put it in front of everybody. */
async function moveBehindOthers(job: Job, lockToken: string | undefined, ms: number): Promise<never> {
  await job.moveToDelayed(Date.now() + Math.max(1, Math.ceil(ms)), lockToken);
  throw new DelayedError();
}
