/** Signing in without a client secret: Google's metadata server vouches, a login that trusts it gives the token. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import tls from 'node:tls';
import { ClientAssertionCredential } from '@azure/identity';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeCertificate } from '../../../../packages/graph-simulator/src/certificate.ts';
import { createAccessTokens, createCredential } from '../../src/graph/access-tokens.ts';
import { createGoogleFederation } from '../../src/graph/google-federation.ts';
import { explainNoToken, findWhyNoToken } from '../../src/graph/no-token.ts';
import { startHttpPeer } from '../support/http-peer.ts';
import { CLIENT, TENANT } from '../support/taken-entry.ts';
import { makeSigningKey } from '../support/token-endpoint.ts';

const SCOPE = 'https://graph.microsoft.com/.default';
const ACCOUNT = '104857600000000000000';
const google = makeSigningKey();
const usualAuthorities = tls.getCACertificates('default');

/** The metadata server: an identity token of the account for the audience that is asked for. */
async function startMetadataServer(flavor = 'Google') {
  const asked: string[] = [];
  const { url } = await startHttpPeer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://metadata');
    asked.push(`${request.headers['metadata-flavor']} ${pathname}`);
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: 'https://accounts.google.com', sub: ACCOUNT, iat: now, exp: now + 3600 };
    response.writeHead(200, { 'metadata-flavor': flavor, 'content-type': 'text/html' });
    response.end(google.sign({ ...claims, aud: searchParams.get('audience') }));
  });
  return { url, asked };
}

/** A login whose app trusts that account of Google's, and nothing else. */
async function startLogin(subject = ACCOUNT) {
  const certificate = await makeCertificate(['127.0.0.1']);
  tls.setDefaultCACertificates([...usualAuthorities, certificate.caCert]);
  const server = createServer({ key: certificate.key, cert: certificate.cert });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const origin = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const forms: URLSearchParams[] = [];
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    answerLogin(request, origin, subject, forms).then(([status, body]) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
    );
  });
  return { origin, forms };
}

async function answerLogin(
  request: IncomingMessage,
  origin: string,
  subject: string,
  forms: URLSearchParams[],
): Promise<[number, unknown]> {
  const base = `${origin}/${TENANT}`;
  if (request.url?.includes('openid-configuration'))
    return [
      200,
      {
        issuer: `${base}/v2.0`,
        authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
        token_endpoint: `${base}/oauth2/v2.0/token`,
        jwks_uri: `${origin}/common/discovery/v2.0/keys`,
      },
    ];
  let text = '';
  for await (const chunk of request) text += chunk;
  const form = new URLSearchParams(text);
  forms.push(form);
  const trusted = { issuer: 'https://accounts.google.com', subject, audience: 'api://AzureADTokenExchange' };
  try {
    await jwtVerify(
      form.get('client_assertion') ?? '',
      createLocalJWKSet(JSON.parse(google.jwks) as never),
      trusted,
    );
    return [200, { token_type: 'Bearer', expires_in: 3599, access_token: 'graph-token' }];
  } catch {
    const description = 'AADSTS700213: No matching federated identity record found.';
    return [401, { error: 'invalid_client', error_description: description, error_codes: [700213] }];
  }
}

const tokensOf = (login: string, metadata: string) =>
  createAccessTokens(
    () =>
      createGoogleFederation(
        TENANT,
        CLIENT,
        { authorityHost: login, disableInstanceDiscovery: true },
        metadata,
      ),
    SCOPE,
  );

describe('a worker that Google vouches for', () => {
  it("signs in with an identity token meant for Entra, by Entra's form, and sends no secret", async () => {
    const metadata = await startMetadataServer();
    const login = await startLogin();
    expect(await tokensOf(login.origin, metadata.url).current()).toBe('graph-token');
    // The library may ask for it more than once.
    expect([...new Set(metadata.asked)]).toEqual([
      'Google /computeMetadata/v1/instance/service-accounts/default/identity',
    ]);
    const [form] = login.forms;
    expect(Object.fromEntries(form ?? [])).toMatchObject({
      grant_type: 'client_credentials',
      client_id: CLIENT,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      scope: SCOPE,
    });
    expect(form?.has('client_secret')).toBe(false);
  });

  it('is refused where the app trusts another account, with the cure', async () => {
    const metadata = await startMetadataServer();
    const login = await startLogin('200000000000000000000');
    const tokens = tokensOf(login.origin, metadata.url);
    await expect(tokens.current()).rejects.toThrow('700213');
    const known = { loginHost: 'login', loginUrl: login.origin, tenantId: TENANT, hasSecret: false };
    expect(explainNoToken(new Error('AADSTS700213'), known)).toMatchObject({
      cure: expect.stringContaining('federated credential'),
    });
  });

  it('hands nothing on that somebody else said in the place of the metadata server', async () => {
    const portal = await startMetadataServer('none');
    const login = await startLogin();
    await expect(tokensOf(login.origin, portal.url).current()).rejects.toThrow(
      'nobody vouches for the app: the metadata server gave no token',
    );
    expect(login.forms).toEqual([]);
  });

  it('is told that nobody vouches where the metadata server is away, not that the login is', async () => {
    const login = await startLogin();
    const credential = createGoogleFederation(
      TENANT,
      CLIENT,
      { authorityHost: login.origin, disableInstanceDiscovery: true },
      'http://metadata.invalid',
    );
    const thrown = await credential.getToken(SCOPE).catch((error: unknown) => error);
    const why = await findWhyNoToken(thrown, { loginUrl: login.origin, tenantId: TENANT, hasSecret: false });
    expect(why).toEqual({
      found: 'nobody vouches for the app: the metadata server cannot be reached',
      cure: expect.stringContaining('AZURE_FEDERATION=google'),
    });
  });

  it('is one without a secret: with one, that counts', () => {
    const settings = { tenantId: TENANT, clientId: CLIENT, authorityHost: undefined } as const;
    const federation = 'google';
    expect(createCredential({ ...settings, clientSecret: undefined, federation })).toBeInstanceOf(
      ClientAssertionCredential,
    );
    expect(createCredential({ ...settings, clientSecret: 'secret', federation })).not.toBeInstanceOf(
      ClientAssertionCredential,
    );
  });
});
