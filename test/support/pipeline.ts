/**
 * The whole way for one test: a simulated Graph in this process, receiver and worker as processes of their own, on the
 * run's Redis and Kafka (or on servers that the test brings to hurt them). Prefix, topics and files are its own.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphSimulator, type GraphSimulatorOptions } from '@graph2kafka/graph-simulator';
import {
  eventually,
  followTopic,
  type Services,
  type StackSettings,
  startServices,
  type TopicFollower,
  type TopicRecord,
} from '@graph2kafka/test-harness';
import { inject, onTestFinished } from 'vitest';

type Environment = Readonly<Record<string, string | undefined>>;

export type PipelineOptions = {
  readonly users?: number;
  readonly simulator?: GraphSimulatorOptions;
  readonly redisUrl?: string;
  readonly brokers?: string;
  /** PEM of authorities that both services trust beside the simulator's. */
  readonly authorities?: readonly string[];
  readonly receiver?: Environment;
  readonly worker?: Environment;
  /** `subscriptions.yaml` for these users; their calendars, unless said otherwise. */
  readonly subscriptions?: (userIds: readonly string[], simulator: GraphSimulator) => string;
};

/** A record's CloudEvent, as a consumer sees it. */
export type SeenEvent = {
  readonly record: TopicRecord;
  readonly type: string;
  readonly id: string;
  readonly source: string;
  readonly subject: string;
  readonly acquisition?: string;
  readonly resourceversion?: string;
  readonly notificationcount?: number;
  readonly traceparent?: string;
  readonly data: Record<string, unknown>;
};

export type Pipeline = {
  readonly simulator: GraphSimulator;
  readonly services: Services;
  readonly stack: StackSettings;
  readonly dir: string;
  readonly changeLogFile: string;
  /** What the topic holds so far. */
  events(): readonly SeenEvent[];
  /** Records of one resource, in the topic's order. */
  eventsOf(resource: string): readonly SeenEvent[];
  deadLetters(): readonly SeenEvent[];
  /** Follows a topic beside these two from its beginning. */
  follow(topic: string): () => readonly SeenEvent[];
  /** All lines that the services have logged. */
  readonly log: readonly string[];
  /** No owner has news left. */
  drained(timeoutMs?: number): Promise<void>;
};

/** Starts it and has it ended with the test; resolves when all users' calendars are subscribed. */
export async function startPipeline(options: PipelineOptions = {}): Promise<Pipeline> {
  const { users = 1 } = options;
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-pipeline-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const changeLogFile = join(dir, 'changes.jsonl');
  const simulator = await GraphSimulator.start({ users, changeLogFile, ...options.simulator });
  onTestFinished(() => simulator.close());
  const log: string[] = [];
  const stack = await describeStack(options, dir, simulator, log);
  const userIds = simulator.users().map(({ id }) => id);
  const services = await startServices(stack, userIds, dir, {
    receiver: {
      ...(options.authorities && { NODE_EXTRA_CA_CERTS: stack.graph.caFile }),
      ...options.receiver,
    },
    // Tests do in Bull Board what people do.
    worker: { ADMIN_READ_ONLY: 'false', ...(await wantedBy(options, simulator, dir)), ...options.worker },
  });
  onTestFinished(() => services.stop());
  // From the first question on, and then from the topic's beginning: a reader does not outlive its broker.
  const records = lazily(() => collect(followTopic({ brokers: stack.brokers, topic: stack.topic })));
  const letters = lazily(() =>
    collect(followTopic({ brokers: stack.brokers, topic: stack.deadLetterTopic })),
  );
  await services.worker.process.waitUntil(() => simulator.subscriptions.size >= users);
  return {
    simulator,
    services,
    stack,
    dir,
    changeLogFile,
    log,
    events: records,
    eventsOf: (resource) =>
      records().filter(({ record }) => record.key === `${simulator.tenantId}/${resource}`),
    deadLetters: letters,
    follow: (topic) => lazily(() => collect(followTopic({ brokers: stack.brokers, topic }))),
    drained: (timeoutMs = 20_000) => drained(services.worker.url, timeoutMs),
  };
}

async function wantedBy(
  { subscriptions }: PipelineOptions,
  simulator: GraphSimulator,
  dir: string,
): Promise<Environment> {
  if (subscriptions === undefined) return {};
  const file = join(dir, 'wanted.yaml');
  await writeFile(
    file,
    subscriptions(
      simulator.users().map(({ id }) => id),
      simulator,
    ),
  );
  return { SUBSCRIPTIONS_FILE: file };
}

/** Servers, names and Graph for the services of one test. */
export async function describeStack(
  { redisUrl, brokers, authorities = [] }: PipelineOptions,
  dir: string,
  simulator: GraphSimulator,
  log: string[],
): Promise<StackSettings> {
  const caFile = join(dir, 'graph-ca.pem');
  await writeFile(caFile, [simulator.caCertificate, ...authorities].join('\n'));
  const name = `t${randomUUID().slice(0, 8)}`;
  const { url, tenantId, clientId, clientSecret } = simulator;
  return {
    redisUrl: redisUrl ?? inject('redisUrl'),
    brokers: brokers ?? inject('kafkaBrokers'),
    redisPrefix: name,
    topic: `${name}.events`,
    deadLetterTopic: `${name}.events.dlq`,
    graph: { url, caFile, tenantId, clientId, clientSecret },
    onLine: (line) => log.push(line),
  };
}

function lazily<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** Gathers records until the test ends. */
export function collect(follower: TopicFollower): SeenEvent[] {
  const seen: SeenEvent[] = [];
  const reading = (async () => {
    for await (const record of follower) seen.push({ ...JSON.parse(record.value ?? '{}'), record });
  })();
  onTestFinished(async () => {
    await follower.close();
    await reading;
  });
  return seen;
}

async function drained(workerUrl: string, timeoutMs: number): Promise<void> {
  await eventually(
    async () => {
      const metrics = await (await fetch(`${workerUrl}/metrics`)).text();
      return /^g2k_owners_with_news 0$/m.test(metrics);
    },
    { timeoutMs, intervalMs: 50 },
  );
}
