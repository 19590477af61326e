/**
 * `backlog`: what the waker's walk over the owners costs the 202. So many owners have news that nobody works; the same
 * load without a worker and with one whose intake is held up, so that its waker alone is busy.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LOCAL_CLIENT_STATE_SECRET, startWorker } from '@graph2kafka/test-harness';
import { requestRedis } from '../test/faults/redis-request.ts';
import { type Benchmark, type BenchmarkContext, now } from './benchmark.ts';
import { runClosedLoop } from './load/closed-loop.ts';
import { type LatencySummary, summarizeLatencies } from './load/latencies.ts';
import { createNotificationPosts } from './load/notification-posts.ts';
import { runOpenLoop } from './load/open-loop.ts';
import { createPoster, type Poster } from './load/poster.ts';
import { WARM_UP_POSTS } from './load/warm-up.ts';
import { orderOfRound } from './measure/rounds.ts';
import { startUsageMeter } from './measure/usage-meter.ts';
import { short, times } from './report/numbers.ts';
import { setOwnerQueue } from './stack/owner-queue.ts';
import { startWholePipeline, type WholePipeline } from './stack/whole-pipeline.ts';

export type BacklogOptions = {
  /** Requests per second, each with one notification of an owner that has news already. */
  readonly rate: number;
  /** Of each part; there are two with the worker and two without. */
  readonly seconds: number;
  readonly owners: number;
};

type Part = {
  readonly latenciesMs: readonly number[];
  readonly latenessMs: readonly number[];
  readonly notAccepted: number;
  readonly redisCpuMsPerSecond: number;
  /** Owners that a waker had looked at in the 5 s before the end. */
  readonly ownersWalked: number;
};

/** Sends one load after the other, no notification twice. */
type Load = (seconds: number) => ReturnType<typeof runOpenLoop>;

const ROUNDS = 2;
const ITEMS_PER_FILLING_POST = 1000;
/** One is read while the other is stored; more at once would only wait for each other. */
const FILLING_CLIENTS = 2;
/** The waker's first rounds come while Node still compiles the worker. */
const SETTLE_MS = 2000;
const RATIO_LIMIT = 1.5;
const PRODUCTION = { NODE_ENV: 'production' };

export const backlog: Benchmark<BacklogOptions> = async (options, context) => {
  const stack = await startWholePipeline({ users: 1 }, context);
  const { receiver, worker } = stack.services;
  await setOwnerQueue(worker, 'pause');
  await worker.process.stop();
  const poster = createPoster(receiver.url);
  context.cleanup.defer(() => poster.close());
  await fill(poster, options.owners, context);
  const load = await startLoad(poster, options, context);
  const without: Part[] = [];
  const beside: Part[] = [];
  const both = [
    async () => void without.push(await measure(stack, load, options.seconds, 'no worker', context)),
    async () => void beside.push(await measureBesideWaker(stack, load, options.seconds, context)),
  ];
  for (let round = 0; round < ROUNDS; round++) for (const part of orderOfRound(both, round)) await part();
  return reportOf(options, pool(without), pool(beside));
};

/** Gives each owner an entry. @throws where one of them was not stored */
async function fill(poster: Poster, owners: number, context: BenchmarkContext): Promise<void> {
  context.onProgress(`giving ${owners} owners an entry each`);
  const requests = Math.ceil(owners / ITEMS_PER_FILLING_POST);
  const bodyOf = createNotificationPosts({
    secret: LOCAL_CLIENT_STATE_SECRET,
    owners,
    itemsPerPost: ITEMS_PER_FILLING_POST,
  });
  const filling = { clients: FILLING_CLIENTS, requests };
  const { answers } = await runClosedLoop(filling, (i) => poster.post(bodyOf(i)), now, context.interrupted);
  if (answers.notAccepted > 0)
    throw new Error(`the owners got no entries: ${answers.notAccepted} posts were not 202`);
}

async function startLoad(
  poster: Poster,
  { rate: ratePerSecond, owners }: BacklogOptions,
  { interrupted, onProgress }: BenchmarkContext,
): Promise<Load> {
  const bodyOf = createNotificationPosts({ secret: LOCAL_CLIENT_STATE_SECRET, owners, itemsPerPost: 1 });
  // The numbers after those that the filling has used.
  let next = Math.ceil(owners / ITEMS_PER_FILLING_POST) * ITEMS_PER_FILLING_POST;
  const send = () => poster.post(bodyOf(next++));
  onProgress('warming up');
  await runClosedLoop(WARM_UP_POSTS, send, now, interrupted);
  return (seconds) => runOpenLoop({ ratePerSecond, seconds }, send, now, interrupted);
}

