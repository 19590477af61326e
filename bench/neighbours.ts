/**
 * `neighbours`: what one owner's flood costs the others, and what news that waits costs the rest of its own mailbox.
 * Both are held against the same load without, in turns of one run.
 */
import type { DirectoryUser } from '@graph2kafka/graph-simulator';
import { eventually, readTopic, type Verdict } from '@graph2kafka/test-harness';
import { type Benchmark, type BenchmarkContext, now, unlessInterrupted } from './benchmark.ts';
import { letLooseFlood, makeQuietEvents, UPDATES_OF_EACH } from './load/flood.ts';
import { keepSchedule } from './load/keep-schedule.ts';
import { type LatencySummary, summarizeLatencies } from './load/latencies.ts';
import type { OpenLoopSchedule } from './load/open-loop-schedule.ts';
import { WARM_UP_CHANGES } from './load/warm-up.ts';
import { firstRecordsOf, latenciesOfRecords, type MadeResource } from './measure/record-latencies.ts';
import { orderOfRound } from './measure/rounds.ts';
import { short, times } from './report/numbers.ts';
import type { Claim, Report } from './report/report.ts';
import { drain, workOff } from './stack/drain.ts';
import { describeProblems, runChecker } from './stack/run-checker.ts';
import { startWholePipeline, type WholePipeline } from './stack/whole-pipeline.ts';

export type NeighboursOptions = {
  /** Changes per second over the calendars of all neighbours. */
  readonly rate: number;
  readonly users: number;
  /** Of each part; there are two with the flood and two without. */
  readonly seconds: number;
  /** Of the flooded owner; each part's flood changes half of them, each ten times. */
  readonly events: number;
};

type Compared = { readonly usual: MadeResource[]; readonly beside: MadeResource[] };

type Flooded = Compared & {
  /** Events of a flood that Graph had been asked for when the neighbours' last change came; one for each flood. */
  readonly readOfFlood: number[];
};

type Latencies = { readonly usual: LatencySummary | undefined; readonly beside: LatencySummary | undefined };

type Measured = {
  readonly flood: Latencies;
  readonly readOfFlood: readonly number[];
  readonly waiting: Latencies;
  readonly verdict: Verdict;
};

const ROUNDS = 2;
/** Without it a flood would be bound by this machine's cores alone, and end before the measuring does. */
const GRAPH_LATENCY_MS = 20;
const WAITING_TURNS = 20;
const FLOOD_RATIO_LIMIT = 1.5;
const WAITING_LIMIT_MS = 20;

export const neighbours: Benchmark<NeighboursOptions> = async (options, context) => {
  const stack = await startWholePipeline(
    { users: options.users + 1, delivery: { maxItemsPerPost: 1000 }, graphLatencyMs: GRAPH_LATENCY_MS },
    context,
  );
  const { simulator, settings, changeLogFile } = stack;
  const [flooded, ...others] = simulator.users() as [DirectoryUser, ...DirectoryUser[]];
  context.onProgress('warming up');
  await change(stack, others, WARM_UP_CHANGES, context);
  await drain(stack, context.interrupted);
  const flood = await compareFlood(stack, flooded, others, options, context);
  const waiting = await compareWaiting(stack, others, context);
  await drain(stack, context.interrupted);
  const first = firstRecordsOf(await readTopic({ brokers: settings.brokers, topic: settings.topic }));
  const summarize = (made: readonly MadeResource[]) =>
    summarizeLatencies(latenciesOfRecords(made, first, simulator.tenantId));
  const latencies = ({ usual, beside }: Compared) => ({ usual: summarize(usual), beside: summarize(beside) });
  const verdict = await runChecker(stack, changeLogFile);
  const { readOfFlood } = flood;
  return reportOf(options, { flood: latencies(flood), readOfFlood, waiting: latencies(waiting), verdict });
};

/** Makes events on the schedule, of one user after the other. */
async function change(
  { simulator }: WholePipeline,
  users: readonly DirectoryUser[],
  schedule: OpenLoopSchedule,
  { interrupted }: BenchmarkContext,
): Promise<MadeResource[]> {
  const made: MadeResource[] = [];
  await keepSchedule(schedule, now, interrupted, (index, dueAt) => {
    const { id } = users[index % users.length] as DirectoryUser;
    made.push({ resource: simulator.calendar.create(id, { subject: `Event ${index}` }).path.key, at: dueAt });
  });
  interrupted.throwIfAborted();
  return made;
}

async function compareFlood(
  stack: WholePipeline,
  flooded: DirectoryUser,
  others: readonly DirectoryUser[],
  { rate: ratePerSecond, seconds, events }: NeighboursOptions,
  context: BenchmarkContext,
): Promise<Flooded> {
  const { interrupted, onProgress } = context;
  const all = makeQuietEvents(stack.simulator, flooded.id, events);
  const half = Math.ceil(events / ROUNDS);
  const measured: Flooded = { usual: [], beside: [], readOfFlood: [] };
  for (let round = 0; round < ROUNDS; round++) {
    for (const part of orderOfRound(['usual', 'beside'] as const, round)) {
      const floods = part === 'beside' ? all.slice(round * half, (round + 1) * half) : [];
      onProgress(part === 'beside' ? `beside a flood of ${floods.length} events` : 'as usual');
      if (floods.length > 0) await letLooseFlood(stack, floods, interrupted);
      measured[part].push(...(await change(stack, others, { ratePerSecond, seconds }, context)));
      if (floods.length > 0) measured.readOfFlood.push(countRead(stack, floods));
      await drain(stack, interrupted);
    }
  }
  return measured;
}

