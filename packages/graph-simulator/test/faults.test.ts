import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import { createGunzip } from 'node:zlib';
import { decodeJwt } from 'jose';
import { describe, expect, it } from 'vitest';
import { type Fault, GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscribe, subscriptionRequest } from './subscribe.ts';

async function setup() {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start({ delivery: { collectMs: 5, retryBaseMs: 10 } }));
  const graph = stack.use(await connectTo(simulator));
  const receiver = stack.use(await startReceiver());
  const user = simulator.users()[0]?.id ?? '';
  const event = (subject: string) => simulator.calendar.create(user, { subject }).path.key;
  const subjectIds = () => receiver.items().map(({ resourceData }) => resourceData.id);
  return {
    simulator,
    graph,
    receiver,
    user,
    event,
    subjectIds,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe('a fault of a call', () => {
  it('spoils the named number of calls and counts them', async () => {
    await using it = await setup();
    const path = it.event('A meeting');
    const headers = { 'retry-after': '2.128' };
    const fault = it.simulator.faults.add({ path, times: 2, status: 429, headers });
    for (let i = 0; i < 2; i += 1) {
      const answer = await it.graph.call('GET', `/${path}`);
      expect(answer.status).toBe(429);
      expect(answer.headers.get('retry-after')).toBe('2.128');
      expect(answer.body.error.code).toBe('ApplicationThrottled');
    }
    expect((await it.graph.call('GET', `/${path}`)).status).toBe(200);
    expect(fault.hits).toBe(2);
    const reads = it.simulator.changeLog.ofKind('read').map(({ status, version }) => [status, version]);
    expect(reads).toEqual([
      [429, null],
      [429, null],
      [200, 1],
    ]);
  });

  it('fits by method, by any spelling of the path, by pattern and by predicate', async () => {
    await using it = await setup();
    const path = it.event('A meeting');
    const fits = async (fault: Fault, method = 'GET') => {
      const handle = it.simulator.faults.add(fault);
      const { status } = await it.graph.call(method, `/Users('${it.user}')/events/${path.split('/')[3]}`);
      handle.remove();
      return status === 503;
    };
    expect(await fits({ status: 503, path: `/v1.0/${path}` })).toBe(true);
    expect(await fits({ status: 503, path: /^\/v1\.0\/Users.*\/events\//g })).toBe(true);
    expect(await fits({ status: 503, match: (call) => call.path.includes(it.user) })).toBe(true);
    expect(await fits({ status: 503 })).toBe(true);
    expect(await fits({ status: 503, method: 'PATCH' })).toBe(false);
    expect(await fits({ status: 503, path: 'users/other/events/x' })).toBe(false);
    expect(await fits({ status: 503, times: 0 })).toBe(false);
  });

  it('ends when it is removed', async () => {
    await using it = await setup();
    const fault = it.simulator.faults.add({ status: 500, times: Number.POSITIVE_INFINITY });
    expect((await it.graph.call('GET', '/users')).status).toBe(500);
    fault.remove();
    expect((await it.graph.call('GET', '/users')).status).toBe(200);
    expect(fault.hits).toBe(1);
  });

  it('can delay the real answer', async () => {
    await using it = await setup();
    it.simulator.faults.add({ delayMs: 80 });
    const startedMs = performance.now();
    expect((await it.graph.call('GET', '/users')).status).toBe(200);
    expect(performance.now() - startedMs).toBeGreaterThan(70);
  });

  it('can hit the login authority, if its path is named', async () => {
    await using it = await setup();
    it.simulator.faults.add({ path: /oauth2/, status: 503 });
    expect((await it.graph.token()).status).toBe(503);
    it.simulator.faults.add({ status: 503 });
    expect((await it.graph.token()).status).toBe(200);
  });

  it('can send a page, a redirect, half a JSON, or an early 404', async () => {
    await using it = await setup();
    it.simulator.faults.add({ kind: 'html' });
    const page = await it.graph.call('GET', '/users');
    expect([page.status, page.headers.get('content-type')]).toEqual([502, 'text/html']);
    it.simulator.faults.add({ kind: 'redirect', headers: { location: 'https://127.0.0.1:1/x' } });
    const redirect = await it.graph.call('GET', '/users');
    expect([redirect.status, redirect.headers.get('location')]).toEqual([302, 'https://127.0.0.1:1/x']);
    it.simulator.faults.add({ kind: 'garbage' });
    await expect(it.graph.call('GET', '/users')).rejects.toThrow(SyntaxError);
    it.simulator.faults.add({ kind: 'early404' });
    expect((await it.graph.call('GET', '/users')).body.error.code).toBe('ErrorItemNotFound');
    it.simulator.faults.add({ status: 200, body: { value: 'of the test' } });
    expect((await it.graph.call('GET', '/users')).body).toEqual({ value: 'of the test' });
  });

  it.each(['reset', 'truncated'] as const)('of kind %s breaks the connection', async (kind) => {
    await using it = await setup();
    it.simulator.faults.add({ kind });
    await expect(it.graph.call('GET', '/users')).rejects.toThrow();
    expect((await it.graph.call('GET', '/users')).status).toBe(200);
  });

  it.each(['hang', 'endless', 'slow-loris'] as const)(
    'of kind %s lasts until the caller gives up',
    async (kind) => {
      await using it = await setup();
      it.simulator.faults.add({ kind });
      await expect(it.graph.call('GET', '/users', { signal: AbortSignal.timeout(80) })).rejects.toThrow();
      expect((await it.graph.call('GET', '/users')).status).toBe(200);
    },
  );

  it('does not keep the simulator from closing', async () => {
    await using it = await setup();
    it.simulator.faults.add({ kind: 'hang' });
    it.simulator.faults.add({ kind: 'endless' });
    it.simulator.faults.add({ kind: 'slow-loris' });
    it.simulator.faults.add({ delayMs: 3_600_000 });
    const calls = Array.from({ length: 4 }, () => it.graph.call('GET', '/users'));
    const settled = Promise.allSettled(calls);
    await expect.poll(() => it.simulator.maxConcurrent()).toBe(4);
    await it.simulator.close();
    expect((await settled).map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
  });
});

describe('how long a fault of a call lasts', () => {
  const statuses = async (it: Awaited<ReturnType<typeof setup>>, calls: number, path = '/users') => {
    const answers: number[] = [];
    for (let i = 0; i < calls; i += 1) answers.push((await it.graph.call('GET', path)).status);
    return answers;
  };

  it('can be a time, by the clock of the simulator', async () => {
    await using it = await setup();
    const fault = it.simulator.faults.add({ status: 503, forMs: 60_000 });
    expect(await statuses(it, 3)).toEqual([503, 503, 503]);
    it.simulator.clock.advance(60_000);
    expect(await statuses(it, 1)).toEqual([200]);
    expect(it.simulator.faults.list()).toEqual([
      { id: fault.id, hits: 3, effect: 'status 503', isActive: false },
    ]);
  });

  it('can begin after a number of calls', async () => {
    await using it = await setup();
    it.simulator.faults.add({ status: 503, after: 2, times: 1 });
    expect(await statuses(it, 4)).toEqual([200, 200, 503, 200]);
  });

  it('can be a time for each path by itself, from its first call on', async () => {
    await using it = await setup();
    it.simulator.faults.add({ kind: 'early404', path: /\/events\//, eachForMs: 60_000 });
    const [first, second] = [it.event('First'), it.event('Second')];
    expect(await statuses(it, 2, `/${first}`)).toEqual([404, 404]);
    it.simulator.clock.advance(60_000);
    expect(await statuses(it, 2, `/${first}`)).toEqual([200, 200]);
    expect(await statuses(it, 1, `/${second}`)).toEqual([404]);
  });

  it('can be a share of them, drawn from the seed', async () => {
    const drawn = async () => {
      await using it = await setup();
      it.simulator.faults.add({ status: 503, share: 0.5 });
      return await statuses(it, 40);
    };
    const answers = await drawn();
    expect(new Set(answers)).toEqual(new Set([200, 503]));
    expect(await drawn()).toEqual(answers);
  });
});

describe('a gzip bomb', () => {
  it('is a MiB that inflates to a GiB of valid JSON', async () => {
    await using it = await setup();
    it.simulator.faults.add({ kind: 'gzip-bomb' });
    const headers = { authorization: 'Bearer none' };
    const ca = it.simulator.caCertificate;
    const [response] = (await once(get(`${it.simulator.url}/v1.0/users`, { ca, headers }), 'response')) as [
      IncomingMessage,
    ];
    expect(response.headers['content-encoding']).toBe('gzip');
    let sent = 0;
    let inflated = 0;
    let last = Buffer.alloc(0);
    response.on('data', (chunk: Buffer) => {
      sent += chunk.length;
    });
    for await (const chunk of response.pipe(createGunzip({ chunkSize: 1_048_576 }))) {
      inflated += chunk.length;
      last = chunk;
    }
    expect(inflated).toBe(2 ** 30 + '{"value":""}'.length);
    expect(last.subarray(-2).toString()).toBe('"}');
    expect(sent).toBeLessThan(2 * 2 ** 20);
  }, 30_000);

  it('does not hold the simulator up, and ends where its reader does', async () => {
    await using it = await setup();
    it.simulator.faults.add({ kind: 'gzip-bomb' });
    const abort = new AbortController();
    const bomb = it.graph.call('GET', '/users', { signal: abort.signal });
    const settled = bomb.catch(() => 'left');
    expect((await it.graph.raw('GET', '/simulator/health')).status).toBe(200);
    abort.abort();
    expect(await settled).toBe('left');
  });
});

describe('withdrawn consent', () => {
  it('is refused until the rule ends, in the words of each part of Graph', async () => {
    await using it = await setup();
    it.simulator.seed('chats/19:a@thread.v2', { id: '19:a@thread.v2' });
    const consent = it.simulator.faults.add({ on: 'consent' });
    const code = async (path: string) => {
      const { status, body } = await it.graph.call('GET', path);
      return [status, body.error?.code];
    };
    expect(await code(`/users/${it.user}/events`)).toEqual([403, 'ErrorAccessDenied']);
    expect(await code('/users')).toEqual([403, 'Authorization_RequestDenied']);
    expect(await code('/chats/19:a@thread.v2')).toEqual([403, 'Forbidden']);
    expect((await it.graph.token()).status).toBe(200);
    expect(consent.hits).toBe(3);
    consent.remove();
    expect(await code(`/users/${it.user}/events`)).toEqual([200, undefined]);
  });

  it('can concern one kind: its subscriptions are neither made nor renewed, others are', async () => {
    await using it = await setup();
    const { id } = await subscribe(it.graph, it.user, it.receiver.url);
    it.simulator.faults.add({ on: 'consent', resource: 'events' });
    const body = { expirationDateTime: new Date(Date.now() + 7_200_000).toISOString() };
    expect((await it.graph.call('PATCH', `/subscriptions/${id}`, { body })).status).toBe(403);
    const other = it.simulator.users()[1]?.id ?? '';
    const made = (resource: string) =>
      it.graph.call('POST', '/subscriptions', {
        body: { ...subscriptionRequest(other, it.receiver.url), resource },
      });
    expect(await made(`users/${other}/events`)).toMatchObject({
      status: 403,
      body: { error: { code: 'ExtensionError' } },
    });
    expect((await made(`users/${other}/messages`)).status).toBe(201);
    expect((await it.graph.call('GET', `/subscriptions/${id}`)).status).toBe(200);
    expect((await it.graph.call('GET', '/users')).status).toBe(200);
    expect((await it.graph.call('DELETE', `/subscriptions/${id}`)).status).toBe(204);
  });

  it('can concern one app or one tenant', async () => {
    await using it = await setup();
    const other = { clientId: '2f6a1f0e-87d1-4c4d-9d3c-0b7a5e9f1c22', clientSecret: 'of the other' };
    it.simulator.addApplication(other);
    await using otherGraph = await connectTo(it.simulator, other);
    it.simulator.faults.add({ on: 'consent', clientId: other.clientId.toUpperCase() });
    expect((await otherGraph.call('GET', '/users')).status).toBe(403);
    expect((await it.graph.call('GET', '/users')).status).toBe(200);
    it.simulator.faults.clear();
    it.simulator.faults.add({ on: 'consent', tenantId: '00000000-0000-4000-8000-000000000000' });
    expect((await it.graph.call('GET', '/users')).status).toBe(200);
  });

  it('can end at the login authority, in the words of Entra', async () => {
    await using it = await setup();
    it.simulator.faults.add({ on: 'consent', at: 'login', forMs: 60_000 });
    const { status, body } = await it.graph.token();
    expect(status).toBe(400);
    expect(body).toMatchObject({ error: 'unauthorized_client', error_codes: [7000229] });
    expect((await it.graph.call('GET', '/users')).status).toBe(403);
    it.simulator.clock.advance(60_000);
    expect((await it.graph.token()).status).toBe(200);
    expect((await it.graph.call('GET', '/users')).status).toBe(200);
  });
});

describe('a clock that is wrong', () => {
  const HOUR_MS = 3_600_000;
  const near = (text: string | null, expectedMs: number) =>
    Math.abs(Date.parse(text ?? '') - expectedMs) < 60_000;

  it.each([HOUR_MS, -HOUR_MS])('by %i ms shows in dates and tokens', async (skewMs) => {
    await using it = await setup();
    const fault = it.simulator.faults.add({ on: 'clock', skewMs });
    const { headers } = await it.graph.raw('GET', '/simulator/health');
    expect(near(headers.get('date'), Date.now() + skewMs)).toBe(true);
    const claims = decodeJwt((await it.graph.token()).body.access_token);
    expect(near(new Date(Number(claims.nbf) * 1000).toISOString(), Date.now() + skewMs)).toBe(true);
    fault.remove();
    const right = await it.graph.raw('GET', '/simulator/health');
    expect(near(right.headers.get('date'), Date.now())).toBe(true);
  });

  it('ahead refuses what has expired by it, and lets go of it', async () => {
    await using it = await setup();
    const { id } = await subscribe(it.graph, it.user, it.receiver.url);
    expect((await it.graph.call('GET', `/subscriptions/${id}`)).status).toBe(200);
    it.simulator.faults.add({ on: 'clock', skewMs: 2 * HOUR_MS });
    expect((await it.graph.call('GET', '/users')).body.error.code).toBe('InvalidAuthenticationToken');
    await using late = await connectTo(it.simulator);
    expect((await late.call('GET', `/subscriptions/${id}`)).status).toBe(404);
    const body = subscriptionRequest(it.user, it.receiver.url);
    const refused = await late.call('POST', '/subscriptions', { body });
    expect(refused.body.error.message).toContain('must be in the future');
  });

  it('behind grants a shorter life than was wished', async () => {
    await using it = await setup();
    it.simulator.faults.add({ on: 'clock', skewMs: -HOUR_MS });
    await using graph = await connectTo(it.simulator);
    const wish = new Date(Date.now() + 10_069 * 60_000).toISOString();
    const refused = await graph.call('POST', '/subscriptions', {
      body: { ...subscriptionRequest(it.user, it.receiver.url), expirationDateTime: wish },
    });
    expect(refused.body.error.code).toBe('ExtensionError');
  });
});

describe('a fault of a delivery', () => {
  it('can drop an item: the change is logged as subscribed, and nothing arrives', async () => {
    await using it = await setup();
    await subscribe(it.graph, it.user, it.receiver.url);
    const fault = it.simulator.faults.add({
      on: 'delivery',
      drop: true,
      match: ({ version }) => version === 1,
    });
    const path = it.event('Lost');
    it.simulator.calendar.update(path, { subject: 'Found' });
    await it.simulator.notifier.idle();
    expect(fault.hits).toBe(1);
    expect(it.receiver.items().map(({ changeType }) => changeType)).toEqual(['updated']);
    const changes = it.simulator.changeLog.ofKind('change').filter(({ resource }) => resource === path);
    expect(changes.map(({ subscribed }) => subscribed)).toEqual([true, true]);
  });

  it('can be silence: for a time nothing arrives, and no lifecycle notification tells of it', async () => {
    await using it = await setup();
    await subscribe(it.graph, it.user, it.receiver.url, {
      lifecycleNotificationUrl: `${it.receiver.url}/life`,
    });
    it.simulator.faults.add({ on: 'delivery', drop: true, forMs: 600_000 });
    it.event('Unheard');
    it.event('Unheard too');
    await it.simulator.notifier.idle();
    expect(it.receiver.items()).toEqual([]);
    it.simulator.clock.advance(600_000);
    it.event('Heard');
    await it.simulator.notifier.idle();
    expect(it.receiver.items()).toHaveLength(1);
    expect(it.simulator.faults.inflicted.map(({ effect }) => effect)).toEqual(['silence', 'silence']);
  });

  it('can send an item twice', async () => {
    await using it = await setup();
    await subscribe(it.graph, it.user, it.receiver.url);
    it.simulator.faults.add({ on: 'delivery', duplicate: true });
    it.event('Twice');
    it.event('Once');
    await it.simulator.notifier.idle();
    const ids = it.subjectIds();
    expect(ids).toHaveLength(3);
    expect(new Set(ids).size).toBe(2);
  });

  it('can let an item be overtaken by the next, or arrive late', async () => {
    await using it = await setup();
    await subscribe(it.graph, it.user, it.receiver.url);
    it.simulator.faults.add({ on: 'delivery', reorder: true });
    const paths = ['first', 'second', 'third'].map((subject) => it.event(subject));
    await it.simulator.notifier.idle();
    const [first, second, third] = paths.map((path) => path.split('/')[3]);
    expect(it.subjectIds()).toEqual([second, first, third]);
    it.simulator.faults.add({ on: 'delivery', delayMs: 60 });
    const [late, early] = [it.event('late'), it.event('early')].map((path) => path.split('/')[3]);
    await it.simulator.notifier.idle();
    expect(it.subjectIds().slice(3)).toEqual([early, late]);
  });

  it('that waits for an overtaker which never comes lets the item go', async () => {
    await using it = await setup();
    await subscribe(it.graph, it.user, it.receiver.url);
    it.simulator.faults.add({ on: 'delivery', reorder: true });
    it.event('Alone');
    await it.simulator.notifier.idle();
    expect(it.receiver.items()).toHaveLength(1);
  });
});
