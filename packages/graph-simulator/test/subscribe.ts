// Makes a subscription to all changes of a user's events, as most tests need one.
import type { Answer, GraphCaller } from './graph-caller.ts';

const HOUR_MS = 3_600_000;

/** The body of a valid request; the expiry is an hour from `nowMs`. */
export function subscriptionRequest(
  userId: string,
  notificationUrl: string,
  nowMs: number = Date.now(),
): Record<string, unknown> {
  return {
    changeType: 'created,updated,deleted',
    notificationUrl,
    resource: `users/${userId}/events`,
    expirationDateTime: new Date(nowMs + HOUR_MS).toISOString(),
    clientState: 'a secret of the app',
  };
}

export async function subscribe(
  graph: GraphCaller,
  userId: string,
  notificationUrl: string,
  more: Record<string, unknown> = {},
): Promise<Answer['body']> {
  const body = { ...subscriptionRequest(userId, notificationUrl), ...more };
  const answer = await graph.call('POST', '/subscriptions', { body });
  if (answer.status !== 201) throw new Error(`No subscription: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