function countRead({ simulator }: WholePipeline, resources: readonly string[]): number {
  const wanted = new Set(resources);
  const read = simulator.changeLog.ofKind('read').filter(({ resource }) => wanted.has(resource));
  return new Set(read.map(({ resource }) => resource)).size;
}

/** In turns: a change of a mailbox without other news, and one of the same mailbox while another event waits. */
async function compareWaiting(
  stack: WholePipeline,
  users: readonly DirectoryUser[],
  context: BenchmarkContext,
): Promise<Compared> {
  const { interrupted, onProgress } = context;
  const measured: Compared = { usual: [], beside: [] };
  onProgress(`${WAITING_TURNS} changes alone and ${WAITING_TURNS} beside one that waits, in turn`);
  for (let turn = 0; turn < WAITING_TURNS; turn++) {
    const { id } = users[turn % users.length] as DirectoryUser;
    // What waited here in an earlier turn would come back in the middle of this one.
    if (turn >= users.length) await drain(stack, interrupted);
    for (const part of ['usual', 'beside'] as const) {
      if (part === 'beside') await makeOneWait(stack, id, interrupted);
      const { path } = stack.simulator.calendar.create(id, { subject: `${part} ${turn}` });
      measured[part].push({ resource: path.key, at: now() });
      await workOff(stack, interrupted);
    }
  }
  return measured;
}

/** Resolves when the mailbox is at rest but for an event that Graph did not know yet: the next try is 2 s later. */
async function makeOneWait(stack: WholePipeline, userId: string, interrupted: AbortSignal): Promise<void> {
  const { simulator } = stack;
  const { path } = simulator.calendar.create(userId, { subject: 'Not to be had yet' });
  const unknown = simulator.faults.add({ method: 'GET', path: path.key, kind: 'early404' });
  await unlessInterrupted(
    eventually(() => unknown.hits > 0),
    interrupted,
  );
  await workOff(stack, interrupted);
}

function reportOf(options: NeighboursOptions, { flood, readOfFlood, waiting, verdict }: Measured): Report {
  const { events, rate, seconds, users } = options;
  const ratio = (flood.beside?.p99Ms ?? Number.NaN) / (flood.usual?.p99Ms ?? Number.NaN);
  const difference = (waiting.beside?.p50Ms ?? Number.NaN) - (waiting.usual?.p50Ms ?? Number.NaN);
  return {
    benchmark: 'neighbours',
    title: `From change to record beside another owner's flood, and beside news of one's own that waits`,
    header: ['', 'changes', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
    rows: [
      rowOf('others, as usual', flood.usual),
      rowOf('others, beside the flood', flood.beside),
      rowOf('a mailbox, nothing waiting', waiting.usual),
      rowOf('a mailbox, one event waiting', waiting.beside),
    ],
    claims: [
      ...floodClaims(ratio, readOfFlood, Math.floor(events / ROUNDS)),
      {
        text: `what waits delays other news of its owner by ${WAITING_LIMIT_MS} ms at most: median ${short(difference)} ms later`,
        holds: difference <= WAITING_LIMIT_MS,
      },
      {
        text: `every acknowledged change became a record: ${describeProblems(verdict) || 'nothing lost or out of order'}`,
        holds: verdict.ok,
      },
    ],
    notes: [
      `${rate} changes/s of ${users} calendars, ${ROUNDS} parts of ${seconds} s each, there and back; Graph answers after ${GRAPH_LATENCY_MS} ms.`,
      `The floods: ${events * UPDATES_OF_EACH} notifications of ${events} events in ${ROUNDS} halves, acknowledged before and then worked beside the others.`,
      'Up to 20 ms of each are the simulated Graph collecting notifications for one request.',
    ],
    results: {
      ...options,
      flood,
      readOfFlood,
      p99Ratio: ratio,
      waiting,
      medianDifferenceMs: difference,
      verdict,
    },
  };
}

function floodClaims(ratio: number, readOfFlood: readonly number[], eventsOfFlood: number): Claim[] {
  return [
    {
      text: `others' p99 beside the flood at most ${FLOOD_RATIO_LIMIT} × as usual: ${times(ratio)}`,
      holds: ratio <= FLOOD_RATIO_LIMIT,
    },
    {
      text: `the floods lasted as long as the measuring: ${readOfFlood.join(' and ')} of ${eventsOfFlood} events were read by its end`,
      holds: readOfFlood.every((read) => read > 0 && read < eventsOfFlood),
    },
  ];
}

function rowOf(name: string, latency: LatencySummary | undefined): string[] {
  return [
    name,
    String(latency?.count ?? 0),
    short(latency?.p50Ms),
    short(latency?.p90Ms),
    short(latency?.p99Ms),
    short(latency?.maxMs),
  ];
}
