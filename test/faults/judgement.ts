/** What a run under faults came to, and in words what of it must not be. Pure. */
import type { Verdict } from '@graph2kafka/test-harness';
import type { Leftovers } from './leftovers.ts';

export type Judgement = {
  readonly verdict: Verdict;
  readonly leftovers: Leftovers;
  /** Notifications that Graph could not deliver in the quiet period. */
  readonly undelivered: number;
  /** Ends of processes that nobody caused. */
  readonly crashes: readonly string[];
};

/** The numbers that a run is reported by; all but the first three and the last two must be 0. */
export type Tally = {
  readonly changes: number;
  readonly acknowledged: number;
  readonly records: number;
  readonly lost: number;
  readonly wentBack: number;
  readonly stale: number;
  readonly stuck: number;
  /** Whatever else the checker found: forged, misaddressed, unreadable … */
  readonly odd: number;
  readonly failedJobs: number;
  readonly undelivered: number;
  readonly crashes: number;
  readonly duplicates: number;
  readonly deadLetters: number;
};

export function tallyOf({ verdict, leftovers, undelivered, crashes }: Judgement): Tally {
  const { lostNotifications, lostChanges, wentBack, staleLastWord, ...others } = verdict.problems;
  const { changes, acknowledged, records, duplicates, deadLetters } = verdict.counts;
  return {
    changes,
    acknowledged,
    records,
    lost: Math.max(lostNotifications.count, lostChanges.count),
    wentBack: wentBack.count,
    stale: staleLastWord.count,
    stuck: leftovers.owners.length,
    odd: Object.values(others).reduce((sum, { count }) => sum + count, 0),
    failedJobs: leftovers.jobs.failed,
    undelivered,
    crashes: crashes.length,
    duplicates,
    deadLetters,
  };
}

export const VIOLATIONS = [
  'lost',
  'wentBack',
  'stale',
  'stuck',
  'odd',
  'failedJobs',
  'undelivered',
  'crashes',
] as const satisfies readonly (keyof Tally)[];

export type Violation = (typeof VIOLATIONS)[number];

/** The kinds of violation that the run shows. */
export function violationsOf(judgement: Judgement): Violation[] {
  const tally = tallyOf(judgement);
  return VIOLATIONS.filter((violation) => tally[violation] > 0);
}

/** Examples of what went wrong, for a person; empty when nothing did. */
export function describeViolations(judgement: Judgement): string[] {
  const { verdict, leftovers, undelivered, crashes } = judgement;
  return [
    ...Object.entries(verdict.problems).flatMap(([kind, { count, examples }]) =>
      count === 0 ? [] : [`${kind}: ${count}`, ...examples.slice(0, 5).map((example) => `  ${example}`)],
    ),
    ...leftovers.owners.map((owner) => `stuck: ${owner} (jobs: ${JSON.stringify(leftovers.jobs)})`),
    ...(leftovers.jobs.failed > 0 ? [`failed jobs: ${leftovers.jobs.failed}`] : []),
    ...(undelivered > 0 ? [`undelivered: ${undelivered}`] : []),
    ...crashes.map((crash) => `crash: ${crash}`),
  ];
}
