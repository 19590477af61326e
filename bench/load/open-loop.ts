/**
 * An open loop: requests leave on a schedule whatever the answers, and each latency counts from the time at which its
 * request was due. A loop that waits for answers would send less while the server is slow, and so not see it.
 */
import { Answers, type Send } from './answers.ts';
import { keepSchedule } from './keep-schedule.ts';
import type { OpenLoopSchedule } from './open-loop-schedule.ts';

export type OpenLoopResult = {
  readonly answers: Answers;
  /** By how much each request left later than it was due: the load generator's own share of the latency. */
  readonly latenessMs: readonly number[];
};

/** Resolves when the last answer is there. `now` is a monotonic clock in ms. */
export async function runOpenLoop(
  schedule: OpenLoopSchedule,
  send: Send,
  now: () => number,
  interrupted: AbortSignal,
): Promise<OpenLoopResult> {
  const answers = new Answers();
  const latenessMs: number[] = [];
  const underWay: Promise<void>[] = [];
  await keepSchedule(schedule, now, interrupted, (index, dueAt) => {
    latenessMs.push(now() - dueAt);
    underWay.push(send(index).then((status) => answers.add(status, now() - dueAt)));
  });
  await Promise.all(underWay);
  return { answers, latenessMs };
}
