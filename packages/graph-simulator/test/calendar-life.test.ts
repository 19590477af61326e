import { describe, expect, it } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscribe } from './subscribe.ts';

describe('the life of the calendars', () => {
  it('makes the same changes for the same seed, with ids that depend on the instance', async () => {
    const run = async (instance: string) => {
      await using simulator = await GraphSimulator.start({ seed: 5, instance, users: 4 });
      const steps = Array.from({ length: 200 }, () => simulator.life.step());
      const resources = simulator.changeLog
        .ofKind('change')
        .map(({ resource, version }) => [resource, version]);
      return { steps, resources };
    };
    const [one, same, other] = [await run('a'), await run('a'), await run('b')];
    expect(same).toEqual(one);
    expect(other.steps).toEqual(one.steps);
    expect(other.resources).not.toEqual(one.resources);
  });

  it('notifies of every change, and of some twice', async () => {
    await using simulator = await GraphSimulator.start({ delivery: { collectMs: 5 } });
    await using graph = await connectTo(simulator);
    await using receiver = await startReceiver();
    for (const { id } of simulator.users()) await subscribe(graph, id, receiver.url);
    const steps = Array.from({ length: 500 }, () => simulator.life.step());
    await simulator.notifier.idle();
    const repeated = steps.filter(({ isAnnouncedTwice }) => isAnnouncedTwice).length;
    expect(repeated).toBeGreaterThan(0);
    expect(receiver.items()).toHaveLength(500 + repeated);
  });

  it('keeps its average rate, rests when stopped, and makes users that are missing', async () => {
    await using simulator = await GraphSimulator.start({ users: 1 });
    const before = simulator.state().changes;
    const startedMs = performance.now();
    simulator.life.start({ changesPerSecond: 200, users: 6 });
    const made = () => simulator.state().changes - before - 5;
    await expect.poll(made, { timeout: 5_000, interval: 5 }).toBeGreaterThanOrEqual(100);
    simulator.life.stop();
    const seconds = (performance.now() - startedMs) / 1000;
    expect(made() / seconds).toBeLessThan(210);
    expect(simulator.users()).toHaveLength(6);
    expect(simulator.life.isRunning).toBe(false);
  });

  it('leaves alone an event that somebody else has deleted', async () => {
    await using simulator = await GraphSimulator.start();
    for (let i = 0; i < 20; i += 1) simulator.life.step();
    for (const { id } of simulator.users()) {
      for (const { path } of simulator.resources.list(`users/${id}/events`))
        simulator.calendar.remove(path.key);
    }
    for (let i = 0; i < 50; i += 1) simulator.life.step();
    const log = simulator.changeLog.ofKind('change');
    const deleted = new Set<string>();
    for (const { resource, changeType } of log) {
      expect(deleted.has(resource)).toBe(false);
      if (changeType === 'deleted') deleted.add(resource);
    }
  });

  it('refuses a rate of nothing', async () => {
    await using simulator = await GraphSimulator.start();
    expect(() => simulator.life.start({ changesPerSecond: 0 })).toThrow(RangeError);
  });
});
