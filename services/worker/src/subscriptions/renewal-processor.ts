/**
 * The scheduled job that keeps the subscriptions alive: one run at a time over the whole pool of workers, by BullMQ's
 * job scheduler and a queue that works one job at once.
 */
import { SUBSCRIPTION_QUEUE } from '@graph2kafka/shared';
import { type Queue, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import { coalesceRequests } from './coalesce-requests.ts';
import type { ReconcileReport } from './reconcile-subscriptions.ts';
import type { Reconcile } from './reconcile-tenants.ts';
import { createRotationNotes, type RotationNotesDeps } from './rotation-notes.ts';

const SCHEDULER = 'reconcile';

/** Graph's own list is asked for in the first run, and then so often; removals between are told by `subscriptionRemoved`. */
const ASK_GRAPH_EVERY_MS = 600_000;

/** Graph may demand something of thousands of subscriptions at once. */
const REQUESTED_WITHIN_MS = 1000;

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

/** Rejects before anything works, so that it may be tried again. */
export async function startRenewalProcessor(
  { connection, prefix, queue }: SubscriptionQueue,
  { reconcile, ...deps }: RenewalDeps,
  everyMs: number,
  onReport: (report: ReconcileReport) => void,
): Promise<RenewalProcessor> {
  const { log, now } = deps;
  await queue.setGlobalConcurrency(1);
  await queue.upsertJobScheduler(SCHEDULER, { every: everyMs }, { name: 'reconcile', opts: KEPT_JOBS });
  const request = async () => {
    // A run under way may have looked already: what is demanded meanwhile brings another one after it.
    await queue.add(
      'reconcile',
      {},
      { deduplication: { id: 'requested', keepLastIfActive: true }, ...KEPT_JOBS },
    );
  };
  await request();
  const noteRotations = createRotationNotes(deps);
  let askedAt = Number.NEGATIVE_INFINITY;
  const worker = new Worker(
    SUBSCRIPTION_QUEUE,
    async (): Promise<ReconcileReport> => {
      const askGraph = now() - askedAt >= ASK_GRAPH_EVERY_MS;
      const report = await reconcile(askGraph);
      if (report.listed) askedAt = now();
      log.info(report, 'subscription.reconciled');
      noteRotations(report);
      onReport(report);
      return report;
    },
    // A reconciliation of many subscriptions is paced by Graph; the lock is renewed meanwhile.
    { connection, prefix, concurrency: 1, lockDuration: 30_000, maxStalledCount: 50, runRetryDelay: 500 },
  );
  // BullMQ repeats errors of the connection, which are logged where it was made.
  worker.on('error', () => undefined);
  worker.on('failed', (_job, error) => log.error({ err: error }, 'subscription.reconciliation-failed'));
  const requests = coalesceRequests(request, REQUESTED_WITHIN_MS, log);
  return {
    request: requests.request,
    async close() {
      requests.close();
      await worker.close();
    },
  };
}
