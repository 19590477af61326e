/** One worker of the pool: it ticks by the minute, and at some step it is killed, or stands still so long that its lease is gone. */
import { createGraphClock, type GraphClock } from '../../../services/worker/src/subscriptions/graph-clock.ts';
import {
  ALIVE_EVERY_MS,
  type Memory,
  type Present,
  whatIsNeeded,
} from '../../../services/worker/src/subscriptions/sweep-need.ts';
import { DAY_MS, MINUTE_MS } from '../outages.ts';
import { Calls, CutOffError, type Turns } from './calls.ts';
import { LEASE_MS } from './known-fleet.ts';
import { reconcileOnce } from './reconcile.ts';
import { isCutOff, memoryOf, type Session, type Shared } from './session.ts';

export type SchedulerOptions = {
  readonly shared: Shared;
  readonly turns: Turns;
  readonly name: number;
  /** The most that its clock is wrong before Graph has answered. */
  readonly clocksOffMs: number;
  /** That it is killed at a step, and that it stands still at one. */
  readonly mishap: number;
};

const LONGEST_STOP_MS = 90_000;
const LONGEST_START_MS = 10 * MINUTE_MS;
/** Of those that start, so many have a clock that has jumped. */
const JUMPED = 1 / 10;
const NEW_SECRET = 'new';
const OLD_SECRET = 'old';

export class Scheduler {
  /** Epoch milliseconds of its next tick. */
  nextAt: number;
  kills = 0;
  private readonly options: SchedulerOptions;
  private memory: Memory | undefined;
  private clock: GraphClock;
  private calls: Calls;

  constructor(options: SchedulerOptions) {
    this.options = options;
    const { world } = options.shared;
    this.nextAt = world.now + world.chance.between(0, MINUTE_MS);
    [this.clock, this.calls] = this.begin();
  }

  /** Another process takes its place, which knows nothing. */
  startAnew(at: number): void {
    this.kills++;
    this.memory = undefined;
    this.nextAt = at;
    [this.clock, this.calls] = this.begin();
  }

  tick(): void {
    const { shared, name } = this.options;
    const { world, fleet } = shared;
    this.nextAt = world.now + MINUTE_MS;
    const present = this.present();
    if (this.isIdle(present) || world.now < fleet.lease.until) return;
    fleet.lease.holder = name;
    fleet.lease.until = Number.POSITIVE_INFINITY;
    const session = this.beginSession(present);
    try {
      reconcileOnce(session);
      this.memory = memoryOf(session);
      fleet.lease.until = world.now;
      this.nextAt = world.now + MINUTE_MS;
    } catch (error) {
      if (!isCutOff(error)) throw error;
    }
  }

  private begin(): [GraphClock, Calls] {
    const { shared, clocksOffMs, turns } = this.options;
    const { world, graph } = shared;
    const mostMs = world.chance.isHit(JUMPED) && clocksOffMs > 0 ? DAY_MS : clocksOffMs;
    const offMs = world.chance.between(-mostMs, mostMs);
    const clock = createGraphClock(
      () => Math.round(world.now + offMs),
      () => world.now,
    );
    return [clock, new Calls({ world, graph, clock, turns })];
  }

  private present(): Present {
    const { world, fleet, tenants } = this.options.shared;
    return {
      state: fleet.state,
      memory: this.memory,
      wanted: 'all',
      held: world.now < world.rotatedAt ? OLD_SECRET : NEW_SECRET,
      tenants,
      now: Math.round(this.clock.now()),
      clockIsSure: this.clock.isSure,
      everything: false,
    };
  }

  private isIdle(present: Present): boolean {
    const { fleet } = this.options.shared;
    if (fleet.due.isAnyDue(present.now)) return false;
    const { sweep, lists } = whatIsNeeded(present);
    return !sweep && lists.length === 0 && present.now - (fleet.state.aliveAt ?? 0) < ALIVE_EVERY_MS;
  }

  private beginSession(present: Present): Session {
    const isNew = present.held === NEW_SECRET;
    const { clock, calls } = this;
    return {
      ...this.options.shared,
      calls,
      held: { secrets: isNew ? [NEW_SECRET, OLD_SECRET] : [OLD_SECRET] },
      now: () => Math.round(clock.now()),
      isSure: () => clock.isSure,
      present,
      ...{ listings: new Map(), blind: new Set(), heldUp: new Map() },
      unanswered: new Map(this.memory?.unanswered),
      ...{ confirmed: new Set(), refuted: new Set() },
      step: () => this.step(),
    };
  }

  /** A short stop only takes time; after a longer one its lease is gone, and nothing more of it is noted. */
  private step(): void {
    const { shared, mishap } = this.options;
    const { world, fleet } = shared;
    const dice = world.chance.next();
    if (dice >= 2 * mishap) return;
    const stopMs = world.chance.between(1000, LONGEST_STOP_MS);
    const isKilled = dice < mishap;
    if (!isKilled && stopMs < LEASE_MS) {
      world.pass(stopMs);
      return;
    }
    fleet.lease.until = world.now + LEASE_MS;
    if (isKilled) this.startAnew(world.now + world.chance.between(1000, LONGEST_START_MS));
    else {
      this.nextAt = world.now + stopMs;
      // It goes on with other calls of the same process, by the same clock.
      const { graph } = shared;
      const { turns } = this.options;
      const { clock } = this;
      this.calls = new Calls({ world, graph, clock, turns });
    }
    throw new CutOffError('cut off');
  }
}
