/**
 * `ack --beside-outage`: the 202 must not wait for what lies behind Redis. The same load twice in one run: as usual,
 * and with Graph answering after 5 s and Kafka stopped. Once both are back, every acknowledged change must be a record.
 */
import type { DirectoryUser } from '@graph2kafka/graph-simulator';
import type { Verdict } from '@graph2kafka/test-harness';
import { type Benchmark, type BenchmarkContext, now, unlessInterrupted } from './benchmark.ts';
import { keepSchedule } from './load/keep-schedule.ts';
import { type LatencySummary, summarizeLatencies } from './load/latencies.ts';
import type { OpenLoopSchedule } from './load/open-loop-schedule.ts';
import { WARM_UP_CHANGES } from './load/warm-up.ts';
import { changeName, type DueTimes, latenciesOfDeliveries } from './measure/delivery-latencies.ts';
import { short, times } from './report/numbers.ts';
import type { Claim } from './report/report.ts';
import { drain, workOff } from './stack/drain.ts';
import { describeProblems, runChecker } from './stack/run-checker.ts';
import { startWholePipeline, type WholePipeline } from './stack/whole-pipeline.ts';

export type BesideOutageOptions = {
  /** Changes per second; each is announced in a request of its own. */
  readonly rate: number;
  readonly seconds: number;
  readonly users: number;
};

type Phase = {
  readonly accepted: number;
  readonly notAccepted: number;
  readonly latency: LatencySummary | undefined;
};

type Outage = Phase & {
  readonly kafkaAwayMs: number;
  /** Calls of Graph that were answered 5 s late. */
  readonly slowGraphCalls: number;
};

/** Graph's own limit is 3 s; a receiver that waited for Graph or Kafka could not stay under this. */
const P99_LIMIT_MS = 100;
const GRAPH_DELAY_MS = 5000;

export const ackBesideOutage: Benchmark<BesideOutageOptions> = async (options, context) => {
  // One item a request, sent at once, on as many connections as it takes: the simulator adds no wait of its own.
  const delivery = { maxItemsPerPost: 1, collectMs: 0, maxConcurrentPosts: 1000 };
  const pipeline = await startWholePipeline({ users: options.users, delivery }, context);
  const { rate: ratePerSecond, seconds } = options;
  context.onProgress('warming up');
  await makeChanges(pipeline, WARM_UP_CHANGES, context);
  await workOff(pipeline, context.interrupted);
  context.onProgress(`as usual: ${ratePerSecond} changes/s for ${seconds} s`);
  const usual = await makeChanges(pipeline, { ratePerSecond, seconds }, context);
  const outage = await makeChangesInOutage(pipeline, { ratePerSecond, seconds }, context);
  context.onProgress('both are back: working off what was acknowledged');
  const backAt = now();
  await drain(pipeline, context.interrupted);
  const drainedAfterMs = now() - backAt;
  const verdict = await runChecker(pipeline, pipeline.changeLogFile);
  return {
    benchmark: 'ack --beside-outage',
    title: `Time to the 202 with Graph answering after ${GRAPH_DELAY_MS / 1000} s and Kafka stopped, beside the same without`,
    header: ['', 'sent', 'not 202', 'p50 ms', 'p90 ms', 'p99 ms', 'max ms'],
    rows: [rowOf('as usual', usual), rowOf('beside the outage', outage), ratioRow(outage, usual)],
    claims: claimsOf(outage, verdict),
    notes: [
      `Open loop, ${ratePerSecond} changes/s, one notification a request; latency counts from the time at which a change was due.`,
      `Kafka was away for ${short(outage.kafkaAwayMs / 1000)} s; what was acknowledged meanwhile was in Kafka ` +
        `${short(drainedAfterMs / 1000)} s after it was back. Before, the worker, Graph and Kafka shared the cores with the receiver.`,
    ],
    results: { ...options, usual, outage, drainedAfterMs, verdict },
  };
};

/** Makes new events on the schedule, each announced by one notification; waits until all are acknowledged. */
async function makeChanges(
  { simulator }: WholePipeline,
  schedule: OpenLoopSchedule,
  { interrupted }: BenchmarkContext,
): Promise<Phase> {
  const { calendar, changeLog, notifier } = simulator;
  const users = simulator.users();
  const firstEntry = changeLog.entries.length;
  const dueTimes: DueTimes = new Map();
  await keepSchedule(schedule, now, interrupted, (index, dueAt) => {
    const { id } = users[index % users.length] as DirectoryUser;
    const { path, version } = calendar.create(id, { subject: `Event ${index}` });
    dueTimes.set(changeName({ resource: path.key, version }), dueAt);
  });
  await unlessInterrupted(notifier.idle(), interrupted);
  const { acceptedMs, notAccepted } = latenciesOfDeliveries(changeLog.entries.slice(firstEntry), dueTimes);
  return { accepted: acceptedMs.length, notAccepted, latency: summarizeLatencies(acceptedMs) };
}

/** The same with Kafka stopped and Graph slow; both are well again when it resolves. */
async function makeChangesInOutage(
  pipeline: WholePipeline,
  schedule: OpenLoopSchedule,
  context: BenchmarkContext,
): Promise<Outage> {
  const { kafka, simulator } = pipeline;
  context.onProgress(
    `Graph slow, Kafka stopped: ${schedule.ratePerSecond} changes/s for ${schedule.seconds} s`,
  );
  const slow = simulator.faults.add({
    method: 'GET',
    path: /\/users\//,
    delayMs: GRAPH_DELAY_MS,
    times: Number.POSITIVE_INFINITY,
  });
  const stoppedAt = now();
  await kafka.stop();
  const phase = await makeChanges(pipeline, schedule, context);
  const slowGraphCalls = slow.hits;
  slow.remove();
  await kafka.restart();
  return { ...phase, kafkaAwayMs: now() - stoppedAt, slowGraphCalls };
}

function claimsOf({ latency, notAccepted, slowGraphCalls }: Outage, verdict: Verdict): Claim[] {
  const p99Ms = latency?.p99Ms;
  return [
    {
      text: `p99 beside the outage under ${P99_LIMIT_MS} ms: ${short(p99Ms)} ms`,
      holds: p99Ms !== undefined && p99Ms < P99_LIMIT_MS,
    },
    {
      text: `every request beside the outage answered 202: ${notAccepted} were not`,
      holds: notAccepted === 0,
    },
    {
      text: `the outage was felt: ${slowGraphCalls} calls of Graph answered ${GRAPH_DELAY_MS / 1000} s late`,
      holds: slowGraphCalls > 0,
    },
    {
      text:
        `every acknowledged change became a record: ${verdict.counts.acknowledged} acknowledged, ` +
        `${verdict.counts.records} records, ${describeProblems(verdict) || 'nothing lost or out of order'}`,
      holds: verdict.ok,
    },
  ];
}

function rowOf(name: string, { accepted, notAccepted, latency }: Phase): string[] {
  return [
    name,
    String(accepted + notAccepted),
    String(notAccepted),
    short(latency?.p50Ms),
    short(latency?.p90Ms),
    short(latency?.p99Ms),
    short(latency?.maxMs),
  ];
}

function ratioRow({ latency: outage }: Phase, { latency: usual }: Phase): string[] {
  const ratio = (name: keyof LatencySummary) =>
    outage && usual ? times(outage[name] / usual[name]) : times(undefined);
  return ['outage : usual', '', '', ratio('p50Ms'), ratio('p90Ms'), ratio('p99Ms'), ratio('maxMs')];
}
