/** `pipeline`: from a change in Graph to its record in Kafka: how long, at what cost, with how many calls of Graph. */
import { setTimeout as delay } from 'node:timers/promises';
import type { GraphSimulator } from '@graph2kafka/graph-simulator';
import type { Verdict } from '@graph2kafka/test-harness';
import { type Benchmark, type BenchmarkContext, now } from './benchmark.ts';
import { keepSchedule } from './load/keep-schedule.ts';
import type { OpenLoopSchedule } from './load/open-loop-schedule.ts';
import { WARM_UP_CHANGES } from './load/warm-up.ts';
import { measuredPartOf } from './measure/measured-part.ts';
import { cpuMicrosecondsEach, startUsageMeter, type Used } from './measure/usage-meter.ts';
import { megabytes, short } from './report/numbers.ts';
import type { Report } from './report/report.ts';
import { drain, workOff } from './stack/drain.ts';
import { describeProblems, runChecker } from './stack/run-checker.ts';
import { startWholePipeline, type WholePipeline } from './stack/whole-pipeline.ts';

export type PipelineOptions = {
  /** Changes per second over all calendars. */
  readonly rate: number;
  readonly users: number;
  readonly seconds: number;
};

const PARTS = ['receiver', 'worker', 'redis', 'kafka'] as const;
type Part = (typeof PARTS)[number];
type UsedByPart = Readonly<Record<Part, Used | undefined>>;

type Measured = {
  readonly notifications: number;
  readonly graphCalls: number;
  /** From the first change until nothing of them was under way. */
  readonly used: UsedByPart;
  /** Of as many seconds as `IDLE_SECONDS` without any change. */
  readonly usedIdle: UsedByPart;
  /** Of the whole run, warm-up included. */
  readonly verdict: Verdict;
  readonly endToEndMs: Verdict['endToEndMs'];
};

/** Long beside the 10 ms in which Linux tells CPU time. */
const IDLE_SECONDS = 5;

export const pipeline: Benchmark<PipelineOptions> = async (options, context) => {
  const stack = await startWholePipeline({ users: options.users }, context);
  return reportOf(options, await measure(stack, options, context));
};

async function measure(
  stack: WholePipeline,
  { rate: ratePerSecond, users, seconds }: PipelineOptions,
  context: BenchmarkContext,
): Promise<Measured> {
  const { simulator, changeLogFile } = stack;
  const calls = countGraphCalls(simulator);
  const meterAll = () => startUsageMeter(pidsOf(stack));
  context.onProgress('warming up');
  await live(stack, WARM_UP_CHANGES, context);
  const idleMeter = await meterAll();
  await delay(IDLE_SECONDS * 1000, undefined, { signal: context.interrupted });
  const usedIdle = await idleMeter.read();

  const delivered = () => simulator.notifier.counters.delivered;
  const before = { at: now(), calls: calls.count, delivered: delivered() };
  const meter = await meterAll();
  context.onProgress(`${ratePerSecond} changes/s of ${users} calendars for ${seconds} s`);
  await live(stack, { ratePerSecond, seconds }, context);
  const used = await meter.read();
  const counts = { notifications: delivered() - before.delivered, graphCalls: calls.count - before.calls };

  await drain(stack, context.interrupted);
  const verdict = await runChecker(stack, changeLogFile);
  const { endToEndMs } = await runChecker(stack, await measuredPartOf(changeLogFile, before.at));
  return { ...counts, used, usedIdle, verdict, endToEndMs };
}

function pidsOf({ services, redis, kafka }: WholePipeline): Record<Part, number> {
  const { receiver, worker } = services;
  return { receiver: receiver.process.pid, worker: worker.process.pid, redis: redis.pid, kafka: kafka.pid };
}

/** Changes on the schedule, and then until nothing of them is under way. */
async function live(
  stack: WholePipeline,
  schedule: OpenLoopSchedule,
  { interrupted }: BenchmarkContext,
): Promise<void> {
  const { life } = stack.simulator;
  await keepSchedule(schedule, now, interrupted, () => void life.step());
  await workOff(stack, interrupted);
}

/** The simulator keeps its newest requests only, so a rule that never applies is shown every call under /v1.0. */
function countGraphCalls({ faults }: GraphSimulator): { readonly count: number } {
  const calls = { count: 0 };
  faults.add({
    times: Number.POSITIVE_INFINITY,
    match: () => {
      calls.count++;
      return false;
    },
  });
  return calls;
}

function reportOf(options: PipelineOptions, measured: Measured): Report {
  const { notifications, graphCalls, used, usedIdle, verdict, endToEndMs } = measured;
  const cpuEach = (part: Part) => cpuMicrosecondsEach(used[part], notifications);
  const idleCpu = (part: Part) => usedIdle[part] && usedIdle[part].cpuMs / IDLE_SECONDS;
  const ofEachPart = <T>(read: (part: Part) => T) =>
    Object.fromEntries(PARTS.map((part) => [part, read(part)]));
  return {
    benchmark: 'pipeline',
    title: `From change to record: ${options.rate} changes/s of ${options.users} calendars for ${options.seconds} s`,
    header: ['', 'µs CPU/notification', 'ms CPU/s when idle', 'RSS MB'],
    rows: PARTS.map((part) => [
      part,
      short(cpuEach(part)),
      short(idleCpu(part)),
      megabytes(used[part]?.residentBytes),
    ]),
    claims: [
      {
        text: `every acknowledged change became a record: ${describeProblems(verdict) || 'nothing lost or out of order'}`,
        holds: verdict.ok,
      },
    ],
    notes: [
      `From a change to Kafka's timestamp of the first record that covers it: p50 ${short(endToEndMs?.p50)} ms, ` +
        `p99 ${short(endToEndMs?.p99)} ms, max ${short(endToEndMs?.max)} ms, of ${endToEndMs?.count ?? 0} changes.`,
      'Of it up to 20 ms are the simulated Graph collecting notifications for one request; its answers take no time of their own.',
      `${notifications} notifications acknowledged, ${short(graphCalls / notifications)} calls of Graph for each.`,
    ],
    results: {
      ...options,
      notifications,
      graphCallsPerNotification: graphCalls / notifications,
      endToEndMs,
      cpuMicrosecondsPerNotification: ofEachPart(cpuEach),
      idleCpuMsPerSecond: ofEachPart(idleCpu),
      residentBytes: ofEachPart((part) => used[part]?.residentBytes),
      verdict,
    },
  };
}
