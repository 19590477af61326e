/** Simulated Graph in this process; Redis, Kafka, receiver and worker each as a process of its own. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DeliverySettings, GraphSimulator } from '@graph2kafka/graph-simulator';
import {
  eventually,
  KafkaBroker,
  RedisServer,
  type Services,
  type StackSettings,
  startServices,
} from '@graph2kafka/test-harness';
import { type BenchmarkContext, now, unlessInterrupted } from '../benchmark.ts';

export type WholePipelineOptions = {
  /** Each has a calendar with a subscription of its own. */
  readonly users: number;
  readonly delivery?: Partial<DeliverySettings>;
  /** Time that each call of Graph takes; none without it. */
  readonly graphLatencyMs?: number;
  /** Settings of the worker beside the usual ones. */
  readonly worker?: Readonly<Record<string, string>>;
};

export type WholePipeline = {
  readonly simulator: GraphSimulator;
  readonly redis: RedisServer;
  readonly kafka: KafkaBroker;
  readonly services: Services;
  readonly settings: StackSettings;
  readonly changeLogFile: string;
};

/** Graph is asked to make one after the other; 50 take about 2 s. */
const SUBSCRIBED_WITHIN_MS = 60_000;

/** Resolves when all calendars are subscribed. */
export async function startWholePipeline(
  { users, delivery = {}, graphLatencyMs = 0, worker = {} }: WholePipelineOptions,
  { dir, cleanup, onProgress, interrupted }: BenchmarkContext,
): Promise<WholePipeline> {
  onProgress('starting Redis, Kafka, simulated Graph, receiver and worker');
  const redis = cleanup.use(await RedisServer.start({ dir: join(dir, 'redis'), onProgress }));
  const kafka = cleanup.use(await KafkaBroker.start({ dir: join(dir, 'kafka'), onProgress }));
  const changeLogFile = join(dir, 'changes.jsonl');
  const simulator = cleanup.use(
    await GraphSimulator.start({
      users,
      changeLogFile,
      // What is measured goes to the limits; Graph's own limits would be measured in its place.
      delivery: { ...delivery, endpoints: { isRated: false } },
      subscriptionThrottling: false,
      requestLimits: { mailboxRequests: Number.POSITIVE_INFINITY },
      graphLatencyMs,
      now,
    }),
  );
  const settings = await describeStack(dir, redis, kafka, simulator);
  interrupted.throwIfAborted();
  const userIds = simulator.users().map(({ id }) => id);
  const production = { NODE_ENV: 'production' };
  const services = await startServices(settings, userIds, dir, {
    receiver: production,
    worker: { ...production, ...worker },
  });
  cleanup.defer(() => services.stop());
  const subscribed = eventually(() => simulator.subscriptions.size >= users, {
    timeoutMs: SUBSCRIBED_WITHIN_MS,
  });
  await unlessInterrupted(subscribed, interrupted);
  return { simulator, redis, kafka, services, settings, changeLogFile };
}

async function describeStack(
  dir: string,
  redis: RedisServer,
  kafka: KafkaBroker,
  { url, caCertificate, tenantId, clientId, clientSecret }: GraphSimulator,
): Promise<StackSettings> {
  const caFile = join(dir, 'graph-ca.pem');
  await writeFile(caFile, caCertificate);
  return {
    redisUrl: redis.url,
    brokers: kafka.brokers,
    redisPrefix: 'bench',
    topic: 'graph.events',
    deadLetterTopic: 'graph.events.dlq',
    graph: { url, caFile, tenantId, clientId, clientSecret },
  };
}
