/** Requests to Graph: its answers, its faults, and that the token goes to the configured origin only. */
import { gzipSync } from 'node:zlib';
import { eventually } from '@graph2kafka/test-harness';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { AccessTokens } from '../../src/graph/access-tokens.ts';
import { createGraphClient, type GraphClient } from '../../src/graph/graph-client.ts';
import { GraphError, type GraphFailure } from '../../src/graph/graph-error.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { startHttpPeer } from '../support/http-peer.ts';
import { graphCalls, simulateGraph, tokenRequests, tokensFor } from '../support/simulated-graph.ts';

const TOKEN = 'PLANTED-TOKEN';
const fixedToken: AccessTokens = { current: async () => TOKEN, afterRefusal: async () => TOKEN };

async function failureOf(client: GraphClient, path = '/users'): Promise<GraphFailure> {
  const error = await client.request({ method: 'GET', path }).then(
    () => new Error('it succeeded'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof GraphError)) throw error;
  return error.failure;
}

/** A client of a plain HTTP peer, where the answer is what matters and not the transport. */
async function clientOf(peer: { url: string }, limits: { timeoutMs?: number; maxAnswerBytes?: number } = {}) {
  const client = createGraphClient({ url: peer.url, tokens: fixedToken, ...limits });
  onTestFinished(() => client.close());
  return client;
}

describe('a request with a deadline of its own', () => {
  const late = { method: 'DELETE', path: '/subscriptions/x', withinMs: 300 } as const;
  const never = () => new Promise<string>(() => undefined);
  const failureBy = async (url: string, tokens: AccessTokens) => {
    const client = createGraphClient({ url, tokens });
    onTestFinished(() => client.close());
    return client.request(late).catch((error: unknown) => (error as GraphError).failure);
  };

  it('that has no token by then is never sent', async () => {
    const peer = await startHttpPeer((_request, response) => void response.writeHead(204).end());
    expect(await failureBy(peer.url, { ...fixedToken, current: never })).toMatchObject({
      kind: 'unauthorized',
      detail: expect.stringContaining('in time'),
    });
    expect(peer.hits).toBe(0);
  });

  it('that waits for another token after a 401 is not sent again', async () => {
    const peer = await startHttpPeer((_request, response) => void response.writeHead(401).end());
    expect(await failureBy(peer.url, { ...fixedToken, afterRefusal: never })).toMatchObject({
      kind: 'unauthorized',
    });
    expect(peer.hits).toBe(1);
  });

  it('has no answer where none has come by then, signing in included', async () => {
    const { address } = await startBlackHole();
    expect(await failureBy(`http://${address}`, fixedToken)).toEqual({
      kind: 'transient',
      detail: 'no complete answer in time',
    });
  });
});

describe('a request to Graph', () => {
  it('is signed in, and its answer says when it was asked', async () => {
    const { client, user, simulator } = await simulateGraph();
    const before = Date.now();
    const { status, body, readAt } = await client.request({ method: 'GET', path: `/users/${user}` });
    expect({ status, body }).toMatchObject({ status: 200, body: { id: user } });
    expect(readAt).toBeGreaterThanOrEqual(before);
    expect(readAt).toBeLessThanOrEqual(Date.now());
    expect(graphCalls(simulator)).toEqual([`GET /v1.0/users/${user}`]);
  });

  it('sends its body and its headers, and an answer without a body has none', async () => {
    const seen: unknown[] = [];
    const peer = await startHttpPeer(async (request, response) => {
      const chunks = await request.toArray();
      const { method, url, headers } = request;
      seen.push({
        method,
        url,
        prefer: headers.prefer,
        type: headers['content-type'],
        body: String(Buffer.concat(chunks)),
      });
      response.writeHead(204).end();
    });
    const client = await clientOf(peer);
    const headers = { Prefer: 'IdType="ImmutableId"' };
    const answer = await client.request({
      method: 'PATCH',
      path: '/subscriptions/x',
      headers,
      body: { a: 'ä' },
    });
    expect(answer).toMatchObject({ status: 204, body: undefined });
    expect(seen).toEqual([
      {
        method: 'PATCH',
        url: '/v1.0/subscriptions/x',
        prefer: 'IdType="ImmutableId"',
        type: expect.stringContaining('application/json'),
        body: '{"a":"ä"}',
      },
    ]);
  });

  it('sees no change that came after it was asked as one that came before', async () => {
    const { client, user, simulator } = await simulateGraph();
    simulator.faults.add({ path: `users/${user}`, delayMs: 200 });
    const asked = client.request({ method: 'GET', path: `/users/${user}` });
    await eventually(() => expect(graphCalls(simulator)).toHaveLength(1));
    const meanwhile = Date.now();
    expect((await asked).readAt).toBeLessThanOrEqual(meanwhile);
  });
});

