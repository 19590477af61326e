/** When the requests of an open loop are due, whatever the answers to earlier ones. Pure. */

export type OpenLoopSchedule = {
  readonly ratePerSecond: number;
  readonly seconds: number;
};

/** How many requests there are in all. */
export function requestsOf({ ratePerSecond, seconds }: OpenLoopSchedule): number {
  return Math.round(ratePerSecond * seconds);
}

/** When request `index` (from 0) is due, in ms after the start; evenly spaced, the first one at once. */
export function dueAtMs({ ratePerSecond }: OpenLoopSchedule, index: number): number {
  return (index * 1000) / ratePerSecond;
}

/** How many requests are due by so many ms after the start; after a pause it names all that were missed. */
export function requestsDueBy(schedule: OpenLoopSchedule, elapsedMs: number): number {
  if (elapsedMs < 0) return 0;
  const due = Math.floor((elapsedMs * schedule.ratePerSecond) / 1000) + 1;
  return Math.min(due, requestsOf(schedule));
}
