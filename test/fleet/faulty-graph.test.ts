/** What the modelled Graph counts against the fleet, and what not. */
import { describe, expect, it } from 'vitest';
import { FaultyGraph } from '../../bench/fleet/faulty-graph.ts';
import { randomness } from '../../bench/fleet/randomness.ts';
import type { Caller } from '../../bench/fleet/scheduler-process.ts';
import { createGraphClock } from '../../services/worker/src/subscriptions/graph-clock.ts';
import { SimulatedTime } from '../../services/worker/test/support/simulated-time.ts';

const TENANT = 'tenant';
const LIFE_MS = 7 * 86_400_000;

async function renewTwice(first: Partial<Caller>) {
  const time = new SimulatedTime(Date.UTC(2026, 10, 23));
  const graph = new FaultyGraph({
    ...{ time, chance: randomness(1), outages: [], refusesTwins: true },
    faults: { serverError: 0, lost: 0, throttled: 0 },
    known: () => undefined,
    catchUpAt: () => undefined,
  });
  const callerOf = (more: Partial<Caller>): Caller => ({
    clock: createGraphClock(time.now, time.now),
    ...{ stops: 0, isStopped: false, isDead: false, step: async () => undefined },
    ...more,
  });
  const [one, other] = [first, {}].map((more) => graph.reachedBy(callerOf(more), TENANT));
  if (!one || !other) throw new Error('two callers were made');
  const made = await time.run(
    one.create({
      ...{ resource: 'users/a/events', changeType: 'updated', clientState: 'secret' },
      ...{ notificationUrl: 'https://receiver.example', lifecycleNotificationUrl: undefined },
      expiresAt: time.now() + LIFE_MS,
    }),
  );
  time.advance(LIFE_MS / 2);
  await time.run(one.renew(made.id, time.now() + LIFE_MS));
  await time.run(other.renew(made.id, time.now() + LIFE_MS));
  return { early: graph.early, repeated: graph.repeated };
}

describe('a second PATCH of one window', () => {
  it('is one too many where the first was asked for by a process that goes on', async () => {
    expect(await renewTwice({})).toEqual({ early: 1, repeated: 0 });
  });

  it('is a repeated one where the process was killed', async () => {
    expect(await renewTwice({ isDead: true })).toEqual({ early: 0, repeated: 1 });
  });

  it('is a repeated one where the process stood still already when it had asked', async () => {
    expect(await renewTwice({ stops: 1, isStopped: true })).toEqual({ early: 0, repeated: 1 });
  });
});