describe('a failing answer', () => {
  it.each([
    ['500', { status: 500 }, { kind: 'transient' }],
    ['502', { status: 502 }, { kind: 'transient' }],
    [
      '503 with Retry-After',
      { status: 503, headers: { 'retry-after': '7' } },
      { kind: 'throttled', retryAfterMs: 7000, scope: 'request' },
    ],
    [
      '429 with a fraction',
      { status: 429, headers: { 'retry-after': '2.128' } },
      { kind: 'throttled', retryAfterMs: 2128, scope: 'request' },
    ],
    ['404', { status: 404 }, { kind: 'notFound' }],
    ['403', { status: 403 }, { kind: 'forbidden', code: 'ErrorAccessDenied' }],
    ['a reset connection', { kind: 'reset' }, { kind: 'transient' }],
    ['a page of a proxy', { kind: 'html' }, { kind: 'transient' }],
    ['a page of a proxy with 200', { kind: 'html', status: 200 }, { kind: 'unusable' }],
    ['JSON that breaks off', { kind: 'garbage' }, { kind: 'unusable' }],
    ['a body that breaks off', { kind: 'truncated' }, { kind: 'transient' }],
    ['inflated without bounds', { kind: 'gzip-bomb' }, { kind: 'unusable' }],
    [
      'a text that says it is JSON',
      { status: 200, body: 'all is well' },
      { kind: 'unusable', detail: 'the answer is not JSON' },
    ],
    [
      'a page that says it is a page',
      { status: 200, body: '<html></html>', headers: { 'content-type': 'text/html' } },
      { kind: 'unusable' },
    ],
    ['an empty 200', { status: 200, body: '' }, { kind: 'unusable' }],
    ['a redirect', { kind: 'redirect' }, { kind: 'unusable' }],
  ] as const)('that is %s is told apart, in one request', async (_name, fault, failure) => {
    const { client, simulator } = await simulateGraph();
    simulator.faults.add({ ...fault, times: 5 });
    expect(await failureOf(client)).toMatchObject(failure);
    expect(graphCalls(simulator)).toHaveLength(1);
  });

  it.each([
    ['seconds', '5', 5000],
    ['a fraction', '2.128', 2128],
    ['an absurd number', '99999999', 3_600_000],
    ['an absurd date', 'Wed, 23 Nov 2050 12:00:00 GMT', 3_600_000],
    ['a negative number', '-5', undefined],
    ['words', 'soon', undefined],
    ['absent', undefined, undefined],
  ])('of 429 says how long to wait: %s', async (_name, value, retryAfterMs) => {
    const { client, simulator } = await simulateGraph();
    const headers = value === undefined ? {} : { 'retry-after': value };
    simulator.faults.add({ status: 429, headers });
    expect(await failureOf(client)).toEqual({ kind: 'throttled', retryAfterMs, scope: 'request' });
  });

  it('of 429 may say it by a date', async () => {
    const { client, simulator } = await simulateGraph();
    const headers = { 'retry-after': new Date(Date.now() + 60_000).toUTCString() };
    simulator.faults.add({ status: 429, headers });
    const failure = await failureOf(client);
    const ms = failure.kind === 'throttled' ? (failure.retryAfterMs ?? 0) : 0;
    expect(ms).toBeGreaterThan(30_000);
    expect(ms).toBeLessThanOrEqual(60_000);
  });

  it("tells a throttled directory from a throttled mailbox by Graph's own limits", async () => {
    const { client, user } = await simulateGraph({
      requestLimits: { identityUnits: { small: 1, medium: 1, large: 1 }, mailboxRequests: 1 },
    });
    const mailbox = `/users/${user}/events`;
    await client.request({ method: 'GET', path: mailbox });
    expect(await failureOf(client, mailbox)).toMatchObject({ kind: 'throttled', scope: 'request' });
    expect(await failureOf(client, '/users')).toMatchObject({ kind: 'throttled', scope: 'app' });
  });

  it('of a peer that takes what it is sent and says nothing ends at the deadline', async () => {
    const peer = await startBlackHole();
    const client = await clientOf({ url: `http://${peer.address}` }, { timeoutMs: 300 });
    const asked = client.request({
      method: 'POST',
      path: '/subscriptions',
      body: { text: 'x'.repeat(20_000_000) },
    });
    await expect(asked).rejects.toMatchObject({
      failure: { kind: 'transient', detail: 'no complete answer in time' },
    });
  });

  it.each(['hang', 'endless', 'slow-loris'] as const)('that is %s ends at the deadline', async (kind) => {
    const { client, simulator } = await simulateGraph({}, { timeoutMs: 300 });
    simulator.faults.add({ kind });
    const startedAt = performance.now();
    expect(await failureOf(client)).toEqual({ kind: 'transient', detail: 'no complete answer in time' });
    expect(performance.now() - startedAt).toBeLessThan(3000);
  });

  it('that does not end is cut off at its size where that comes before the deadline', async () => {
    const { client, simulator } = await simulateGraph({}, { maxAnswerBytes: 20_000 });
    simulator.faults.add({ kind: 'endless' });
    expect(await failureOf(client)).toMatchObject({
      kind: 'unusable',
      detail: expect.stringContaining('20000'),
    });
  });

  it('that inflates beyond all bounds is cut off too', async () => {
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, ' '));
    expect(bomb.length).toBeLessThan(100_000);
    const peer = await startHttpPeer((_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' }).end(bomb);
    });
    expect(await failureOf(await clientOf(peer))).toMatchObject({ kind: 'unusable' });
  });

  it('that is compressed within bounds is read', async () => {
    const peer = await startHttpPeer((_request, response) => {
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('{"id":"x"}'));
    });
    const { body } = await (await clientOf(peer)).request({ method: 'GET', path: '/users/x' });
    expect(body).toEqual({ id: 'x' });
  });

  it('whose status the fetch standard does not know is worth another try', async () => {
    const peer = await startHttpPeer((_request, response) => void response.writeHead(999).end());
    expect(await failureOf(await clientOf(peer))).toMatchObject({ kind: 'transient' });
  });

  it('of a Graph that is away is worth another try', async () => {
    const { client, simulator, tokens } = await simulateGraph();
    await tokens.current();
    await simulator.close();
    expect(await failureOf(client)).toEqual({ kind: 'transient', detail: 'ECONNREFUSED' });
  });
});

