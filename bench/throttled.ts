/**
 * `throttled`: what one mailbox that Graph throttles costs the others. Both parts have the same load, half of it on that
 * one mailbox; in one of them Graph refuses whatever is asked for it.
 */
import type { DirectoryUser } from '@graph2kafka/graph-simulator';
import { readTopic, type Verdict } from '@graph2kafka/test-harness';
import { type Benchmark, type BenchmarkContext, now } from './benchmark.ts';
import { keepSchedule } from './load/keep-schedule.ts';
import { type LatencySummary, summarizeLatencies } from './load/latencies.ts';
import type { OpenLoopSchedule } from './load/open-loop-schedule.ts';
import { WARM_UP_CHANGES } from './load/warm-up.ts';
import { firstRecordsOf, latenciesOfRecords, type MadeResource } from './measure/record-latencies.ts';
import { orderOfRound } from './measure/rounds.ts';
import { short, times } from './report/numbers.ts';
import type { Report } from './report/report.ts';
import { drain } from './stack/drain.ts';
import { describeProblems, runChecker } from './stack/run-checker.ts';
import { startWholePipeline, type WholePipeline } from './stack/whole-pipeline.ts';

export type ThrottledOptions = {
  /** Changes per second of the others; as many are made in the mailbox that is throttled. */
  readonly rate: number;
  /** The others. */
  readonly users: number;
  /** Of each part; there are two with the throttling and two without. */
  readonly seconds: number;
};

type Measured = {
  readonly usual: LatencySummary | undefined;
  readonly beside: LatencySummary | undefined;
  /** Calls that Graph refused. */
  readonly refused: number;
  readonly verdict: Verdict;
};

const ROUNDS = 2;
const GRAPH_LATENCY_MS = 20;
const RATIO_LIMIT = 1.5;
/** So that the mailbox comes back several times in a part. */
const RETRY_AFTER_MS = 1000;

export const throttled: Benchmark<ThrottledOptions> = async (options, context) => {
  const stack = await startWholePipeline(
    { users: options.users + 1, graphLatencyMs: GRAPH_LATENCY_MS },
    context,
  );
  const { simulator, settings, changeLogFile } = stack;
  const [one, ...others] = simulator.users() as [DirectoryUser, ...DirectoryUser[]];
  context.onProgress('warming up');
  await change(stack, one, others, WARM_UP_CHANGES, context);
  await drain(stack, context.interrupted);
  const { usual, beside, refused } = await compare(stack, one, others, options, context);
  const first = firstRecordsOf(await readTopic({ brokers: settings.brokers, topic: settings.topic }));
  const summarize = (made: readonly MadeResource[]) =>
    summarizeLatencies(latenciesOfRecords(made, first, simulator.tenantId));
  const verdict = await runChecker(stack, changeLogFile);
  return reportOf(options, { usual: summarize(usual), beside: summarize(beside), refused, verdict });
};

/** In turn an event of the one mailbox and one of the others; resolves to those of the others. */
async function change(
  { simulator }: WholePipeline,
  one: DirectoryUser,
  others: readonly DirectoryUser[],
  schedule: OpenLoopSchedule,
  { interrupted }: BenchmarkContext,
): Promise<MadeResource[]> {
  const made: MadeResource[] = [];
  await keepSchedule(schedule, now, interrupted, (index, dueAt) => {
    const isOfOne = index % 2 === 0;
    const { id } = isOfOne ? one : (others[((index - 1) / 2) % others.length] as DirectoryUser);
    const { path } = simulator.calendar.create(id, { subject: `Event ${index}` });
    if (!isOfOne) made.push({ resource: path.key, at: dueAt });
  });
  interrupted.throwIfAborted();
  return made;
}

async function compare(
  stack: WholePipeline,
  one: DirectoryUser,
  others: readonly DirectoryUser[],
  { rate, seconds }: ThrottledOptions,
  context: BenchmarkContext,
) {
  const measured: { usual: MadeResource[]; beside: MadeResource[] } = { usual: [], beside: [] };
  const schedule = { ratePerSecond: 2 * rate, seconds };
  let refused = 0;
  for (let round = 0; round < ROUNDS; round++) {
    for (const part of orderOfRound(['usual', 'beside'] as const, round)) {
      context.onProgress(part === 'beside' ? 'with one mailbox throttled' : 'without');
      const fault = part === 'beside' ? throttle(stack, one) : undefined;
      measured[part].push(...(await change(stack, one, others, schedule, context)));
      fault?.remove();
      refused += fault?.hits ?? 0;
      await drain(stack, context.interrupted);
    }
  }
  return { ...measured, refused };
}

function throttle({ simulator }: WholePipeline, { id }: DirectoryUser) {
  return simulator.faults.add({
    on: 'throttle',
    scope: 'mailbox',
    mailbox: `users/${id}`,
    limit: 'requests',
    retryAfterMs: RETRY_AFTER_MS,
    times: Number.POSITIVE_INFINITY,
  });
}

function reportOf(options: ThrottledOptions, { usual, beside, refused, verdict }: Measured): Report {
  const { rate, seconds, users } = options;
  const ratio = (beside?.p99Ms ?? Number.NaN) / (usual?.p99Ms ?? Number.NaN);
  return {
    benchmark: 'throttled',
    title: 'From change to record beside a mailbox that Graph throttles',
    header: ['', 'changes', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
    rows: [rowOf('others, nobody throttled', usual), rowOf('others, beside the throttled one', beside)],
    claims: [
      {
        text: `others' p99 beside it at most ${RATIO_LIMIT} × without: ${times(ratio)}`,
        holds: ratio <= RATIO_LIMIT,
      },
      { text: `Graph did refuse the mailbox: ${refused} calls`, holds: refused > 0 },
      {
        text: `every acknowledged change became a record: ${describeProblems(verdict) || 'nothing lost or out of order'}`,
        holds: verdict.ok,
      },
    ],
    notes: [
      `${rate} changes/s of ${users} calendars and ${rate} of the one mailbox, ${ROUNDS} parts of ${seconds} s each, there and back; Graph answers after ${GRAPH_LATENCY_MS} ms, and throttles with Retry-After: ${RETRY_AFTER_MS / 1000}.`,
      'Up to 20 ms of each are the simulated Graph collecting notifications for one request.',
    ],
    results: { ...options, usual, beside, p99Ratio: ratio, refused, verdict },
  };
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
