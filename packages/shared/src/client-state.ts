/**
 * The clientState of a subscription: a secret that Graph repeats in every notification, and the only proof that
 * a basic notification comes from Graph.
 *
 * Form: `v1.<nonce>.<HMAC-SHA256(secret, tenant | nonce)>`, base64url, 69 characters (Graph allows 128). The
 * receiver verifies it from the secrets alone, without a look-up; the nonce names the subscription.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** 16 bytes: as hard to guess as a GUID, 22 characters. */
const NONCE_BYTES = 16;

/** Longer than Graph lets a clientState be; nothing longer is worth hashing. */
const LONGEST_CLIENT_STATE = 128;

export type ClientStateSecrets = {
  /** The first one signs, all of them verify; so a secret is replaced by putting the new one in front. */
  readonly secrets: readonly string[];
  /** Literal values of subscriptions that were made elsewhere. */
  readonly accepted: readonly string[];
};

export type VerifiedClientState =
  | { readonly verified: true /** Absent for a literal value. */; readonly nonce?: string }
  | { readonly verified: false };

export function createNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url');
}

/** The clientState of a new subscription in `tenantId`, signed with the first secret. */
export function signClientState(secrets: readonly string[], tenantId: string, nonce: string): string {
  const [secret] = secrets;
  if (secret === undefined) throw new Error('no clientState secret to sign with');
  return `v1.${nonce}.${mac(secret, tenantId, nonce).toString('base64url')}`;
}

/** Whether a notification of `tenantId` carries a clientState of ours; takes the same time for every wrong one. */
export function verifyClientState(
  clientState: unknown,
  tenantId: string,
  { secrets, accepted }: ClientStateSecrets,
): VerifiedClientState {
  if (typeof clientState !== 'string' || clientState.length > LONGEST_CLIENT_STATE)
    return { verified: false };
  if (anyEqual(clientState, accepted)) return { verified: true };
  const [version, nonce, signature, ...rest] = clientState.split('.');
  if (version !== 'v1' || !nonce || !signature || rest.length > 0) return { verified: false };
  const given = digest(signature);
  let matches = false;
  for (const secret of secrets) {
    if (timingSafeEqual(given, digest(mac(secret, tenantId, nonce).toString('base64url')))) matches = true;
  }
  return matches ? { verified: true, nonce } : { verified: false };
}

function anyEqual(text: string, candidates: readonly string[]): boolean {
  const given = digest(text);
  let equal = false;
  for (const candidate of candidates) if (timingSafeEqual(given, digest(candidate))) equal = true;
  return equal;
}

function mac(secret: string, tenantId: string, nonce: string): Buffer {
  return createHmac('sha256', secret).update(`${tenantId.toLowerCase()}|${nonce}`).digest();
}

/** Both sides of a comparison become 32 bytes, whatever their length was. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
