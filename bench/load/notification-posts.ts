/** Bodies of Graph's POSTs: change notifications of many mailboxes, each with its genuine clientState. Pure. */
import { nonceOf, signedClientState } from './client-state.ts';

/** Any GUID does: a receiver takes the clientState as proof, whichever tenant it was signed for. */
const TENANT_ID = '3f0c2a52-6f0e-4a35-9a57-0d1b6a5c1e11';

export type NotificationPostsOptions = {
  /** Signs the clientStates; the receiver has to know it. */
  readonly secret: string;
  /** Mailboxes, each with a subscription of its own. */
  readonly owners: number;
  readonly itemsPerPost: number;
  readonly carried?: Carried;
};

/** Properties that items and POSTs have beside those of every notification. */
export type Carried = {
  /** `number` counts through the items of all POSTs. */
  readonly item: (number: number) => object;
  readonly post: object;
};

/** Graph's own ids of events have 120 to 152 characters, the most of them the same within a mailbox. */
const EVENT_ID_BEGINNING =
  'AAMkAGIyNDA3ZTQ3LTgxYjMtNGEwMy1hZmE3LTM1YzBkZWFhNzJjYgBGAAAAAAD0vJt9rLxTQZ3xvBf'.padEnd(108, 'A');

/** `00000000-0000-4000-8000-00000000002a` */
const guid = (kind: string, number: number) =>
  `${kind}-0000-4000-8000-${number.toString(16).padStart(12, '0')}`;

/**
 * The body of POST `index`. Items are numbered through all POSTs, and go to the owners in turn: each is of another
 * owner until all had one, and each is of an event that had none before. So every item costs an inbox and a job.
 */
export function createNotificationPosts(options: NotificationPostsOptions): (index: number) => string {
  const { secret, owners, itemsPerPost, carried } = options;
  const clientStates: string[] = [];

  function clientStateOf(owner: number, subscriptionId: string): string {
    clientStates[owner] ??= signedClientState(secret, TENANT_ID, nonceOf(subscriptionId));
    return clientStates[owner];
  }

  function item(number: number): unknown {
    const owner = number % owners;
    const subscriptionId = guid('5b000000', owner);
    const id = `${EVENT_ID_BEGINNING}${number.toString(36).padStart(11, '0')}=`;
    const resource = `Users/${guid('0e000000', owner)}/Events/${id}`;
    return {
      subscriptionId,
      subscriptionExpirationDateTime: '2099-01-01T00:00:00.0000000Z',
      changeType: 'updated',
      resource,
      resourceData: {
        '@odata.type': '#Microsoft.Graph.Event',
        '@odata.id': resource,
        '@odata.etag': `W/"DwAAABYAAAC0vJt9rLxTQZ3x${number.toString(36).padStart(8, '0')}"`,
        id,
      },
      clientState: clientStateOf(owner, subscriptionId),
      tenantId: TENANT_ID,
      ...carried?.item(number),
    };
  }

  return (index) => {
    const items = Array.from({ length: itemsPerPost }, (_, i) => item(index * itemsPerPost + i));
    return JSON.stringify({ value: items, ...carried?.post });
  };
}
