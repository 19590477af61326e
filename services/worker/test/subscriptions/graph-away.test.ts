/** What the loop does while Graph is away, in simulated time: few calls, nothing in vain, and what ends next first after it. */
import { describe, expect, it } from 'vitest';
import { noEncryptionKeys } from '../../src/rich/encryption-keys.ts';
import type { Progress } from '../../src/subscriptions/fleet.ts';
import { createReconcile } from '../../src/subscriptions/reconcile.ts';
import { signedWishes } from '../support/fleet-wishes.ts';
import { MemoryFleet } from '../support/memory-fleet.ts';
import { type Fate, ModelGraph } from '../support/model-graph.ts';
import { keptLog } from '../support/silent-log.ts';
import { SimulatedTime, simulatedPace } from '../support/simulated-time.ts';

const MINUTE = 60_000;
const LIFE_MINUTES = 600;
const { TENANT, wishesFor } = signedWishes(LIFE_MINUTES);

function setup(users: number, latencyMs = 0) {
  const time = new SimulatedTime(Date.UTC(2026, 10, 23));
  const fleet = new MemoryFleet(time.now);
  const world: { fate: (call: string) => Fate } = { fate: () => 'answered' };
  const graph = new ModelGraph({ now: time.now, fate: (call) => world.fate(call), refusesTwins: true });
  const progress: Progress[] = [];
  const wishes = wishesFor(users);
  const start = () =>
    createReconcile({
      fleet: fleet.seenBy(async () => {
        if (fleet.progress && progress.at(-1) !== fleet.progress) progress.push(fleet.progress);
      }),
      wishes: { current: async () => wishes },
      tenants: () => [
        {
          tenantId: TENANT,
          api: graph.seenBy(() => time.sleep(latencyMs)),
          secrets: ['a-secret-of-this-test'],
          notificationUrl: 'https://receiver.example/events',
          lifecycleNotificationUrl: undefined,
        },
      ],
      encryption: noEncryptionKeys,
      pace: simulatedPace(time.now),
      sweepOrphans: 'certain',
      noteHole: async () => undefined,
      closeHole: async () => undefined,
      log: keptLog('fatal'),
      now: time.now,
      sleep: time.sleep,
    });
  let reconcile = start();
  const run = () => time.run(reconcile());
  const restart = () => {
    reconcile = start();
  };
  const minutes = async (count: number) => {
    for (let minute = 0; minute < count; minute++) {
      time.advance(MINUTE);
      await run();
    }
  };
  return { time, fleet, graph, world, progress, wishes, run, restart, minutes };
}

describe('while Graph does not answer', () => {
  it('a few calls a minute find that out, however many renewals are due', async () => {
    const { run, minutes, graph, world, time } = setup(1000);
    await run();
    time.advance(250 * MINUTE);
    world.fate = () => 'away';
    await minutes(10);
    const before = { ...graph.calls };
    await minutes(60);
    const calls = graph.calls.renew + graph.calls.list - before.renew - before.list;
    expect(calls).toBeGreaterThan(60);
    // Ten renewals, and a page of the list that is asked for three times.
    expect(calls).toBeLessThanOrEqual(60 * 14);
  });

  it('all that is due is renewed as soon as it answers, what ends next before the others, and none lapses', async () => {
    const { run, minutes, graph, world, time, wishes } = setup(400);
    await run();
    time.advance(300 * MINUTE);
    world.fate = () => 'away';
    await minutes(240);
    world.fate = () => 'answered';
    await minutes(3);
    expect(graph.lapsed).toEqual([]);
    const soon = [...graph.living.values()].filter(
      ({ expirationDateTime }) => expirationDateTime < time.now() + (LIFE_MINUTES - 5) * MINUTE,
    );
    expect(soon).toEqual([]);
    expect(graph.living.size).toBe(wishes.length);
  });

  it('what could not be renewed before is not put behind the others when everything is caught up with', async () => {
    const { run, restart, minutes, fleet, world, time, wishes } = setup(1000);
    await run();
    time.advance(401 * MINUTE);
    world.fate = () => 'away';
    await minutes(2);
    const tried = [...fleet.troubles.keys()];
    expect(tried.length).toBeGreaterThan(5);
    // Another process works after more than an hour, so that all is due; those that were tried end first.
    restart();
    for (const key of tried) {
      const [one] = fleet.of(key);
      if (one) fleet.subscriptions.set(one.id, { ...one, expiresAt: one.expiresAt - MINUTE });
    }
    time.advance(61 * MINUTE);
    world.fate = () => 'answered';
    const before = new Map(fleet.subscriptions);
    await run();
    const renewed = [...fleet.subscriptions.values()]
      .filter((one) => one.expiresAt !== before.get(one.id)?.expiresAt)
      .toSorted((a, b) => (a.grantedAt ?? 0) - (b.grantedAt ?? 0))
      .map(({ wish }) => wish);
    expect(new Set(renewed)).toEqual(new Set(wishes.map(({ key }) => key)));
    expect(new Set(renewed.slice(0, tried.length + 10))).toEqual(
      new Set([...renewed.slice(0, tried.length + 10), ...tried]),
    );
  });

  it('to the writes of some alone, the others are worked on: its list tells that it is there', async () => {
    const { run, minutes, graph, world, time, fleet } = setup(300);
    await run();
    time.advance(410 * MINUTE);
    let renewals = 0;
    // Of the first hundred that are tried no PATCH is answered; each of them is tried again later.
    world.fate = (call) => (call === 'renew' && renewals++ < 100 ? 'away' : 'answered');
    await minutes(2);
    expect(graph.calls.renew).toBeGreaterThanOrEqual(300);
    expect(fleet.troubles.size).toBeLessThanOrEqual(100);
  });
});

describe('how far it has come', () => {
  it('is noted each second, also within a page, with a time left that is true from the first note on', async () => {
    const { run, progress, time } = setup(1000, 50);
    const startedAt = time.now();
    await run();
    const wholeMs = time.now() - startedAt;
    expect(wholeMs).toBeGreaterThan(50_000);
    expect(progress.length).toBeGreaterThan(45);
    expect(progress[0]?.done).toBeLessThan(200);
    for (const { at, leftMs } of progress)
      expect(Math.abs(at + leftMs - startedAt - wholeMs) / wholeMs).toBeLessThan(0.1);
  });
});
