/** Takes the time of each notification request, from its headers to the last byte of its answer, or to its end without. */
import type { RequestHandler } from 'express';
import type { StallWatch } from './stall-watch.ts';

export type Answered = {
  /** `undefined`: the connection ended before the answer did. */
  readonly status: number | undefined;
  /** The refusal's code; absent where it was none. */
  readonly reason: string | undefined;
  readonly durationMs: number;
};

export type ObserveOptions = {
  readonly now: () => number;
  readonly stalls: StallWatch;
  readonly onArrival: () => void;
  readonly onEnd: (answered: Answered) => void;
};

export function observeAnswers({ now, stalls, onArrival, onEnd }: ObserveOptions): RequestHandler {
  return (request, response, next) => {
    if (request.method !== 'POST') return next();
    const arrival = stalls.enter();
    onArrival();
    // Comes once, whether the answer was finished or not.
    response.once('close', () => {
      arrival.leave();
      const { writableFinished, statusCode, locals } = response;
      onEnd({
        status: writableFinished ? statusCode : undefined,
        reason: writableFinished ? locals.refusal : undefined,
        durationMs: now() - arrival.startedAt,
      });
    });
    next();
  };
}
