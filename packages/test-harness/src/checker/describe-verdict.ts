// The verdict in words, for a person.
import { PROBLEM_KINDS, type ProblemKind, type Verdict } from './verdict.ts';

/** Several lines; the last says whether all is well. */
export function describeVerdict(verdict: Verdict): string {
  return [...describeCounts(verdict), ...describeProblems(verdict), conclusion(verdict)].join('\n');
}

function describeCounts({ counts, recordsPerChange, endToEndMs }: Verdict): string[] {
  const perChange =
    recordsPerChange === undefined ? '' : `, ${recordsPerChange.toFixed(2)} per subscribed change`;
  return [
    `${counts.changes} changes of ${counts.resources} resources, ${counts.subscribedChanges} of them subscribed`,
    `${counts.acknowledged} notifications acknowledged`,
    `${counts.records} records (${counts.states} states, ${counts.deletions} deletions, ` +
      `${counts.notificationsOnly} notifications only)${perChange}`,
    `${counts.duplicates} records repeated with the same id, ${counts.deadLetters} dead letters`,
    ...(endToEndMs
      ? [
          `from change to record: median ${ms(endToEndMs.p50)}, 99 % within ${ms(endToEndMs.p99)}, ` +
            `longest ${ms(endToEndMs.max)}`,
        ]
      : []),
  ];
}

function describeProblems({ problems }: Verdict): string[] {
  const kinds = Object.keys(PROBLEM_KINDS) as ProblemKind[];
  return kinds.flatMap((kind) => {
    const { count, examples } = problems[kind];
    if (count === 0) return [];
    const more = count > examples.length ? [`  … and ${count - examples.length} more`] : [];
    return [`${count} ${PROBLEM_KINDS[kind]}:`, ...examples.map((example) => `  ${example}`), ...more];
  });
}

function conclusion({ ok }: Verdict): string {
  return ok ? 'Fine: nothing lost, nothing out of order.' : 'Not fine.';
}

function ms(durationMs: number): string {
  return `${Math.round(durationMs)} ms`;
}
