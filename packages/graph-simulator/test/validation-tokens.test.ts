import { decodeProtectedHeader } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { GraphSimulator, type GraphSimulatorOptions } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscribe } from './subscribe.ts';
import {
  makeSubscriberKey,
  PUBLISHER,
  type SubscriberKey,
  subscribeRich,
  verifyToken,
} from './subscriber.ts';

let key: SubscriberKey;

beforeAll(async () => {
  key = await makeSubscriberKey();
}, 60_000);

async function setup(options: GraphSimulatorOptions = {}) {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start({ delivery: { collectMs: 5 }, ...options }));
  const graph = stack.use(await connectTo(simulator));
  const receiver = stack.use(await startReceiver());
  const user = simulator.users()[0]?.id ?? '';
  const tokens = async () => {
    simulator.calendar.create(user, { subject: 'A meeting' });
    await simulator.notifier.idle();
    return receiver.posts.at(-1)?.validationTokens ?? [];
  };
  return { simulator, graph, receiver, user, tokens, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('a validation token', () => {
  it('of version 1.0 names app, tenant and publisher, and is signed by a published key', async () => {
    await using it = await setup();
    await subscribeRich(it.graph, it.user, it.receiver.url, key);
    const [token = ''] = await it.tokens();
    const claims = await verifyToken(it.graph, it.simulator, token);
    expect(claims).toMatchObject({
      aud: it.simulator.clientId,
      tid: it.simulator.tenantId,
      appid: PUBLISHER,
      ver: '1.0',
      exp: Number(claims.iat) + 29_100,
    });
    expect(claims.nbf).toBe(claims.iat);
  });

  it('of version 2.0 has its own names, its own life and an issuer that can be chosen', async () => {
    const validationIssuer = 'https://login.example.com/{tenantid}/v2.0';
    await using it = await setup({ validationTokenVersion: '2.0', validationIssuer });
    await subscribeRich(it.graph, it.user, it.receiver.url, key);
    const [token = ''] = await it.tokens();
    const issuer = `https://login.example.com/${it.simulator.tenantId}/v2.0`;
    const claims = await verifyToken(it.graph, it.simulator, token, issuer);
    expect(claims).toMatchObject({ azp: PUBLISHER, ver: '2.0', exp: Number(claims.iat) + 86_700 });
    expect(claims).not.toHaveProperty('appid');
    expect([claims.oid, claims.sub]).not.toContain(PUBLISHER);
  });

  it('is for the app that notificationUrlAppId names', async () => {
    await using it = await setup();
    const notificationUrlAppId = '7c1d2f5e-3b64-4a8f-9e07-5d2a6b8c9f10';
    const made = await subscribeRich(it.graph, it.user, it.receiver.url, key, { notificationUrlAppId });
    expect(made.notificationUrlAppId).toBe(notificationUrlAppId);
    const [token = ''] = await it.tokens();
    await expect(verifyToken(it.graph, it.simulator, token)).rejects.toThrow('aud');
  });

  it('comes once for each app and tenant in a POST', async () => {
    await using it = await setup({ delivery: { collectMs: 100 } });
    const other = { clientId: '2f6a1f0e-87d1-4c4d-9d3c-0b7a5e9f1c22', clientSecret: 'of the other' };
    it.simulator.addApplication(other);
    await using otherGraph = await connectTo(it.simulator, other);
    const [first = '', second = ''] = it.simulator.users().map(({ id }) => id);
    await subscribeRich(it.graph, first, it.receiver.url, key);
    await subscribeRich(it.graph, second, it.receiver.url, key);
    await subscribeRich(otherGraph, first, it.receiver.url, key);
    await subscribe(it.graph, it.simulator.users()[2]?.id ?? '', it.receiver.url);
    for (const { id } of it.simulator.users()) it.simulator.calendar.create(id, { subject: 'A meeting' });
    await it.simulator.notifier.idle();
    expect(it.receiver.posts.map(({ items }) => items.length)).toEqual([4]);
    expect(it.receiver.posts[0]?.validationTokens).toHaveLength(2);
  });
});

describe('the keys of validation tokens', () => {
  it.each([
    ['/common/.well-known/openid-configuration', 'https://sts.windows.net/{tenantid}/'],
    ['/common/v2.0/.well-known/openid-configuration', 'https://login.microsoftonline.com/{tenantid}/v2.0'],
  ])('are found by way of %s', async (path, issuer) => {
    await using it = await setup();
    const { body } = await it.graph.raw('GET', path);
    expect(body.issuer).toBe(issuer);
    const keys = await it.graph.raw('GET', String(body.jwks_uri).slice(it.simulator.url.length));
    expect(keys.body.keys).toHaveLength(1);
    expect(keys.body.keys[0]).toMatchObject({ kty: 'RSA', use: 'sig', e: 'AQAB', kid: expect.any(String) });
    const own = await it.graph.raw('GET', `/${it.simulator.tenantId}/discovery/v2.0/keys`);
    expect(own.body.keys[0].kid).toBe(keys.body.keys[0].kid);
  });

  it('are replaced on demand: the old one stays published, and a forgotten one does not', async () => {
    await using it = await setup();
    await subscribeRich(it.graph, it.user, it.receiver.url, key);
    const [old = ''] = await it.tokens();
    const rotated = await it.graph.raw('POST', '/simulator/validation-keys/rotate');
    const [fresh = ''] = await it.tokens();
    expect(decodeProtectedHeader(fresh).kid).toBe(rotated.body.kid);
    expect(decodeProtectedHeader(old).kid).not.toBe(rotated.body.kid);
    await verifyToken(it.graph, it.simulator, fresh);
    await verifyToken(it.graph, it.simulator, old);
    await it.graph.raw('POST', '/simulator/validation-keys/rotate', { body: { forget: true } });
    const [last = ''] = await it.tokens();
    await verifyToken(it.graph, it.simulator, last);
    await expect(verifyToken(it.graph, it.simulator, fresh)).rejects.toThrow('no applicable key');
  });

  it('are not private', async () => {
    await using it = await setup();
    const { body } = await it.graph.raw('GET', '/common/discovery/keys');
    expect(Object.keys(body.keys[0]).sort()).toEqual(['e', 'kid', 'kty', 'n', 'use', 'x5t']);
  });
});
