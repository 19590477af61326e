/**
 * `hostile`: how soon a well-behaved client has its 202 while others flood, drip and hold on, and how soon without them.
 * Attacker and receiver are processes of their own, so that the attacker's work delays no clock.
 */
import { join } from 'node:path';
import { ChildProcess } from '@graph2kafka/test-harness';
import { ATTACKS, type AttackName } from '../test/hostile/attacks.ts';
import { SECRET } from '../test/hostile/graph-posts.ts';
import { behaveWell, type Fared } from '../test/hostile/well-behaved-client.ts';
import { type Benchmark, type BenchmarkContext, now } from './benchmark.ts';
import { type LatencySummary, summarizeLatencies } from './load/latencies.ts';
import { readUsage } from './measure/process-usage.ts';
import { orderOfRound } from './measure/rounds.ts';
import { megabytes, short, times } from './report/numbers.ts';
import { type ReceiverOnRedis, startReceiverOnRedis } from './stack/receiver-on-redis.ts';

export type HostileOptions = {
  /** Posts per second of the well-behaved client. */
  readonly rate: number;
  /** Of each part; there are two with the attack and two without. */
  readonly seconds: number;
};

type Attacked = {
  readonly attack: AttackName;
  readonly usual: LatencySummary | undefined;
  readonly beside: LatencySummary | undefined;
  readonly notAccepted: number;
  readonly residentBytes: number | undefined;
};

const ROUNDS = 2;
/** An answer after this counts against the endpoint (change-notifications-delivery-webhooks). */
const SLOW_MS = 3000;
const ATTACKER = join(import.meta.dirname, 'load/attacker.ts');

export const hostile: Benchmark<HostileOptions> = async (options, context) => {
  const stack = await startReceiverOnRedis(
    { dir: context.dir, environment: { CLIENT_STATE_SECRETS: SECRET }, onProgress: context.onProgress },
    context.cleanup,
  );
  const results: Attacked[] = [];
  await post(stack, { ...options, seconds: 2 });
  for (const attack of Object.keys(ATTACKS) as AttackName[])
    results.push(await measure(attack, stack, options, context));
  return reportOf(options, results);
};

async function measure(
  attack: AttackName,
  stack: ReceiverOnRedis,
  options: HostileOptions,
  { interrupted, onProgress }: BenchmarkContext,
): Promise<Attacked> {
  const usual: Fared[] = [];
  const beside: Fared[] = [];
  let residentBytes: number | undefined;
  const both = [
    async () => void usual.push(await post(stack, options)),
    async () => {
      onProgress(`beside ${attack}`);
      const attacker = await startAttacker(stack, attack);
      beside.push(await post(stack, options));
      residentBytes = (await readUsage(stack.receiver.process.pid))?.residentBytes;
      await attacker.stop();
    },
  ];
  for (let round = 0; round < ROUNDS; round++)
    for (const part of orderOfRound(both, round)) {
      interrupted.throwIfAborted();
      await part();
    }
  const latencies = (parts: readonly Fared[]) =>
    summarizeLatencies(parts.flatMap(({ latenciesMs }) => latenciesMs));
  const refused = (parts: readonly Fared[]) =>
    parts.reduce((sum, { latenciesMs, statuses }) => sum + latenciesMs.length - (statuses[202] ?? 0), 0);
  return {
    attack,
    usual: latencies(usual),
    beside: latencies(beside),
    notAccepted: refused(usual) + refused(beside),
    residentBytes,
  };
}

function post({ receiver }: ReceiverOnRedis, { rate, seconds }: HostileOptions): Promise<Fared> {
  const endsAt = now() + seconds * 1000;
  return behaveWell(receiver.url, 1000 / rate, () => now() >= endsAt);
}

async function startAttacker({ receiver }: ReceiverOnRedis, attack: AttackName): Promise<ChildProcess> {
  const attacker = await ChildProcess.start({
    name: attack,
    command: process.execPath,
    arguments: [ATTACKER, String(receiver.port), attack],
  });
  await attacker.waitForLine((line) => line === 'attacking');
  return attacker;
}

function reportOf(options: HostileOptions, results: readonly Attacked[]) {
  const notAccepted = results.reduce((sum, result) => sum + result.notAccepted, 0);
  const slowest = Math.max(...results.map(({ beside }) => beside?.maxMs ?? Number.POSITIVE_INFINITY));
  return {
    benchmark: 'hostile',
    title: `Time to the 202 of a well-behaved client beside hostile ones: ${options.rate} posts/s`,
    header: [
      'beside',
      'sent',
      'not 202',
      'usual p50 ms',
      'p99 ms',
      'beside p50 ms',
      'p99 ms',
      'max ms',
      'p99',
      'receiver RSS MB',
    ],
    rows: results.map(rowOf),
    notes: [
      `${ROUNDS} parts of ${options.seconds} s with the attack and ${ROUNDS} without, there and back, on one receiver with the settings as shipped.`,
      'Attackers are processes of their own; two cores carry them, the receiver, Redis and the client.',
    ],
    claims: [
      { text: `every post was answered 202: ${notAccepted} were not`, holds: notAccepted === 0 },
      { text: `none took ${SLOW_MS} ms: the slowest ${short(slowest)} ms`, holds: slowest < SLOW_MS },
    ],
    results: { ...options, attacks: results },
  };
}

function rowOf({ attack, usual, beside, notAccepted, residentBytes }: Attacked): string[] {
  return [
    attack,
    String(beside?.count ?? 0),
    String(notAccepted),
    short(usual?.p50Ms),
    short(usual?.p99Ms),
    short(beside?.p50Ms),
    short(beside?.p99Ms),
    short(beside?.maxMs),
    times((beside?.p99Ms ?? Number.NaN) / (usual?.p99Ms ?? Number.NaN)),
    megabytes(residentBytes),
  ];
}
