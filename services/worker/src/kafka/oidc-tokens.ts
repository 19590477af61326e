/**
 * Tokens for SASL OAUTHBEARER from any OpenID Connect provider: client credentials, RFC 6749 §4.4, with the client's
 * id and secret in a Basic header (§2.3.1), as Kafka's own client sends them.
 */

export type OidcClient = {
  readonly tokenUrl: string;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly scope: string | undefined;
};

/** The endpoint gave no token; its text is not repeated, as it may hold more than a log should. */
export class OidcTokenError extends Error {
  override readonly name = 'OidcTokenError';
}

const TIMEOUT_MS = 10_000;
/** A token is replaced after this part of its life: the rest is for sign-ins that are under way. */
const USED_PART = 0.8;
/** Without `expires_in` (it is only recommended) a token is taken for one sign-in. */
const UNKNOWN_LIFE_S = 0;

/** A function that gives a valid token; it asks anew when the last one ages, once for all callers. */
export function createOidcTokens(client: OidcClient): () => Promise<string> {
  let held: { readonly token: string; readonly freshUntil: number } | undefined;
  let asking: Promise<string> | undefined;

  async function ask(): Promise<string> {
    const askedAt = performance.now();
    const { token, lifeSeconds } = await requestToken(client);
    held = { token, freshUntil: askedAt + lifeSeconds * 1000 * USED_PART };
    return token;
  }

  return async () => {
    if (held && performance.now() < held.freshUntil) return held.token;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

async function requestToken({ tokenUrl, clientId, clientSecret, scope }: OidcClient) {
  const response = await fetch(tokenUrl, {
    method: 'POST',
    headers: {
      authorization: `Basic ${basicCredentials(clientId, clientSecret)}`,
      accept: 'application/json',
    },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope ? { scope } : {}) }),
    // The secret goes to the address that was set, and nowhere else.
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: unknown) => {
    throw new OidcTokenError(`no answer from KAFKA_OIDC_TOKEN_URL: ${reasonOf(error)}`, { cause: error });
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw new OidcTokenError(`KAFKA_OIDC_TOKEN_URL answers ${response.status}`);
  }
  const answer = (await response.json().catch(() => ({}))) as {
    access_token?: unknown;
    expires_in?: unknown;
  };
  if (typeof answer.access_token !== 'string')
    throw new OidcTokenError('KAFKA_OIDC_TOKEN_URL gives no access_token');
  const lifeSeconds = Number(answer.expires_in ?? UNKNOWN_LIFE_S);
  return {
    token: answer.access_token,
    lifeSeconds: Number.isFinite(lifeSeconds) ? lifeSeconds : UNKNOWN_LIFE_S,
  };
}

/** Both parts form-encoded first, as RFC 6749 §2.3.1 has it: a secret may hold a colon. */
function basicCredentials(clientId: string, clientSecret: string): string {
  const encode = (text: string) => new URLSearchParams({ _: text }).toString().slice(2);
  return Buffer.from(`${encode(clientId)}:${encode(clientSecret)}`).toString('base64');
}

/** The code of the network's error (`ECONNREFUSED`), which says more than "fetch failed". */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  const { code } = (error.cause ?? error) as { code?: unknown };
  return typeof code === 'string' ? code : error.name;
}
