// Sends one POST to an endpoint and says what came of it.
import { type Dispatcher, request } from 'undici';
import type { Clock } from './simulator-clock.ts';

export type PostOutcome =
  | { readonly status: number; readonly answeredAt: number }
  | { readonly status: null; readonly error: string };

export interface PostOrder {
  readonly url: string;
  readonly body: string;
  readonly timeoutMs: number;
  /** Aborted when the notifier closes. */
  readonly closing: AbortSignal;
}

interface CodedError extends Error {
  readonly code?: string;
  readonly cause?: unknown;
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { code, cause, name } = error as CodedError;
  if (code?.startsWith('E')) return code;
  return cause instanceof Error ? errorCode(cause) : (code ?? name);
}

/**
 * A closure that posts and never throws: whatever hinders it becomes an error's code, "timeout" at the deadline.
 * Redirects are not followed; the status alone counts, so the rest of an answer is discarded.
 */
export function createPoster(
  dispatcher: Dispatcher,
  clock: Clock,
): (order: PostOrder) => Promise<PostOutcome> {
  return async ({ url, body, timeoutMs, closing }) => {
    // Timers of our own: undici's run in steps of a second, too coarse for a limit of three.
    const abort = new AbortController();
    const timer = clock.after(timeoutMs, () => abort.abort());
    const stop = () => abort.abort();
    closing.addEventListener('abort', stop, { once: true });
    try {
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      const answer = await request(url, { method: 'POST', dispatcher, headers, body, signal: abort.signal });
      const outcome = { status: answer.statusCode, answeredAt: clock.now() };
      // Its fate does not matter: the endpoint has answered.
      await answer.body.dump().catch(() => undefined);
      return outcome;
    } catch (cause) {
      return { status: null, error: abort.signal.aborted ? 'timeout' : errorCode(cause) };
    } finally {
      timer.cancel();
      closing.removeEventListener('abort', stop);
    }
  };
}
