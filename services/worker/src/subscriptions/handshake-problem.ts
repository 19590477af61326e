/** Asks one of our own addresses as Graph does before it makes a subscription: what is wrong with the answer, in words. */
import { shakeHands } from '../handshake.ts';
import { networkProblem } from '../network-problem.ts';

/** Graph waits for 10 s (Graph: change-notifications-delivery-webhooks). */
const TIMEOUT_MS = 10_000;

/** Undefined where it answers as it should. */
export async function handshakeProblem(url: string): Promise<string | undefined> {
  try {
    const { token, answer } = await shakeHands(url, AbortSignal.timeout(TIMEOUT_MS));
    if (answer.status !== 200) return `answers a validation with ${answer.status}`;
    return answer.body === token ? undefined : 'does not repeat the validation token';
  } catch (error) {
    return `does not answer: ${reasonOf(error, new URL(url).host)}`;
  }
}

function reasonOf(error: unknown, host: string): string {
  if (!(error instanceof Error)) return 'unknown error';
  if (error.name === 'TimeoutError') return `nothing within ${TIMEOUT_MS / 1000} s`;
  return networkProblem(error, host)?.found ?? error.message;
}
