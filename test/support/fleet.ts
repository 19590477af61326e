/**
 * A fleet of subscriptions that several workers keep, on one simulated Graph and a Redis of the test's choice: which worker
 * reconciles, what each has asked Graph for, and whether Graph ever had two subscriptions for one wish.
 */
import { execFile } from 'node:child_process';
import { type ChannelListener, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { GraphSimulator } from '@graph2kafka/graph-simulator';
import { connectPatient, queueNames } from '@graph2kafka/shared';
import {
  eventually,
  followTopic,
  LOCAL_CLIENT_STATE_SECRET,
  type Service,
  type StackSettings,
  startReceiver,
  startWorker,
} from '@graph2kafka/test-harness';
import { expect, onTestFinished } from 'vitest';
import { collect, describeStack } from './pipeline.ts';

const SITE = 'northwind.example,1c2b3a4d-0000-4000-8000-000000000001,1c2b3a4d-0000-4000-8000-000000000002';
/** By then Graph's list shows what a request has made whose answer was lost (`SETTLE_MS` in `work-deps.ts`). */
const SETTLED_MS = 61_000;

/** After so long a worker that fell silent is taken for dead. */
export const LEASE_MS = 2000;
const QUICK = { RECONCILE_EVERY_MS: '1000', RECONCILE_LEASE_MS: String(LEASE_MS) };

export type FleetOptions = {
  /** Lists of a site, of which Graph makes several equal subscriptions where it is asked twice. */
  readonly lists: number;
  /** Users whose calendars are watched. */
  readonly calendars?: number;
  readonly workers?: number;
  /** The run's own without it. */
  readonly redisUrl?: string;
};

export type FleetWorker = {
  readonly service: Service;
  readonly lines: LogLine[];
};

export type LogLine = { readonly message: string } & Readonly<Record<string, unknown>>;

/** Every wish has one subscription, known by its id, and nothing is in doubt. */
export async function isWhole({ simulator, kept }: Fleet, count: number): Promise<void> {
  await eventually(
    async () => {
      const { serving, intents } = await kept();
      expect(intents).toBe(0);
      expect(serving.size).toBe(count);
      const atGraph = simulator.subscriptions.list().map(({ id }) => id);
      expect(atGraph.toSorted()).toEqual([...serving.keys()].toSorted());
    },
    { timeoutMs: 40_000 },
  );
}

/** A call that changes subscriptions. Each worker has a token of its own. */
export type Write = { readonly method: string; readonly path: string; readonly token: string };

export type Fleet = Awaited<ReturnType<typeof startFleet>>;

/** Starts receiver and workers; nothing needs to be made yet when it resolves. */
export async function startFleet({ lists, calendars = 0, workers = 2, redisUrl }: FleetOptions) {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-fleet-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  // Long enough that some requests are always under way.
  const simulator = await GraphSimulator.start({ users: calendars, graphLatencyMs: 200 });
  onTestFinished(() => simulator.close());
  seedLists(simulator, lists);
  const stack = await describeStack(redisUrl === undefined ? {} : { redisUrl }, dir, simulator, []);
  const redis = connectPatient(stack.redisUrl, () => undefined);
  onTestFinished(() => redis.disconnect());
  const receiver = await startReceiver(stack);
  onTestFinished(() => receiver.process.stop().then(() => undefined));
  const file = join(dir, 'wanted.yaml');
  const crew = createCrew({ ...stack }, receiver.url, file);
  const want = (lists: number, calendars: number) => writeFile(file, wantedFile(simulator, lists, calendars));
  await want(lists, calendars);
  await Promise.all(Array.from({ length: workers }, crew.start));
  const { prefix } = queueNames(stack.redisPrefix);
  let records: ReturnType<typeof collect> | undefined;
  // Of an operator beside the workers.
  const environment = {
    REDIS_URL: stack.redisUrl,
    REDIS_PREFIX: stack.redisPrefix,
    CLIENT_STATE_SECRETS: LOCAL_CLIENT_STATE_SECRET,
    AZURE_TENANT_ID: simulator.tenantId,
    AZURE_CLIENT_ID: simulator.clientId,
    AZURE_CLIENT_SECRET: simulator.clientSecret,
    AZURE_AUTHORITY_HOST: simulator.url,
    GRAPH_URL: simulator.url,
    NODE_EXTRA_CA_CERTS: stack.graph.caFile,
    NOTIFICATION_URL: `${receiver.url}/events`,
    LIFECYCLE_NOTIFICATION_URL: `${receiver.url}/lifecycle`,
    SUBSCRIPTIONS_FILE: file,
    KAFKA_TOPIC: stack.topic,
    KAFKA_DEAD_LETTER_TOPIC: stack.deadLetterTopic,
  };
  return {
    ...crew,
    /** Resolves to what it printed; rejects where it ends with another code than 0. */
    g2k: (...words: readonly string[]) => runCommand(environment, words),
    ...createWitness(simulator),
    ...{ simulator, redis, prefix, stack, receiver, file, want },
    writes: watchWrites(),
    /** For Graph and for the workers that start from now on. */
    pass(ms: number): void {
      simulator.clock.advance(ms);
      crew.setClocksAhead(ms);
    },
    /** Graph's time goes on, so that what was under way is looked for in its list. */
    settle: () => simulator.clock.advance(SETTLED_MS),
    kept: () => readKept(redis, prefix),
    /** Ids at Graph of those of calendars. */
    calendars: () =>
      simulator.subscriptions.list().flatMap(({ id, target }) => (target.startsWith('users/') ? [id] : [])),
    changeUnheard: () => changeUnheard(simulator),
    /** Keys of records so far, from the first call on. */
    records: () => {
      records ??= collect(followTopic({ brokers: stack.brokers, topic: stack.topic }));
      return new Set(records.map(({ record }) => record.key));
    },
  };
}

function seedLists(simulator: GraphSimulator, count: number): void {
  for (let nth = 0; nth < count; nth++)
    simulator.seed(`sites/${SITE}/lists/list-${nth}`, { id: `list-${nth}`, displayName: `List ${nth}` });
}

const listPath = (nth: number) => `sites/${SITE}/lists/list-${nth}`;

function wantedFile(simulator: GraphSimulator, lists: number, calendars: number): string {
  const users = simulator.users().slice(0, calendars);
  const entries: object[] = Array.from({ length: lists }, (_, nth) => ({
    name: `list-${nth}`,
    resource: listPath(nth),
  }));
  if (users.length > 0)
    entries.push({ name: 'calendars', resource: 'users/{user}/events', users: users.map(({ id }) => id) });
  // JSON is YAML.
  return JSON.stringify({ subscriptions: entries });
}

/**
 * A change of each list and calendar that is watched, of which Graph notifies nobody; their keys.
 */
function changeUnheard({ faults, items, calendar, subscriptions }: GraphSimulator): string[] {
  const silence = faults.add({ on: 'delivery', drop: true, times: Number.POSITIVE_INFINITY });
  const keys = subscriptions.list().map(({ target }) => {
    const [kind = '', id = ''] = target.split('/');
    if (kind === 'users') return calendar.create(id, { subject: 'Unheard' }).path.key;
    return items.create(`${target}/items`, { name: 'Unheard' }).path.key;
  });
  faults.remove(silence.id);
  return keys;
}

const execute = promisify(execFile);
const CLI = resolve(import.meta.dirname, '../../services/worker/src/cli/main.ts');

async function runCommand(environment: Readonly<Record<string, string>>, words: readonly string[]) {
  const { stdout } = await execute(process.execPath, [CLI, ...words], {
    env: { ...process.env, ...environment },
  });
  return stdout;
}

/** The workers of one pool. */
function createCrew(stack: StackSettings, receiverUrl: string, subscriptionsFile: string) {
  const living: FleetWorker[] = [];
  const all: FleetWorker[] = [];
  let acted: FleetWorker | undefined;
  let aheadMs = 0;

  async function start(): Promise<FleetWorker> {
    const lines: LogLine[] = [];
    const note = (text: string) => {
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      if (/^subscription\.(created|renewed|adopted)$/.test(line.message)) acted = worker;
    };
    const onLine = (text: string) => text.startsWith('{') && note(text);
    const place = { receiverUrl, subscriptionsFile };
    const service = await startWorker({ ...stack, onLine }, place, { ...QUICK, ...clockAhead(aheadMs) });
    const worker = { service, lines };
    living.push(worker);
    all.push(worker);
    onTestFinished(() => service.process.stop().then(() => undefined));
    return worker;
  }

  return {
    start,
    /** The clocks of workers that start from now on are so much ahead of the machine's. */
    setClocksAhead(ms: number): void {
      aheadMs = ms;
    },
    /** The one that has changed a subscription last: it reconciles, as long as there is something to do. */
    async reconciler(): Promise<FleetWorker> {
      return eventually(() => (acted && living.includes(acted) ? acted : null));
    },
    async kill(worker: FleetWorker): Promise<void> {
      living.splice(living.indexOf(worker), 1);
      await worker.service.process.kill9();
    },
    async stopAll(): Promise<void> {
      await Promise.all(living.splice(0).map(({ service }) => service.process.stop()));
    },
    /** Lines of all that ever worked, those of the dead as well. */
    said: (message: string) => all.flatMap(({ lines }) => lines.filter((line) => line.message === message)),
  };
}

function clockAhead(ms: number) {
  if (ms === 0) return {};
  const module = `const { now } = Date; Date.now = () => now() + ${ms};`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(module)}` };
}

/** Calls of workers about subscriptions, with the token that tells who asked; simulated Graph is in this process. */
function watchWrites(): readonly Write[] {
  const writes: Write[] = [];
  const note: ChannelListener = (started) => {
    const { method = '', url = '', headers } = (started as { request: IncomingMessage }).request;
    if (method !== 'GET' && url.startsWith('/v1.0/subscriptions'))
      writes.push({ method, path: url, token: headers.authorization ?? '' });
  };
  subscribe('http.server.request.start', note);
  onTestFinished(() => void unsubscribe('http.server.request.start', note));
  return writes;
}

function createWitness(simulator: GraphSimulator) {
  const actions = () => simulator.changeLog.ofKind('subscription');
  return {
    made: () => actions().filter(({ action }) => action === 'created').length,
    /** What was made and then let go, by whomever. */
    gone: () => actions().filter(({ action }) => /^(deleted|removed|expired)$/.test(action)).length,
    /** Made at Graph, and Graph's answer is not on its way yet. */
    async unanswered(): Promise<void> {
      await eventually(
        () => {
          const posts = simulator.requests.filter(isCreation);
          const answered = posts.filter(({ status }) => status === 201).length;
          return actions().filter(({ action }) => action === 'created').length > answered;
        },
        { intervalMs: 5, timeoutMs: 20_000 },
      );
    },
    /** Resources that had two subscriptions at once, at any time. */
    twins: () => findTwins(actions()),
  };
}

const isCreation = ({ method, path }: { method: string; path: string }) =>
  method === 'POST' && path === '/v1.0/subscriptions';

type Action = { readonly action: string; readonly id: string; readonly resource: string };

function findTwins(actions: readonly Action[]): string[] {
  const living = new Map<string, Set<string>>();
  const twins: string[] = [];
  for (const { action, id, resource } of actions) {
    const ids = living.get(resource) ?? new Set();
    living.set(resource, ids);
    if (action === 'created') ids.add(id);
    if (/^(deleted|removed|expired)$/.test(action)) ids.delete(id);
    if (ids.size > 1) twins.push(resource);
  }
  return twins;
}

type Kept = {
  readonly id: string;
  readonly wish: string;
  readonly expiresAt: number;
  readonly replacedAt?: number;
};

type Redis = ReturnType<typeof connectPatient>;

/** What Redis knows: those that serve, by id, and how many requests have no outcome yet. */
async function readKept(redis: Redis, prefix: string) {
  const all = (await redis.hvals(`${prefix}:subscriptions`)).map((json) => JSON.parse(json) as Kept);
  return {
    serving: new Map(
      all.filter(({ replacedAt }) => replacedAt === undefined).map((one) => [one.id, one] as const),
    ),
    intents: await redis.hlen(`${prefix}:subscription-intents`),
  };
}
