/**
 * The clientState of a subscription: a secret that Graph repeats in every notification, and the only proof that
 * a basic notification comes from Graph.
 *
 * Form: `v1.<nonce>.<HMAC-SHA256(secret, tenant | nonce)>`, base64url, 69 characters (Graph allows 128). The
 * receiver verifies it from the secrets alone, without a look-up; the nonce names the subscription.
 */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isGuid } from './resource-path.ts';

/** 16 bytes: as hard to guess as a GUID, 22 characters. */
const NONCE_BYTES = 16;

/** Longer than Graph lets a clientState be (Graph: api/resources/subscription); nothing longer is worth hashing. */
const LONGEST_CLIENT_STATE = 128;

export type ClientStateSecrets = {
  /**
   * The first one signs, all of them verify; so a secret is replaced by putting the new one in front. One that begins
   * with `{tenantId}=` is of that tenant alone, and a tenant that has such has no other.
   */
  readonly secrets: readonly string[];
  /** Literal values of subscriptions that were made elsewhere. */
  readonly accepted: readonly string[];
};

export type VerifiedClientState =
  | { readonly verified: true /** Absent for a literal value. */; readonly nonce?: string }
  | { readonly verified: false };

/** `{tenantId}=secret` in its two parts; other secrets have no tenant. */
export function splitSecret(text: string): { readonly tenantId?: string; readonly secret: string } {
  const at = TENANT_LENGTH;
  if (text[at] !== '=' || !isGuid(text.slice(0, at))) return { secret: text };
  return { tenantId: text.slice(0, at).toLowerCase(), secret: text.slice(at + 1) };
}

const TENANT_LENGTH = 36;

type ByTenant = { readonly own: ReadonlyMap<string, readonly string[]>; readonly common: readonly string[] };

/** Looked up for each item of a POST; the settings give the same list until a secret is replaced. */
const split = new WeakMap<readonly string[], ByTenant>();

/** The secrets that prove a clientState of this tenant; the first one signs. */
export function secretsOf(secrets: readonly string[], tenantId: string): readonly string[] {
  let known = split.get(secrets);
  if (known === undefined) {
    const parts = secrets.map(splitSecret);
    const own = Map.groupBy(
      parts.filter((part) => part.tenantId !== undefined),
      (part) => part.tenantId as string,
    );
    known = {
      own: new Map([...own].map(([id, parts]) => [id, parts.map(({ secret }) => secret)])),
      common: parts.flatMap(({ tenantId: id, secret }) => (id === undefined ? [secret] : [])),
    };
    split.set(secrets, known);
  }
  return known.own.get(tenantId.toLowerCase()) ?? known.common;
}

export function createNonce(): string {
  return randomBytes(NONCE_BYTES).toString('base64url');
}

/** The clientState of a new subscription in `tenantId`, signed with the first secret. */
export function signClientState(secrets: readonly string[], tenantId: string, nonce: string): string {
  const [secret] = secretsOf(secrets, tenantId);
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
  for (const secret of secretsOf(secrets, tenantId)) {
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
