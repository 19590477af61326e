/**
 * `batch`: fetches that are collected into `$batch` requests against fetches one by one: two whole pipelines side by
 * side, each with Graph, Redis and Kafka of its own, loaded in turns of one run.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readTopic, type Verdict } from '@graph2kafka/test-harness';
import { type Benchmark, type BenchmarkContext, now, unlessInterrupted } from './benchmark.ts';
import { keepSchedule } from './load/keep-schedule.ts';
import { type LatencySummary, summarizeLatencies } from './load/latencies.ts';
import { WARM_UP_CHANGES } from './load/warm-up.ts';
import { firstRecordsOf, latenciesOfRecords, type MadeResource } from './measure/record-latencies.ts';
import { orderOfRound } from './measure/rounds.ts';
import { startUsageMeter } from './measure/usage-meter.ts';
import { short, times } from './report/numbers.ts';
import type { Claim, Report } from './report/report.ts';
import { drain, workOff } from './stack/drain.ts';
import { setOwnerQueue } from './stack/owner-queue.ts';
import { describeProblems, runChecker } from './stack/run-checker.ts';
import { startWholePipeline, type WholePipeline } from './stack/whole-pipeline.ts';

export type BatchOptions = {
  /** Changes per second over all calendars. */
  readonly rate: number;
  readonly users: number;
  readonly seconds: number;
  readonly rounds: number;
  /** Changes of a backlog, over all calendars. */
  readonly events: number;
};

const WAYS = ['batched', 'single'] as const;
type Way = (typeof WAYS)[number];

const LOADS = ['rate', 'backlog', 'alone'] as const;
type Load = (typeof LOADS)[number];

/** What a load came to, over all rounds. */
type Sum = {
  made: MadeResource[];
  notifications: number;
  ms: number;
  workerCpuMs: number;
  requests: number;
  batches: number;
};

type Sums = Readonly<Record<Load, Sum>>;

type Measured = {
  readonly sums: Sums;
  readonly latencies: Readonly<Record<Load, LatencySummary | undefined>>;
  readonly verdict: Verdict;
};

/** About what Graph takes for an event, without the way there. */
const GRAPH_LATENCY_MS = 50;
/** One change after the other, each when the one before is a record. */
const ALONE_TURNS = 30;
/** Of a fetch that is alone: the wait (`GRAPH_BATCH_WAIT_MS`), and what a timer and this machine add to it. */
const ALONE_LIMIT_MS = 5 + 3;

export const batch: Benchmark<BatchOptions> = async (options, context) => {
  const stacks = {
    batched: await startWay('batched', options, context),
    single: await startWay('single', options, context),
  };
  const sums: Record<Way, Sums> = { batched: emptySums(), single: emptySums() };
  for (const way of WAYS) {
    context.onProgress(`${way}: warming up`);
    await makeEvents(stacks[way], WARM_UP_CHANGES, context);
    await workOff(stacks[way], context.interrupted);
  }
  for (let round = 0; round < options.rounds; round++) {
    for (const load of LOADS) {
      for (const way of orderOfRound(WAYS, round)) {
        context.onProgress(`round ${round + 1}: ${load}, ${way}`);
        await measure(stacks[way], sums[way][load], load, options, context);
      }
    }
  }
  const measured = {
    batched: await readResults(stacks.batched, sums.batched, context),
    single: await readResults(stacks.single, sums.single, context),
  };
  return reportOf(options, measured);
};

async function startWay(
  way: Way,
  { users }: BatchOptions,
  context: BenchmarkContext,
): Promise<WholePipeline> {
  const dir = join(context.dir, way);
  await mkdir(dir, { recursive: true });
  return await startWholePipeline(
    {
      users,
      delivery: { maxItemsPerPost: 1000 },
      graphLatencyMs: GRAPH_LATENCY_MS,
      worker: { GRAPH_BATCHING: String(way === 'batched') },
    },
    { ...context, dir },
  );
}

function emptySums(): Sums {
  const empty = (): Sum => ({ made: [], notifications: 0, ms: 0, workerCpuMs: 0, requests: 0, batches: 0 });
  return { rate: empty(), backlog: empty(), alone: empty() };
}

