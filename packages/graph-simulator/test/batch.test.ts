import { describe, expect, it } from 'vitest';
import { letTimePass, setUpGraph } from './graph-setup.ts';

// biome-ignore lint/suspicious/noExplicitAny: parts have bodies of every shape
type PartAnswer = { id: string; status: number; headers: Record<string, string>; body: any };

const JSON_HEADERS = { 'Content-Type': 'application/json' };
const HOUR_MS = 3_600_000;
const TIME = { dateTime: '2026-12-01T09:00:00', timeZone: 'UTC' };

async function setup(options: Parameters<typeof setUpGraph>[0] = {}) {
  const it = await setUpGraph(options);
  const send = (requests: unknown) => it.graph.call('POST', '/$batch', { body: { requests } });
  const parts = async (requests: unknown): Promise<Map<string, PartAnswer>> => {
    const { status, body } = await send(requests);
    expect(status).toBe(200);
    return new Map(body.responses.map((part: PartAnswer) => [part.id, part]));
  };
  const events = (count: number) =>
    Array.from(
      { length: count },
      (_, i) =>
        it.simulator.calendar.create(it.user, { subject: `No ${i}`, start: TIME, end: TIME }).path.key,
    );
  return { ...it, send, parts, events, [Symbol.asyncDispose]: it[Symbol.asyncDispose] };
}

const get = (id: string, url: string) => ({ id, method: 'GET', url });