async function measureBesideWaker(
  stack: WholePipeline,
  load: Load,
  seconds: number,
  context: BenchmarkContext,
): Promise<Part> {
  const worker = await startWorker(stack.settings, {}, PRODUCTION);
  try {
    await delay(SETTLE_MS, undefined, { signal: context.interrupted });
    return await measure(stack, load, seconds, 'a worker whose waker walks', context);
  } finally {
    await worker.process.stop();
  }
}

async function measure(
  stack: WholePipeline,
  load: Load,
  seconds: number,
  name: string,
  { interrupted, onProgress }: BenchmarkContext,
): Promise<Part> {
  interrupted.throwIfAborted();
  onProgress(`${name}: ${seconds} s`);
  const meter = await startUsageMeter({ redis: stack.redis.pid });
  const startedAt = now();
  const { answers, latenessMs } = await load(seconds);
  const elapsedMs = now() - startedAt;
  const { redis } = await meter.read();
  return {
    latenciesMs: answers.latenciesMs,
    latenessMs,
    notAccepted: answers.notAccepted,
    redisCpuMsPerSecond: ((redis?.cpuMs ?? Number.NaN) * 1000) / elapsedMs,
    ownersWalked: await countWalked(stack),
  };
}

/** A waker that looks at an owner puts off the next look by 5 s; without one, all are long since due. */
async function countWalked({ settings }: WholePipeline): Promise<number> {
  const port = Number(new URL(settings.redisUrl).port);
  const index = `{${settings.redisPrefix}-0}:index`;
  return Number(await requestRedis(port, 'ZCOUNT', index, String(Math.ceil(now())), '+inf'));
}

type Pooled = {
  readonly latency: LatencySummary | undefined;
  readonly lateness: LatencySummary | undefined;
  readonly notAccepted: number;
  readonly redisCpuMsPerSecond: number;
  readonly ownersWalked: number;
};

function pool(parts: readonly Part[]): Pooled {
  const mean = (of: (part: Part) => number) => parts.reduce((sum, part) => sum + of(part), 0) / parts.length;
  return {
    latency: summarizeLatencies(parts.flatMap(({ latenciesMs }) => latenciesMs)),
    lateness: summarizeLatencies(parts.flatMap(({ latenessMs }) => latenessMs)),
    notAccepted: parts.reduce((sum, { notAccepted }) => sum + notAccepted, 0),
    redisCpuMsPerSecond: mean((part) => part.redisCpuMsPerSecond),
    ownersWalked: mean((part) => part.ownersWalked),
  };
}

function reportOf(options: BacklogOptions, without: Pooled, beside: Pooled) {
  const p99Ratio = (beside.latency?.p99Ms ?? Number.NaN) / (without.latency?.p99Ms ?? Number.NaN);
  const failed = without.notAccepted + beside.notAccepted;
  return {
    benchmark: 'backlog',
    title: `Time to the 202 while ${options.owners} owners have news: ${options.rate} requests/s, without a worker and beside one that only looks`,
    header: [
      '',
      'sent',
      'p50 ms',
      'p90 ms',
      'p99 ms',
      'max ms',
      'late ms',
      'Redis ms CPU/s',
      'owners walked in 5 s',
    ],
    rows: [rowOf('no worker', without), rowOf('waker walking', beside)],
    notes: [
      `${ROUNDS} parts of ${options.seconds} s each, there and back. Open loop: latency counts from the time at which a request was due.`,
    ],
    claims: [
      {
        text: `p99 beside the waker at most ${RATIO_LIMIT} × that without: ${times(p99Ratio)}`,
        holds: p99Ratio <= RATIO_LIMIT,
      },
      { text: `every request was answered 202: ${failed} were not`, holds: failed === 0 },
      {
        text: `the waker walked: ${short(beside.ownersWalked)} owners in 5 s, ${short(without.ownersWalked)} without it`,
        holds: beside.ownersWalked > without.ownersWalked,
      },
    ],
    results: { ...options, without, beside, p99Ratio },
  };
}

function rowOf(name: string, { latency, lateness, redisCpuMsPerSecond, ownersWalked }: Pooled): string[] {
  return [
    name,
    String(latency?.count ?? 0),
    short(latency?.p50Ms),
    short(latency?.p90Ms),
    short(latency?.p99Ms),
    short(latency?.maxMs),
    short(lateness?.p99Ms),
    short(redisCpuMsPerSecond),
    short(ownersWalked),
  ];
}
