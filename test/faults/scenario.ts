/**
 * A whole run under faults: simulated Graph, receiver and workers as processes, Redis and Kafka; changes at a rate; and
 * at the end, when all is healed and quiet, the judgement by what Graph has logged and what lies in Kafka and Redis.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphSimulator } from '@graph2kafka/graph-simulator';
import {
  calendarSubscriptions,
  check,
  eventually,
  freePort,
  readTopic,
  type StackSettings,
  startReceiver,
  startWorker,
} from '@graph2kafka/test-harness';
import type { Judgement } from './judgement.ts';
import { isQuiet, type Leftovers, readLeftovers } from './leftovers.ts';
import { Observations } from './observations.ts';
import { seededRandom } from './seeded-random.ts';
import { type Servers, startServers } from './servers.ts';
import { SupervisedService } from './supervised-service.ts';
import type { TestBuild } from './test-build.ts';
import { startTraffic, type Traffic } from './traffic.ts';

export type ScenarioOptions = {
  readonly seed?: number;
  readonly users?: number;
  readonly workers?: number;
  /** Of the workers' runs and locks; short, so that a stop of some seconds exceeds it. Default 1500. */
  readonly leaseMs?: number;
  /** How long a service that stops itself stands still. Default: 2 s more than the lease. */
  readonly stopMs?: number | 'until continued';
  readonly graphLatencyMs?: number;
  /** An existing Kafka, which is left alone; without it the scenario has its own. */
  readonly brokers?: string;
  /** Puts a TCP proxy before Redis, and before Kafka if it is the scenario's own. */
  readonly proxied?: boolean;
  readonly receiver?: TestBuild;
  /** Of the n-th worker, counted from 0. */
  readonly worker?: (n: number) => TestBuild;
  /** Settings of all workers. */
  readonly workerSettings?: Readonly<Record<string, string>>;
  /** Starts neither receiver nor workers: `startServices` does. */
  readonly servicesLater?: boolean;
};

const DEFAULTS = { seed: 1, users: 3, workers: 2, leaseMs: 1500, graphLatencyMs: 20 };

/** Simulated Graph comes again soon, so that a test need not wait for what was refused. */
const RETRY_BASE_MS = 200;
const RETRY_CAP_MS = 1000;

export class Scenario implements AsyncDisposable {
  readonly simulator: GraphSimulator;
  readonly servers: Servers;
  readonly observations = new Observations();
  readonly stack: StackSettings;
  /** For whoever chooses what to hurt. */
  readonly random: () => number;
  readonly workers: SupervisedService[] = [];
  readonly #place: Place;
  readonly #options: ScenarioOptions;
  readonly #cleanup: AsyncDisposableStack;
  #receiver: SupervisedService | undefined;
  #workersMade = 0;

  /** Resolves when the users' calendars are subscribed. Whatever was started is ended where a later part fails. */
  static async start(options: ScenarioOptions = {}): Promise<Scenario> {
    const cleanup = new AsyncDisposableStack();
    try {
      const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-faults-'));
      cleanup.defer(() => rm(dir, { recursive: true, force: true }));
      const { brokers, proxied = false } = options;
      const servers = await startServers({ dir, brokers, proxied }, cleanup);
      const simulator = cleanup.use(await startSimulator(options));
      const stack = await describeStack(dir, simulator, servers);
      const place = await describePlace(dir, simulator);
      const scenario = new Scenario(options, { simulator, servers, stack, place, cleanup });
      if (options.servicesLater !== true) await scenario.startServices();
      return scenario;
    } catch (error) {
      await cleanup.disposeAsync();
      throw error;
    }
  }

  private constructor(options: ScenarioOptions, parts: ScenarioParts) {
    this.simulator = parts.simulator;
    this.servers = parts.servers;
    this.stack = parts.stack;
    this.random = seededRandom(options.seed ?? DEFAULTS.seed);
    this.#place = parts.place;
    this.#options = options;
    this.#cleanup = parts.cleanup;
  }