describe('a batch', () => {
  it('answers 200 with a status, headers and a body of its own for each part', async () => {
    await using it = await setup();
    const [event] = it.events(1);
    const answers = await it.parts([
      get('a', `/${event}`),
      get('b', `/users/${it.user}/events/none`),
      {
        id: 'c',
        method: 'POST',
        url: `/users/${it.user}/events`,
        headers: JSON_HEADERS,
        body: { subject: 'New', start: TIME, end: TIME },
      },
      { id: 'd', method: 'DELETE', url: `${event}` },
    ]);
    expect(answers.get('a')).toMatchObject({
      status: 200,
      body: { subject: 'No 0' },
      headers: { 'Content-Type': expect.stringContaining('application/json'), ETag: expect.any(String) },
    });
    expect(answers.get('b')).toMatchObject({ status: 404, body: { error: { code: 'ErrorItemNotFound' } } });
    expect(answers.get('c')).toMatchObject({ status: 201, body: { subject: 'New' } });
    expect(answers.get('d')).toMatchObject({ status: 204, body: null });
  });

  it('answers its parts in an order of its own, which the seed decides', async () => {
    const orderOf = async (seed: number) => {
      await using it = await setup({ seed });
      const requests = Array.from({ length: 20 }, (_, i) => get(String(i), '/users'));
      const { body } = await it.send(requests);
      return body.responses.map(({ id }: PartAnswer) => id).join();
    };
    const [one, again, other] = [await orderOf(1), await orderOf(1), await orderOf(2)];
    expect(again).toBe(one);
    expect(other).not.toBe(one);
    expect(one).not.toBe(Array.from({ length: 20 }, (_, i) => i).join());
  });

  it.each([
    ['more than 20 parts', Array.from({ length: 21 }, (_, i) => get(String(i), '/users'))],
    ['ids that differ in case alone', [get('a', '/users'), get('A', '/users')]],
    ['a part without id', [{ method: 'GET', url: '/users' }]],
    ['an absolute url', [get('1', 'https://127.0.0.1/v1.0/users')]],
    ['a url with a host', [get('1', '//127.0.0.1/users')]],
    ['a method that is none', [{ id: '1', method: 'FETCH', url: '/users' }]],
    ['a body without Content-Type', [{ id: '1', method: 'POST', url: '/users', body: {} }]],
    ['a part that waits for one that is not there', [{ ...get('1', '/users'), dependsOn: ['2'] }]],
    ['a batch in a batch', [{ id: '1', method: 'POST', url: '/$batch', headers: JSON_HEADERS, body: {} }]],
    ['no list of requests', 'none'],
  ])('is refused as a whole for %s', async (_what, requests) => {
    await using it = await setup();
    const { status, body } = await it.send(requests);
    expect(status).toBe(400);
    expect(body.error.code).toBe('BadRequest');
    expect(it.simulator.requests.filter(({ path }) => path === '/v1.0/users')).toEqual([]);
  });

  it('wants a token once, for all parts', async () => {
    await using it = await setup();
    const { status } = await it.graph.raw('POST', '/v1.0/$batch', {
      body: { requests: [get('1', '/users')] },
    });
    expect(status).toBe(401);
    const part = { ...get('1', '/users'), headers: { Authorization: 'Bearer of nobody' } };
    expect((await it.parts([part])).get('1')?.status).toBe(200);
  });

  it('does a part after the one it depends on, and not at all where that one failed', async () => {
    await using it = await setup();
    const answers = await it.parts([
      {
        id: '1',
        method: 'POST',
        url: `/users/${it.user}/events`,
        headers: JSON_HEADERS,
        body: { subject: 'First', start: TIME, end: TIME },
      },
      { ...get('2', `/users/${it.user}/events`), dependsOn: ['1'] },
      get('3', `/users/${it.user}/events/none`),
      { ...get('4', '/users'), dependsOn: ['3'] },
      { ...get('5', '/users'), dependsOn: ['4'] },
    ]);
    expect(answers.get('2')?.body.value).toHaveLength(1);
    expect(answers.get('3')?.status).toBe(404);
    expect(answers.get('4')).toMatchObject({ status: 424, body: { error: { code: 'FailedDependency' } } });
    expect(answers.get('5')?.status).toBe(424);
  });

  it('runs its parts for Outlook four at a time, and so never hits the limit of the mailbox', async () => {
    await using it = await setup({ graphLatencyMs: 20 });
    const answers = await it.parts(it.events(12).map((path, i) => get(String(i), `/${path}`)));
    expect([...answers.values()].map(({ status }) => status)).toEqual(Array(12).fill(200));
    expect(it.simulator.maxConcurrent(`users/${it.user}`)).toBe(4);
  });

  it('hits that limit beside another batch: each part is throttled alone', async () => {
    await using it = await setup({ graphLatencyMs: HOUR_MS });
    const requests = it.events(4).map((path, i) => get(String(i), `/${path}`));
    const first = it.parts(requests);
    await expect.poll(() => it.simulator.maxConcurrent(`users/${it.user}`)).toBe(4);
    const second = await it.parts([...requests, ...requests.map(({ id, url }) => get(`again ${id}`, url))]);
    const answers = await letTimePass(it.simulator, first);
    expect([...answers.values()].map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect([...second.values()].map(({ status }) => status)).toEqual(Array(8).fill(429));
    for (const { body, headers } of second.values()) {
      expect(body.error).toMatchObject({
        code: 'ApplicationThrottled',
        message: 'Application is over its MailboxConcurrency limit.',
      });
      expect(headers['Retry-After']).toBe('1');
    }
  });

  it('has its parts in the log of requests and its reads in the change log, each as a call of its own', async () => {
    await using it = await setup();
    const [event] = it.events(1);
    await it.parts([get('1', `/${event}`), get('2', `/users/${it.user}/events/none`)]);
    const calls = it.simulator.requests.filter(({ path }) => path.startsWith('/v1.0'));
    expect(calls.map(({ method, path, status }) => `${method} ${path} ${status}`)).toEqual([
      'POST /v1.0/$batch 200',
      `GET /v1.0/${event} 200`,
      `GET /v1.0/users/${it.user}/events/none 404`,
    ]);
    expect(it.simulator.changeLog.ofKind('read')).toMatchObject([
      { resource: event, version: 1, status: 200 },
      { resource: `users/${it.user}/events/none`, version: null, status: 404 },
    ]);
  });

  it('has parts that a fault can spoil: with its status, or one that tells of a broken connection', async () => {
    await using it = await setup();
    const paths = it.events(5);
    const { faults } = it.simulator;
    faults.add({ path: paths[0] ?? '', status: 429, headers: { 'retry-after': '2.128' } });
    faults.add({ path: paths[1] ?? '', kind: 'reset' });
    faults.add({ path: paths[2] ?? '', kind: 'hang' });
    faults.add({ path: paths[3] ?? '', kind: 'early404' });
    const answers = await it.parts(paths.map((path, i) => get(String(i), `/${path}`)));
    expect(answers.get('0')).toMatchObject({ status: 429, headers: { 'Retry-After': '2.128' } });
    expect(answers.get('1')?.status).toBe(502);
    expect(answers.get('2')?.status).toBe(504);
    expect(answers.get('3')?.body.error.code).toBe('ErrorItemNotFound');
    expect(answers.get('4')?.status).toBe(200);
  });

  it('can be spoilt as a whole', async () => {
    await using it = await setup();
    it.simulator.faults.add({ path: '/v1.0/$batch', status: 503 });
    expect((await it.send([get('1', '/users')])).status).toBe(503);
    expect((await it.send([get('1', '/users')])).status).toBe(200);
  });
});
