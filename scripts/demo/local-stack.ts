/** Everything that a change needs on its way, on this machine: Redis, Kafka, the simulated Graph, receiver, worker. */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { GraphSimulator } from '@graph2kafka/graph-simulator';
import {
  KafkaBroker,
  LOCAL_FOLDER,
  RedisServer,
  type Service,
  type StackSettings,
  startServices,
} from '@graph2kafka/test-harness';

export type LocalStackOptions = {
  readonly users: number;
  readonly redisUrl: string | undefined;
  readonly brokers: string | undefined;
  readonly onProgress: (text: string) => void;
  readonly onLine?: StackSettings['onLine'];
};

export type LocalStack = {
  readonly simulator: GraphSimulator;
  readonly changeLogFile: string;
  readonly settings: StackSettings;
  readonly receiver: Service;
  readonly worker: Service;
  /** Ends all of it, in reverse order, and removes what it left on disk; safe to call twice. */
  close(): Promise<void>;
};

/** Starts the parts in order; what has started is ended again where a later one fails. */
export async function startLocalStack(options: LocalStackOptions): Promise<LocalStack> {
  const { onProgress } = options;
  const dir = join(LOCAL_FOLDER, `demo-${process.pid}`);
  const closers: (() => Promise<unknown>)[] = [() => rm(dir, { recursive: true, force: true })];
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= closeAll(closers);
    return closing;
  };
  try {
    await mkdir(dir, { recursive: true });
    onProgress('Starting Redis and Kafka');
    // Started side by side; both are waited for, so that a failure of one leaves none behind.
    const servers = await Promise.allSettled([startRedis(options, dir), startKafka(options, dir)]);
    for (const server of servers) if (server.status === 'fulfilled') closers.push(server.value.stop);
    const [redis, kafka] = servers.map(fulfilled) as [Server, Server];
    const changeLogFile = join(dir, 'changes.jsonl');
    const simulator = await GraphSimulator.start({ users: options.users, changeLogFile });
    closers.push(() => simulator.close());
    const settings = await describeStack(options, dir, simulator, {
      redisUrl: redis.address,
      brokers: kafka.address,
    });
    onProgress('Starting receiver and worker');
    const services = await startServices(
      settings,
      simulator.users().map(({ id }) => id),
      dir,
    );
    closers.push(services.stop);
    return {
      simulator,
      changeLogFile,
      settings,
      receiver: services.receiver,
      worker: services.worker,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type Server = { readonly address: string; readonly stop: () => Promise<unknown> };

async function startRedis({ redisUrl, onProgress }: LocalStackOptions, dir: string): Promise<Server> {
  if (redisUrl) return { address: redisUrl, stop: async () => undefined };
  const redis = await RedisServer.start({ dir: join(dir, 'redis'), onProgress });
  return { address: redis.url, stop: () => redis.stop() };
}

async function startKafka({ brokers, onProgress }: LocalStackOptions, dir: string): Promise<Server> {
  if (brokers) return { address: brokers, stop: async () => undefined };
  const kafka = await KafkaBroker.start({ dir: join(dir, 'kafka'), onProgress });
  return { address: kafka.brokers, stop: () => kafka.stop() };
}

function fulfilled<T>(result: PromiseSettledResult<T>): T {
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

/** On servers that are not ours the run keeps to names of its own. */
async function describeStack(
  { redisUrl, brokers: ownBrokers, onLine }: LocalStackOptions,
  dir: string,
  simulator: GraphSimulator,
  servers: Pick<StackSettings, 'redisUrl' | 'brokers'>,
): Promise<StackSettings> {
  const caFile = join(dir, 'graph-ca.pem');
  await writeFile(caFile, simulator.caCertificate);
  const run = redisUrl || ownBrokers ? `demo-${Date.now()}` : undefined;
  const topic = run ? `graph.events.${run}` : 'graph.events';
  const { url, tenantId, clientId, clientSecret } = simulator;
  return {
    ...servers,
    redisPrefix: run ?? 'g2k',
    topic,
    deadLetterTopic: `${topic}.dlq`,
    graph: { url, caFile, tenantId, clientId, clientSecret },
    ...(onLine && { onLine }),
  };
}

async function closeAll(closers: readonly (() => Promise<unknown>)[]): Promise<void> {
  for (const close of closers.toReversed()) await close().catch(() => undefined);
}
