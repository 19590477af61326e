/** One seed: a fleet over simulated days, three schedulers, and whatever the seed has in store for them. */
import type { Logger } from '@graph2kafka/shared';
import type { TenantDeps } from '../../services/worker/src/subscriptions/reconcile.ts';
import { renewAt } from '../../services/worker/src/subscriptions/renewal-time.ts';
import type { Wish } from '../../services/worker/src/subscriptions/wanted-subscriptions.ts';
import { keptLog } from '../../services/worker/test/support/silent-log.ts';
import { SimulatedTime, simulatedPace } from '../../services/worker/test/support/simulated-time.ts';
import { FAULTS, FaultyGraph } from './faulty-graph.ts';
import { fleetWishes, TENANTS } from './fleet-wishes.ts';
import { IntactFleet } from './intact-fleet.ts';
import { DAY_MS, LONG_OUTAGE_MS, MINUTE_MS, type Outage, planOutages } from './outages.ts';
import { type Randomness, randomness } from './randomness.ts';
import { type Caller, NOTIFICATION_URL, runProcess, SECRET } from './scheduler-process.ts';

export type MonthOptions = {
  readonly subscriptions: number;
  readonly days: number;
  /** The most that the clock of a process is wrong before Graph has answered it. */
  readonly clocksOffMs: number;
};

export type Month = {
  readonly seed: number;
  readonly outages: number;
  /** Whether one of them took three days. */
  readonly hasLong: boolean;
  readonly kills: number;
  readonly creates: number;
  readonly patches: number;
  readonly lists: number;
  /** Ended while Graph could be reached, and not in the aftermath of an outage. */
  readonly lapsed: number;
  /** Ended while it could not be. */
  readonly lapsedInOutage: number;
  /** Ended while what an outage had left was being worked off, within the time that the quota and one wait take. */
  readonly lapsedAfterOutage: number;
  /** PATCHes too many in one window; by the other two no harm is meant. */
  readonly early: number;
  readonly repeated: number;
  readonly caughtUp: number;
  readonly twins: number;
  /** How often what is known was taken for lost, so that everything was renewed and read again. */
  readonly falseAlarms: number;
  /** Within any 20 s, of one tenant. */
  readonly mostWrites: number;
  /** Milliseconds from the end of an outage until all that was overdue by then was renewed or made anew. */
  readonly longestRecoveryMs: number;
  readonly longestRecoveryOfLongMs: number | undefined;
  /** Wishes without exactly one subscription in the end. */
  readonly unserved: number;
};

/** What must not be. */
export function isFailed(month: Month): boolean {
  const { lapsed, early, twins, falseAlarms, mostWrites, unserved } = month;
  return lapsed + early + twins + falseAlarms + unserved > 0 || mostWrites > 500;
}

const START = Date.UTC(2026, 10, 23);
const SCHEDULERS = 3;
/** Of each subscription and day, by Graph itself; it tells of half of them. */
const REMOVED_A_DAY = 0.0005;
/** The longest wait between tries, and 18 writes a second after that. */
const LONGEST_WAIT_MS = 10 * MINUTE_MS;
const MS_PER_WRITE = 20_000 / 360;
const LOOK_EVERY_MS = MINUTE_MS;

type World = {
  readonly time: SimulatedTime;
  readonly endsAt: number;
  readonly fleet: IntactFleet;
  readonly graph: FaultyGraph;
  readonly wishes: readonly Wish[];
  readonly outages: readonly Outage[];
  readonly chance: Randomness;
  readonly clocksOffMs: number;
};

export async function simulateMonth(seed: number, options: MonthOptions): Promise<Month> {
  const { subscriptions, days, clocksOffMs } = options;
  const chance = randomness(seed);
  const time = new SimulatedTime(START);
  const fleet = new IntactFleet(time.now);
  const outages = planOutages(START, days, chance.isHit(1 / 3), chance);
  const graph = new FaultyGraph({
    ...{ time, chance, outages, faults: FAULTS, refusesTwins: chance.isHit(0.5) },
    known: (id) => fleet.subscriptions.get(id),
    catchUpAt: () => fleet.state.catchUp?.at,
  });
  const endsAt = START + days * DAY_MS;
  const wishes = fleetWishes(subscriptions);
  const world: World = { time, endsAt, fleet, graph, wishes, outages, chance, clocksOffMs };
  const log = keptLog('fatal');
  const pace = simulatedPace(time.now);
  const kills = { count: 0 };
  const pool = Array.from({ length: SCHEDULERS }, () => keepProcess(world, pace, log, kills));
  const recoveries = watchOutages(world);
  await time.run(Promise.all([...pool, recoveries, removeSome(world), expireByTheMinute(world)]));
  return resultOf(seed, world, kills.count, await recoveries);
}

