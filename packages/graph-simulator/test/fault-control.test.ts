import { describe, expect, it } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscribe } from './subscribe.ts';

async function setup() {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start({ delivery: { collectMs: 5 } }));
  const graph = stack.use(await connectTo(simulator));
  const control = async (method: string, path: string, body?: unknown) =>
    graph.raw(method, `/simulator${path}`, body === undefined ? {} : { body });
  const users = async () => (await graph.call('GET', '/users')).status;
  return { simulator, graph, control, users, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('a control call for a fault', () => {
  it('adds it, lists it, and removes it', async () => {
    await using it = await setup();
    const added = await it.control('POST', '/faults', { status: 503, times: 'always' });
    expect(added.status).toBe(201);
    expect(await it.users()).toBe(503);
    const { id } = added.body;
    expect((await it.control('GET', '/faults')).body.value).toEqual([
      { id, effect: 'status 503', hits: 1, isActive: true },
    ]);
    expect((await it.control('DELETE', `/faults/${id}`)).status).toBe(204);
    expect(await it.users()).toBe(200);
    expect((await it.control('DELETE', `/faults/${id}`)).status).toBe(404);
  });

  it('removes all of them, and what they did stays listed', async () => {
    await using it = await setup();
    await it.control('POST', '/faults', { kind: 'html', path: '/users' });
    await it.control('POST', '/faults', { kind: 'garbage', forMs: 60_000 });
    await it.graph.call('GET', '/users');
    expect((await it.control('DELETE', '/faults')).status).toBe(204);
    expect((await it.control('GET', '/faults')).body.value).toEqual([]);
    expect((await it.control('GET', '/faults/inflicted')).body.value).toEqual([
      { at: expect.any(Number), fault: 1, effect: 'html', subject: 'GET /v1.0/users' },
    ]);
  });

  it('finds the calls by pattern, the deliveries by resource, pattern, type or subscription', async () => {
    await using it = await setup();
    await using receiver = await startReceiver();
    const [first = '', second = ''] = it.simulator.users().map(({ id }) => id);
    const { id } = await subscribe(it.graph, first, receiver.url);
    await subscribe(it.graph, second, receiver.url);
    await it.control('POST', '/faults', { pathPattern: '/events$', status: 429 });
    expect((await it.graph.call('GET', `/users/${first}/events`)).status).toBe(429);
    const drop = (more: object) =>
      it.control('POST', '/faults', { on: 'delivery', drop: true, times: 'always', ...more });
    const { path } = it.simulator.calendar.create(first, { subject: 'A meeting' });
    await drop({ resource: path.key.replace('users/', 'Users/') });
    await drop({ resourcePattern: `^users/${second}`, changeType: 'deleted' });
    await drop({ subscriptionId: id, changeType: 'created' });
    const other = it.simulator.calendar.create(second, { subject: 'Another' }).path;
    it.simulator.calendar.update(path.key, { subject: 'Lost' });
    it.simulator.calendar.remove(other.key);
    it.simulator.calendar.create(first, { subject: 'Lost' });
    await it.simulator.notifier.idle();
    expect(receiver.items().map(({ resourceData, changeType }) => [resourceData.id, changeType])).toEqual([
      [path.segments[1]?.id, 'created'],
      [other.segments[1]?.id, 'created'],
    ]);
  });

  it('withdraws consent and turns the clock', async () => {
    await using it = await setup();
    await it.control('POST', '/faults', { on: 'consent', resource: 'users', forMs: 60_000 });
    expect(await it.users()).toBe(403);
    await it.control('DELETE', '/faults');
    await it.control('POST', '/faults', { on: 'clock', skewMs: 86_400_000 });
    expect(await it.users()).toBe(401);
  });

  it.each([
    [{}, /^kind: one of "kind", "status", "body" and "delayMs"/],
    [{ status: 99 }, /^status: /],
    [{ status: 'bad' }, /^status: /],
    [{ kind: 'colour' }, /^kind: .*"slow-loris"/],
    [{ status: 500, colour: 'red' }, /colour/],
    [{ status: 500, times: -1 }, /^times: /],
    [{ status: 500, times: 'ever' }, /^times: must be a whole number, or "always"/],
    [{ status: 500, share: 2 }, /^share: /],
    [{ status: 500, pathPattern: '(' }, /^pathPattern: /],
    [{ status: 500, path: '/a', pathPattern: 'a' }, /^pathPattern: cannot be combined/],
    [{ on: 'delivery' }, /^drop: exactly one of/],
    [{ on: 'delivery', drop: true, reorder: true }, /^drop: exactly one of/],
    [{ on: 'delivery', forge: 'colour' }, /^forge: .*"alg-none"/],
    [{ on: 'delivery', drop: true, resource: '//' }, /^resource: /],
    [{ on: 'clock' }, /^skewMs: /],
    [{ on: 'consent', at: 'home' }, /^at: /],
    [{ on: 'moon' }, /^on: /],
    [[], /./],
  ])('says what is wrong with %j', async (body, text) => {
    await using it = await setup();
    const answer = await it.control('POST', '/faults', body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatch(text);
    expect(answer.body.error).not.toContain('\n');
    expect(it.simulator.faults.list()).toEqual([]);
  });

  it('is refused in JSON where the body is none, and where there is no such call', async () => {
    await using it = await setup();
    const headers = { 'content-type': 'application/json' };
    const broken = await it.graph.raw('POST', '/simulator/faults', { body: '{', headers });
    expect([broken.status, broken.body.error]).toEqual([400, expect.stringMatching(/not readable as JSON/)]);
    const unknown = await it.control('GET', '/colour');
    expect([unknown.status, unknown.body.error]).toEqual([404, 'There is no call GET /simulator/colour.']);
  });
});

describe('a script of faults', () => {
  it('inflicts each at its time, and ends by itself', async () => {
    await using it = await setup();
    const script = {
      faults: [
        { status: 503 },
        { atMs: 5_000, kind: 'html', times: 1 },
        { atMs: 10_000, status: 500, forMs: 5_000 },
      ],
    };
    const started = await it.control('POST', '/fault-script', script);
    expect([started.status, started.body.isRunning]).toEqual([202, true]);
    expect([await it.users(), await it.users()]).toEqual([503, 200]);
    it.simulator.clock.advance(5_000);
    expect([await it.users(), await it.users()]).toEqual([502, 200]);
    it.simulator.clock.advance(5_000);
    expect([await it.users(), await it.users()]).toEqual([500, 500]);
    it.simulator.clock.advance(5_000);
    expect(await it.users()).toBe(200);
    expect((await it.control('GET', '/fault-script')).body).toEqual({
      isRunning: false,
      faults: [
        { atMs: 0, effect: 'status 503', fault: 1, hits: 1 },
        { atMs: 5_000, effect: 'html', fault: 2, hits: 1 },
        { atMs: 10_000, effect: 'status 500', fault: 3, hits: 2 },
      ],
    });
  });

  it('is stopped by another call: what it began ends, what is to come does not', async () => {
    await using it = await setup();
    const mine = it.simulator.faults.add({ status: 418, path: 'groups', times: 1 });
    const script = {
      faults: [
        { status: 503, times: 'always' },
        { atMs: 1_000, status: 500 },
      ],
    };
    await it.control('POST', '/fault-script', script);
    const second = await it.control('POST', '/fault-script', script);
    expect([second.status, second.body.error]).toEqual([409, expect.stringMatching(/is running/)]);
    expect(await it.users()).toBe(503);
    expect((await it.control('DELETE', '/fault-script')).status).toBe(204);
    it.simulator.clock.advance(2_000);
    expect(await it.users()).toBe(200);
    expect(it.simulator.faults.list().map(({ id }) => id)).toEqual([mine.id]);
    expect((await it.control('POST', '/fault-script', script)).status).toBe(202);
  });

  it('can be drawn from a seed, of the kinds that are named', async () => {
    await using it = await setup();
    const order = { seed: 7, minutes: 2, kinds: ['5xx', 'html'] };
    const { body } = await it.control('POST', '/fault-script', order);
    const effects: string[] = body.faults.map(({ effect }: { effect: string }) => effect);
    expect(effects.length).toBeGreaterThan(5);
    expect(effects.every((effect) => /^(status 50[0234]|html)$/.test(effect))).toBe(true);
    await it.control('DELETE', '/fault-script');
    expect((await it.control('POST', '/fault-script', order)).body.faults).toEqual(body.faults);
  });

  it.each([
    [{}, /^faults: /],
    [{ faults: [] }, /^faults: /],
    [{ faults: [{ status: 503 }, { atMs: 5 }] }, /^faults\[1\]\.kind: one of/],
    [{ faults: [{ atMs: -1, status: 503 }] }, /^faults\[0\]\.atMs: /],
    [{ faults: [5] }, /^faults\[0\]: must be an object/],
    [{ seed: 1 }, /^minutes: /],
    [{ seed: 1, minutes: 0 }, /^minutes: /],
    [{ seed: 1, minutes: 1, kinds: ['colour'] }, /^kinds\[0\]: .*"silence"/],
    [{ seed: 1, minutes: 1, faults: [] }, /faults/],
  ])('is refused as %j, and nothing of it begins', async (script, text) => {
    await using it = await setup();
    const { status, body } = await it.control('POST', '/fault-script', script);
    expect([status, body.error]).toEqual([400, expect.stringMatching(text)]);
    expect(it.simulator.faults.list()).toEqual([]);
  });
});
