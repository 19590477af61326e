/** Does something at the times of a schedule. */
import { setTimeout as delay } from 'node:timers/promises';
import { dueAtMs, type OpenLoopSchedule, requestsDueBy, requestsOf } from './open-loop-schedule.ts';

/** The finest that timers do; what is late by it is measured, not hidden. */
const TICK_MS = 1;

/**
 * Calls `act` for each request of the schedule with its number and the time at which it was due, by the clock `now`
 * (ms). Never waits for what `act` begins. Ends early when interrupted.
 */
export async function keepSchedule(
  schedule: OpenLoopSchedule,
  now: () => number,
  interrupted: AbortSignal,
  act: (index: number, dueAt: number) => void,
): Promise<void> {
  const startedAt = now();
  const all = requestsOf(schedule);
  let done = 0;
  while (done < all && !interrupted.aborted) {
    const due = requestsDueBy(schedule, now() - startedAt);
    for (; done < due; done++) act(done, startedAt + dueAtMs(schedule, done));
    await delay(TICK_MS);
  }
}
