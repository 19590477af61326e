/** An OpenID Connect provider of the test's own: a token endpoint over HTTPS, and the keys that a broker checks by. */
import { createSign, generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';

export type TokenRequest = { readonly authorization: string; readonly body: string };

export type TokenEndpoint = {
  readonly url: string;
  readonly requests: readonly TokenRequest[];
  /** What the next requests are answered; undefined: a token. */
  refuseWith(status: number | undefined): void;
  close(): Promise<void>;
};

export type SigningKey = { readonly jwks: string; sign(claims: Record<string, unknown>): string };

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

export function makeSigningKey(): SigningKey {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'test', use: 'sig', alg: 'RS256' };
  return {
    jwks: JSON.stringify({ keys: [jwk] }),
    sign(claims) {
      const signed = `${base64url({ alg: 'RS256', kid: 'test', typ: 'JWT' })}.${base64url(claims)}`;
      return `${signed}.${createSign('RSA-SHA256').update(signed).sign(privateKey, 'base64url')}`;
    },
  };
}

export async function startTokenEndpoint(
  tls: { readonly cert: string; readonly key: string },
  key: SigningKey,
  { subject = 'worker', lifeSeconds = 300 } = {},
): Promise<TokenEndpoint> {
  const requests: TokenRequest[] = [];
  let refusal: number | undefined;
  const server = createServer(tls, async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    requests.push({ authorization: request.headers.authorization ?? '', body });
    const now = Math.floor(Date.now() / 1000);
    const token = key.sign({ sub: subject, scope: 'kafka', aud: 'kafka', iat: now, exp: now + lifeSeconds });
    response.writeHead(refusal ?? 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: lifeSeconds }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    requests,
    refuseWith: (status) => {
      refusal = status;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
