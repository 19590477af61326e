import { describe, expect, it } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';

describe('the token endpoint', () => {
  it('issues a bearer token with its lifetime to the registered app', async () => {
    await using simulator = await GraphSimulator.start({ tokenLifetimeSeconds: 120 });
    await using graph = await connectTo(simulator);
    const { status, body } = await graph.token();
    expect(status).toBe(200);
    expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 120 });
    expect(body.access_token.split('.')).toHaveLength(3);
  });

  it.each([
    ['a wrong secret', { client_secret: 'no' }, 401, 'invalid_client', 7000215],
    [
      'an unknown app',
      { client_id: '00000000-0000-4000-8000-000000000000' },
      400,
      'unauthorized_client',
      700016,
    ],
    [
      'a scope without /.default',
      { scope: 'https://graph.microsoft.com/Mail.Read' },
      400,
      'invalid_scope',
      70011,
    ],
    ['another grant type', { grant_type: 'password' }, 400, 'unsupported_grant_type', 70003],
  ])('refuses %s in the shape of Entra', async (_what, form, status, error, number) => {
    await using simulator = await GraphSimulator.start();
    await using graph = await connectTo(simulator);
    const answer = await graph.token(form);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ error, error_codes: [number] });
    expect(answer.body.error_description).toMatch(new RegExp(`^AADSTS${number}: .*Trace ID: .*Timestamp: `));
  });

  it('refuses a tenant that does not exist', async () => {
    await using simulator = await GraphSimulator.start();
    await using graph = await connectTo(simulator);
    const answer = await graph.token({}, '00000000-0000-4000-8000-000000000000');
    expect(answer).toMatchObject({ status: 400, body: { error: 'invalid_request', error_codes: [90002] } });
  });

  it('describes the authority on its own origin', async () => {
    await using simulator = await GraphSimulator.start();
    await using graph = await connectTo(simulator);
    const path = `/${simulator.tenantId}/v2.0/.well-known/openid-configuration`;
    const { body } = await graph.raw('GET', path);
    expect(body.token_endpoint).toBe(`${simulator.url}/${simulator.tenantId}/oauth2/v2.0/token`);
    expect(body.issuer).toBe(`${simulator.url}/${simulator.tenantId}/v2.0`);
    const discovery = await graph.raw('GET', '/common/discovery/instance?api-version=1.1');
    expect(discovery.body.tenant_discovery_endpoint).toContain('/.well-known/openid-configuration');
  });
});

describe('the bearer token of a call', () => {
  it.each([
    ['absent', {}],
    ['made up', { authorization: 'Bearer eyJ0eXAiOiJKV1QifQ.e30.x' }],
    ['no bearer token', { authorization: 'Basic dTpw' }],
  ])('that is %s is answered 401 with ids in body and headers', async (_what, headers) => {
    await using simulator = await GraphSimulator.start();
    await using graph = await connectTo(simulator);
    const sent = { ...headers, 'client-request-id': 'of-the-caller' } as Record<string, string>;
    const answer = await graph.raw('GET', '/v1.0/users', { headers: sent });
    expect(answer.status).toBe(401);
    expect(answer.body.error.code).toBe('InvalidAuthenticationToken');
    expect(answer.body.error.innerError).toMatchObject({
      'request-id': answer.headers.get('request-id'),
      'client-request-id': 'of-the-caller',
    });
    expect(answer.headers.get('client-request-id')).toBe('of-the-caller');
  });

  it('works until it expires, and not after', async () => {
    let nowMs = Date.now();
    await using simulator = await GraphSimulator.start({ now: () => nowMs, tokenLifetimeSeconds: 60 });
    await using graph = await connectTo(simulator);
    nowMs += 59_000;
    expect((await graph.call('GET', '/users')).status).toBe(200);
    nowMs += 2_000;
    const late = await graph.call('GET', '/users');
    expect(late.status).toBe(401);
    expect(late.body.error.message).toContain('expired');
  });

  it('is refused after all tokens were revoked', async () => {
    await using simulator = await GraphSimulator.start();
    await using graph = await connectTo(simulator);
    simulator.revokeTokens();
    expect((await graph.call('GET', '/users')).status).toBe(401);
  });
});
