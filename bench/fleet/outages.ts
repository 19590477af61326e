/** When Graph cannot be reached in a simulated month. Pure. */
import type { Randomness } from './randomness.ts';

/** Epoch milliseconds. */
export type Outage = { readonly from: number; readonly to: number };

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** Nothing begins before everything was made, and the last day is left to what is to be good in the end. */
const QUIET_MS = DAY_MS;
/** Between two of them, so that each one's aftermath is seen alone. */
const APART_MS = 12 * HOUR_MS;
export const LONG_OUTAGE_MS = 3 * DAY_MS;

/** Some of 5 minutes to 6 hours, in order, and, where asked for and there is time, one of three days. */
export function planOutages(start: number, days: number, hasLong: boolean, chance: Randomness): Outage[] {
  const end = start + days * DAY_MS - QUIET_MS;
  const outages: Outage[] = [];
  const longFrom = hasLong
    ? chance.between(start + QUIET_MS, Math.max(start + QUIET_MS, end - LONG_OUTAGE_MS))
    : Number.POSITIVE_INFINITY;
  let isLongDone = longFrom + LONG_OUTAGE_MS > end;
  for (let at = start + QUIET_MS; ; ) {
    const from = at + chance.between(0, 6 * DAY_MS);
    const isLong = !isLongDone && from + APART_MS >= longFrom;
    if (isLong) isLongDone = true;
    const begin = isLong ? Math.max(at, longFrom) : from;
    // Short ones are the more frequent: evenly spread over the scale of powers.
    const length = isLong ? LONG_OUTAGE_MS : 5 * MINUTE_MS * 72 ** chance.next();
    if (begin + length > end) return outages;
    outages.push({ from: begin, to: begin + length });
    at = begin + length + APART_MS;
  }
}
