// What Graph posts, made for tests: items whose clientState is ours unless told otherwise.
import { signClientState } from '@graph2kafka/shared';

export const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
export const SUBSCRIPTION = 'c6126aa3-0ed8-412f-a988-71e6cee627c4';
export const SECRET = 'a secret of these tests';
export const USER = '622eaaff-0683-4862-9de4-f2ec83c2bd98';

export const CLIENT_STATE = signClientState([SECRET], TENANT, 'nonce-of-these-tests');

/** What is known of every item, as Graph writes it. */
const origin = {
  subscriptionId: SUBSCRIPTION,
  subscriptionExpirationDateTime: '2026-12-02T03:12:18.2257768+05:30',
  clientState: CLIENT_STATE,
  tenantId: TENANT,
};

export interface ChangeOptions {
  readonly user?: string;
  readonly event?: string;
}

/** A change of an event, as Outlook writes it; `changes` go over it. */
export function change(changes: object = {}, { user = USER, event = 'e1' }: ChangeOptions = {}) {
  const path = `Users/${user}/Events/${event}`;
  return {
    ...origin,
    changeType: 'updated',
    resource: path,
    resourceData: {
      '@odata.type': '#Microsoft.Graph.Event',
      '@odata.id': path,
      '@odata.etag': 'W/"1"',
      id: event,
    },
    ...changes,
  };
}

export function lifecycle(lifecycleEvent: unknown = 'missed') {
  return { ...origin, lifecycleEvent };
}

export const forged = (changes: object = {}) => change({ clientState: 'v1.guessed.guessed', ...changes });

export const collection = (...items: readonly unknown[]) => JSON.stringify({ value: items });
