/**
 * Begins to work once everything that the promises need is there: a durable Redis, Kafka with its topics. What is
 * away is waited for; what is set wrong is an error for the operator.
 */
import { setTimeout as pause } from 'node:timers/promises';
import {
  durabilityProblems,
  lifecycleEntry,
  OWNER_QUEUE,
  type OwnerJobData,
  type Shutdown,
} from '@graph2kafka/shared';
import { Worker } from 'bullmq';
import type { WorkerContext } from './context.ts';
import { createFetchResource } from './graph/fetch-resource.ts';
import { createListResources } from './graph/list-resources.ts';
import { createIntake } from './inbox/intake.ts';
import { createOwnerProcessor } from './inbox/owner-processor.ts';
import { startWaker } from './inbox/waker.ts';
import { KafkaSetupError } from './kafka/topics.ts';
import { SchemaRefusedError } from './records/registry-client.ts';
import { createOpenContent, type OpenContent } from './rich/open-content.ts';
import { authorityAt } from './rich/token-authority.ts';
import { createTokenVerifier } from './rich/validation-tokens.ts';
import { type CloseHole, createCloseHole } from './subscriptions/close-hole.ts';
import { createLifecycleProcessor } from './subscriptions/lifecycle-processor.ts';
import { startRenewalProcessor } from './subscriptions/renewal-processor.ts';
import type { KnownSubscription } from './subscriptions/subscription-store.ts';
import { createSubscriptionViews } from './subscriptions/subscription-views.ts';
import { createSubscriptionsApi } from './subscriptions/subscriptions-api.ts';

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
  await requireDurableRedis(context);
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
  context.log.info('service.working');
}

async function requireDurableRedis({ redis, config }: WorkerContext): Promise<void> {
  const problems = await durabilityProblems(redis, config.REDIS_DURABILITY);
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

async function requireTopics(
  { kafka, config, wishes, log }: WorkerContext,
  stopping: AbortSignal,
): Promise<void> {
  const wanted = [config.KAFKA_TOPIC, config.KAFKA_DEAD_LETTER_TOPIC, ...wishes.map(({ topic }) => topic)];
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

async function requireSchemas(
  { schemas, config, wishes, log }: WorkerContext,
  stopping: AbortSignal,
): Promise<void> {
  const records = [config.KAFKA_TOPIC, ...wishes.map(({ topic }) => topic)];
  while (schemas && !stopping.aborted) {
    try {
      await schemas.learn({ records, deadLetters: config.KAFKA_DEAD_LETTER_TOPIC });
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
  const { config, graph, store, log, wishes, redis, names, queues, metrics, encryption } = context;
  const { NOTIFICATION_URL: notificationUrl } = config;
  if (notificationUrl === undefined || wishes.length === 0) return async () => undefined;
  const renewal = await startRenewalProcessor(
    { connection: redis, prefix: names.prefix, queue: queues.subscriptions },
    {
      api: createSubscriptionsApi(graph, config.GRAPH_URL),
      store,
      log,
      wishes,
      tenantId: config.AZURE_TENANT_ID,
      get secrets() {
        return config.CLIENT_STATE_SECRETS;
      },
      encryption,
      notificationUrl,
      lifecycleNotificationUrl: config.LIFECYCLE_NOTIFICATION_URL,
      noteHole: (subscription) => noteHole(context, subscription),
      closeHole: closeHoleOf(context),
      now: Date.now,
    },
    config.RECONCILE_EVERY_MS,
    metrics.countReconciliation,
  );
  shutdown.add('subscriptions', () => renewal.close());
  return renewal.request;
}

/** The same as if Graph had told us: worked in the subscription's own run, found by the waker. */
async function noteHole({ inbox, config }: WorkerContext, { id, nonce }: KnownSubscription): Promise<void> {
  const item = {
    subscriptionId: id,
    tenantId: config.AZURE_TENANT_ID,
    lifecycleEvent: 'subscriptionRemoved',
    id: undefined,
  };
  const entry = lifecycleEntry(item, nonce, Date.now());
  await inbox.append(entry.owner, [entry]);
}

function closeHoleOf({ inbox, config }: WorkerContext): CloseHole {
  return createCloseHole(inbox, config.AZURE_TENANT_ID, Date.now);
}

function openContentOf({ config, contents, encryption, log }: WorkerContext): OpenContent {
  const verifier = createTokenVerifier({
    audiences: [config.AZURE_CLIENT_ID],
    authority: authorityAt(config.AZURE_AUTHORITY_HOST ?? GLOBAL_LOGIN_URL),
  });
  return createOpenContent({ keys: () => encryption.held(), verifier, contents, log });
}

const GLOBAL_LOGIN_URL = 'https://login.microsoftonline.com';

function startOwners(
  context: WorkerContext,
  shutdown: Shutdown,
  requestReconcile: () => Promise<void>,
): void {
  const { config, log, inbox, contents, queues, redis, names, kafka, publish, store, graph, metrics } =
    context;
  const waker = startWaker(inbox, queues.owners, log);
  shutdown.add('waker', () => waker.close());
  const processor = createOwnerProcessor(
    {
      inbox,
      log,
      fetchResource: createFetchResource(graph),
      contents,
      openContent: openContentOf(context),
      listResources: createListResources(graph, config.GRAPH_URL),
      publish,
      handleLifecycle: createLifecycleProcessor({
        store,
        publish,
        requestReconcile,
        closeHole: closeHoleOf(context),
        log,
      }),
      loadViews: createSubscriptionViews(store, config.KAFKA_TOPIC, Date.now),
      tenantId: config.AZURE_TENANT_ID,
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
    stalledInterval: config.OWNER_LEASE_MS / 4,
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
