/** The clientState that Graph repeats in each notification, signed as docs/architecture.md describes it. Pure. */
import { createHash, createHmac } from 'node:crypto';

/** `v1.<nonce>.<HMAC-SHA256(secret, tenant | nonce)>`, both in base64url. */
export function signedClientState(secret: string, tenantId: string, nonce: string): string {
  const signature = createHmac('sha256', secret).update(`${tenantId}|${nonce}`).digest('base64url');
  return `v1.${nonce}.${signature}`;
}

/** 16 bytes in base64url that are the same for the same subscription in each run. */
export function nonceOf(subscriptionId: string): string {
  return createHash('sha256').update(subscriptionId).digest().subarray(0, 16).toString('base64url');
}
