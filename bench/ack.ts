/** `ack`: how soon the receiver answers 202 under a load that does not wait for it, and what that costs. */
import { join } from 'node:path';
import { LOCAL_CLIENT_STATE_SECRET } from '@graph2kafka/test-harness';
import { type Benchmark, type BenchmarkContext, now } from './benchmark.ts';
import { runClosedLoop } from './load/closed-loop.ts';
import { type LatencySummary, summarizeLatencies } from './load/latencies.ts';
import { createNotificationPosts } from './load/notification-posts.ts';
import { runOpenLoop } from './load/open-loop.ts';
import { createPoster } from './load/poster.ts';
import { WARM_UP_POSTS } from './load/warm-up.ts';
import { cpuMicrosecondsEach, startUsageMeter } from './measure/usage-meter.ts';
import { megabytes, short } from './report/numbers.ts';
import { startReceiverOnRedis } from './stack/receiver-on-redis.ts';

export type AckOptions = {
  /** Requests per second, one run each. */
  readonly rates: readonly number[];
  readonly seconds: number;
  readonly items: number;
  readonly owners: number;
};

type AckResult = {
  readonly requestsPerSecond: number;
  readonly requests: number;
  readonly notifications: number;
  readonly accepted: number;
  /** Status → how many; 0: no answer. */
  readonly notAccepted: Readonly<Record<string, number>>;
  readonly latency: LatencySummary | undefined;
  readonly lateness: LatencySummary | undefined;
  readonly receiverCpuMicrosecondsPerNotification: number | undefined;
  readonly redisCpuMicrosecondsPerNotification: number | undefined;
  readonly receiverResidentBytes: number | undefined;
  readonly redisResidentBytes: number | undefined;
};

export const ack: Benchmark<AckOptions> = async (options, context) => {
  const results: AckResult[] = [];
  for (const rate of options.rates) {
    context.interrupted.throwIfAborted();
    context.onProgress(`${rate} requests/s for ${options.seconds} s`);
    results.push(await measure(rate, options, context));
  }
  const { items, owners } = options;
  return {
    benchmark: 'ack',
    title:
      `Time to the 202: ${items} notification${items === 1 ? '' : 's'} per request, ${owners} mailboxes, ` +
      'open loop, Redis with AOF always',
    header: HEADER,
    rows: results.map(rowOf),
    notes: [
      'Latency counts from the time at which a request was due, whether or not earlier ones were answered; "late" is how late',
      'the load generator itself was with 99 % of them. Each rate has a receiver and a Redis of its own. No worker runs.',
    ],
    claims: [],
    results: { ...options, runs: results },
  };
};

/** One rate on a receiver and a Redis that nothing was sent to before, but for the warm-up. */
async function measure(rate: number, options: AckOptions, context: BenchmarkContext): Promise<AckResult> {
  await using cleanup = new AsyncDisposableStack();
  const dir = join(context.dir, `ack-${rate}`);
  const { receiver, redis } = await startReceiverOnRedis({ dir, onProgress: context.onProgress }, cleanup);
  const poster = createPoster(receiver.url);
  cleanup.defer(() => poster.close());
  const bodyOf = createNotificationPosts({
    secret: LOCAL_CLIENT_STATE_SECRET,
    owners: options.owners,
    itemsPerPost: options.items,
  });
  await runClosedLoop(WARM_UP_POSTS, (index) => poster.post(bodyOf(index)), now, context.interrupted);

  const meter = await startUsageMeter({ receiver: receiver.process.pid, redis: redis.pid });
  const schedule = { ratePerSecond: rate, seconds: options.seconds };
  const { answers, latenessMs } = await runOpenLoop(
    schedule,
    (index) => poster.post(bodyOf(WARM_UP_POSTS.requests + index)),
    now,
    context.interrupted,
  );
  const used = await meter.read();
  const requests = answers.latenciesMs.length;
  const notifications = requests * options.items;
  return {
    requestsPerSecond: rate,
    requests,
    notifications,
    accepted: answers.accepted,
    notAccepted: Object.fromEntries(answers.others),
    latency: summarizeLatencies(answers.latenciesMs),
    lateness: summarizeLatencies(latenessMs),
    receiverCpuMicrosecondsPerNotification: cpuMicrosecondsEach(used.receiver, notifications),
    redisCpuMicrosecondsPerNotification: cpuMicrosecondsEach(used.redis, notifications),
    receiverResidentBytes: used.receiver?.residentBytes,
    redisResidentBytes: used.redis?.residentBytes,
  };
}

const HEADER = [
  'requests/s',
  'sent',
  'not 202',
  'p50 ms',
  'p90 ms',
  'p99 ms',
  'max ms',
  'late ms',
  'receiver µs CPU/notification',
  'Redis µs CPU/notification',
  'receiver RSS MB',
];

function rowOf(result: AckResult): string[] {
  const { latency, lateness } = result;
  return [
    String(result.requestsPerSecond),
    String(result.requests),
    String(result.requests - result.accepted),
    short(latency?.p50Ms),
    short(latency?.p90Ms),
    short(latency?.p99Ms),
    short(latency?.maxMs),
    short(lateness?.p99Ms),
    short(result.receiverCpuMicrosecondsPerNotification),
    short(result.redisCpuMicrosecondsPerNotification),
    megabytes(result.receiverResidentBytes),
  ];
}
