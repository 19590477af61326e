/**
 * `ack --rich`: whether a POST of rich notifications is acknowledged as soon as one of plain ones of the same length, on
 * one receiver, there and back. What has to be decrypted is the worker's; the receiver has only more to store.
 */
import { LOCAL_CLIENT_STATE_SECRET } from '@graph2kafka/test-harness';
import { requestRedis } from '../test/faults/redis-request.ts';
import { type Benchmark, type BenchmarkContext, now } from './benchmark.ts';
import { runClosedLoop } from './load/closed-loop.ts';
import { type LatencySummary, summarizeLatencies } from './load/latencies.ts';
import { type Carried, createNotificationPosts } from './load/notification-posts.ts';
import { runOpenLoop } from './load/open-loop.ts';
import { requestsOf } from './load/open-loop-schedule.ts';
import { createPoster, type Poster } from './load/poster.ts';
import { createRichContent } from './load/rich-content.ts';
import { orderOfRound } from './measure/rounds.ts';
import { startUsageMeter } from './measure/usage-meter.ts';
import { short, times } from './report/numbers.ts';
import type { Report } from './report/report.ts';
import { type ReceiverOnRedis, startReceiverOnRedis } from './stack/receiver-on-redis.ts';

export type AckRichOptions = {
  /** Requests per second. */
  readonly rate: number;
  /** Of each part; a round has one of each kind. */
  readonly seconds: number;
  readonly rounds: number;
  readonly items: number;
  readonly owners: number;
};

type Part = {
  readonly latenciesMs: readonly number[];
  readonly latenessMs: readonly number[];
  readonly notAccepted: number;
  readonly receiverCpuMs: number;
  readonly redisCpuMs: number;
};

type Kind = {
  readonly name: string;
  readonly carried: Carried;
  readonly parts: Part[];
};

type Sending = {
  readonly stack: ReceiverOnRedis;
  readonly poster: Poster;
  /** The next POST's body; no notification is of an event that another had. */
  readonly nextBody: (kind: Kind) => string;
};

/** Of each kind: 6,000 notifications, after which V8 has compiled what it will. */
const WARM_UP = { clients: 4, requests: 60 };

/**
 * What rich ones may cost more is to check, pack and sync some 2 kB each, about a tenth of a POST whose every item costs
 * an inbox and a job. A quarter leaves room for noise; one RSA operation for each item would double the time.
 */
const RATIO_LIMIT = 1.25;

export const ackRich: Benchmark<AckRichOptions> = async (options, context) => {
  const { rich, plain } = createRichContent();
  const kinds: readonly [Kind, Kind] = [
    { name: 'plain', carried: plain, parts: [] },
    { name: 'rich', carried: rich, parts: [] },
  ];
  const sending = await startSending(options, kinds, context);
  for (let round = 0; round < options.rounds; round++) {
    for (const kind of orderOfRound(kinds, round)) {
      context.interrupted.throwIfAborted();
      context.onProgress(`round ${round + 1} of ${options.rounds}, ${kind.name}: ${options.seconds} s`);
      kind.parts.push(await measure(sending, kind, options, context));
    }
  }
  const [plainTotal, richTotal] = [totalOf(kinds[0]), totalOf(kinds[1])];
  const stored = await countContents(sending.stack);
  const bodyBytes = Buffer.byteLength(sending.nextBody(kinds[1]));
  return reportOf(options, { plain: plainTotal, rich: richTotal, stored, bodyBytes });
};

/** A receiver that both kinds of posts have warmed up. */
async function startSending(
  { items, owners }: AckRichOptions,
  kinds: readonly Kind[],
  { dir, cleanup, interrupted, onProgress }: BenchmarkContext,
): Promise<Sending> {
  const stack = await startReceiverOnRedis({ dir, onProgress }, cleanup);
  const poster = createPoster(stack.receiver.url);
  cleanup.defer(() => poster.close());
  const common = { secret: LOCAL_CLIENT_STATE_SECRET, owners, itemsPerPost: items };
  const bodies = new Map(
    kinds.map((kind) => [kind, createNotificationPosts({ ...common, carried: kind.carried })]),
  );
  let next = 0;
  const nextBody = (kind: Kind) => bodies.get(kind)?.(next++) ?? '';
  onProgress('warming up');
  for (const kind of kinds) {
    const { answers } = await runClosedLoop(WARM_UP, () => poster.post(nextBody(kind)), now, interrupted);
    interrupted.throwIfAborted();
    if (answers.notAccepted > 0)
      throw new Error(`${answers.notAccepted} ${kind.name} posts of the warm-up were not 202`);
  }
  return { stack, poster, nextBody };
}

