/** Tokens of an OpenID Connect provider, from an endpoint over HTTPS. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { freePort, makeKafkaCertificates } from '@graph2kafka/test-harness';
import { afterAll, beforeAll, beforeEach, expect, it, onTestFinished } from 'vitest';
import { createOidcTokens, OidcTokenError } from '../../src/kafka/oidc-tokens.ts';
import { makeSigningKey, startTokenEndpoint, type TokenEndpoint } from '../support/token-endpoint.ts';

const trustedBefore = getCACertificates('default');
const key = makeSigningKey();
const SECRET = 'PLANTED:secret/+';

let server: { cert: string; key: string };
let endpoint: TokenEndpoint;

beforeAll(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-oidc-'));
  const certificates = await makeKafkaCertificates(dir);
  await rm(dir, { recursive: true });
  setDefaultCACertificates([...trustedBefore, certificates.ca]);
  server = { cert: certificates.serverCert, key: certificates.serverKey };
});

afterAll(() => setDefaultCACertificates(trustedBefore));

beforeEach(async () => {
  endpoint = await startTokenEndpoint(server, key);
  const { close } = endpoint;
  onTestFinished(close);
});

const clientOf = (tokenUrl = endpoint.url, scope: string | undefined = undefined) =>
  createOidcTokens({ tokenUrl, clientId: 'worker', clientSecret: SECRET, scope });

it('asks as RFC 6749 has it, with id and secret in the header alone', async () => {
  await clientOf(endpoint.url, 'kafka write')();
  const [request] = endpoint.requests;
  const login = Buffer.from(request?.authorization.replace('Basic ', '') ?? '', 'base64').toString();
  expect(login).toBe('worker:PLANTED%3Asecret%2F%2B');
  expect(request?.body).toBe('grant_type=client_credentials&scope=kafka+write');
});

it('asks once for callers at the same time, and keeps the token while it is fresh', async () => {
  const token = clientOf();
  const [first, ...others] = await Promise.all([token(), token(), token()]);
  expect(new Set([first, ...others, await token()]).size).toBe(1);
  expect(endpoint.requests).toHaveLength(1);
});

it('asks anew for a token that has aged', async () => {
  const brief = await startTokenEndpoint(server, key, { lifeSeconds: 0 });
  onTestFinished(() => brief.close());
  const token = clientOf(brief.url);
  await token();
  await token();
  expect(brief.requests).toHaveLength(2);
});

it('says what the endpoint answered, without the secret, and asks again the next time', async () => {
  const token = clientOf();
  endpoint.refuseWith(401);
  const error = await token().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(OidcTokenError);
  expect(String(error)).toContain('KAFKA_OIDC_TOKEN_URL answers 401');
  expect(String(error)).not.toContain('PLANTED');
  endpoint.refuseWith(undefined);
  expect(await token()).toBeTruthy();
});

it('says so where nobody listens', async () => {
  const url = `https://127.0.0.1:${await freePort()}/token`;
  await expect(clientOf(url)()).rejects.toThrow('ECONNREFUSED');
});
