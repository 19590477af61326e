/** What the claims of a validation token, whose signature is right, come to. Pure. */
import { isGuid } from '@graph2kafka/shared';
import { issuerOf, type TokenAuthority, type TokenVersion } from './token-authority.ts';

/** Microsoft Graph Change Tracking, by its app id (Graph: change-notifications-with-resource-data). */
const PUBLISHER = '0bf30f3b-4a52-48df-9a82-234910c4a086';

/** Between Entra's clock and the receiver's: what Microsoft's own libraries allow. */
const CLOCK_TOLERANCE_MS = 300_000;

export type Expected = {
  /** Ids of the apps that we subscribe as, in lower case. */
  readonly audiences: readonly string[];
  readonly issuers: TokenAuthority['issuers'];
  /** The issuer that the list of keys names for the key; not all lists name one. */
  readonly keyIssuer: string | undefined;
};

/** A token that proves its tenant to whoever received it within the span; epoch ms. */
export type Proof = { readonly tenantId: string; readonly notBefore: number; readonly expiresAt: number };

export type ClaimsRefusal = 'form' | 'version' | 'publisher' | 'audience' | 'issuer';

export type Claims = Readonly<Record<string, unknown>>;

export function versionOf({ ver }: Claims): TokenVersion | undefined {
  return ver === '1.0' || ver === '2.0' ? ver : undefined;
}

export function judgeClaims(claims: Claims, expected: Expected): Proof | ClaimsRefusal {
  const version = versionOf(claims);
  if (version === undefined) return 'version';
  const { aud, iss, tid, nbf, exp } = claims;
  // A list of audiences is legal in a JWT; Entra writes one name.
  if (typeof aud !== 'string' || typeof iss !== 'string' || typeof tid !== 'string' || !isGuid(tid))
    return 'form';
  if (!isSeconds(nbf) || !isSeconds(exp)) return 'form';
  if (publisherOf(claims, version) !== PUBLISHER) return 'publisher';
  if (!expected.audiences.includes(aud.toLowerCase())) return 'audience';
  const isIssuer = (pattern: string) => issuerOf(pattern, tid) === iss;
  if (!expected.issuers[version].some(isIssuer)) return 'issuer';
  if (!mayKeySignFor(tid, expected)) return 'issuer';
  return { tenantId: tid.toLowerCase(), notBefore: nbf * 1000, expiresAt: exp * 1000 };
}

/** Entra's list has keys of one tenant alone. The others are named after version 2.0, and sign tokens of both. */
function mayKeySignFor(tenantId: string, { keyIssuer, issuers }: Expected): boolean {
  if (keyIssuer === undefined || keyIssuer.includes('{tenantid}')) return true;
  return [...issuers['1.0'], ...issuers['2.0']].some((pattern) => issuerOf(pattern, tenantId) === keyIssuer);
}

function publisherOf({ appid, azp }: Claims, version: TokenVersion): unknown {
  return version === '1.0' ? appid : azp;
}

function isSeconds(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

/**
 * By when it was *received*: Graph repeats a POST for hours with the token that it had, and an entry may wait for
 * hours more before it is looked at.
 */
export function wasValidAt({ notBefore, expiresAt }: Proof, receivedAt: number): boolean {
  return notBefore - CLOCK_TOLERANCE_MS <= receivedAt && receivedAt < expiresAt + CLOCK_TOLERANCE_MS;
}
