/** One seed of the plan and the clock alone: the product's pure rules over a fleet and a Graph in arrays, and three schedulers. */
import { renewAt } from '../../../services/worker/src/subscriptions/renewal-time.ts';
import { fleetWishes, TENANTS } from '../fleet-wishes.ts';
import { MINUTE_MS, type Outage } from '../outages.ts';
import { randomness } from '../randomness.ts';
import { type Month, type MonthOptions, whenIs } from '../simulate-month.ts';
import { Changes } from './changes.ts';
import { GraphModel } from './graph-model.ts';
import { KnownFleet } from './known-fleet.ts';
import { Scheduler } from './scheduler.ts';
import { type Shared, wishAt } from './session.ts';
import { isLong, type Recovery, World } from './world.ts';

export type PlanOptions = MonthOptions & {
  /** Has the plan forget what was asked for and not answered, to see that this is found. */
  readonly forgetsIntents?: boolean;
};

const START = Date.UTC(2026, 10, 23);
const SCHEDULERS = 3;

export function simulatePlan(seed: number, options: PlanOptions): Month {
  const { subscriptions, days, clocksOffMs, forgetsIntents = false } = options;
  const chance = randomness(seed);
  const world = new World({ startsAt: START, days, subscriptions, chance });
  const wishes = fleetWishes(subscriptions);
  const changes = new Changes(subscriptions, () => world.now);
  const fleet = new KnownFleet(wishes, changes);
  const watch = new RecoveryWatch();
  const graph = new GraphModel({
    ...{ world, wishes, changes, refusesTwins: chance.isHit(0.5) },
    known: (id) => fleet.byId.get(id),
    catchUpAt: () => fleet.state.catchUp?.at,
    onGranted: (wish, expiresAt) => {
      if (watch.isWatching) watch.granted(wish, dueAt(shared, wish, expiresAt), world.now);
    },
  });
  const sizes = new Map(
    TENANTS.map((id) => [id, wishes.filter(({ tenantId }) => tenantId === id).length] as const),
  );
  const shared: Shared = {
    ...{ world, fleet, graph, changes, wishes, tenants: TENANTS, sizes, forgetsIntents },
  };
  world.happenings = {
    remove: (wish) => removeOne(shared, wish),
    outageEnded: (outage) => watch.begin(outage, (wish) => dueOf(shared, wish), subscriptions),
  };
  const mishap = mishapOf(subscriptions);
  const turns = new Map<string, number>();
  const pool = Array.from(
    { length: SCHEDULERS },
    (_, name) => new Scheduler({ shared, turns, name, clocksOffMs, mishap }),
  );
  run(world, pool);
  const kills = pool.reduce((sum, one) => sum + one.kills, 0);
  return resultOf(seed, shared, kills, watch.end(world.now));
}

/** What has more to do makes more steps, and is to meet some dozens of both in a month all the same. */
function mishapOf(subscriptions: number): number {
  return 1 / (100 + subscriptions / 4);
}

function run(world: World, pool: readonly Scheduler[]): void {
  let { down } = world;
  for (;;) {
    const next = pool.reduce((first, one) => (one.nextAt < first.nextAt ? one : first));
    if (next.nextAt >= world.endsAt) return;
    if (down && next.nextAt >= down.from) {
      for (const one of pool)
        one.startAnew(Math.max(world.now, down.to) + world.chance.between(0, MINUTE_MS));
      down = undefined;
      continue;
    }
    // While another one was at work it would have found the lease taken.
    const missed = Math.max(0, Math.ceil((world.now - next.nextAt) / MINUTE_MS));
    next.nextAt += missed * MINUTE_MS;
    if (missed > 0) continue;
    world.goTo(next.nextAt);
    next.tick();
  }
}

/** It tells of half of them. */
function removeOne({ graph, fleet, world }: Shared, wish: number): void {
  const [one] = graph.livingOf(wish);
  if (!one) return;
  graph.remove(one.id);
  if (world.chance.isHit(0.5)) fleet.demandAnew(wish, one.id);
}

function dueAt(shared: Shared, wish: number, expiresAt: number): number {
  const { key, lifeMinutes } = wishAt(shared, wish);
  return renewAt({ wish: key, expiresAt }, { lifeMinutes });
}

function dueOf(shared: Shared, wish: number): number {
  const [one] = shared.graph.livingOf(wish);
  return one ? dueAt(shared, wish, one.shown.expiresAt) : Number.NEGATIVE_INFINITY;
}

/** From the end of an outage until all that was overdue by then was renewed or made anew; by the end of the month at the latest. */
class RecoveryWatch {
  private readonly recoveries: Recovery[] = [];
  private readonly overdue = new Set<number>();
  private outage: Outage | undefined;

  get isWatching(): boolean {
    return this.outage !== undefined;
  }

  begin(outage: Outage, dueOf: (wish: number) => number, wishes: number): void {
    this.finish(outage.to);
    this.outage = outage;
    for (let wish = 0; wish < wishes; wish++) if (dueOf(wish) <= outage.to) this.overdue.add(wish);
    if (this.overdue.size === 0) this.finish(outage.to);
  }

  granted(wish: number, dueAt: number, now: number): void {
    if (this.outage && dueAt > this.outage.to && this.overdue.delete(wish) && this.overdue.size === 0)
      this.finish(now);
  }

  end(now: number): readonly Recovery[] {
    this.finish(now);
    return this.recoveries;
  }

  private finish(now: number): void {
    if (this.outage) this.recoveries.push({ isLong: isLong(this.outage), ms: now - this.outage.to });
    this.outage = undefined;
    this.overdue.clear();
  }
}

function resultOf(seed: number, shared: Shared, kills: number, recoveries: readonly Recovery[]): Month {
  const { graph, fleet, wishes, world } = shared;
  const lapses = { reachable: 0, away: 0, after: 0 };
  for (const { goneAt, shown } of graph.all())
    if (goneAt > shown.expiresAt && shown.expiresAt <= world.now)
      lapses[whenIs(shown.expiresAt, world.outages, wishes.length)]++;
  const long = recoveries.filter((one) => one.isLong);
  return {
    ...{ seed, kills, outages: world.outages.length, hasLong: long.length > 0 },
    ...{ creates: graph.calls.create, patches: graph.calls.renew, lists: graph.calls.list },
    ...{ lapsed: lapses.reachable, lapsedInOutage: lapses.away, lapsedAfterOutage: lapses.after },
    ...{ early: graph.early, repeated: graph.repeated, caughtUp: graph.caughtUp, twins: graph.twins },
    falseAlarms: fleet.falseAlarms,
    mostWrites: graph.writes.most,
    longestRecoveryMs: Math.max(0, ...recoveries.flatMap(({ isLong, ms }) => (isLong ? [] : [ms]))),
    longestRecoveryOfLongMs: long[0]?.ms,
    unserved: wishes.filter((_, wish) => graph.livingOf(wish).length !== 1).length,
  };
}
