import { describe, expect, it } from 'vitest';
import { type Fault, GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscribe } from './subscribe.ts';

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

  it.each(['hang', 'endless'] as const)('of kind %s lasts until the caller gives up', async (kind) => {
    await using it = await setup();
    it.simulator.faults.add({ kind });
    await expect(it.graph.call('GET', '/users', { signal: AbortSignal.timeout(80) })).rejects.toThrow();
    expect((await it.graph.call('GET', '/users')).status).toBe(200);
  });

  it('does not keep the simulator from closing', async () => {
    await using it = await setup();
    it.simulator.faults.add({ kind: 'hang' });
    it.simulator.faults.add({ kind: 'endless' });
    it.simulator.faults.add({ delayMs: 3_600_000 });
    const calls = Array.from({ length: 3 }, () => it.graph.call('GET', '/users'));
    const settled = Promise.allSettled(calls);
    await expect.poll(() => it.simulator.maxConcurrent()).toBe(3);
    await it.simulator.close();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
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
