import type { LookupFunction } from 'node:net';
import { Agent, fetch } from 'undici';
import { describe, expect, it } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';

const LOGIN = 'login.cloud.example';
const CLOUD = {
  loginHost: LOGIN,
  accessTokenIssuer: 'https://sts.cloud.example/{tenantid}/',
  graphResource: 'https://graph.cloud.example',
  validationIssuer: 'https://sts.cloud.example/{tenantid}/',
};

async function setUp() {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start(CLOUD));
  const { port } = new URL(simulator.url);
  // The cloud's name leads to this machine, as its DNS would have it.
  const lookup: LookupFunction = (_name, _options, done) => done(null, [{ address: '127.0.0.1', family: 4 }]);
  const dispatcher = new Agent({ connect: { ca: simulator.caCertificate, lookup } });
  stack.defer(() => dispatcher.close());
  const at = (host: string, path: string, init: object = {}) =>
    fetch(`https://${host}:${port}${path}`, { dispatcher, ...init });
  const token = async (scope: string, host = LOGIN) => {
    const { clientId: client_id, clientSecret: client_secret, tenantId } = simulator;
    const body = new URLSearchParams({ grant_type: 'client_credentials', client_id, client_secret, scope });
    return at(host, `/${tenantId}/oauth2/v2.0/token`, { method: 'POST', body });
  };
  return { simulator, at, token, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

// biome-ignore lint/suspicious/noExplicitAny: bodies of every shape
const json = async (answer: Promise<{ json: () => Promise<unknown> }>): Promise<any> => (await answer).json();

describe('a cloud with a login host of its own', () => {
  it('gives tokens there alone, and Graph answers everywhere else', async () => {
    await using it = await setUp();
    const issued = await json(it.token('https://graph.cloud.example/.default'));
    const headers = { authorization: `Bearer ${issued.access_token}` };
    expect((await it.at('127.0.0.1', '/v1.0/users', { headers })).status).toBe(200);
    expect((await it.at(LOGIN, '/v1.0/users', { headers })).status).toBe(404);
    expect((await it.token('https://graph.cloud.example/.default', '127.0.0.1')).status).toBe(404);
    expect((await it.at(LOGIN, '/simulator/health')).status).toBe(200);
  });

  it('issues tokens for its own Graph only, with its own issuer', async () => {
    await using it = await setUp();
    const { access_token: token } = await json(it.token('https://graph.cloud.example/.default'));
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString('utf8'));
    expect(claims).toMatchObject({
      aud: 'https://graph.cloud.example',
      iss: `https://sts.cloud.example/${it.simulator.tenantId}/`,
    });
    const refused = await json(it.token('https://graph.microsoft.com/.default'));
    expect(refused).toMatchObject({ error: 'invalid_resource', error_codes: [500011] });
  });

  it('publishes the issuer of validation tokens, and addresses under its own name', async () => {
    await using it = await setUp();
    const metadata = await json(it.at(LOGIN, '/common/.well-known/openid-configuration'));
    expect(metadata.issuer).toBe('https://sts.cloud.example/{tenantid}/');
    expect(metadata.jwks_uri).toContain(`https://${LOGIN}:`);
    const keys = await json(it.at(LOGIN, new URL(metadata.jwks_uri).pathname));
    expect(keys.keys).toHaveLength(1);
    const audience = { appId: it.simulator.clientId, tenantId: it.simulator.tenantId };
    expect(it.simulator.validationTokens.claims(audience).iss).toBe(
      `https://sts.cloud.example/${it.simulator.tenantId}/`,
    );
  });
});

describe('a simulator without such settings', () => {
  it('issues tokens for any scope', async () => {
    await using simulator = await GraphSimulator.start();
    await using graph = await connectTo(simulator);
    const { status } = await graph.token({ scope: 'https://graph.microsoft.us/.default' });
    expect(status).toBe(200);
  });
});
