/** GETs that come together, sent to Graph as one: what each gets, and what happens when a batch goes wrong. */
import { setTimeout as pause } from 'node:timers/promises';
import type { GraphSimulator } from '@graph2kafka/graph-simulator';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { createBatchedRequests } from '../../src/graph/batched-requests.ts';
import type { GraphRequests } from '../../src/graph/graph-client.ts';
import { GraphError } from '../../src/graph/graph-error.ts';
import { graphCalls, type SimulatedGraph, simulateGraph, tokenRequests } from '../support/simulated-graph.ts';

const BATCH = '/v1.0/$batch';
/** Long beside the time in which a test asks for all that it wants. */
const WAIT_MS = 50;

type Batched = SimulatedGraph & {
  readonly requests: GraphRequests;
  readonly refusals: GraphError[];
  /** Asks for so many new events at once. */
  ask(count: number): Promise<PromiseSettledResult<unknown>[]>;
};

async function setup(outlookParts = 20): Promise<Batched> {
  const graph = await simulateGraph({}, { timeoutMs: 1000, maxAnswerBytes: 60_000 });
  const refusals: GraphError[] = [];
  const requests = createBatchedRequests(graph.client, {
    waitMs: WAIT_MS,
    outlookParts,
    onRefused: (error) => refusals.push(error),
  });
  // The login takes its time once.
  await graph.tokens.current();
  const ask = (count: number) => {
    const events = Array.from({ length: count }, (_, i) =>
      graph.simulator.calendar.create(graph.user, { subject: `${i}` }),
    );
    return Promise.allSettled(events.map(({ path }) => get(requests, `/${path.key}`)));
  };
  return { ...graph, requests, refusals, ask };
}

async function get(requests: GraphRequests, path: string): Promise<unknown> {
  const { body } = await requests.request({ method: 'GET', path });
  return (body as { subject?: unknown }).subject;
}

const batches = (simulator: GraphSimulator) =>
  graphCalls(simulator).filter((call) => call === `POST ${BATCH}`).length;

/** GETs, alone or as a part. */
const gets = (simulator: GraphSimulator) =>
  graphCalls(simulator).filter((call) => call.startsWith('GET')).length;

const fulfilled = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason));

const failures = (results: readonly PromiseSettledResult<unknown>[]) =>
  results.map((result) =>
    result.status === 'rejected' && result.reason instanceof GraphError ? result.reason.failure : result,
  );

const numbers = (count: number) => Array.from({ length: count }, (_, i) => `${i}`);

