// Signs the tokens by which a receiver tells that a notification with resource data comes from Graph.
import { randomUUID, sign } from 'node:crypto';
import type { ValidationKey, ValidationKeys } from './validation-keys.ts';

/** Microsoft Graph Change Tracking, the publisher (Graph page "Change notifications that include resource data"). */
export const PUBLISHER = '0bf30f3b-4a52-48df-9a82-234910c4a086';

/** The object that stands for that publisher in a tenant; nobody has to know it. */
const PUBLISHER_OBJECT = 'c3f0a6d2-58b1-4e97-9d24-7b6e0f1c8a35';

export type ValidationTokenVersion = '1.0' | '2.0';

/** Whom a token is for. One is sent for each such pair in a POST. */
export interface TokenAudience {
  /** The subscribed app, or the one that notificationUrlAppId names. */
  readonly appId: string;
  readonly tenantId: string;
}

export interface ValidationTokenSettings {
  readonly version: ValidationTokenVersion;
  /** With `{tenantid}` where the tenant's id goes. */
  readonly issuer: string;
}

export type TokenClaims = Readonly<Record<string, string | number>>;

/** Microsoft's own, in the global cloud. */
export const VALIDATION_ISSUERS: Readonly<Record<ValidationTokenVersion, string>> = {
  '1.0': 'https://sts.windows.net/{tenantid}/',
  '2.0': 'https://login.microsoftonline.com/{tenantid}/v2.0',
};

/** From nbf to exp in the pages' samples: 8 hours and 5 minutes, and a day and 5 minutes. */
const LIFE_SECONDS: Readonly<Record<ValidationTokenVersion, number>> = { '1.0': 29_100, '2.0': 86_700 };

export function issuerFor(issuer: string, tenantId: string): string {
  return issuer.replaceAll('{tenantid}', tenantId);
}

const base64Url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

/** "{header}.{claims}", the text that is signed. */
export function unsignedToken(header: object, claims: object): string {
  return `${base64Url(header)}.${base64Url(claims)}`;
}

/** A JWT with RS256, by whatever key, under whatever name. */
export function signedToken(claims: object, { privateKey, kid }: Omit<ValidationKey, 'publicKey'>): string {
  const text = unsignedToken({ typ: 'JWT', alg: 'RS256', x5t: kid, kid }, claims);
  return `${text}.${sign('sha256', Buffer.from(text), privateKey).toString('base64url')}`;
}

/** What the pages' samples show of a token of that version. */
export function tokenClaims(
  settings: ValidationTokenSettings,
  { appId, tenantId }: TokenAudience,
  nowMs: number,
): TokenClaims {
  const issuedAt = Math.floor(nowMs / 1000);
  const iss = issuerFor(settings.issuer, tenantId);
  const times = { iat: issuedAt, nbf: issuedAt, exp: issuedAt + LIFE_SECONDS[settings.version] };
  const common = { aud: appId, iss, ...times, tid: tenantId, uti: randomUUID(), ver: settings.version };
  return settings.version === '1.0'
    ? { ...common, appid: PUBLISHER, appidacr: '2', idp: iss }
    : { ...common, azp: PUBLISHER, azpacr: '2', oid: PUBLISHER_OBJECT, sub: PUBLISHER_OBJECT };
}

export interface ValidationTokensDeps extends ValidationTokenSettings {
  readonly keys: ValidationKeys;
  readonly now: () => number;
}

export class ValidationTokens {
  readonly #deps: ValidationTokensDeps;

  constructor(deps: ValidationTokensDeps) {
    this.#deps = deps;
  }

  get keys(): ValidationKeys {
    return this.#deps.keys;
  }

  get version(): ValidationTokenVersion {
    return this.#deps.version;
  }

  get issuer(): string {
    return this.#deps.issuer;
  }

  claims(audience: TokenAudience): TokenClaims {
    return tokenClaims(this.#deps, audience, this.#deps.now());
  }

  async issue(audience: TokenAudience): Promise<string> {
    return signedToken(this.claims(audience), await this.keys.signing());
  }
}