async function measure(
  { stack, poster, nextBody }: Sending,
  kind: Kind,
  { rate: ratePerSecond, seconds }: AckRichOptions,
  { interrupted }: BenchmarkContext,
): Promise<Part> {
  const schedule = { ratePerSecond, seconds };
  // Made beforehand, or the making of 0.3 MB would count as waiting.
  const bodies = Array.from({ length: requestsOf(schedule) }, () => nextBody(kind));
  const meter = await startUsageMeter({ receiver: stack.receiver.process.pid, redis: stack.redis.pid });
  const send = (index: number) => poster.post(bodies[index] ?? '');
  const { answers, latenessMs } = await runOpenLoop(schedule, send, now, interrupted);
  const { receiver, redis } = await meter.read();
  return {
    latenciesMs: answers.latenciesMs,
    latenessMs,
    notAccepted: answers.notAccepted,
    receiverCpuMs: receiver?.cpuMs ?? Number.NaN,
    redisCpuMs: redis?.cpuMs ?? Number.NaN,
  };
}

/** How many contents lie in Redis, those of a POST in one value that begins with their number; nobody takes any away. */
async function countContents({ redis }: ReceiverOnRedis): Promise<number> {
  // One more than there are contents: the tokens are one of the parts (packages/shared/src/packed-parts.ts).
  const script = `
    local contents = 0
    for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
      contents = contents + struct.unpack('<I4', redis.call('GETRANGE', key, 0, 3)) - 1
    end
    return contents`;
  return Number(await requestRedis(redis.port, 'EVAL', script, '0', '*:content:*'));
}

type Total = {
  readonly latency: LatencySummary | undefined;
  readonly lateness: LatencySummary | undefined;
  readonly notAccepted: number;
  readonly receiverCpuMsPerPost: number;
  readonly redisCpuMsPerPost: number;
};

function totalOf({ parts }: Kind): Total {
  const latenciesMs = parts.flatMap((part) => part.latenciesMs);
  const sum = (of: (part: Part) => number) => parts.reduce((total, part) => total + of(part), 0);
  return {
    latency: summarizeLatencies(latenciesMs),
    lateness: summarizeLatencies(parts.flatMap(({ latenessMs }) => latenessMs)),
    notAccepted: sum((part) => part.notAccepted),
    receiverCpuMsPerPost: sum((part) => part.receiverCpuMs) / latenciesMs.length,
    redisCpuMsPerPost: sum((part) => part.redisCpuMs) / latenciesMs.length,
  };
}

type Measured = {
  readonly plain: Total;
  readonly rich: Total;
  readonly stored: number;
  readonly bodyBytes: number;
};

function reportOf(options: AckRichOptions, measured: Measured): Report {
  const { plain, rich, stored, bodyBytes } = measured;
  const { rate, seconds, rounds, items } = options;
  const p50Ratio = (rich.latency?.p50Ms ?? Number.NaN) / (plain.latency?.p50Ms ?? Number.NaN);
  const failed = plain.notAccepted + rich.notAccepted;
  const expected = (WARM_UP.requests + (rich.latency?.count ?? 0)) * items;
  return {
    benchmark: 'ack --rich',
    title:
      `Time to the 202 of ${items} notifications that carry their resource, beside plain ones in as many bytes ` +
      `(${Math.round(bodyBytes / 1000)} kB): ${rate} requests/s`,
    header: HEADER,
    rows: [rowOf('plain', plain), rowOf('rich', rich), ratioRow(plain, rich)],
    notes: [
      `${rounds} rounds of ${seconds} s of each, there and back, on one receiver; Redis with AOF always; no worker runs.`,
      'The plain ones carry the same under names that are not known. Open loop: latency counts from the time at which a',
      'request was due.',
    ],
    claims: [
      {
        text: `p50 of rich ones at most ${RATIO_LIMIT} × that of plain ones: ${times(p50Ratio)}`,
        holds: p50Ratio <= RATIO_LIMIT,
      },
      { text: `every request was answered 202: ${failed} were not`, holds: failed === 0 },
      {
        text: `Redis has the content of each rich notification: ${stored} of ${expected}`,
        holds: stored === expected,
      },
    ],
    results: { ...options, ...measured, p50Ratio },
  };
}

const HEADER = [
  '',
  'sent',
  'p50 ms',
  'p90 ms',
  'p99 ms',
  'max ms',
  'late ms',
  'receiver ms CPU/request',
  'Redis ms CPU/request',
];

function rowOf(name: string, total: Total): string[] {
  const { latency, lateness, receiverCpuMsPerPost, redisCpuMsPerPost } = total;
  return [
    name,
    String(latency?.count ?? 0),
    ...[latency?.p50Ms, latency?.p90Ms, latency?.p99Ms, latency?.maxMs, lateness?.p99Ms].map(short),
    short(receiverCpuMsPerPost),
    short(redisCpuMsPerPost),
  ];
}

function ratioRow(plain: Total, rich: Total): string[] {
  const ratio = (of: (total: Total) => number | undefined) =>
    times((of(rich) ?? Number.NaN) / (of(plain) ?? Number.NaN));
  return [
    'rich of plain',
    '',
    ratio(({ latency }) => latency?.p50Ms),
    ratio(({ latency }) => latency?.p90Ms),
    ratio(({ latency }) => latency?.p99Ms),
    ratio(({ latency }) => latency?.maxMs),
    '',
    ratio((total) => total.receiverCpuMsPerPost),
    ratio((total) => total.redisCpuMsPerPost),
  ];
}