async function keepProcess(
  world: World,
  pace: ReturnType<typeof simulatedPace>,
  log: Logger,
  kills: { count: number },
): Promise<void> {
  const { graph, chance, time } = world;
  const tenantsFor = (caller: Caller): TenantDeps[] =>
    TENANTS.map((tenantId) => ({
      tenantId,
      api: graph.reachedBy(caller, tenantId),
      secrets: [SECRET],
      notificationUrl: NOTIFICATION_URL,
      lifecycleNotificationUrl: undefined,
    }));
  while (await runProcess({ ...world, pace, tenantsFor, log })) {
    kills.count++;
    await time.sleep(chance.between(1000, 10 * MINUTE_MS));
  }
}

async function expireByTheMinute({ time, endsAt, graph }: World): Promise<void> {
  while (time.now() < endsAt) {
    await time.sleep(LOOK_EVERY_MS);
    graph.expire();
  }
}

/** Graph lets some go by itself, and tells of half of these. */
async function removeSome({ time, endsAt, graph, fleet, wishes, chance }: World): Promise<void> {
  const everyMs = DAY_MS / (REMOVED_A_DAY * wishes.length);
  // What is found by the hourly list alone is to be found before the end.
  const until = endsAt - DAY_MS / 4;
  for (;;) {
    await time.sleep(chance.between(0, 2 * everyMs));
    if (time.now() >= until) return;
    const wish = wishes[Math.floor(chance.next() * wishes.length)];
    const one = wish && graph.servingOf(wish.tenantId, wish.resource);
    if (!one || graph.isAway()) continue;
    graph.remove(one.id);
    if (chance.isHit(0.5)) fleet.demand(one.id, 'recreate');
  }
}

type Recovery = { readonly isLong: boolean; readonly ms: number };

/** What has not recovered by the end counts until then. */
async function watchOutages({ time, endsAt, graph, wishes, outages }: World): Promise<Recovery[]> {
  const recoveries: Recovery[] = [];
  for (const { from, to } of outages) {
    await time.sleep(to - time.now());
    graph.expire();
    const overdue = wishes.filter((wish) => isOverdue(graph, wish, to));
    while (overdue.length > 0 && time.now() < endsAt) {
      await time.sleep(1000);
      for (let last = overdue.at(-1); last && !isOverdue(graph, last, to); last = overdue.at(-1))
        overdue.pop();
    }
    recoveries.push({ isLong: to - from >= LONG_OUTAGE_MS, ms: time.now() - to });
  }
  return recoveries;
}

/** Its renewal was due before `to`, or it has ended. */
function isOverdue(graph: FaultyGraph, wish: Wish, to: number): boolean {
  const one = graph.servingOf(wish.tenantId, wish.resource);
  return !one || renewAt({ wish: wish.key, expiresAt: one.expirationDateTime }, wish) <= to;
}

function resultOf(seed: number, world: World, kills: number, recoveries: readonly Recovery[]): Month {
  const { graph, fleet, wishes, outages } = world;
  const lapses = { reachable: 0, away: 0, after: 0 };
  for (const { at } of graph.lapses) lapses[whenIs(at, outages, wishes.length)]++;
  const byResource = Map.groupBy(graph.all(), ({ resource }) => resource);
  const long = recoveries.filter(({ isLong }) => isLong);
  return {
    ...{ seed, kills, outages: outages.length, hasLong: long.length > 0 },
    creates: graph.calls.create,
    patches: graph.calls.renew,
    lists: graph.calls.list,
    lapsed: lapses.reachable,
    lapsedInOutage: lapses.away,
    lapsedAfterOutage: lapses.after,
    ...{ early: graph.early, repeated: graph.repeated, caughtUp: graph.caughtUp, twins: graph.twins },
    falseAlarms: fleet.falseAlarms,
    mostWrites: graph.writes.most,
    longestRecoveryMs: Math.max(0, ...recoveries.flatMap(({ isLong, ms }) => (isLong ? [] : [ms]))),
    longestRecoveryOfLongMs: long[0]?.ms,
    unserved: wishes.filter(({ resource }) => byResource.get(resource)?.length !== 1).length,
  };
}

/** By what Graph was at that time. */
export function whenIs(
  at: number,
  outages: readonly Outage[],
  fleet: number,
): 'reachable' | 'away' | 'after' {
  const aftermathMs = LONGEST_WAIT_MS + fleet * MS_PER_WRITE;
  const last = outages.findLast(({ from }) => from <= at);
  if (last && at < last.to) return 'away';
  return last && at < last.to + aftermathMs ? 'after' : 'reachable';
}
