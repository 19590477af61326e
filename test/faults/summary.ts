/** What many rounds came to, as a table for people and as JSON. Pure. */
import { type Tally, VIOLATIONS } from './judgement.ts';
import { describeRecovery, LIMITS_MS, type Quantity } from './recovery.ts';
import type { Round } from './round.ts';

export type Summary = {
  readonly rounds: number;
  readonly tally: Tally;
  readonly faults: readonly FaultCount[];
  readonly recovery: readonly RecoveryTimes[];
  /** Seeds of the rounds in which a promise was broken. */
  readonly failedSeeds: readonly number[];
};

export type FaultCount = { readonly kind: string; readonly inflicted: number; readonly observed: number };

export type RecoveryTimes = {
  readonly quantity: Quantity;
  readonly times: number;
  readonly medianMs: number;
  readonly longestMs: number;
  readonly allowedMs: number;
};

export function summarize(rounds: readonly Round[]): Summary {
  return {
    rounds: rounds.length,
    tally: rounds.map(({ tally }) => tally).reduce(addTallies),
    faults: countFaults(rounds),
    recovery: recoveryTimes(rounds),
    failedSeeds: rounds.filter(({ violations }) => violations.length > 0).map(({ seed }) => seed),
  };
}

function addTallies(a: Tally, b: Tally): Tally {
  const names = Object.keys(a) as (keyof Tally)[];
  return Object.fromEntries(names.map((name) => [name, a[name] + b[name]])) as Tally;
}

/** A strike at a stage is observed by its nature: the process says so before it acts. */
function countFaults(rounds: readonly Round[]): FaultCount[] {
  const all = rounds.flatMap(({ faults, strikes }) => [
    ...faults.map(({ kind, felt }) => ({ kind, felt })),
    ...strikes.map(({ stage, struck }) => ({ kind: `${stage} ${struck}`, felt: true })),
  ]);
  return [...Map.groupBy(all, ({ kind }) => kind)]
    .map(([kind, those]) => ({
      kind,
      inflicted: those.length,
      observed: those.filter(({ felt }) => felt).length,
    }))
    .sort((a, b) => a.kind.localeCompare(b.kind));
}

function recoveryTimes(rounds: readonly Round[]): RecoveryTimes[] {
  const measured = rounds.flatMap((round) => round.measured);
  return [...Map.groupBy(measured, ({ quantity }) => quantity)].map(([quantity, those]) => {
    const sorted = those.map(({ ms }) => ms).sort((a, b) => a - b);
    return {
      quantity,
      times: sorted.length,
      medianMs: Math.round(sorted[Math.floor(sorted.length / 2)] ?? 0),
      longestMs: Math.round(sorted.at(-1) ?? 0),
      allowedMs: LIMITS_MS[quantity],
    };
  });
}

export function renderSummary(summary: Summary): string {
  const { tally, faults, recovery, rounds, failedSeeds } = summary;
  const observed = faults.reduce((sum, fault) => sum + fault.observed, 0);
  return [
    ...table(
      ['fault', 'inflicted', 'observed'],
      faults.map(({ kind, inflicted, observed: n }) => [kind, inflicted, n]),
    ),
    '',
    ...table(
      ['recovery', 'times', 'median ms', 'longest ms', 'allowed ms'],
      recovery.map(({ quantity, times, medianMs, longestMs, allowedMs }) => [
        quantity,
        times,
        medianMs,
        longestMs,
        allowedMs,
      ]),
    ),
    '',
    ...table(
      ['outcome', 'number'],
      Object.entries(tally).map(([name, count]) => [name, count]),
    ),
    '',
    failedSeeds.length === 0
      ? `Fine: ${observed} faults observed in ${rounds} rounds, every promise kept.`
      : `Not fine: a promise was broken in the rounds of seed ${failedSeeds.join(', ')}.`,
  ].join('\n');
}

/** One line while the run goes on. */
export function describeRound({ seed, tally, faults, strikes, measured, violations }: Round): string {
  const felt = faults.filter((fault) => fault.felt).length + strikes.length;
  const broken = VIOLATIONS.map((name) => `${name} ${tally[name]}`).join(', ');
  const numbers = `${felt} faults observed, ${tally.acknowledged} acknowledged, ${tally.records} records, ${broken}`;
  return [
    `seed ${seed}: ${numbers}; ${describeRecovery(measured)}`,
    ...violations.map((text) => `  ${text}`),
  ].join('\n');
}

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string[] {
  const lines = [head, ...rows].map((row) => row.map(String));
  const widths = head.map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) =>
    line
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  '),
  );
}