describe('requests that come together', () => {
  it('go as one, and each gets its own answer, whatever their order', async () => {
    const { simulator, ask } = await setup();
    for (let round = 0; round < 5; round++) expect(fulfilled(await ask(20))).toEqual(numbers(20));
    expect(batches(simulator)).toBe(5);
    expect(gets(simulator)).toBe(100);
  });

  it('go as several where there are more than 20, side by side', async () => {
    const { simulator, ask } = await setup();
    expect(fulfilled(await ask(41))).toEqual(numbers(41));
    expect(batches(simulator)).toBe(2);
    expect(gets(simulator)).toBe(41);
  });

  it('go with no more of Outlook than are worked at once, and with up to 20 others', async () => {
    const { simulator, requests, user, ask } = await setup(4);
    expect(fulfilled(await ask(9))).toEqual(numbers(9));
    // Four, four, and one that is alone.
    expect(batches(simulator)).toBe(2);
    const path = `/users/${user}`;
    await Promise.all(Array.from({ length: 40 }, () => requests.request({ method: 'GET', path })));
    expect(batches(simulator)).toBe(4);
    const others = Array.from({ length: 10 }, () => requests.request({ method: 'GET', path }));
    expect(fulfilled(await ask(4))).toEqual(numbers(4));
    await Promise.all(others);
    expect(batches(simulator)).toBe(5);
  });

  it('go beside a batch that is under way', async () => {
    const { simulator, ask } = await setup();
    const slow = simulator.faults.add({ path: BATCH, kind: 'hang' });
    const first = ask(2);
    await eventually(() => expect(slow.hits).toBe(1));
    expect(fulfilled(await ask(2))).toEqual(numbers(2));
    expect(failures(await first)).toMatchObject([{ kind: 'transient' }, { kind: 'transient' }]);
  });

  it('never join one that was sent before they were asked: each sees what was there when it was asked', async () => {
    const { simulator, requests, user } = await setup();
    const { path } = simulator.calendar.create(user, { subject: 'old' });
    const held = simulator.faults.add({ path: BATCH, delayMs: 300 });
    const first = [get(requests, `/${path.key}`), get(requests, `/${path.key}`)];
    await eventually(() => expect(held.hits).toBe(1));
    simulator.calendar.update(path.key, { subject: 'new' });
    const changedAt = Date.now();
    const { body, readAt } = await requests.request({ method: 'GET', path: `/${path.key}` });
    expect(body).toMatchObject({ subject: 'new' });
    expect(readAt).toBeGreaterThanOrEqual(changedAt);
    await Promise.all(first);
  });

  it('are no older than the time that their answers say', async () => {
    const { simulator, requests } = await setup();
    const slow = simulator.faults.add({ path: BATCH, delayMs: 200 });
    const askedAt = Date.now();
    const asked = ['/users', '/users'].map((path) => requests.request({ method: 'GET', path }));
    await eventually(() => expect(slow.hits).toBe(1));
    const arrivedAt = Date.now();
    for (const { readAt } of await Promise.all(asked)) {
      expect(readAt).toBeGreaterThanOrEqual(askedAt);
      expect(readAt).toBeLessThanOrEqual(arrivedAt);
    }
  });

  it('may ask for the same thing', async () => {
    const { simulator, requests, user } = await setup();
    const { path } = simulator.calendar.create(user, { subject: 'twice' });
    const asked = [get(requests, `/${path.key}`), get(requests, `/${path.key}`)];
    expect(await Promise.all(asked)).toEqual(['twice', 'twice']);
    expect(gets(simulator)).toBe(2);
  });

  it('keep their queries, their headers and their encoded ids', async () => {
    const { simulator, requests, user } = await setup();
    const plain = simulator.calendar.create(user, {
      subject: 'plain',
      body: { contentType: 'html', content: '<b>bold</b>' },
    });
    const asked = [
      { path: `/${plain.path.key}`, headers: { Prefer: 'outlook.body-content-type="text"' } },
      { path: `/${plain.path.key}`, query: { $select: 'subject' } },
      { path: `/users/${user}/events/${encodeURIComponent('?/#:ä')}` },
    ].map((request) => requests.request({ method: 'GET', ...request }));
    const [text, selected] = await Promise.all(asked.slice(0, 2));
    expect(text?.body).toMatchObject({ body: { contentType: 'text' } });
    expect(Object.keys(selected?.body ?? {}).filter((name) => !name.startsWith('@'))).toEqual([
      'id',
      'subject',
    ]);
    await expect(asked[2]).rejects.toMatchObject({ failure: { kind: 'notFound' } });
    expect(graphCalls(simulator)).toContain(`GET /v1.0/users/${user}/events/?/#:ä`);
    expect(batches(simulator)).toBe(1);
  });
});

