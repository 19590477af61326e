/**
 * Begins to work once everything that the promises need is there: a durable Redis, Kafka with its topics. What is
 * away is waited for; what is set wrong is an error for the operator.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  durabilityProblems,
  OWNER_QUEUE,
  type OwnerJobData,
  placeProblems,
  type Shutdown,
} from '@graph2kafka/shared';
import { Worker } from 'bullmq';
import type { WorkerContext } from './context.ts';
import { createStartChecks, type StartProblem } from './doctor/start-checks.ts';
import { createDeltaStore } from './inbox/delta-store.ts';
import { createIntake } from './inbox/intake.ts';
import { createOwnerProcessor } from './inbox/owner-processor.ts';
import { startWaker } from './inbox/waker.ts';
import { KafkaSetupError } from './kafka/topics.ts';
import { createMailboxRequests } from './limits/mailbox-requests.ts';
import { SchemaRefusedError } from './records/registry-client.ts';
import { createOpenContent, type OpenContent } from './rich/open-content.ts';
import { createCallPace } from './subscriptions/call-pace.ts';
import { createCloseHole } from './subscriptions/close-hole.ts';
import { createLifecycleProcessor } from './subscriptions/lifecycle-processor.ts';
import { createReconcile } from './subscriptions/reconcile.ts';
import { type ReconcileParts, reconcileDepsOf } from './subscriptions/reconcile-parts.ts';
import { startRenewalProcessor } from './subscriptions/renewal-processor.ts';
import { createSubscriptionViews } from './subscriptions/subscription-views.ts';

/** Redis loses what it confirms, as it is set. */
export class NotDurableError extends Error {
  override readonly name = 'NotDurableError';
}

const RETRY_MS = 1000;
const DURABILITY_CHECK_MS = 60_000;

/** Resolves when work has begun; rejects with what the operator has to mend. */
export async function startWork(
  context: WorkerContext,
  shutdown: Shutdown,
  stopping: AbortSignal,
): Promise<void> {
  await untilRedisTakesIt(context, stopping, () => requireDurableRedis(context));
  if (stopping.aborted) return;
  if (context.config.REDIS_DURABILITY === 'declared') context.log.warn('redis.durability-not-verified');
  await requireTopics(context, stopping);
  await requireSchemas(context, stopping);
  if (stopping.aborted) return;
  watchDurability(context, shutdown);
  const requestReconcile = await untilRedisTakesIt(context, stopping, () =>
    startSubscriptions(context, shutdown),
  );
  if (requestReconcile === undefined) return;
  startOwners(context, shutdown, requestReconcile);
  startChecks(context, shutdown);
  context.log.info('service.working');
}

/** What `g2k doctor` would warn of, as far as it shows by itself. */
function startChecks({ config, samples: wishes, log }: WorkerContext, shutdown: Shutdown): void {
  const onProblem = ({ level: verdict, ...problem }: StartProblem) =>
    log.warn({ verdict, ...problem }, 'doctor.warning');
  const checks = createStartChecks({ config, wishes, now: Date.now, onProblem });
  shutdown.add('start checks', () => checks.close());
  checks.run();
}

async function requireDurableRedis({ redis, names, config }: WorkerContext): Promise<void> {
  const problems = [
    ...(await placeProblems(redis, names)),
    ...(await durabilityProblems(redis, config.REDIS_DURABILITY)),
  ];
  if (problems.length > 0) throw new NotDurableError(problems.join('; '));
}

/** The receiver refuses on its own; the worker goes on, since what lies in Redis is safer in Kafka. */
function watchDurability({ redis, config, log }: WorkerContext, shutdown: Shutdown): void {
  const timer = setInterval(() => {
    durabilityProblems(redis, config.REDIS_DURABILITY).then(
      (problems) => problems.length > 0 && log.error({ problems }, 'redis.not-durable'),
      (error: unknown) => log.warn({ err: error }, 'redis.check-failed'),
    );
  }, DURABILITY_CHECK_MS);
  shutdown.add('durability watch', () => clearInterval(timer));
}

/** Of all tenants. */
function topicsOf({ tenants, samples }: WorkerContext) {
  const served = [...tenants.byId.values()];
  return {
    records: [...served.map(({ topic }) => topic), ...samples.map(({ topic }) => topic)],
    deadLetters: served.map(({ deadLetterTopic }) => deadLetterTopic),
  };
}