describe('a refused token', () => {
  it('is replaced, and the request sent once more', async () => {
    const { client, simulator, user } = await simulateGraph();
    await client.request({ method: 'GET', path: `/users/${user}` });
    simulator.revokeTokens();
    const { body } = await client.request({ method: 'GET', path: `/users/${user}` });
    expect(body).toMatchObject({ id: user });
    expect(tokenRequests(simulator)).toBe(2);
  });

  it('that is not to be had is unauthorized, and Graph is not asked', async () => {
    const { simulator } = await simulateGraph();
    const client = createGraphClient({ url: simulator.url, tokens: tokensFor(simulator, 'wrong') });
    onTestFinished(() => client.close());
    expect(await failureOf(client)).toEqual({
      kind: 'unauthorized',
      detail: 'no token: the client secret is wrong (AADSTS7000215)',
    });
    expect(graphCalls(simulator)).toEqual([]);
  });

  it('is unauthorized where the fresh one is refused as well: two requests, not more', async () => {
    const { client, simulator } = await simulateGraph();
    simulator.faults.add({ status: 401, times: 10 });
    expect(await failureOf(client)).toEqual({ kind: 'unauthorized', detail: 'InvalidAuthenticationToken' });
    expect(graphCalls(simulator)).toHaveLength(2);
    expect(tokenRequests(simulator)).toBe(2);
  });
});

