// What the checker has found: counts, and for each kind of problem how many and some of them in words.

export interface Problem {
  readonly count: number;
  /** The first ones, at most as many as the options ask for. */
  readonly examples: readonly string[];
}

/** Each kind fails the run when there is one of it. */
export const PROBLEM_KINDS = {
  lostNotifications: 'acknowledged notifications that no record and no dead letter covers',
  lostChanges: 'subscribed changes that no record and no dead letter covers',
  wentBack: 'records that show an older state after a newer one',
  staleLastWord: 'resources whose last record is not their newest state',
  splitKeys: 'resources with records in more than one partition of a topic',
  misaddressed: 'records whose Kafka key is not the resource that they are about',
  forgeries: 'records of resources that the change log never names',
  falseDeletions: 'records that report a deletion of a resource that never was deleted',
  unknownVersions: 'records that show a version that the change log does not know',
  unreadable: 'records that are no CloudEvent about a resource',
} as const;

export type ProblemKind = keyof typeof PROBLEM_KINDS;

export interface Counts {
  readonly resources: number;
  readonly changes: number;
  readonly subscribedChanges: number;
  /** Deliveries of an item that were answered 2xx. */
  readonly acknowledged: number;
  readonly records: number;
  readonly deadLetters: number;
  /** Records with a source and id that an earlier record had: a consumer can drop them. */
  readonly duplicates: number;
  readonly states: number;
  readonly deletions: number;
  readonly notificationsOnly: number;
}

export interface Latency {
  /** Changes that were measured: subscribed, and covered by a record. */
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface Verdict {
  readonly ok: boolean;
  readonly counts: Counts;
  /** Below 1 where several changes were merged into one record; undefined without subscribed changes. */
  readonly recordsPerChange: number | undefined;
  readonly problems: Readonly<Record<ProblemKind, Problem>>;
  /** From a change to Kafka's timestamp of the first record that covers it; undefined where none was measured. */
  readonly endToEndMs: Latency | undefined;
}

/** Counts problems and keeps the first few of each kind in words. */
export class ProblemList {
  readonly #problems = new Map<ProblemKind, { count: number; examples: string[] }>();
  readonly #examplesPerProblem: number;

  constructor(examplesPerProblem: number) {
    this.#examplesPerProblem = examplesPerProblem;
  }

  /** `describe` is called only where there is room for another example: problems can be many. */
  add(kind: ProblemKind, describe: () => string): void {
    const problem = this.#problems.get(kind) ?? { count: 0, examples: [] };
    this.#problems.set(kind, problem);
    problem.count++;
    if (problem.examples.length < this.#examplesPerProblem) problem.examples.push(describe());
  }

  count(kind: ProblemKind): number {
    return this.#problems.get(kind)?.count ?? 0;
  }

  all(): Record<ProblemKind, Problem> {
    const kinds = Object.keys(PROBLEM_KINDS) as ProblemKind[];
    const entries = kinds.map((kind) => [kind, this.#problems.get(kind) ?? { count: 0, examples: [] }]);
    return Object.fromEntries(entries) as Record<ProblemKind, Problem>;
  }
}

/** Of durations in milliseconds, by nearest rank. Sorts in place. */
export function latencyOf(durationsMs: Float64Array): Latency | undefined {
  if (durationsMs.length === 0) return undefined;
  durationsMs.sort();
  const rank = (share: number) => durationsMs[Math.ceil(share * durationsMs.length) - 1] ?? 0;
  return { count: durationsMs.length, p50: rank(0.5), p99: rank(0.99), max: rank(1) };
}
