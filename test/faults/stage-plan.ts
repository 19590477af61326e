/** Which stage faults a service goes through, in an order that follows from the seed. Pure. */
import type { StageFault } from './build/stage-faults.ts';
import type { Stage } from './build/stages.ts';
import { shuffled } from './seeded-random.ts';

export type StagePlanOptions = {
  readonly stages: readonly Stage[];
  readonly actions: readonly ('kill' | 'stop')[];
  /** How often each stage meets each action. */
  readonly rounds: number;
  /**
   * A fault strikes at one of the first so many times that its stage is reached. Few: faults come one soon after the
   * other. More than 1: they meet work in the middle of things.
   */
  readonly withinReaches: number;
  readonly random: () => number;
};

export function planStageFaults({
  stages,
  actions,
  rounds,
  withinReaches,
  random,
}: StagePlanOptions): StageFault[] {
  const pairs = stages.flatMap((stage) => actions.map((action) => ({ stage, action })));
  return Array.from({ length: rounds }, () => shuffled(pairs, random))
    .flat()
    .map((pair) => ({ ...pair, nth: 1 + Math.floor(random() * withinReaches) }));
}

/** Deals the faults out, one to each service in turn. */
export function dealOut(plan: readonly StageFault[], services: number): StageFault[][] {
  return Array.from({ length: services }, (_, service) =>
    plan.filter((_fault, i) => i % services === service),
  );
}
