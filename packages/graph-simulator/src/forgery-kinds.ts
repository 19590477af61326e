// The ways in which a notification can be forged on demand.

/** What is wrong with the token that should prove the sender; everything else of the notification is right. */
const TOKEN_FORGERIES = [
  /** No signature, and a header that says so. */
  'alg-none',
  /** Signed as HMAC, with the published key's PEM as the secret. */
  'hs256',
  /** A key that nobody published, under a name that nobody published. */
  'wrong-kid',
  /** A key that nobody published, under a published name. */
  'foreign-key',
  'foreign-tenant',
  'foreign-audience',
  'foreign-publisher',
  'foreign-issuer',
  'expired',
  'not-yet-valid',
  /** `"validationTokens": null`. */
  'null-tokens',
  'no-tokens',
  /** The right token behind 9,999 that prove nothing. */
  'many-tokens',
] as const;

/** What is wrong with the encrypted resource; the token is right. */
const CONTENT_FORGERIES = [
  'tampered-data',
  'tampered-key',
  'tampered-signature',
  'unknown-certificate',
] as const;

/** What anyone can try who has found the endpoint. */
const CLIENT_STATE_FORGERIES = ['wrong-client-state', 'no-client-state'] as const;

export const FORGERIES = [...TOKEN_FORGERIES, ...CONTENT_FORGERIES, ...CLIENT_STATE_FORGERIES] as const;

export type TokenForgery = (typeof TOKEN_FORGERIES)[number];
export type Forgery = (typeof FORGERIES)[number];

export const isTokenForgery = (forgery: Forgery): forgery is TokenForgery =>
  (TOKEN_FORGERIES as readonly string[]).includes(forgery);

/** True where only a notification with resource data can be forged so. */
export const needsResourceData = (forgery: Forgery): boolean =>
  !(CLIENT_STATE_FORGERIES as readonly string[]).includes(forgery);
