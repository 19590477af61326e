import { describe, expect, it } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';

async function setup() {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start());
  const graph = stack.use(await connectTo(simulator));
  return { simulator, graph, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('the control calls', () => {
  it('tell health, users and counters without a token', async () => {
    await using it = await setup();
    expect((await it.graph.raw('GET', '/simulator/health')).body).toEqual({ status: 'ok' });
    expect((await it.graph.raw('GET', '/simulator/users')).body.value).toEqual(it.simulator.users());
    expect((await it.graph.raw('GET', '/simulator/state')).body).toEqual(it.simulator.state());
  });

  it('start and stop the life of the calendars', async () => {
    await using it = await setup();
    const started = await it.graph.raw('POST', '/simulator/life', { body: { changesPerSecond: 500 } });
    expect(started.status).toBe(202);
    await expect.poll(() => it.simulator.state().changes).toBeGreaterThan(10);
    expect((await it.graph.raw('DELETE', '/simulator/life')).status).toBe(204);
    expect((await it.graph.raw('GET', '/simulator/state')).body.lifeRunning).toBe(false);
  });

  it.each([
    {},
    { changesPerSecond: -1 },
    { changesPerSecond: 'fast' },
    { changesPerSecond: 1, colour: 'red' },
    [],
  ])('refuse to start a life as %j', async (body) => {
    await using it = await setup();
    const answer = await it.graph.raw('POST', '/simulator/life', { body });
    expect(answer.status).toBe(400);
    expect(answer.body.error).toEqual(expect.any(String));
    expect(it.simulator.life.isRunning).toBe(false);
  });

  it('show a resource and its version whatever the faults, and leave no read in the change log', async () => {
    await using it = await setup();
    it.simulator.faults.add({ status: 503, times: Number.POSITIVE_INFINITY });
    const { path } = it.simulator.calendar.create(it.simulator.users()[0]?.id ?? '', { subject: 'Here' });
    it.simulator.calendar.update(path.key, { subject: 'There' });
    const { body } = await it.graph.raw('GET', `/simulator/resources/${path.key}`);
    expect(body).toMatchObject({ resource: path.key, version: 2, body: { subject: 'There' } });
    expect((await it.graph.raw('GET', '/simulator/resources/users/none')).status).toBe(404);
    expect((await it.graph.raw('GET', '/simulator/resources//..')).status).toBe(404);
    expect(it.simulator.changeLog.ofKind('read')).toEqual([]);
  });
});
