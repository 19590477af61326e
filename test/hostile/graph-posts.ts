/** What Graph posts, written from its documentation alone: nothing here comes from the product. */
import { createHmac } from 'node:crypto';

export type Item = Record<string, unknown>;

export const SECRET = 'a secret of the hostile room';
/** A clientState of a subscription that was made elsewhere (`CLIENT_STATES_ACCEPTED`). */
export const LITERAL = 'made-elsewhere-by-hand';
export const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
export const SUBSCRIPTION = 'c6126aa3-0ed8-412f-a988-71e6cee627c4';
export const USER = '622eaaff-0683-4862-9de4-f2ec83c2bd98';
export const EVENT = 'AAMkAGUwNjQ4ZjIxLTQ3Y2YtNDViMi05ZjJhLWJhNmMxYTNmOTk0NgBGAAAAAAA1';

/** As docs/architecture.md describes it: `v1.<nonce>.<HMAC-SHA256(secret, tenant | nonce)>`. */
export function signed(nonce: string, tenant = TENANT, secret = SECRET): string {
  const signature = createHmac('sha256', secret)
    .update(`${tenant.toLowerCase()}|${nonce}`)
    .digest('base64url');
  return `v1.${nonce}.${signature}`;
}

/** Whether a clientState is ours, told without the product. */
export function isOurs(clientState: unknown, tenant: unknown): boolean {
  if (typeof clientState !== 'string') return false;
  if (clientState === LITERAL) return true;
  const [version, nonce, signature, ...rest] = clientState.split('.');
  if (version !== 'v1' || !nonce || !signature || rest.length > 0 || typeof tenant !== 'string') return false;
  return signed(nonce, tenant) === clientState;
}

/** A changed event (resource type changeNotification, sample of the Outlook page). */
export function changed(changes: Item = {}, event = EVENT): Item {
  const path = `Users/${USER}/Events/${event}`;
  return {
    subscriptionId: SUBSCRIPTION,
    subscriptionExpirationDateTime: '2026-12-02T03:12:18.2257768+05:30',
    changeType: 'updated',
    resource: path,
    resourceData: {
      '@odata.type': '#Microsoft.Graph.Event',
      '@odata.id': path,
      '@odata.etag': 'W/"DwAAABYAAAC0vJt9rLxTQZ3x"',
      id: event,
    },
    clientState: signed('a-nonce'),
    tenantId: TENANT,
    ...changes,
  };
}

/** A lifecycle notification names its subscription and no resource. */
export function lifecycle(changes: Item = {}): Item {
  return {
    lifecycleEvent: 'missed',
    subscriptionId: SUBSCRIPTION,
    subscriptionExpirationDateTime: '2026-12-02T03:12:18.2257768+00:00',
    clientState: signed('a-nonce'),
    tenantId: TENANT,
    ...changes,
  };
}

/** With resource data: what is encrypted is a placeholder, as in the documentation. */
export function rich(changes: Item = {}): Item {
  return changed({
    encryptedContent: {
      data: 'ZGF0YQ==',
      dataKey: 'a2V5',
      dataSignature: 'c2lnbmF0dXJl',
      encryptionCertificateId: 'certificate-1',
      encryptionCertificateThumbprint: '07293748CC064953A3052FB978C735FB89E61C3D',
    },
    ...changes,
  });
}

export const collection = (...items: readonly unknown[]): string => JSON.stringify({ value: items });
