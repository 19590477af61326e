/** The checker's verdict in one line: for people, or as the last JSON line. Pure. */

/** What is used of the checker's answer. */
export type Verdict = {
  readonly ok: boolean;
  readonly counts: {
    readonly subscribedChanges: number;
    readonly acknowledged: number;
    readonly records: number;
  };
  readonly problems: Readonly<
    Record<string, { readonly count: number; readonly examples: readonly string[] }>
  >;
  readonly endToEndMs?: { readonly p50: number; readonly p99: number } | undefined;
};

export type Summary = {
  readonly changes: number;
  readonly notifications: number;
  readonly records: number;
  readonly lost: number;
  readonly endToEndMs: { readonly p50: number; readonly p99: number } | null;
};

export function summaryOf({ counts, problems, endToEndMs }: Verdict): Summary {
  return {
    changes: counts.subscribedChanges,
    notifications: counts.acknowledged,
    records: counts.records,
    lost: problems.lostChanges?.count ?? 0,
    endToEndMs: endToEndMs ? { p50: Math.round(endToEndMs.p50), p99: Math.round(endToEndMs.p99) } : null,
  };
}

export function renderSummary(verdict: Verdict): string {
  const { changes, notifications, records, lost, endToEndMs } = summaryOf(verdict);
  const times = endToEndMs
    ? `, from change to record ${endToEndMs.p50} ms (p50), ${endToEndMs.p99} ms (p99)`
    : '';
  const examples = Object.entries(verdict.problems).flatMap(([kind, { count, examples: some }]) =>
    count === 0 ? [] : [`${kind}: ${count}`, ...some.slice(0, 3).map((example) => `  ${example}`)],
  );
  return [
    '',
    `${changes} changes, ${notifications} notifications, ${records} records, ${lost} lost${times}`,
    ...examples,
  ].join('\n');
}
