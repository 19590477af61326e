/**
 * A closed loop: so many clients, each of which sends when its last request was answered. It finds out how much a
 * server can do, and is the fair way to hold two variants of one against each other.
 */
import { Answers, type Send } from './answers.ts';

export type ClosedLoop = {
  readonly clients: number;
  /** Number of the first request; the following ones count on. */
  readonly firstIndex?: number;
  /** Ends after so many requests, or … */
  readonly requests?: number;
  /** … after so long, whichever is first. */
  readonly seconds?: number;
};

export type ClosedLoopResult = {
  readonly answers: Answers;
  readonly elapsedMs: number;
};

/** Resolves when the last answer is there. `now` is a monotonic clock in ms. */
export async function runClosedLoop(
  {
    clients,
    firstIndex = 0,
    requests = Number.POSITIVE_INFINITY,
    seconds = Number.POSITIVE_INFINITY,
  }: ClosedLoop,
  send: Send,
  now: () => number,
  interrupted: AbortSignal,
): Promise<ClosedLoopResult> {
  const answers = new Answers();
  const startedAt = now();
  let begun = 0;
  const isOver = () => begun >= requests || now() - startedAt >= seconds * 1000 || interrupted.aborted;
  const client = async () => {
    while (!isOver()) {
      const sentAt = now();
      const status = await send(firstIndex + begun++);
      answers.add(status, now() - sentAt);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { answers, elapsedMs: now() - startedAt };
}
