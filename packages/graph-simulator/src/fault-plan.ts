// Draws a plan of faults from a seed: the same seed, length and kinds give the same plan.
import type { Fault } from './fault-rules.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';

export interface TimedFault {
  /** From the start of the plan. */
  readonly atMs: number;
  readonly fault: Fault;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
/** From one fault to the next, on average: often enough to overlap, seldom enough to be told apart. */
const MEAN_PAUSE_MS = 5 * SECOND_MS;

type Recipe = (random: SeededRandom) => Fault;

const upTo = (random: SeededRandom, least: number, most: number) => least + random.below(most - least + 1);
const seconds = (random: SeededRandom, least: number, most: number) => SECOND_MS * upTo(random, least, most);

const calls = (fault: Fault & { readonly on?: 'request' }): Fault => ({ path: /^\/v1\.0\//, ...fault });

/** Parameters are of the size that Graph's users report, cut to what a run of minutes can show. */
const RECIPES = {
  drop: (random) => ({ on: 'delivery', drop: true, times: upTo(random, 1, 5) }),
  duplicate: (random) => ({ on: 'delivery', duplicate: true, times: upTo(random, 1, 20) }),
  reorder: (random) => ({ on: 'delivery', reorder: true, times: upTo(random, 1, 10) }),
  delay: (random) => ({
    on: 'delivery',
    delayMs: seconds(random, 1, 20),
    times: upTo(random, 1, 10),
  }),
  silence: (random) => ({ on: 'delivery', drop: true, forMs: seconds(random, 5, 30) }),
  '5xx': (random) =>
    calls({ status: random.pick([500, 502, 503, 504]), share: 0.8, forMs: seconds(random, 2, 20) }),
  throttle: (random) =>
    calls({
      status: 429,
      headers: { 'retry-after': random.pick(['1', '2.128', '5']) },
      times: upTo(random, 1, 20),
    }),
  'early-404': (random) => ({
    method: 'GET',
    path: /^\/v1\.0\/users\/[^/]+\/(events|messages|contacts)\/[^/]+$/i,
    kind: 'early404',
    eachForMs: seconds(random, 1, 5),
    forMs: seconds(random, 5, 20),
  }),
  'slow-answer': (random) => calls({ delayMs: seconds(random, 1, 15), times: upTo(random, 1, 5) }),
  'slow-loris': (random) => calls({ kind: 'slow-loris', times: upTo(random, 1, 3) }),
  hang: (random) => calls({ kind: 'hang', times: upTo(random, 1, 3) }),
  reset: (random) => calls({ kind: 'reset', times: upTo(random, 1, 10) }),
  truncated: (random) => calls({ kind: 'truncated', times: upTo(random, 1, 5) }),
  endless: (random) => calls({ kind: 'endless', times: upTo(random, 1, 3) }),
  garbage: (random) => calls({ kind: 'garbage', times: upTo(random, 1, 5) }),
  html: (random) => calls({ kind: 'html', times: upTo(random, 1, 5) }),
  redirect: (random) => calls({ kind: 'redirect', times: upTo(random, 1, 5) }),
  'gzip-bomb': () => calls({ kind: 'gzip-bomb' }),
  login: (random) => ({ path: /\/oauth2\//, status: random.pick([500, 503]), forMs: seconds(random, 2, 20) }),
  consent: (random) => ({
    on: 'consent',
    at: random.pick(['graph', 'login'] as const),
    forMs: seconds(random, 5, 20),
  }),
  clock: (random) => ({
    on: 'clock',
    skewMs: random.pick([-1, 1]) * seconds(random, 1, 240),
    forMs: seconds(random, 10, 60),
  }),
} satisfies Readonly<Record<string, Recipe>>;

export type PlannedKind = keyof typeof RECIPES;

export const PLANNED_KINDS = Object.keys(RECIPES) as readonly PlannedKind[];

export interface PlanOrder {
  readonly seed: number;
  readonly minutes: number;
  /** All without it. */
  readonly kinds?: readonly PlannedKind[] | undefined;
}

/** In the order of time. Pauses are drawn evenly between nothing and twice their mean. */
export function planFaults({ seed, minutes, kinds = PLANNED_KINDS }: PlanOrder): TimedFault[] {
  const random = seededRandom(seed);
  const plan: TimedFault[] = [];
  const next = () => 1 + random.below(2 * MEAN_PAUSE_MS);
  for (let atMs = next(); atMs < minutes * MINUTE_MS; atMs += next()) {
    const recipe: Recipe = RECIPES[random.pick(kinds)];
    plan.push({ atMs, fault: recipe(random) });
  }
  return plan;
}
