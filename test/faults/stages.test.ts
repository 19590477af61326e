import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, inject, it } from 'vitest';
import { RECEIVER_STAGES, WORKER_STAGES } from './build/stages.ts';
import { describeViolations, tallyOf } from './judgement.ts';
import { Scenario } from './scenario.ts';
import { seededRandom } from './seeded-random.ts';
import { dealOut, planStageFaults } from './stage-plan.ts';

const SEED = 1;
const WORKERS = 2;

/** Each stage of receiver and workers once; the run goes on until each fault has struck. */
async function runThroughStages(action: 'kill' | 'stop') {
  const random = seededRandom(SEED);
  const once = { actions: [action], rounds: 1, withinReaches: 4, random };
  const ofReceiver = planStageFaults({ stages: RECEIVER_STAGES, ...once });
  const ofWorkers = dealOut(planStageFaults({ stages: WORKER_STAGES, ...once }), WORKERS);
  const scenario = await Scenario.start({
    seed: SEED,
    workers: WORKERS,
    brokers: inject('kafkaBrokers'),
    receiver: { plan: ofReceiver },
    worker: (n) => ({ plan: ofWorkers[n] ?? [] }),
  });
  try {
    const traffic = scenario.startTraffic(30);
    await eventually(
      () => scenario.observations.strikes.length === RECEIVER_STAGES.length + WORKER_STAGES.length,
      { timeoutMs: 60_000 },
    );
    traffic.stop();
    const judgement = await scenario.judge();
    return { judgement, struck: scenario.observations.strikes.map(({ stage }) => stage) };
  } finally {
    await scenario.close();
  }
}

describe.concurrent('at every stage of its work', () => {
  it('a process is killed, and nothing is lost, nothing goes back, nobody is stuck', async () => {
    const { judgement, struck } = await runThroughStages('kill');
    expect(new Set(struck)).toEqual(new Set([...RECEIVER_STAGES, ...WORKER_STAGES]));
    expect(describeViolations(judgement)).toEqual([]);
  }, 120_000);

  it('a process stands still for longer than its lease, and nothing is lost or stale, nobody is stuck', async () => {
    const { judgement, struck } = await runThroughStages('stop');
    expect(new Set(struck)).toEqual(new Set([...RECEIVER_STAGES, ...WORKER_STAGES]));
    // Between the last look at the lease and the write to the socket nothing can be checked: there, and only there,
    // an older state may follow a newer one. It must not be the last word.
    const { wentBack, ...others } = tallyOf(judgement);
    expect(wentBack, describeViolations(judgement).join('\n')).toBeLessThanOrEqual(4);
    expect(others, describeViolations(judgement).join('\n')).toMatchObject({
      lost: 0,
      stale: 0,
      stuck: 0,
      odd: 0,
      failedJobs: 0,
      undelivered: 0,
      crashes: 0,
    });
  }, 120_000);
});

describe('a run that stood still between its last check and its publish', () => {
  it('does not have the last word', async () => {
    const scenario = await Scenario.start({
      users: 1,
      workers: 1,
      stopMs: 'until continued',
      brokers: inject('kafkaBrokers'),
      worker: () => ({ plan: [{ stage: 'before-publish', action: 'stop', nth: 1 }] }),
    });
    try {
      const { simulator, observations, workers } = scenario;
      const event = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Old' }).path.key;
      await eventually(() => observations.strikes.length === 1, { timeoutMs: 20_000 });
      simulator.calendar.update(event, { subject: 'New' });
      await scenario.addWorker();
      await simulator.notifier.idle();
      await scenario.quiet();
      const continuedAt = Date.now();
      workers[0]?.continueStopped();
      await eventually(() => observations.firstAfter('record.published', continuedAt) ?? null, {
        timeoutMs: 20_000,
      });
      const judgement = await scenario.judge(15_000);
      expect(tallyOf(judgement), describeViolations(judgement).join('\n')).toMatchObject({
        lost: 0,
        stale: 0,
      });
    } finally {
      await scenario.close();
    }
  }, 90_000);
});
