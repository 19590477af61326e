/** What the fleet of subscriptions costs on Redis, by its size, and how well the time that is left is told while it is made. */
import { setImmediate } from 'node:timers/promises';
import { connectPatient, queueNames } from '@graph2kafka/shared';
import { RedisServer } from '@graph2kafka/test-harness';
import { createRedisFleet } from '../../services/worker/src/subscriptions/redis-fleet.ts';
import { createSubscriptionStore } from '../../services/worker/src/subscriptions/subscription-store.ts';
import type { Benchmark, BenchmarkContext } from '../benchmark.ts';
import { short, times } from '../report/numbers.ts';
import type { Report } from '../report/report.ts';
import { fleetWishes, TENANTS } from './fleet-wishes.ts';
import { InstantGraph, reconcileOf } from './instant-graph.ts';
import { type Estimate, paceCreation } from './paced-creation.ts';

export type FleetRedisOptions = {
  readonly sizes: readonly number[];
  /** Ticks of each kind. */
  readonly rounds: number;
  /** That are created by the quota. */
  readonly subscriptions: number;
};

type Cost = {
  readonly size: number;
  readonly idleMs: number;
  readonly dueMs: number;
  readonly sweepMs: number;
  readonly redisBytes: number;
};

const DUE = 100;
const SWEEPS = 3;
/** Set before measuring: what does not depend on the size differs by less on a busy machine. */
const IDLE_RATIO_LIMIT = 3;
const ESTIMATE_LIMIT = 0.1;

export const fleetRedis: Benchmark<FleetRedisOptions> = async (options, context) => {
  const costs: Cost[] = [];
  for (const size of options.sizes) {
    context.interrupted.throwIfAborted();
    context.onProgress(`${size} subscriptions`);
    costs.push(await costOf(size, options.rounds, context));
  }
  context.onProgress(`creating ${options.subscriptions} by the quota, in simulated time`);
  return reportOf(options, costs, await paceCreation(options.subscriptions));
};

async function costOf(size: number, rounds: number, { dir, onProgress }: BenchmarkContext): Promise<Cost> {
  await using ended = new AsyncDisposableStack();
  const server = ended.use(
    await RedisServer.start({ dir: `${dir}/fleet-${size}`, appendfsync: 'everysec', onProgress }),
  );
  const redis = connectPatient(server.url, () => undefined);
  ended.defer(() => redis.disconnect());
  const before = await usedMemory(redis);
  const names = queueNames('bench');
  const graph = new InstantGraph();
  const wishes = fleetWishes(size, [TENANTS[0]]);
  const reconcile = reconcileOf({
    fleet: createRedisFleet(redis, names, Date.now),
    ...{ wishes, graph, now: Date.now },
    pace: { turn: async () => 0, hold: async () => undefined },
    sleep: async () => undefined,
  });
  const report = await reconcile();
  if (report?.created !== size) throw new Error(`${report?.created} of ${size} were created`);
  const redisBytes = (await usedMemory(redis)) - before;
  const idleMs = await medianOf(rounds, reconcile);
  const store = createSubscriptionStore(redis, names);
  const ids = graph.ids();
  const renewDue = async () => {
    const renewed = (await reconcile())?.renewed;
    if (renewed !== DUE) throw new Error(`${renewed} of ${DUE} were renewed`);
  };
  // Another hundred each time: what was renewed a moment ago is not demanded again.
  const dueRounds = Math.min(rounds, Math.floor(size / DUE));
  const dueMs = await medianOf(dueRounds, renewDue, async (round) => {
    for (const id of ids.slice(round * DUE, (round + 1) * DUE)) await store.demand(id, 'renew');
  });
  const sweepMs = await medianOf(SWEEPS, () => reconcile({ everything: true }));
  return { size, idleMs, dueMs, sweepMs, redisBytes };
}

async function medianOf(
  rounds: number,
  work: () => Promise<unknown>,
  prepare: (round: number) => Promise<void> = async () => undefined,
): Promise<number> {
  const took: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await prepare(round);
    await setImmediate();
    const startedAt = performance.now();
    await work();
    took.push(performance.now() - startedAt);
  }
  return took.toSorted((a, b) => a - b)[rounds >> 1] ?? Number.NaN;
}

async function usedMemory(redis: ReturnType<typeof connectPatient>): Promise<number> {
  return Number(/^used_memory:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}

function reportOf(options: FleetRedisOptions, costs: readonly Cost[], estimate: Estimate): Report {
  const idle = costs.map(({ idleMs }) => idleMs);
  const ratio = (costs.at(-1)?.idleMs ?? Number.NaN) / (costs[0]?.idleMs ?? Number.NaN);
  return {
    benchmark: 'fleet',
    title: 'What the subscriptions cost on Redis, by their number',
    header: ['subscriptions', 'idle tick ms', `${DUE} due ms`, 'sweep ms', 'Redis MB', 'bytes each'],
    rows: costs.map(({ size, idleMs, dueMs, sweepMs, redisBytes }) => [
      String(size),
      ...[idleMs, dueMs, sweepMs].map(short),
      short(redisBytes / 1e6),
      short(redisBytes / size),
    ]),
    claims: [
      {
        text: `a tick with nothing due at most ${IDLE_RATIO_LIMIT} × from the smallest to the largest: ${times(ratio)}`,
        holds: idle.length < 2 || ratio <= IDLE_RATIO_LIMIT,
      },
      {
        text: `the time left while ${options.subscriptions} are created told to within ${ESTIMATE_LIMIT * 100} % of the whole, after its first tenth: ${percent(estimate.worstLater)}`,
        holds: estimate.worstLater <= ESTIMATE_LIMIT,
      },
    ],
    notes: [
      `Medians of ${options.rounds} ticks (${DUE} due: of as many as have others to renew) and ${SWEEPS} sweeps; Graph is in memory and answers at once, so that a tick is the loop and Redis. The slope from ${costs.at(-2)?.size} to ${costs.at(-1)?.size} is ${short(slopeOf(costs))} bytes for each subscription.`,
      `${options.subscriptions} created by the quota took ${short(estimate.seconds)} s of simulated time, ${short(options.subscriptions / estimate.seconds)} a second. The time left was told ${estimate.samples} times, wrong by ${percent(estimate.worst)} of that at worst, ${percent(estimate.median)} in the median.`,
    ],
    results: { ...options, costs, estimate },
  };
}

function slopeOf(costs: readonly Cost[]): number | undefined {
  const [a, b] = costs.slice(-2);
  return a && b ? (b.redisBytes - a.redisBytes) / (b.size - a.size) : undefined;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}
