/**
 * The whole loop over a modelled Graph, in simulated time: whatever answers come, get lost, and in which order, and
 * wherever a process dies or stands still, no wish has two subscriptions, and none lapses that could have been kept.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { noEncryptionKeys } from '../../src/rich/encryption-keys.ts';
import { createReconcile, type Reconcile } from '../../src/subscriptions/reconcile.ts';
import { signedWishes } from '../support/fleet-wishes.ts';
import { MemoryFleet } from '../support/memory-fleet.ts';
import { type Fate, ModelGraph } from '../support/model-graph.ts';
import { keptLog } from '../support/silent-log.ts';
import { SimulatedTime, simulatedPace } from '../support/simulated-time.ts';

const MINUTE = 60_000;
const LIFE_MINUTES = 90;
const { TENANT, wishesFor } = signedWishes(LIFE_MINUTES);
const log = keptLog('fatal');

class KilledError extends Error {}

/** A process of the pool, which may be killed or stopped at any step. */
type Worker = { reconcile: Reconcile; isDead: boolean; closed: string[]; stop: () => void };

function setup(
  options: {
    refusesTwins?: boolean;
    users?: number;
    fate?: () => Fate;
    step?: (worker: Worker) => Promise<void>;
  } = {},
) {
  const time = new SimulatedTime(Date.UTC(2026, 10, 23));
  const fleet = new MemoryFleet(time.now);
  const graph = new ModelGraph({
    now: time.now,
    fate: options.fate ?? (() => 'answered'),
    refusesTwins: options.refusesTwins ?? true,
  });
  const wishes = wishesFor(options.users ?? 3);
  const wanted = { now: wishes };
  const pace = simulatedPace(time.now);
  const start = (): Worker => {
    const step = async () => {
      if (worker.isDead) throw new KilledError();
      await options.step?.(worker);
      if (worker.isDead) throw new KilledError();
    };
    const closed: string[] = [];
    const stopping = new AbortController();
    const tenant = {
      tenantId: TENANT,
      api: graph.seenBy(step),
      secrets: ['a-secret-of-this-test'],
      notificationUrl: 'https://receiver.example/events',
      lifecycleNotificationUrl: undefined,
    };
    const reconcile = createReconcile({
      fleet: fleet.seenBy(step),
      wishes: { current: async () => wanted.now },
      tenants: () => [tenant],
      encryption: noEncryptionKeys,
      pace,
      sweepOrphans: 'certain',
      noteHole: async ({ id }) => void closed.push(id),
      closeHole: async ({ id }) => void closed.push(id),
      log,
      now: time.now,
      sleep: time.sleep,
      stopping: stopping.signal,
    });
    const worker: Worker = { reconcile, isDead: false, closed, stop: () => stopping.abort() };
    return worker;
  };
  const run = (worker: Worker) =>
    time.run(worker.reconcile()).catch((error: unknown) => {
      if (!(error instanceof KilledError)) throw error;
    });
  /** Reconciles by the minute, by one worker after another. */
  const go = async (workers: Worker[], minutes: number) => {
    for (let minute = 0; minute < minutes; minute++) {
      time.advance(MINUTE);
      graph.expire();
      const worker = workers[minute % workers.length];
      if (worker) await run(worker);
    }
  };
  const served = () =>
    wishes.map(({ key, resource }) => ({
      known: fleet
        .of(key)
        .filter(({ replacedAt }) => replacedAt === undefined)
        .map(({ id }) => id),
      living: [...graph.living.values()].filter((one) => one.resource === resource).map(({ id }) => id),
    }));
  const expectServed = () => {
    for (const { known, living } of served()) {
      expect(living).toHaveLength(1);
      expect(known).toEqual(living);
    }
  };
  return { time, fleet, graph, wishes, wanted, start, run, go, served, expectServed };
}

describe('the reconciliation', () => {
  it('has nothing to do after it has done everything, and then asks Graph for nothing', async () => {
    const { start, run, graph, expectServed, go } = setup();
    const worker = start();
    await run(worker);
    expectServed();
    const before = { ...graph.calls };
    await go([worker], 20);
    expect(graph.calls).toEqual(before);
  });

  it('renews each by one call in its time, over days and three workers', async () => {
    const { start, go, graph, expectServed } = setup({ users: 5 });
    const workers = [start(), start(), start()];
    await go(workers, 3 * 24 * 60);
    expectServed();
    expect(graph.lapsed).toEqual([]);
    // Between a half and two thirds of its life later: 45 to 60 minutes, and what a minute's schedule adds.
    const renewals = graph.calls.renew / 5;
    expect(renewals).toBeGreaterThan((3 * 24 * 60) / 62);
    expect(renewals).toBeLessThan((3 * 24 * 60) / 44);
    expect(graph.calls.create).toBe(5);
    expect(graph.mostEqual).toBe(1);
  }, 30_000);
});