describe('what is not collected', () => {
  it('is a request that is alone', async () => {
    const { simulator, ask } = await setup();
    expect(fulfilled(await ask(1))).toEqual(['0']);
    await pause(2 * WAIT_MS);
    expect(fulfilled(await ask(1))).toEqual(['0']);
    expect(batches(simulator)).toBe(0);
  });

  it('is anything else than a GET', async () => {
    const { simulator, requests } = await setup();
    const path = '/subscriptions/00000000-0000-0000-0000-000000000000';
    const asked = Array.from({ length: 3 }, () => requests.request({ method: 'DELETE', path }));
    for (const one of asked) await expect(one).rejects.toMatchObject({ failure: { kind: 'notFound' } });
    expect(batches(simulator)).toBe(0);
  });

  it('is a path that leads elsewhere, which is refused without spoiling the others', async () => {
    const { simulator, requests, ask } = await setup();
    const paths = ['/../beta/users', '/users/../../beta', '/users/%2e%2e%2f..%2fbeta', '/users#x'];
    const odd = Promise.allSettled(paths.map((path) => requests.request({ method: 'GET', path })));
    expect(fulfilled(await ask(3))).toEqual(numbers(3));
    await odd;
    expect(batches(simulator)).toBe(1);
    expect(graphCalls(simulator).filter((call) => /beta|\.\./.test(call))).toEqual([]);
  });
});

describe('a batch that fails in part', () => {
  it('fails in those parts alone, each with its own kind and its own Retry-After', async () => {
    const { simulator, ask, refusals } = await setup();
    const part = /\/events\//;
    simulator.faults.add({ path: part, status: 429, headers: { 'retry-after': '2.128' } });
    simulator.faults.add({ path: part, status: 503, headers: { 'retry-after': '31536000' } });
    simulator.faults.add({ path: part, status: 503 });
    simulator.faults.add({ path: part, status: 404 });
    const results = await ask(6);
    expect(failures(results).slice(0, 4)).toEqual([
      { kind: 'throttled', retryAfterMs: 2128, scope: 'request' },
      { kind: 'throttled', retryAfterMs: 3_600_000, scope: 'request' },
      { kind: 'transient', detail: 'status 503 (serviceNotAvailable)' },
      { kind: 'notFound' },
    ]);
    expect(fulfilled(results).slice(4)).toEqual(['4', '5']);
    expect(gets(simulator)).toBe(6);
    expect(refusals).toEqual([]);
  });

  it('is not retried here: the parts that failed go once more when they are asked for again', async () => {
    const { simulator, requests, user } = await setup();
    const paths = numbers(3).map((subject) => `/${simulator.calendar.create(user, { subject }).path.key}`);
    simulator.faults.add({ path: `/v1.0${paths[1]}`, status: 503 });
    const first = await Promise.allSettled(paths.map((path) => get(requests, path)));
    const failed = paths.filter((_, index) => first[index]?.status === 'rejected');
    expect(failed).toEqual([paths[1]]);
    await expect(get(requests, failed[0] ?? '')).resolves.toBe('1');
    expect(gets(simulator)).toBe(4);
  });

  it('asks for a part whose token is refused again by itself, with a fresh one', async () => {
    const { simulator, requests, user } = await setup();
    const paths = numbers(3).map((subject) => `/${simulator.calendar.create(user, { subject }).path.key}`);
    // In the batch, and then alone with the same token.
    const refused = simulator.faults.add({ path: `/v1.0${paths[1]}`, status: 401, times: 2 });
    expect(await Promise.all(paths.map((path) => get(requests, path)))).toEqual(numbers(3));
    expect(refused.hits).toBe(2);
    expect(batches(simulator)).toBe(1);
    expect(tokenRequests(simulator)).toBe(2);
  });

  it.each([
    ['is missing', () => [], { kind: 'transient' }],
    ['is of an unknown name', () => [{ id: 'x', status: 200, body: {} }], { kind: 'transient' }],
    ['has no status', () => [{ id: '1', body: {} }], { kind: 'unusable' }],
  ] as const)('has no hanging part where its answer %s', async (_name, first, failure) => {
    const { simulator, ask } = await setup();
    const responses = [...first(), { id: '2', status: 200, body: { subject: 'second' } }];
    simulator.faults.add({ path: BATCH, status: 200, body: { responses } });
    const [one, other] = await ask(2);
    expect(failures(one ? [one] : [])).toMatchObject([failure]);
    expect(fulfilled(other ? [other] : [])).toEqual(['second']);
  });
});