describe('the token', () => {
  it('does not follow a redirect to another host', async () => {
    const canary = await startHttpPeer((_request, response) => void response.end('{}'));
    const { client, simulator } = await simulateGraph();
    for (const status of [301, 302, 303, 307, 308]) {
      simulator.faults.add({ kind: 'redirect', status, headers: { location: `${canary.url}/v1.0/users` } });
      expect(await failureOf(client)).toMatchObject({ kind: 'unusable' });
    }
    expect(canary.connections).toBe(0);
  });

  it('stays with the configured origin and below its version, whatever path is asked for', async () => {
    const canary = await startHttpPeer((_request, response) => void response.end('{}'));
    const paths: string[] = [];
    const peer = await startHttpPeer((request, response) => {
      paths.push(request.url ?? '');
      response.end('{}');
    });
    const client = await clientOf(peer);
    const { host } = new URL(canary.url);
    const hostile = [
      canary.url,
      `/${canary.url}`,
      `//${host}/v1.0/users`,
      `https://${host}/v1.0/users`,
      `/https://${host}/v1.0/users`,
      `\\\\${host}\\v1.0\\users`,
      `/\\${host}/v1.0/users`,
      `@${host}/v1.0/users`,
      `/@${host}/v1.0/`,
      `:80@${host}/`,
      '/../beta/users',
      '/users/../../beta/users',
      '/%2e%2e/beta/users',
      '/users/%2e%2e/%2E%2e/beta',
      '/..\\..\\beta',
      '/users?next=https://elsewhere/',
      '/users#/../..',
      '/users\r\nHost: elsewhere',
      '',
    ];
    for (const path of hostile) await client.request({ method: 'GET', path }).catch(() => undefined);
    expect(canary.connections).toBe(0);
    expect(paths.filter((path) => !path.startsWith('/v1.0/'))).toEqual([]);
  });

  it('stays there for any text at all', async () => {
    const paths: string[] = [];
    const peer = await startHttpPeer((request, response) => {
      paths.push(request.url ?? '');
      response.end('{}');
    });
    const client = await clientOf(peer, { timeoutMs: 2000 });
    const piece = fc.constantFrom(
      '/',
      '..',
      '.',
      '%2e',
      '\\',
      '?',
      '#',
      '@',
      ':',
      'https://',
      'v1.0',
      'users',
      '(',
      "'",
      '%',
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 8 }),
        async (pieces) => {
          await client.request({ method: 'GET', path: `/${pieces.join('')}` }).catch(() => undefined);
          expect(paths.filter((path) => !path.startsWith('/v1.0/'))).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
    expect(paths.length).toBeGreaterThan(0);
  });

  it('is in no text of any failure', async () => {
    const peer = await startHttpPeer((request, response) => {
      response.writeHead(400).end(JSON.stringify({ error: { code: 'x', message: request.url } }));
    });
    const client = await clientOf(peer);
    const error = await client.request({ method: 'GET', path: '/users' }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GraphError);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(TOKEN);
  });
});

describe('a closed client', () => {
  it('leaves no connection, and may be closed again', async () => {
    const peer = await startHttpPeer((_request, response) => void response.end('{}'));
    const client = createGraphClient({ url: peer.url, tokens: fixedToken });
    await Promise.all(Array.from({ length: 5 }, () => client.request({ method: 'GET', path: '/users' })));
    expect(await peer.countConnections()).toBeGreaterThan(0);
    await client.close();
    await eventually(async () => expect(await peer.countConnections()).toBe(0));
    await client.close();
  });

  it('may be closed twice at once', async () => {
    const peer = await startHttpPeer((_request, response) => void response.end('{}'));
    const client = createGraphClient({ url: peer.url, tokens: fixedToken });
    await client.request({ method: 'GET', path: '/users' });
    await Promise.all([client.close(), client.close()]);
  });
});
