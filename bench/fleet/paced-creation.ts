/** A fleet that is made from nothing as fast as the quota allows, in simulated time, and what is said of the time left. */
import { SimulatedTime, simulatedPace } from '../../services/worker/test/support/simulated-time.ts';
import { fleetWishes, TENANTS } from './fleet-wishes.ts';
import { InstantGraph, reconcileOf } from './instant-graph.ts';
import { IntactFleet } from './intact-fleet.ts';

export type Estimate = {
  /** Simulated, from the first look to the last subscription. */
  readonly seconds: number;
  readonly samples: number;
  /** How far what was said was from what came, as a share of the whole time. */
  readonly worst: number;
  /** Without the first tenth of the time, in which the burst that the pace allows counts most. */
  readonly worstLater: number;
  readonly median: number;
};

const LATENCY_MS = 100;

export async function paceCreation(count: number): Promise<Estimate> {
  const time = new SimulatedTime(Date.UTC(2026, 10, 23));
  const fleet = new IntactFleet(time.now);
  const startedAt = time.now();
  const said: { readonly at: number; readonly leftMs: number }[] = [];
  const seen = fleet.seenBy(async (what) => {
    const last = fleet.progress;
    if (what === 'look' && last && said.at(-1)?.at !== last.at) said.push(last);
  });
  const reconcile = reconcileOf({
    fleet: seen,
    wishes: fleetWishes(count, [TENANTS[0]]),
    graph: new InstantGraph(() => time.sleep(LATENCY_MS)),
    pace: simulatedPace(time.now),
    now: time.now,
    sleep: time.sleep,
  });
  let created = 0;
  const work = async () => {
    while (created < count) {
      created += (await reconcile())?.created ?? 0;
      if (created < count) await time.sleep(1000);
    }
  };
  await time.run(work());
  const wholeMs = time.now() - startedAt;
  const errorsFrom = (from: number) =>
    said
      .filter(({ at }) => at >= from)
      .map(({ at, leftMs }) => Math.abs(at + leftMs - time.now()) / wholeMs)
      .toSorted((a, b) => a - b);
  const errors = errorsFrom(startedAt);
  return {
    seconds: wholeMs / 1000,
    samples: said.length,
    worst: errors.at(-1) ?? Number.NaN,
    worstLater: errorsFrom(startedAt + wholeMs / 10).at(-1) ?? Number.NaN,
    median: errors[errors.length >> 1] ?? Number.NaN,
  };
}
