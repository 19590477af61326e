/** `price`: what each safety step of the receiver costs, all variants side by side in one run. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, LOCAL_CLIENT_STATE_SECRET, RedisServer } from '@graph2kafka/test-harness';
import { type Benchmark, type BenchmarkContext, now } from './benchmark.ts';
import { ACCEPTED } from './load/answers.ts';
import { type ClosedLoop, type ClosedLoopResult, runClosedLoop } from './load/closed-loop.ts';
import { summarizeLatencies } from './load/latencies.ts';
import { createNotificationPosts } from './load/notification-posts.ts';
import { createPoster, type Poster } from './load/poster.ts';
import { WARM_UP_POSTS } from './load/warm-up.ts';
import { orderOfRound } from './measure/rounds.ts';
import { cpuMicrosecondsEach, startUsageMeter } from './measure/usage-meter.ts';
import {
  type PairedRounds,
  type PriceOptions,
  type PricePair,
  type PriceRound,
  priceReport,
} from './price-report.ts';
import type { PriceVariant } from './price-variants.ts';
import { type ReceiverOnRedis, startReceiverOnRedis } from './stack/receiver-on-redis.ts';

type Running = {
  readonly stack: ReceiverOnRedis;
  readonly poster: Poster;
  /** Numbers the requests, so that each is of a new event. */
  sent: number;
};

const REGISTER_BUILD = fileURLToPath(new URL('./builds/register.ts', import.meta.url));

export const price: Benchmark<PriceOptions> = async (options, context) => {
  const all: PairedRounds[] = [];
  for (const variant of options.variants) all.push(await measurePairs(variant, options, context));
  return priceReport(all, options);
};

/**
 * A variant and a base of its own, started together and worked equally: a process that has run longer is faster,
 * since V8 has compiled more of it.
 */
async function measurePairs(
  variant: PriceVariant,
  options: PriceOptions,
  context: BenchmarkContext,
): Promise<PairedRounds> {
  const { owners, items } = options;
  const { interrupted, onProgress, dir } = context;
  await using cleanup = new AsyncDisposableStack();
  const bodyOf = createNotificationPosts({ secret: LOCAL_CLIENT_STATE_SECRET, owners, itemsPerPost: items });
  const start = async (started: PriceVariant) => {
    interrupted.throwIfAborted();
    const own = join(dir, variant.name, started.name);
    const running = await startVariant(started, bodyOf, { ...context, dir: own, cleanup });
    await sendLoad(running, bodyOf, WARM_UP_POSTS, interrupted);
    return running;
  };
  onProgress(`${variant.name}: ${variant.meaning}`);
  const base = await start(options.base);
  const changed = await start(variant);
  const pairs: PricePair[] = [];
  for (let round = 0; round < options.rounds; round++) {
    const measured = new Map<Running, PriceRound>();
    for (const running of orderOfRound([base, changed], round)) {
      interrupted.throwIfAborted();
      measured.set(running, await measureRound(running, bodyOf, options, interrupted));
    }
    pairs.push({ base: measured.get(base) as PriceRound, variant: measured.get(changed) as PriceRound });
  }
  return { variant, pairs };
}

/** A receiver with a Redis of its own, and with its replica where the variant wants one; it stores when this resolves. */
async function startVariant(
  variant: PriceVariant,
  bodyOf: (index: number) => string,
  { dir, cleanup, onProgress }: BenchmarkContext,
): Promise<Running> {
  const { durability, build } = variant;
  const environment = {
    REDIS_DURABILITY: durability,
    ...(build && { BENCH_BUILD: build, NODE_OPTIONS: `--import ${REGISTER_BUILD}` }),
  };
  const stack = await startReceiverOnRedis(
    { dir, redis: redisOptions(variant), environment, onProgress },
    cleanup,
  );
  if (durability === 'replicated') {
    const extraArguments = ['--replicaof', '127.0.0.1', String(stack.redis.port)];
    cleanup.use(
      await RedisServer.start({ dir: join(dir, 'replica'), appendfsync: 'everysec', extraArguments }),
    );
  }
  const poster = createPoster(stack.receiver.url);
  cleanup.defer(() => poster.close());
  await eventually(async () => (await poster.post(bodyOf(0))) === ACCEPTED);
  return { stack, poster, sent: 1 };
}

function redisOptions({ redis }: PriceVariant): PriceVariant['redis'] {
  // A primary waits 5 s for further replicas before it lets the first one copy.
  return { ...redis, extraArguments: [...(redis.extraArguments ?? []), '--repl-diskless-sync-delay', '0'] };
}

async function sendLoad(
  running: Running,
  bodyOf: (index: number) => string,
  load: Omit<ClosedLoop, 'firstIndex'>,
  interrupted: AbortSignal,
): Promise<ClosedLoopResult> {
  const send = (index: number) => running.poster.post(bodyOf(index));
  const result = await runClosedLoop({ ...load, firstIndex: running.sent }, send, now, interrupted);
  running.sent += result.answers.latenciesMs.length;
  return result;
}

async function measureRound(
  running: Running,
  bodyOf: (index: number) => string,
  { clients, seconds, items }: PriceOptions,
  interrupted: AbortSignal,
): Promise<PriceRound> {
  const { receiver, redis } = running.stack;
  const meter = await startUsageMeter({ receiver: receiver.process.pid, redis: redis.pid });
  const { answers, elapsedMs } = await sendLoad(running, bodyOf, { clients, seconds }, interrupted);
  const used = await meter.read();
  const notifications = answers.accepted * items;
  const latency = summarizeLatencies(answers.latenciesMs);
  return {
    notificationsPerSecond: (notifications * 1000) / elapsedMs,
    p50Ms: latency?.p50Ms ?? Number.NaN,
    p99Ms: latency?.p99Ms ?? Number.NaN,
    receiverCpuMicroseconds: cpuMicrosecondsEach(used.receiver, notifications),
    redisCpuMicroseconds: cpuMicrosecondsEach(used.redis, notifications),
    notAccepted: answers.notAccepted,
  };
}
