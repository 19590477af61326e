/**
 * The scheduled job that keeps the subscriptions alive: by BullMQ's job scheduler and a queue that works one job at once,
 * so that workers do not come in vain. That one reconciles at a time is the lease's to see to (`fleet.ts`).
 */
import { repeat, SUBSCRIPTION_QUEUE } from '@graph2kafka/shared';
import { type Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { coalesceRequests } from './coalesce-requests.ts';
import type { Reconcile, ReconcileReport } from './reconcile.ts';
import { createRotationNotes, type RotationNotesDeps } from './rotation-notes.ts';

const SCHEDULER = 'reconcile';

/** Graph may demand something of thousands of subscriptions at once. */
const REQUESTED_WITHIN_MS = 1000;

/** Between looks whether the schedule is still there. */
const SCHEDULE_CHECK_MS = 60_000;

/** Enough to look back on in Bull Board: an hour and a half of a schedule by the minute. */
const KEPT_JOBS = { removeOnComplete: { count: 100 }, removeOnFail: { count: 100 } };

export type SubscriptionQueue = {
  readonly connection: Redis;
  readonly prefix: string;
  readonly queue: Queue;
};

export type RenewalDeps = RotationNotesDeps & { readonly reconcile: Reconcile };

export type RenewalProcessor = {
  /** A run as soon as may be, beside the schedule. */
  request(): Promise<void>;
  close(): Promise<void>;
};

export type RenewalTimes = {
  /** Between looks. */
  readonly everyMs: number;
  /** After so long a worker that fell silent is taken for dead, as by the lease of its reconciliation. */
  readonly leaseMs: number;
};

/** Rejects before anything works, so that it may be tried again. */
export async function startRenewalProcessor(
  { connection, prefix, queue }: SubscriptionQueue,
  { reconcile, ...deps }: RenewalDeps,
  { everyMs, leaseMs }: RenewalTimes,
  onReport: (report: ReconcileReport) => void,
): Promise<RenewalProcessor> {
  const { log } = deps;
  const schedule = async () => {
    await queue.setGlobalConcurrency(1);
    await queue.upsertJobScheduler(SCHEDULER, { every: everyMs }, { name: 'reconcile', opts: KEPT_JOBS });
  };
  const request = async () => {
    // A run under way may have looked already: what is demanded meanwhile brings another one after it.
    await queue.add(
      'reconcile',
      {},
      { deduplication: { id: 'requested', keepLastIfActive: true }, ...KEPT_JOBS },
    );
  };
  await schedule();
  await request();
  const noteRotations = createRotationNotes(deps);
  const worker = new Worker(
    SUBSCRIPTION_QUEUE,
    async (): Promise<ReconcileReport | undefined> => {
      const report = await reconcile();
      if (!report) {
        log.debug('subscription.reconciled-elsewhere');
        return undefined;
      }
      // A look that found nothing to do is no news.
      log[isNews(report) ? 'info' : 'debug'](forLog(report), 'subscription.reconciled');
      noteRotations(report);
      onReport(report);
      return forLog(report);
    },
    {
      connection,
      prefix,
      concurrency: 1,
      // A reconciliation of many subscriptions is paced by Graph; the lock is renewed meanwhile.
      lockDuration: leaseMs,
      // Nobody else is given a job while that of a killed worker is waited for: BullMQ's own 30 s would come on top.
      stalledInterval: Math.ceil(leaseMs / 4),
      maxStalledCount: 50,
      runRetryDelay: 500,
    },
  );
  // BullMQ repeats errors of the connection, which are logged where it was made; what Redis refuses is told nowhere else.
  worker.on('error', (error) => {
    if (error.name === 'ReplyError') log.warn({ err: error }, 'worker.error');
  });
  worker.on('failed', (_job, error) => log.error({ err: error }, 'subscription.reconciliation-failed'));
  const requests = coalesceRequests(request, REQUESTED_WITHIN_MS, log);
  // A Redis that was emptied has forgotten that there is anything to do at times: no job would ever come.
  const look = async () => {
    if ((await queue.getJobScheduler(SCHEDULER)) !== undefined) return;
    await schedule();
    await request();
  };
  const watch = repeat(Math.min(everyMs, SCHEDULE_CHECK_MS), () =>
    look().catch((error: unknown) => log.warn({ err: error }, 'subscription.schedule-not-checked')),
  );
  return {
    request: requests.request,
    async close() {
      watch.close();
      requests.close();
      await worker.close();
    },
  };
}

function isNews({ created, renewed, adopted, deleted, swept, listed, failed }: ReconcileReport): boolean {
  return listed || failed.length > 0 || created + renewed + adopted + deleted + swept > 0;
}

/** Thousands may fail at once; each has its own line. */
const MOST_LINES = 20;

function forLog(report: ReconcileReport): ReconcileReport {
  const { failed } = report;
  if (failed.length <= MOST_LINES) return report;
  return { ...report, failed: [...failed.slice(0, MOST_LINES), `and ${failed.length - MOST_LINES} more`] };
}
