/** What the rounds of `price` come to, as a table and as data. Pure. */
import { type Spread, spreadOf } from './measure/rounds.ts';
import type { PriceVariant } from './price-variants.ts';
import { short, times } from './report/numbers.ts';
import type { Report } from './report/report.ts';

export type PriceOptions = {
  readonly base: PriceVariant;
  /** Each is held against the base. */
  readonly variants: readonly PriceVariant[];
  readonly rounds: number;
  /** Of one variant, and as much of the base beside it, in one round. */
  readonly seconds: number;
  readonly clients: number;
  readonly items: number;
  readonly owners: number;
};

export type PriceRound = {
  readonly notificationsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly receiverCpuMicroseconds: number | undefined;
  readonly redisCpuMicroseconds: number | undefined;
  readonly notAccepted: number;
};

/** A round of a variant, and the round of the base right before or after it: what disturbed one disturbed the other. */
export type PricePair = {
  readonly base: PriceRound;
  readonly variant: PriceRound;
};

export type PairedRounds = {
  readonly variant: PriceVariant;
  readonly pairs: readonly PricePair[];
};

type Priced = {
  readonly variant: string;
  readonly meaning: string;
  readonly notificationsPerSecond: Spread | undefined;
  /** Of notifications per second to the base's, pair by pair; absent for the base itself, as is the next. */
  readonly rateRatio: Spread | undefined;
  /** Of the CPU time of receiver and Redis for a notification to the base's. */
  readonly cpuRatio: Spread | undefined;
  readonly p50Ms: Spread | undefined;
  readonly p99Ms: Spread | undefined;
  readonly receiverCpuMicrosecondsPerNotification: Spread | undefined;
  readonly redisCpuMicrosecondsPerNotification: Spread | undefined;
  readonly notAccepted: number;
};

export function priceReport(all: readonly PairedRounds[], options: PriceOptions): Report {
  const { base, rounds, seconds, clients, items, owners } = options;
  const priced = [
    priceOf(
      base,
      all.flatMap(({ pairs }) => pairs.map((pair) => pair.base)),
      [],
    ),
    ...all.map(({ variant, pairs }) =>
      priceOf(
        variant,
        pairs.map((pair) => pair.variant),
        pairs,
      ),
    ),
  ];
  return {
    benchmark: 'price',
    title:
      `What safety costs: ${clients} clients in a closed loop, ${items} notification${items === 1 ? '' : 's'} per request, ` +
      `${owners} mailboxes, median of ${rounds} rounds of ${seconds} s`,
    header: HEADER,
    rows: priced.map(rowOf),
    notes: [
      `Ratios are to "${base.name}", measured right before or after in each round: median (middle half). Of the rate, more is faster;`,
      'of the CPU time of receiver and Redis together, less is cheaper. The load generator shares the cores with what it',
      'measures, so the CPU tells more than the rate. A replica counts for neither. No worker runs.',
    ],
    claims: [],
    results: { rounds, seconds, clients, items, owners, variants: priced },
  };
}

function priceOf(
  { name, meaning }: PriceVariant,
  rounds: readonly PriceRound[],
  pairs: readonly PricePair[],
): Priced {
  const spread = (read: (round: PriceRound) => number | undefined) =>
    spreadOf(rounds.flatMap((round) => read(round) ?? []));
  return {
    variant: name,
    meaning,
    notificationsPerSecond: spread((round) => round.notificationsPerSecond),
    rateRatio: ratioOf(pairs, (round) => round.notificationsPerSecond),
    cpuRatio: ratioOf(pairs, cpuOf),
    p50Ms: spread((round) => round.p50Ms),
    p99Ms: spread((round) => round.p99Ms),
    receiverCpuMicrosecondsPerNotification: spread((round) => round.receiverCpuMicroseconds),
    redisCpuMicrosecondsPerNotification: spread((round) => round.redisCpuMicroseconds),
    notAccepted: rounds.reduce((sum, round) => sum + round.notAccepted, 0),
  };
}

function cpuOf({ receiverCpuMicroseconds, redisCpuMicroseconds }: PriceRound): number | undefined {
  if (receiverCpuMicroseconds === undefined || redisCpuMicroseconds === undefined) return undefined;
  return receiverCpuMicroseconds + redisCpuMicroseconds;
}

/** Pairs in which one of the two accepted nothing, or is not told, say nothing. */
function ratioOf(
  pairs: readonly PricePair[],
  read: (round: PriceRound) => number | undefined,
): Spread | undefined {
  const ratios = pairs.map(({ base, variant }) => (read(variant) ?? Number.NaN) / (read(base) ?? Number.NaN));
  return spreadOf(ratios.filter((ratio) => Number.isFinite(ratio)));
}

const HEADER = [
  'variant',
  'notif./s',
  'rate ratio',
  'p50 ms',
  'p99 ms',
  'receiver µs CPU/notif.',
  'Redis',
  'CPU ratio',
  'not 202',
];

function rowOf(priced: Priced): string[] {
  return [
    priced.meaning,
    short(priced.notificationsPerSecond?.median),
    describeRatio(priced.rateRatio),
    short(priced.p50Ms?.median),
    short(priced.p99Ms?.median),
    short(priced.receiverCpuMicrosecondsPerNotification?.median),
    short(priced.redisCpuMicrosecondsPerNotification?.median),
    describeRatio(priced.cpuRatio),
    String(priced.notAccepted),
  ];
}

function describeRatio(ratio: Spread | undefined): string {
  if (ratio === undefined) return times(undefined);
  return `${times(ratio.median)} (${ratio.lowerQuartile.toFixed(2)}–${ratio.upperQuartile.toFixed(2)})`;
}