  /** @throws before the services were started */
  get receiver(): SupervisedService {
    if (!this.#receiver) throw new Error('the receiver was not started');
    return this.#receiver;
  }

  get services(): readonly SupervisedService[] {
    return [this.receiver, ...this.workers];
  }

  /** Resolves when the users' calendars are subscribed. */
  async startServices(): Promise<void> {
    await this.launchServices();
    await this.subscribed();
  }

  /** Graph has a subscription for each user's calendar. */
  async subscribed(): Promise<void> {
    await eventually(() => this.simulator.subscriptions.size >= this.simulator.users().length, {
      timeoutMs: 30_000,
    });
  }

  /** Resolves when receiver and workers listen, though nothing they need may be there. */
  async launchServices(): Promise<void> {
    const { receiver = {}, worker, workers = DEFAULTS.workers } = this.#options;
    this.#receiver = await this.#supervise('receiver', receiver, (stack, environment) =>
      startReceiver(stack, { PORT: this.#place.receiverPort, ...environment }),
    );
    await Promise.all(Array.from({ length: workers }, (_, n) => this.addWorker(worker?.(n))));
  }

  /** A further worker, of the same wishes as the others. */
  async addWorker(build: TestBuild = {}): Promise<SupervisedService> {
    const { leaseMs = DEFAULTS.leaseMs, workerSettings } = this.#options;
    const settings = { OWNER_LEASE_MS: String(leaseMs), ...workerSettings };
    const name = `worker ${++this.#workersMade}`;
    const worker = await this.#supervise(name, build, (stack, environment) =>
      startWorker(stack, this.#place, { ...settings, ...environment }),
    );
    this.workers.push(worker);
    return worker;
  }

  startTraffic(changesPerSecond: number, { deletions = false } = {}): Traffic {
    // Random numbers of its own: which worker is hurt must not hang on how many changes there were.
    const random = seededRandom(this.#options.seed ?? DEFAULTS.seed);
    return startTraffic(this.simulator, { changesPerSecond, deletions, random });
  }

  leftovers(): Promise<Leftovers> {
    return readLeftovers(this.servers.redis.port, this.stack.redisPrefix);
  }

  /** No owner has news and no job lives. @throws at the deadline, with what is left */
  async quiet(timeoutMs = 30_000): Promise<void> {
    await eventually(
      async () => {
        const leftovers = await this.leftovers();
        if (!isQuiet(leftovers)) throw new Error(`left: ${JSON.stringify(leftovers)}`);
      },
      { timeoutMs, intervalMs: 50 },
    );
  }

  /**
   * Waits until Graph has delivered everything and no owner has news, then judges. What is not done by then is the
   * judgement's to tell: it is not an error here.
   * @param patienceMs an early 404 that was real takes 40 s, everything else some seconds
   */
  async judge(patienceMs = 60_000): Promise<Judgement> {
    const { simulator, stack, servers } = this;
    const undelivered = await simulator.notifier.idle({ timeoutMs: patienceMs }).then(
      () => 0,
      () => simulator.notifier.counters.pending,
    );
    await this.quiet(patienceMs).catch(() => undefined);
    const leftovers = await this.leftovers();
    const records = await readTopic({ brokers: servers.brokers, topic: stack.topic });
    const deadLetters = await readTopic({ brokers: servers.brokers, topic: stack.deadLetterTopic });
    const verdict = check(simulator.changeLog.entries, records, deadLetters);
    return { verdict, leftovers, undelivered, crashes: this.observations.crashes };
  }

  /** Ends all that it has started. Safe to call twice. */
  async close(): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #supervise(name: string, build: TestBuild, launch: Launch): Promise<SupervisedService> {
    const { leaseMs = DEFAULTS.leaseMs } = this.#options;
    const stopMs = this.#options.stopMs ?? leaseMs + 2000;
    const supervised = new SupervisedService({
      name,
      build,
      stopMs: stopMs === 'until continued' ? undefined : stopMs,
      observations: this.observations,
      launch: (environment, onLine) => launch({ ...this.stack, onLine }, environment),
    });
    this.#cleanup.defer(() => supervised.close());
    await supervised.running();
    return supervised;
  }
}

type Place = {
  readonly receiverPort: string;
  readonly receiverUrl: string;
  readonly subscriptionsFile: string;
};

type ScenarioParts = Pick<Scenario, 'simulator' | 'servers' | 'stack'> & {
  readonly place: Place;
  readonly cleanup: AsyncDisposableStack;
};

type Launch = (
  stack: StackSettings,
  environment: Readonly<Record<string, string>>,
) => ReturnType<typeof startWorker>;

function startSimulator({
  seed = DEFAULTS.seed,
  users = DEFAULTS.users,
  graphLatencyMs = DEFAULTS.graphLatencyMs,
}: ScenarioOptions): Promise<GraphSimulator> {
  // Freezing the receiver would make Graph deliver ten minutes late, or not at all: longer than a run has.
  const endpoints = { isRated: false };
  const delivery = { retryBaseMs: RETRY_BASE_MS, retryCapMs: RETRY_CAP_MS, endpoints };
  return GraphSimulator.start({ seed, users, graphLatencyMs, delivery });
}

async function describeStack(
  dir: string,
  simulator: GraphSimulator,
  { redisUrl, serviceBrokers }: Servers,
): Promise<StackSettings> {
  const caFile = join(dir, 'graph-ca.pem');
  await writeFile(caFile, simulator.caCertificate);
  const name = `f${randomUUID().slice(0, 8)}`;
  const { url, tenantId, clientId, clientSecret } = simulator;
  return {
    redisUrl,
    brokers: serviceBrokers,
    redisPrefix: name,
    topic: `${name}.events`,
    deadLetterTopic: `${name}.events.dlq`,
    graph: { url, caFile, tenantId, clientId, clientSecret },
  };
}

/** The receiver keeps its port through all its lives, as behind a load balancer. */
async function describePlace(dir: string, simulator: GraphSimulator): Promise<Place> {
  const subscriptionsFile = join(dir, 'subscriptions.yaml');
  await writeFile(subscriptionsFile, calendarSubscriptions(simulator.users().map(({ id }) => id)));
  const receiverPort = String(await freePort());
  return { receiverPort, receiverUrl: `http://127.0.0.1:${receiverPort}`, subscriptionsFile };
}