/** One part: what it uses and how long it takes is added to `sum`. */
async function measure(
  stack: WholePipeline,
  sum: Sum,
  load: Load,
  options: BatchOptions,
  context: BenchmarkContext,
): Promise<void> {
  const { simulator, services } = stack;
  if (load === 'backlog') sum.made.push(...(await pileUp(stack, options.events, context)));
  const delivered = () => simulator.notifier.counters.delivered;
  const before = { at: now(), delivered: delivered(), requests: await countRequests(stack) };
  const meter = await startUsageMeter({ worker: services.worker.process.pid });
  if (load === 'rate') {
    const { rate: ratePerSecond, seconds } = options;
    sum.made.push(...(await makeEvents(stack, { ratePerSecond, seconds }, context)));
  }
  if (load === 'backlog') await setOwnerQueue(services.worker, 'resume');
  if (load === 'alone') sum.made.push(...(await makeOneByOne(stack, context)));
  await workOff(stack, context.interrupted);
  sum.ms += now() - before.at;
  sum.workerCpuMs += (await meter.read()).worker?.cpuMs ?? Number.NaN;
  sum.notifications += load === 'backlog' ? options.events : delivered() - before.delivered;
  const requests = await countRequests(stack);
  sum.requests += requests.single + requests.batch - before.requests.single - before.requests.batch;
  sum.batches += requests.batch - before.requests.batch;
}

/** New events on the schedule, of one user after the other. */
async function makeEvents(
  { simulator }: WholePipeline,
  schedule: { readonly ratePerSecond: number; readonly seconds: number },
  { interrupted }: BenchmarkContext,
): Promise<MadeResource[]> {
  const users = simulator.users();
  const made: MadeResource[] = [];
  await keepSchedule(schedule, now, interrupted, (index, at) => {
    const userId = users[index % users.length]?.id ?? '';
    const { path } = simulator.calendar.create(userId, { subject: `Event ${index}` });
    made.push({ resource: path.key, at });
  });
  interrupted.throwIfAborted();
  return made;
}

/** New events that are all acknowledged, and wait for the queue to be resumed; their time begins there. */
async function pileUp(
  stack: WholePipeline,
  events: number,
  { interrupted }: BenchmarkContext,
): Promise<MadeResource[]> {
  const { simulator, services } = stack;
  await setOwnerQueue(services.worker, 'pause');
  const users = simulator.users();
  const made = Array.from({ length: events }, (_, i) =>
    simulator.calendar.create(users[i % users.length]?.id ?? '', { subject: `Piled up ${i}` }),
  );
  await unlessInterrupted(simulator.notifier.idle({ timeoutMs: 60_000 }), interrupted);
  const at = now();
  return made.map(({ path }) => ({ resource: path.key, at }));
}

async function makeOneByOne(
  stack: WholePipeline,
  { interrupted }: BenchmarkContext,
): Promise<MadeResource[]> {
  const userId = stack.simulator.users()[0]?.id ?? '';
  const made: MadeResource[] = [];
  for (let turn = 0; turn < ALONE_TURNS; turn++) {
    const { path } = stack.simulator.calendar.create(userId, { subject: `Alone ${turn}` });
    made.push({ resource: path.key, at: now() });
    await workOff(stack, interrupted);
  }
  return made;
}

async function countRequests({ services }: WholePipeline): Promise<{ single: number; batch: number }> {
  const metrics = await (await fetch(`${services.worker.url}/metrics`)).text();
  const count = (form: string) =>
    Number(new RegExp(`^g2k_graph_requests_total\\{form="${form}"\\} (\\d+)$`, 'm').exec(metrics)?.[1] ?? 0);
  return { single: count('single'), batch: count('batch') };
}

async function readResults(
  stack: WholePipeline,
  sums: Sums,
  { interrupted }: BenchmarkContext,
): Promise<Measured> {
  await drain(stack, interrupted);
  const { simulator, settings, changeLogFile } = stack;
  const first = firstRecordsOf(await readTopic({ brokers: settings.brokers, topic: settings.topic }));
  const latencies = Object.fromEntries(
    LOADS.map((load) => [
      load,
      summarizeLatencies(latenciesOfRecords(sums[load].made, first, simulator.tenantId)),
    ]),
  ) as Measured['latencies'];
  return { sums, latencies, verdict: await runChecker(stack, changeLogFile) };
}

