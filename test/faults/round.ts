/** One round of the long run: a fresh stack, faults that follow from the seed, healing, quiet, judgement. */
import { setTimeout as pause } from 'node:timers/promises';
import { RECEIVER_STAGES, WORKER_STAGES } from './build/stages.ts';
import { type FaultReport, type Span, suffer } from './fault.ts';
import { FAULTS, type FaultKind, measureJobRestarts, measureRecovery } from './faults.ts';
import { describeViolations, type Tally, tallyOf, violationsOf } from './judgement.ts';
import { type PlannedFault, planFaults } from './nemesis.ts';
import type { ObservedStrike } from './observations.ts';
import { describeLateness, type Measured } from './recovery.ts';
import { Scenario } from './scenario.ts';
import { seededRandom } from './seeded-random.ts';
import { dealOut, planStageFaults } from './stage-plan.ts';

export type RoundOptions = {
  readonly seed: number;
  readonly spanMs: number;
  readonly kinds: readonly FaultKind[];
  /** Whether processes are struck at the stages of their work as well: now and then, often, or not at all. */
  readonly stages: 'none' | 'some' | 'all';
  /** Ends the round early; it is judged all the same. */
  readonly stopping: AbortSignal;
};

export type Round = {
  readonly seed: number;
  readonly tally: Tally;
  readonly faults: readonly FaultReport[];
  readonly strikes: readonly ObservedStrike[];
  readonly measured: readonly Measured[];
  /** In words; empty when all is as promised. */
  readonly violations: readonly string[];
};

const WORKERS = 3;
const CHANGES_PER_SECOND = 25;
/** Each stage meets each fault so often where stages are all that is hurt. */
const STAGE_ROUNDS = 5;
/**
 * Reaches until a fault at a stage strikes: a worker reaches one some 5 times a second. Often enough between two faults
 * that an owner gets a run through: after 5 runs that died in a row the product takes the resource for the one to blame.
 */
const WITHIN_REACHES = { none: 1, some: 80, all: 15 } as const;
/** Early 404s that are real take 40 s; a throttled owner some more. */
const PATIENCE_MS = 120_000;
/** What happens sooner after the end of a fault may be another fault's doing. */
const RECOVERY_MS = 3000;

export async function runRound(options: RoundOptions): Promise<Round> {
  const scenario = await startScenario(options);
  try {
    const faults = await liveThrough(scenario, options);
    const judgement = await scenario.judge(PATIENCE_MS);
    const { strikes } = scenario.observations;
    const measured = [...measureAlone(scenario, faults), ...measureJobRestarts(scenario)];
    const isTold = toldOpenly(faults, strikes);
    return {
      seed: options.seed,
      tally: tallyOf(judgement),
      faults,
      strikes,
      measured,
      violations: [
        ...(violationsOf(judgement).some((violation) => violation !== 'wentBack' || !isTold)
          ? describeViolations(judgement)
          : []),
        ...describeLateness(measured),
      ],
    };
  } finally {
    await scenario.close();
  }
}

function startScenario({ seed, stages }: RoundOptions): Promise<Scenario> {
  const random = seededRandom(seed);
  const common = {
    actions: ['kill', 'stop'] as const,
    rounds: stages === 'none' ? 0 : STAGE_ROUNDS,
    withinReaches: WITHIN_REACHES[stages],
    random,
  };
  const ofReceiver = planStageFaults({ ...common, stages: RECEIVER_STAGES });
  const ofWorkers = dealOut(planStageFaults({ ...common, stages: WORKER_STAGES }), WORKERS);
  return Scenario.start({
    seed,
    users: 8,
    workers: WORKERS,
    proxied: true,
    receiver: { plan: ofReceiver },
    worker: (n) => ({ plan: ofWorkers[n] ?? [] }),
  });
}

/** Traffic and faults until the span is over, or, where stages are all that is hurt, until each was. */
async function liveThrough(scenario: Scenario, options: RoundOptions): Promise<FaultReport[]> {
  const { seed, kinds, spanMs, stopping } = options;
  const faults = kinds.map((kind) => ({ kind, ...FAULTS[kind] }));
  const plan = planFaults({ faults, spanMs, random: seededRandom(seed + 1) });
  const traffic = scenario.startTraffic(CHANGES_PER_SECOND, { deletions: true });
  const startedAt = performance.now();
  const elapsedMs = () => performance.now() - startedAt;
  const reports = Promise.all(plan.map((fault) => strike(scenario, fault, elapsedMs, stopping)));
  const isOver = () =>
    stopping.aborted || elapsedMs() > spanMs || (kinds.length === 0 && scenario.services.every(isThrough));
  while (!isOver()) await pause(100);
  const suffered = await reports;
  traffic.stop();
  return suffered.filter((report) => report !== undefined);
}

const isThrough = ({ planLeft }: { readonly planLeft: number }) => planLeft === 0;

async function strike(
  scenario: Scenario,
  { kind, atMs, lastsMs }: PlannedFault<FaultKind>,
  elapsedMs: () => number,
  stopping: AbortSignal,
): Promise<FaultReport | undefined> {
  const wait = (ms: number) => pause(ms, undefined, { signal: stopping }).catch(() => undefined);
  await wait(Math.max(0, atMs - elapsedMs()));
  if (stopping.aborted) return undefined;
  return await suffer(kind, FAULTS[kind], scenario, () => wait(lastsMs));
}

/** Of faults that nothing else overlaps, so that the times are theirs. */
function measureAlone(scenario: Scenario, reports: readonly FaultReport[]): Measured[] {
  const strikes = scenario.observations.strikes.map(({ heardAt }) => ({
    from: heardAt,
    to: heardAt + RECOVERY_MS,
  }));
  const isAlone = (report: FaultReport) => {
    const others = [...reports.filter((other) => other !== report).map(({ span }) => span), ...strikes];
    return !others.some((other) => overlap(report.span, other));
  };
  return reports.filter(isAlone).flatMap((report) => measureRecovery(scenario, report));
}

function overlap(a: Span, b: Span): boolean {
  return a.from <= b.to + RECOVERY_MS && b.from <= a.to + RECOVERY_MS;
}

/**
 * A worker that stood still may have done so between its last look at the lease and the write to the socket: that an
 * older state then follows a newer one is said openly (docs/architecture.md); that it is the last word is not.
 */
function toldOpenly(faults: readonly FaultReport[], strikes: readonly ObservedStrike[]): boolean {
  return (
    faults.some(({ kind }) => kind === 'worker-frozen') ||
    strikes.some(({ struck, stage }) => struck === 'stop' && stage === 'before-publish')
  );
}