async function requireTopics(context: WorkerContext, stopping: AbortSignal): Promise<void> {
  const { kafka, log } = context;
  const { records, deadLetters } = topicsOf(context);
  const wanted = [...new Set([...records, ...deadLetters])];
  while (!stopping.aborted) {
    try {
      const created = await kafka.ensureTopics(wanted);
      if (created.length > 0) log.info({ topics: created }, 'topic.created');
      return;
    } catch (error) {
      if (error instanceof KafkaSetupError) throw error;
      log.warn({ err: error }, 'kafka.not-reachable');
      await pause(RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
}

async function requireSchemas(context: WorkerContext, stopping: AbortSignal): Promise<void> {
  const { schemas, log } = context;
  while (schemas && !stopping.aborted) {
    try {
      await schemas.learn(topicsOf(context));
      return;
    } catch (error) {
      if (error instanceof SchemaRefusedError) throw error;
      log.warn({ err: error }, 'schema-registry.not-reachable');
      await pause(RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
}

/**
 * A Redis that answers and refuses for the moment (a failover, a full memory) is waited for like one that is away.
 * Resolves to `undefined` where the service is stopped meanwhile.
 */
async function untilRedisTakesIt<T>(
  { log }: WorkerContext,
  stopping: AbortSignal,
  act: () => Promise<T>,
): Promise<T | undefined> {
  while (!stopping.aborted) {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof Error && error.name === 'ReplyError')) throw error;
      log.warn({ err: error }, 'redis.refuses');
      await pause(RETRY_MS, undefined, { signal: stopping }).catch(() => undefined);
    }
  }
  return undefined;
}

async function startSubscriptions(context: WorkerContext, shutdown: Shutdown): Promise<() => Promise<void>> {
  const { config, log, samples, redis, names, queues, metrics, encryption } = context;
  const { NOTIFICATION_URL: notificationUrl } = config;
  if (notificationUrl === undefined || samples.length === 0) return async () => undefined;
  const stopping = new AbortController();
  const reconcile = createReconcile({
    ...reconcileDepsOf(reconcilePartsOf(context, notificationUrl)),
    stopping: stopping.signal,
  });
  const renewal = await startRenewalProcessor(
    { connection: redis, prefix: names.prefix, queue: queues.subscriptions },
    { reconcile, log, encryption, now: context.graphClock.now },
    { everyMs: config.RECONCILE_EVERY_MS, leaseMs: config.RECONCILE_LEASE_MS },
    metrics.countReconciliation,
  );
  shutdown.add('subscriptions', () => renewal.close());
  shutdown.add('reconciliation', () => stopping.abort());
  return renewal.request;
}

function reconcilePartsOf(context: WorkerContext, notificationUrl: string): ReconcileParts {
  const { config, fleet, wanted, tenants, log, encryption, redis, names, graphClock, inbox } = context;
  return {
    ...{ fleet, wishes: wanted, tenants, encryption, inbox, graphClock, log, notificationUrl },
    settings: config,
    pace: createCallPace(redis, names),
    sweepOrphans: config.SWEEP_ORPHANS,
  };
}

function openContentOf({ tenants, contents, encryption, log }: WorkerContext): OpenContent {
  const verifierOf = (tenantId: string) => tenants.byId.get(tenantId)?.verifier ?? tenants.own.verifier;
  return createOpenContent({ keys: () => encryption.held(), verifierOf, contents, log });
}

function startOwners(
  context: WorkerContext,
  shutdown: Shutdown,
  requestReconcile: () => Promise<void>,
): void {
  const { config, log, inbox, contents, queues, redis, names, kafka, publish, store, metrics } = context;
  const { tenants } = context;
  const waker = startWaker(inbox, queues.owners, log);
  shutdown.add('waker', () => waker.close());
  const processor = createOwnerProcessor(
    {
      inbox,
      log,
      contents,
      openContent: openContentOf(context),
      delta: createDeltaStore(redis, names),
      publish,
      handleLifecycle: createLifecycleProcessor({
        store,
        publish,
        requestReconcile,
        closeHole: createCloseHole(inbox, Date.now),
        count: metrics.countLifecycle,
        log,
      }),
      loadViews: createSubscriptionViews(
        store,
        (tenantId) => tenants.byId.get(tenantId)?.topic ?? config.KAFKA_TOPIC,
        Date.now,
      ),
      tenants: context.tenants.byId,
      pauses: context.pauses,
      mailboxRequests: createMailboxRequests(redis, names, log),
      now: Date.now,
      random: Math.random,
      leaseMs: config.OWNER_LEASE_MS,
      window: config.OWNER_WINDOW,
    },
    (owner, { next, ...counts }) => {
      metrics.countRun({ next, ...counts });
      if (next.step === 'later') waker.wakeIn(owner, next.inMs);
      if (next.step === 'delay' && next.kafkaAway) intake.pause(next.reason);
    },
  );
  const worker = new Worker<OwnerJobData>(OWNER_QUEUE, processor, {
    connection: redis,
    prefix: names.prefix,
    concurrency: config.WORKER_CONCURRENCY,
    // A job's lock lives as long as the run's lease: who lost one has lost the other.
    lockDuration: config.OWNER_LEASE_MS,
    // A killed run is taken up again at the first look after its lock has run out: 12.5 s at most by default.
    stalledInterval: Math.ceil(config.OWNER_LEASE_MS / 4),
    // In seconds. A call to work that Redis lost (it was read-only for a moment) is made good by the next look of our own.
    drainDelay: 1,
    // After a lost connection the next look is half a second away, not BullMQ's 15 s.
    runRetryDelay: 500,
    // A crash loop must not turn acknowledged news into failed jobs: BullMQ's own limit is 1.
    maxStalledCount: 1_000_000,
  });
  worker.on('error', (error) => log.warn({ err: error }, 'worker.error'));
  worker.on('failed', (job, error) =>
    log.error({ owner: job?.data.owner, attempt: job?.attemptsMade, err: error }, 'run.failed'),
  );
  worker.on('stalled', (jobId) => log.warn({ job: jobId }, 'run.stalled'));
  const intake = createIntake(worker, () => kafka.probe(), log);
  shutdown.add('owner worker', () => worker.close());
  shutdown.add('intake', () => intake.close());
  // Runs that are under way end now, also those that wait for a broker's word.
  shutdown.add('publishing', () => kafka.publisher.waitNoLonger());
}
