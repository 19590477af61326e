/** How far the clock here is from that of whoever answered. Pure; times in epoch milliseconds. */
import { error, type Problem, warning } from './finding.ts';

/** Tokens and their proof are refused for minutes of difference; some seconds are ordinary. */
const WARN_MS = 30_000;
const ERROR_MS = 300_000;

const CURE = 'set the clock of this machine right (NTP), or that of its host';

/** `Date` has whole seconds, cut off. */
const SECOND_MS = 999;

/**
 * Above 0: we are ahead, by this much at least. `date` is the header of an answer to what was sent and answered then:
 * however long that took, there it was some time between. Undefined where there is none.
 */
export function skewOf(date: string | undefined, sentAt: number, answeredAt: number): number | undefined {
  const there = Date.parse(date ?? '');
  if (Number.isNaN(there)) return undefined;
  if (there + SECOND_MS < sentAt) return sentAt - there - SECOND_MS;
  return there > answeredAt ? answeredAt - there : 0;
}

export function judgeSkew(skewMs: number): Problem[] {
  const size = Math.abs(skewMs);
  if (size <= WARN_MS) return [];
  const found = `the clock here is ${Math.round(size / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} Graph's`;
  return [size > ERROR_MS ? error(found, CURE) : warning(found, CURE)];
}