describe('a batch that fails as a whole', () => {
  it.each([
    ['5xx', { status: 502 }, { kind: 'transient', detail: 'status 502 (BadGateway)' }],
    ['a connection that ends', { kind: 'reset' }, { kind: 'transient' }],
    ['an answer that breaks off', { kind: 'truncated' }, { kind: 'transient' }],
    ['no answer', { kind: 'hang' }, { kind: 'transient', detail: 'no complete answer in time' }],
    ['an answer byte by byte', { kind: 'slow-loris' }, { kind: 'transient' }],
    [
      'a 429, which is of the whole app',
      { status: 429, headers: { 'retry-after': '7' } },
      { kind: 'throttled', retryAfterMs: 7000, scope: 'app' },
    ],
    [
      'a 503 with Retry-After',
      { status: 503, headers: { 'retry-after': '0.5' } },
      { kind: 'throttled', retryAfterMs: 500, scope: 'app' },
    ],
  ] as const)('by %s fails in each part alike, and asks for none again', async (_name, fault, failure) => {
    const { simulator, ask, refusals } = await setup();
    simulator.faults.add({ path: BATCH, ...fault });
    expect(failures(await ask(3))).toMatchObject([failure, failure, failure]);
    expect(batches(simulator)).toBe(1);
    expect(gets(simulator)).toBe(0);
    expect(refusals).toEqual([]);
  });

  it.each([
    ['a 413', { status: 413 }],
    ['a 400', { status: 400 }],
    ['a 404, which does not mean that the parts are gone', { status: 404 }],
    ['a 410', { status: 410 }],
    ['a 403', { status: 403 }],
    ['a 405', { status: 405 }],
    ['a page of a proxy', { kind: 'html', status: 200 }],
    ['JSON that breaks off', { kind: 'garbage' }],
    ['another JSON', { status: 200, body: { value: [] } }],
    ['an answer that is too large', { kind: 'gzip-bomb' }],
    ['an answer without an end', { kind: 'endless' }],
    ['a redirect', { kind: 'redirect' }],
  ] as const)('by %s is asked for one by one, and says so', async (_name, fault) => {
    const { simulator, ask, refusals } = await setup();
    simulator.faults.add({ path: BATCH, ...fault });
    expect(fulfilled(await ask(3))).toEqual(numbers(3));
    expect(batches(simulator)).toBe(1);
    expect(gets(simulator)).toBe(3);
    expect(refusals).toHaveLength(1);
  });

  it('by a refused token goes once more with a fresh one', async () => {
    const { simulator, ask } = await setup();
    simulator.revokeTokens();
    expect(fulfilled(await ask(3))).toEqual(numbers(3));
    expect(batches(simulator)).toBe(2);
    expect(tokenRequests(simulator)).toBe(2);
  });

  it('by every token is unauthorized in each part', async () => {
    const { simulator, ask } = await setup();
    simulator.faults.add({ path: BATCH, status: 401, times: 10 });
    expect(failures(await ask(2))).toMatchObject([{ kind: 'unauthorized' }, { kind: 'unauthorized' }]);
    expect(batches(simulator)).toBe(2);
  });

  it('while the login is away is unauthorized in each part, and Graph is not asked', async () => {
    const { simulator, ask, tokens } = await setup();
    const path = `/${simulator.tenantId}/oauth2/v2.0/token`;
    const body = { error: 'x', error_description: 'AADSTS90033: away' };
    simulator.faults.add({ path, status: 400, body });
    // The token that is held is no longer any good.
    await tokens.afterRefusal(await tokens.current()).catch(() => undefined);
    simulator.faults.add({ path, status: 400, body });
    const detail = 'no token: the login is not available for the moment (AADSTS90033)';
    const failure = { kind: 'unauthorized', detail };
    expect(failures(await ask(2))).toEqual([failure, failure]);
    expect(batches(simulator)).toBe(0);
  });
});