const TITLES: Readonly<Record<Load, string>> = {
  rate: 'even load',
  backlog: 'backlog',
  alone: 'one mailbox, one at a time',
};

function reportOf(options: BatchOptions, measured: Readonly<Record<Way, Measured>>): Report {
  const { rate, users, seconds, rounds, events } = options;
  return {
    benchmark: 'batch',
    title: 'Fetches collected into batches, beside fetches one by one',
    header: ['', 'notifications/s', 'worker ms CPU per 1,000', 'requests each', 'p50 ms', 'p99 ms'],
    rows: LOADS.flatMap((load) => WAYS.map((way) => rowOf(`${TITLES[load]}, ${way}`, measured[way], load))),
    claims: claimsOf(measured),
    notes: [
      `Even load: ${rate} new events/s of ${users} calendars for ${seconds} s; backlog: ${events} acknowledged, then worked; one mailbox: ${ALONE_TURNS} in turn; ${rounds} rounds, there and back.`,
      `Graph answers each after ${GRAPH_LATENCY_MS} ms, and works 4 parts of a batch at once, as it does with Outlook's. Latency: from the change, or from the backlog's release, to Kafka's timestamp of the first record.`,
      `Batches: ${LOADS.map((load) => `${TITLES[load]} ${measured.batched.sums[load].batches} of ${measured.batched.sums[load].requests} requests`).join('; ')}.`,
    ],
    results: { ...options, ...Object.fromEntries(WAYS.map((way) => [way, resultsOf(measured[way])])) },
  };
}

const figuresOf = ({ notifications, ms, workerCpuMs, requests, batches }: Sum) => ({
  notifications,
  notificationsPerSecond: (notifications * 1000) / ms,
  workerCpuMsPer1000: (workerCpuMs * 1000) / notifications,
  requestsPerNotification: requests / notifications,
  batches,
});

function resultsOf({ sums, latencies, verdict }: Measured) {
  const loads = LOADS.map((load) => [load, { ...figuresOf(sums[load]), latency: latencies[load] }]);
  return { ...Object.fromEntries(loads), verdict };
}

function rowOf(name: string, { sums, latencies }: Measured, load: Load): string[] {
  const figures = figuresOf(sums[load]);
  // By itself a load has the speed that it was given.
  const perSecond = load === 'backlog' ? short(figures.notificationsPerSecond) : '';
  return [
    name,
    perSecond,
    short(figures.workerCpuMsPer1000),
    figures.requestsPerNotification.toFixed(2),
    short(latencies[load]?.p50Ms),
    short(latencies[load]?.p99Ms),
  ];
}

function claimsOf({ batched, single }: Readonly<Record<Way, Measured>>): Claim[] {
  const requests = (measured: Measured) => figuresOf(measured.sums.backlog).requestsPerNotification;
  const fewer = requests(single) / requests(batched);
  const perSecond = (measured: Measured) => figuresOf(measured.sums.backlog).notificationsPerSecond;
  const faster = perSecond(batched) / perSecond(single);
  const p50 = ({ latencies }: Measured) => latencies.alone?.p50Ms ?? Number.NaN;
  const later = p50(batched) - p50(single);
  return [
    {
      text: `a backlog takes at most a third of the requests: ${times(1 / fewer)}`,
      holds: fewer >= 3,
    },
    {
      text: `and is worked off at least 0.9 × as fast: ${times(faster)}`,
      holds: faster >= 0.9,
    },
    {
      text: `a change that is alone comes at most ${ALONE_LIMIT_MS} ms later: median ${short(later)} ms`,
      holds: later <= ALONE_LIMIT_MS,
    },
    ...[batched, single].map(({ verdict }, index) => ({
      text: `${WAYS[index]}: every acknowledged change became a record: ${describeProblems(verdict) || 'nothing lost or out of order'}`,
      holds: verdict.ok,
    })),
  ];
}
