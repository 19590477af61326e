/** How far the clock here is from that of whoever answered. Pure; times in epoch milliseconds. */
import { error, type Problem, warning } from './finding.ts';

/** Tokens and their proof are refused for minutes of difference; some seconds are ordinary. */
const WARN_MS = 30_000;
const ERROR_MS = 300_000;

const CURE = 'set the clock of this machine right (NTP), or that of its host';

/**
 * Above 0: we are ahead. `date`: the header, whole seconds, cut off: half a second is added. Undefined where there
 * is none.
 */
export function skewOf(date: string | undefined, sentAt: number, answeredAt: number): number | undefined {
  const there = Date.parse(date ?? '');
  return Number.isNaN(there) ? undefined : (sentAt + answeredAt) / 2 - (there + 500);
}

export function judgeSkew(skewMs: number): Problem[] {
  const size = Math.abs(skewMs);
  if (size <= WARN_MS) return [];
  const found = `the clock here is ${Math.round(size / 1000)} s ${skewMs > 0 ? 'ahead of' : 'behind'} Graph's`;
  return [size > ERROR_MS ? error(found, CURE) : warning(found, CURE)];
}
