// Writes how long a throttled caller has to wait, in each of the forms in which Graph and what stands before it do.
import type { SeededRandom } from './seeded-random.ts';

/**
 * Whole seconds ("3"); a fraction as in Microsoft's own sample ("2.128"); an HTTP date; no header at all; or one of
 * these each time, by the seed.
 */
export type RetryAfterForm = 'integer' | 'fraction' | 'date' | 'absent' | 'mixed';

export interface RetryAfterDeps {
  readonly form: RetryAfterForm;
  readonly random: SeededRandom;
  /** What Graph takes for now, epoch milliseconds. */
  readonly now: () => number;
}

const FORMS: Exclude<RetryAfterForm, 'mixed'>[] = ['integer', 'fraction', 'date', 'absent'];
const MS = 1_000;

/** The header for a wait in milliseconds, rounded up where the form has no fractions. */
export function createRetryAfter(deps: RetryAfterDeps): (waitMs: number) => Readonly<Record<string, string>> {
  return (waitMs) => {
    const form = deps.form === 'mixed' ? deps.random.pick(FORMS) : deps.form;
    const wholeSeconds = Math.max(Math.ceil(waitMs / MS), 1);
    switch (form) {
      case 'integer':
        return { 'retry-after': String(wholeSeconds) };
      case 'fraction':
        return { 'retry-after': (Math.ceil(waitMs) / MS).toFixed(3) };
      case 'date':
        // A date has no fractions: rounded up, as a caller that came too early would be refused again.
        return { 'retry-after': new Date(Math.ceil((deps.now() + waitMs) / MS) * MS).toUTCString() };
      case 'absent':
        return {};
    }
  };
}
