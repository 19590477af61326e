/** One worker of the pool in simulated time: the real loop, ticking by the minute, that can be stopped and killed at each step. */
import type { Logger } from '@graph2kafka/shared';
import { noEncryptionKeys } from '../../services/worker/src/rich/encryption-keys.ts';
import type { CallPace } from '../../services/worker/src/subscriptions/call-pace.ts';
import type { Fleet, HeldFleet } from '../../services/worker/src/subscriptions/fleet.ts';
import { createGraphClock, type GraphClock } from '../../services/worker/src/subscriptions/graph-clock.ts';
import { createReconcile, type TenantDeps } from '../../services/worker/src/subscriptions/reconcile.ts';
import type { Wish } from '../../services/worker/src/subscriptions/wanted-subscriptions.ts';
import type { SimulatedTime } from '../../services/worker/test/support/simulated-time.ts';
import type { IntactFleet } from './intact-fleet.ts';
import type { Randomness } from './randomness.ts';

export class KilledError extends Error {
  override readonly name = 'KilledError';
}

export const SECRET = 'a-secret-of-the-simulated-fleet';
export const NOTIFICATION_URL = 'https://receiver.example/events';

export type Caller = {
  /** By a clock that Graph's answers set right. */
  readonly clock: GraphClock;
  /** Grows with each time that it was stopped. */
  readonly stops: number;
  readonly isStopped: boolean;
  readonly isDead: boolean;
  /** Awaited before and after whatever it does; throws a `KilledError`. */
  step(): Promise<void>;
};

export type ProcessDeps = {
  readonly time: SimulatedTime;
  readonly endsAt: number;
  readonly fleet: IntactFleet;
  readonly wishes: readonly Wish[];
  readonly pace: CallPace;
  readonly tenantsFor: (caller: Caller) => readonly TenantDeps[];
  readonly chance: Randomness;
  readonly log: Logger;
  /** The most that the clock of a process is ahead or behind. */
  readonly clocksOffMs: number;
};

const TICK_MS = 60_000;
/**
 * That it is killed at a step, and that it is stopped at one: what has more to do makes more steps, and is to meet some hundred
 * of both in a month all the same.
 */
function mishapOf(subscriptions: number): number {
  return 1 / (4000 + 2 * subscriptions);
}

/** The lease lives 30 s. */
const LONGEST_STOP_MS = 90_000;
/** A living process prolongs its lease by a timer, also while it waits for its turn. */
const PROLONGED_EVERY_MS = 10_000;

/** Ticks until the end or until it is killed; resolves to whether it has to be started anew. */
export async function runProcess(deps: ProcessDeps): Promise<boolean> {
  const { time, endsAt, chance } = deps;
  const caller = createCaller(deps);
  const reconcile = createProcess(deps, caller);
  try {
    await time.sleep(chance.between(0, TICK_MS));
    while (time.now() < endsAt) {
      await reconcile();
      await time.sleep(TICK_MS);
    }
    return false;
  } catch (error) {
    if (error instanceof KilledError) return true;
    throw error;
  }
}

/** Its own clock is off, until Graph's answers tell; what it measures by goes right. */
function createCaller({ time, chance, clocksOffMs, wishes }: ProcessDeps): Caller {
  const mishap = mishapOf(wishes.length);
  const offMs = chance.between(-clocksOffMs, clocksOffMs);
  const state = { stops: 0, stoppedUntil: 0, isDead: false };
  return {
    clock: createGraphClock(() => Math.round(time.now() + offMs), time.now),
    get stops() {
      return state.stops;
    },
    get isStopped() {
      return time.now() < state.stoppedUntil;
    },
    get isDead() {
      return state.isDead;
    },
    async step() {
      if (!state.isDead && chance.isHit(mishap)) state.isDead = true;
      if (state.isDead) throw new KilledError();
      if (chance.isHit(mishap)) {
        state.stops++;
        state.stoppedUntil = time.now() + chance.between(1000, LONGEST_STOP_MS);
      }
      // All that it does stands still.
      while (time.now() < state.stoppedUntil) await time.sleep(state.stoppedUntil - time.now());
    },
  };
}

function createProcess(deps: ProcessDeps, caller: Caller) {
  const { time, fleet, wishes, pace, tenantsFor, log } = deps;
  let held: HeldFleet | undefined;
  const tenants = tenantsFor(caller);
  return createReconcile({
    fleet: fleetOf(fleet, caller, (one) => {
      held = one;
    }),
    wishes: { current: async () => wishes },
    tenants: () => tenants,
    encryption: noEncryptionKeys,
    pace,
    sweepOrphans: 'certain',
    noteHole: async () => undefined,
    closeHole: async () => undefined,
    log,
    now: () => Math.round(caller.clock.now()),
    clockIsSure: () => caller.clock.isSure,
    sleep: async (ms) => {
      for (let left = ms; left > 0; left -= PROLONGED_EVERY_MS) {
        await time.sleep(Math.min(left, PROLONGED_EVERY_MS));
        await caller.step();
        prolong(held);
      }
    },
  });
}

/** The check of a fleet in memory prolongs as well; who has lost the lease finds out with its next step. */
function prolong(held: HeldFleet | undefined): void {
  try {
    held?.check();
  } catch {
    // Lost.
  }
}

/** A killed process lets nothing go. */
function fleetOf(fleet: IntactFleet, caller: Caller, onHeld: (held: HeldFleet) => void): Fleet {
  const seen = fleet.seenBy(() => caller.step());
  return {
    ...seen,
    async hold() {
      const held = await seen.hold();
      if (!held) return undefined;
      onHeld(held);
      return { ...held, release: async () => (caller.isDead ? undefined : held.release()) };
    },
  };
}
