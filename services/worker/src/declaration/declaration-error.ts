/** What is wrong in `subscriptions.yaml`, each mistake with its line, as editors and compilers write it. */
import type { Place } from './yaml-places.ts';

export type Problem = {
  /** Absent where it concerns no part of the file. */
  readonly place?: Place | undefined;
  /** `calendars.changeTypes: must be …`; never a value that could be a secret. */
  readonly text: string;
};

/** The file is wrong; below its first line, each problem is a line: `subscriptions.yaml:12: calendars.topic: …`. */
export class WantedSubscriptionsError extends Error {
  override readonly name = 'WantedSubscriptionsError';
  /** In the order of the file. */
  readonly problems: readonly string[];

  constructor(file: string, problems: readonly Problem[]) {
    const lines = problems.toSorted(byPlace).map((problem) => describe(file, problem));
    const what = lines.length === 1 ? 'a mistake' : `${lines.length} mistakes`;
    super(`${what} in what is wanted:\n  ${lines.join('\n  ')}`);
    this.problems = lines;
  }
}

function describe(file: string, { place, text }: Problem): string {
  if (!place) return `${file}: ${text}`;
  const { line, column } = place;
  return `${file}:${column === undefined ? line : `${line}:${column}`}: ${text}`;
}

function byPlace({ place: a }: Problem, { place: b }: Problem): number {
  return (a?.line ?? 0) - (b?.line ?? 0) || (a?.column ?? 0) - (b?.column ?? 0);
}