describe('a fleet of several pages', () => {
  it('is served on when all its wishes are renamed: what they were is let go before what they are is made', async () => {
    const { start, run, wanted, wishes, graph, fleet } = setup({ users: 500 });
    const worker = start();
    await run(worker);
    wanted.now = wishes.map((wish) => ({ ...wish, key: wish.key.replace('calendars', 'agendas') }));
    await run(worker);
    expect(graph.calls).toMatchObject({ create: 1000, delete: 500 });
    expect(fleet.troubles.size).toBe(0);
    expect(graph.mostEqual).toBe(1);
    for (const { key } of wanted.now) expect(fleet.of(key)).toHaveLength(1);
  });

  it('that a worker is stopped on is gone on with by the next one, from Graph’s list again', async () => {
    const { start, run, graph, expectServed } = setup({ users: 500, refusesTwins: false });
    const first = start();
    first.stop();
    await run(first);
    expect(graph.living.size).toBe(0);
    const second = start();
    await run(second);
    expectServed();
    expect(graph.calls.create).toBe(500);
  });
});

const fates: fc.Arbitrary<Fate> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Fate>('answered') },
  { weight: 2, arbitrary: fc.constant<Fate>('lost') },
  { weight: 1, arbitrary: fc.constantFrom<Fate>('away', 'throttled', 'handshake') },
);

describe('whatever Graph answers', () => {
  it.each([true, false])(
    'no wish has two subscriptions, and in the end each has one, where Graph refuses twins: %s',
    async (refusesTwins) => {
      await fc.assert(
        fc.asyncProperty(fc.array(fates, { minLength: 5, maxLength: 60 }), async (all) => {
          const left = [...all];
          const { start, go, graph, expectServed } = setup({
            refusesTwins,
            fate: () => left.shift() ?? 'answered',
          });
          await go([start(), start()], 60);
          expectServed();
          expect(graph.mostEqual).toBe(1);
          expect(graph.lapsed).toEqual([]);
        }),
        { numRuns: 60 },
      );
    },
    60_000,
  );
});

describe('wherever a process is killed', () => {
  it.each([true, false])(
    'the next one goes on, without a second subscription and without a lapse, where Graph refuses twins: %s',
    async (refusesTwins) => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
          fc.array(fates, { maxLength: 20 }),
          async (killedAfter, some) => {
            const fatesLeft = [...some];
            let steps = 0;
            let nextKill = killedAfter.shift();
            const { start, run, go, graph, time, expectServed } = setup({
              refusesTwins,
              fate: () => fatesLeft.shift() ?? 'answered',
              step: async (worker) => {
                if (nextKill === undefined || ++steps < nextKill) return;
                worker.isDead = true;
                steps = 0;
                nextKill = killedAfter.shift();
              },
            });
            while (nextKill !== undefined) {
              await run(start());
              time.advance(MINUTE);
              graph.expire();
            }
            await go([start()], 30);
            expectServed();
            expect(graph.mostEqual).toBe(1);
            expect(graph.lapsed).toEqual([]);
          },
        ),
        { numRuns: 100 },
      );
    },
    60_000,
  );
});

describe('two schedulers', () => {
  it('of which either stands still for any time, with what it knew by then, make no second subscription', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 1, max: 120 })), {
          minLength: 1,
          maxLength: 5,
        }),
        fc.array(fates, { maxLength: 20 }),
        async (stops, some) => {
          const left = [...stops];
          const fatesLeft = [...some];
          let steps = 0;
          const { start, go, graph, time, expectServed } = setup({
            refusesTwins: false,
            fate: () => fatesLeft.shift() ?? 'answered',
            step: async () => {
              const [after, seconds] = left[0] ?? [Number.POSITIVE_INFINITY, 0];
              if (++steps <= after) return;
              left.shift();
              steps = 0;
              await time.sleep(seconds * 1000);
            },
          });
          const [one, other] = [start(), start()];
          const keepLooking = async ({ reconcile }: Worker) => {
            for (let look = 0; look < 60; look++) {
              await reconcile();
              await time.sleep(20_000);
              graph.expire();
            }
          };
          await time.run(Promise.all([keepLooking(one), keepLooking(other)]));
          await go([one, other], 5);
          expectServed();
          expect(graph.mostEqual).toBe(1);
          expect(graph.lapsed).toEqual([]);
        },
      ),
      { numRuns: 100 },
    );
  }, 60_000);
});

describe('what was known and is lost', () => {
  it('is taken from Graph’s list: nothing is made twice, and what each watches is read again', async () => {
    const { start, run, go, fleet, graph, expectServed, time } = setup({ users: 20, refusesTwins: false });
    const worker = start();
    await run(worker);
    const made = graph.calls.create;
    fleet.clear();
    time.advance(MINUTE);
    worker.closed.length = 0;
    await go([worker], 3);
    expectServed();
    expect(graph.calls.create).toBe(made);
    expect(graph.mostEqual).toBe(1);
    expect(new Set(worker.closed)).toEqual(new Set(graph.living.keys()));
  });

  it('is renewed, and read again, after nobody has reconciled for longer than a token lives', async () => {
    const { start, run, go, graph, expectServed, time } = setup({ users: 20 });
    const before = start();
    await run(before);
    time.advance(61 * MINUTE);
    const worker = start();
    await go([worker], 2);
    expectServed();
    expect(graph.calls).toMatchObject({ create: 20, renew: 20 });
    expect(new Set(worker.closed)).toEqual(new Set(graph.living.keys()));
  });
});
