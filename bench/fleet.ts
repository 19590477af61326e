/**
 * What the fleet of subscriptions does over simulated months with all that can happen to Graph and to its schedulers:
 * the real plan and loop over a fleet in memory, a modelled Graph and a clock that jumps to whoever waits; or, many times as
 * fast, the real plan alone in a model of the loop.
 */
import type { Benchmark } from './benchmark.ts';
import { simulatePlan } from './fleet/plan/simulate-plan.ts';
import { isFailed, type Month, type MonthOptions, simulateMonth } from './fleet/simulate-month.ts';
import { createSlices } from './fleet/slices.ts';
import { short } from './report/numbers.ts';
import type { Report } from './report/report.ts';

export type FleetOptions = {
  /** The plan and its times alone. */
  readonly isPlanAlone: boolean;
  readonly subscriptions: number;
  readonly days: number;
  /** How many, and the first: a long run can be done in slices. */
  readonly seeds: number;
  readonly from: number;
  /** The most that the clock of a process is wrong before Graph has answered it. */
  readonly clocksOffMinutes: number;
  /** Where each seed that was done gets a line, and where those are that were done before. */
  readonly out: string | undefined;
};

const WRITES_LIMIT = 500;
const MINUTE_MS = 60_000;
/** Of a month: `plan/simulate-plan.ts` has how often. */
const PLAN_MISHAPS =
  'killed, or stopped until the lease is gone, with calls under way; in a quarter of the seeds all of them down for hours, in another one a new clientState secret';

export const fleet: Benchmark<FleetOptions> = async (options, { onProgress, interrupted }) => {
  const { seeds, from, clocksOffMinutes, out, isPlanAlone } = options;
  const month: MonthOptions = { ...options, clocksOffMs: clocksOffMinutes * MINUTE_MS };
  const slices = createSlices(out, month, isPlanAlone ? 'plan' : undefined);
  const done = await slices.read();
  for (let seed = from; seed < from + seeds && !interrupted.aborted; seed++) {
    if (done.has(seed)) continue;
    const startedAt = performance.now();
    const result = isPlanAlone ? simulatePlan(seed, month) : await simulateMonth(seed, month);
    const seconds = (performance.now() - startedAt) / 1000;
    done.set(seed, { month: result, seconds });
    await slices.add({ month: result, seconds });
    onProgress(
      `seed ${seed}: ${short(seconds)} s${isFailed(result) ? `, FAILED: ${JSON.stringify(result)}` : ''}`,
    );
  }
  const asked = [...done.values()].filter(({ month: { seed } }) => seed >= from && seed < from + seeds);
  return reportOf(
    options,
    asked.map(({ month }) => month),
    asked.map(({ seconds }) => seconds),
  );
};

function reportOf(options: FleetOptions, months: readonly Month[], took: readonly number[]): Report {
  const { subscriptions, days, from, seeds, clocksOffMinutes, isPlanAlone } = options;
  const sum = (of: (month: Month) => number) => months.reduce((all, month) => all + of(month), 0);
  const failed = months.filter(isFailed).map(({ seed }) => seed);
  return {
    benchmark: 'fleet',
    title: `${isPlanAlone ? 'The plan alone: ' : ''}${subscriptions} subscriptions over ${days} simulated days, ${months.length} of the seeds ${from} to ${from + seeds - 1}`,
    header: ['of one seed', 'least', 'median', 'most', 'all seeds'],
    rows: rowsOf(months, took),
    claims: [
      claimNone(
        'lapses while Graph was reachable',
        sum(({ lapsed }) => lapsed),
      ),
      claimNone(
        'second PATCHes of one renewal window',
        sum(({ early }) => early),
      ),
      claimNone(
        'twins',
        sum(({ twins }) => twins),
      ),
      claimNone(
        'wishes without just one subscription in the end',
        sum(({ unserved }) => unserved),
      ),
      claimNone(
        'times that an intact Redis was taken for lost',
        sum(({ falseAlarms }) => falseAlarms),
      ),
      {
        text: `at most ${WRITES_LIMIT} writes in any 20 s of a tenant: ${mostOf(months, ({ mostWrites }) => mostWrites)}`,
        holds: months.every(({ mostWrites }) => mostWrites <= WRITES_LIMIT),
      },
    ],
    notes: [
      `Three schedulers by the minute, ${isPlanAlone ? PLAN_MISHAPS : `killed or stopped at one of 2,000 steps and ${subscriptions} more`}, clocks up to ${clocksOffMinutes} min wrong until Graph has answered.`,
      'Graph fails 1.8 % of calls, is away at times for minutes to hours, for every third seed once for three days, and removes some subscriptions by itself.',
      'An aftermath is 10 min, the longest wait between tries, and what the quota takes for all. Repeated PATCHes: the answer to the one before was lost, or its process was.',
      failed.length === 0 ? 'No seed failed.' : `Failed seeds: ${failed.join(', ')}.`,
    ],
    results: { ...options, seconds: took, months },
  };
}

function claimNone(what: string, count: number) {
  return { text: `no ${what}: ${count}`, holds: count === 0 };
}

type Row = readonly [name: string, of: (month: Month) => number | undefined];

const ROWS: readonly Row[] = [
  ['outages', ({ outages }) => outages],
  ['processes killed', ({ kills }) => kills],
  ['POSTs', ({ creates }) => creates],
  ['PATCHes, also refused', ({ patches }) => patches],
  ['… second ones of a window', ({ early }) => early],
  ['… repeated', ({ repeated }) => repeated],
  ['… to catch up', ({ caughtUp }) => caughtUp],
  ['pages of lists', ({ lists }) => lists],
  ['lapsed, Graph reachable', ({ lapsed }) => lapsed],
  ['lapsed in an outage', ({ lapsedInOutage }) => lapsedInOutage],
  ['lapsed in its aftermath', ({ lapsedAfterOutage }) => lapsedAfterOutage],
  ['twins', ({ twins }) => twins],
  ['taken for lost', ({ falseAlarms }) => falseAlarms],
  ['writes in 20 s', ({ mostWrites }) => mostWrites],
  ['min to recover from hours', ({ longestRecoveryMs }) => longestRecoveryMs / MINUTE_MS],
  [
    'min to recover from 3 days',
    ({ longestRecoveryOfLongMs: ms }) => (ms === undefined ? undefined : ms / MINUTE_MS),
  ],
];

const NOT_SUMMED: ReadonlySet<string> = new Set(ROWS.slice(-3).map(([name]) => name));

function rowsOf(months: readonly Month[], took: readonly number[]): string[][] {
  const rows = ROWS.map(([name, of]) => {
    const values = months.flatMap((month) => of(month) ?? []);
    return rowOf(name, values, NOT_SUMMED.has(name));
  });
  return [...rows, rowOf('s to simulate it', took, false)];
}

function rowOf(name: string, values: readonly number[], isNotSummed: boolean): string[] {
  const sorted = values.toSorted((a, b) => a - b);
  const all = isNotSummed ? undefined : sorted.reduce((sum, value) => sum + value, 0);
  return [name, short(sorted[0]), short(sorted[sorted.length >> 1]), short(sorted.at(-1)), short(all)];
}

function mostOf(months: readonly Month[], of: (month: Month) => number): number {
  return Math.max(0, ...months.map(of));
}
