// Knows the registered applications, issues access tokens to them, and tells whose token a call carries.
import { createHmac, randomBytes, randomUUID } from 'node:crypto';

/** An app registration with a client secret in a tenant. */
export interface Application {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

interface IssuedToken {
  readonly application: Application;
  readonly expiresAtMs: number;
}

export type TokenVerdict =
  | { readonly kind: 'valid'; readonly application: Application; readonly expiresAtMs: number }
  | { readonly kind: 'absent' | 'unknown' | 'expired' };

export interface AccessTokensOptions {
  readonly now: () => number;
  readonly lifetimeSeconds: number;
  /** What `iss` says, for a tenant. */
  readonly issuer: (tenantId: string) => string;
  /** What `aud` says: the Graph of the cloud. */
  readonly audience: string;
}

const base64Url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export class AccessTokens {
  readonly #options: AccessTokensOptions;
  readonly #applications: Application[] = [];
  readonly #issued = new Map<string, IssuedToken>();
  readonly #signingKey = randomBytes(32);

  constructor(options: AccessTokensOptions) {
    this.#options = options;
  }

  register(application: Application): void {
    this.#applications.push(application);
  }

  hasTenant(tenantId: string): boolean {
    return this.#applications.some((application) => application.tenantId === tenantId);
  }

  application(tenantId: string, clientId: string): Application | undefined {
    return this.#applications.find((app) => app.tenantId === tenantId && app.clientId === clientId);
  }

  /** A token in the form of a JWT. Microsoft asks clients to treat Graph's tokens as opaque, and so must ours. */
  issue(application: Application): { accessToken: string; expiresInSeconds: number } {
    this.#forgetExpired();
    const nowMs = this.#options.now();
    const { lifetimeSeconds } = this.#options;
    const accessToken = this.#sign(application, Math.floor(nowMs / 1000));
    this.#issued.set(accessToken, { application, expiresAtMs: nowMs + lifetimeSeconds * 1000 });
    return { accessToken, expiresInSeconds: lifetimeSeconds };
  }

  /** @param authorization the header's text, "Bearer …". */
  verify(authorization: string): TokenVerdict {
    const token = /^Bearer\s+(\S+)$/i.exec(authorization)?.[1];
    if (token === undefined) return { kind: 'absent' };
    const issued = this.#issued.get(token);
    if (issued === undefined) return { kind: 'unknown' };
    if (issued.expiresAtMs <= this.#options.now()) return { kind: 'expired' };
    return { kind: 'valid', ...issued };
  }

  /** Every token issued so far stops working at once, as after a revocation. */
  revokeAll(): void {
    this.#issued.clear();
  }

  #sign({ tenantId, clientId }: Application, iat: number): string {
    const header = base64Url({ typ: 'JWT', alg: 'HS256' });
    const exp = iat + this.#options.lifetimeSeconds;
    const aud = this.#options.audience;
    const iss = this.#options.issuer(tenantId);
    const claims = base64Url({
      aud,
      iss,
      iat,
      nbf: iat,
      exp,
      appid: clientId,
      tid: tenantId,
      uti: randomUUID(),
    });
    const signature = createHmac('sha256', this.#signingKey)
      .update(`${header}.${claims}`)
      .digest('base64url');
    return `${header}.${claims}.${signature}`;
  }

  /** Keeps the table as small as one lifetime's tokens; an expired one that is forgotten reads as unknown: 401 too. */
  #forgetExpired(): void {
    const nowMs = this.#options.now();
    const keepMs = this.#options.lifetimeSeconds * 1000;
    for (const [token, { expiresAtMs }] of this.#issued) {
      if (expiresAtMs + keepMs > nowMs) return; // insertion order is the order of expiry
      this.#issued.delete(token);
    }
  }
}
