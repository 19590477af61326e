import { describe, expect, inject, it } from 'vitest';
import { describeViolations } from './judgement.ts';
import { describeLateness, describeRecovery } from './recovery.ts';
import { Scenario, type ScenarioOptions } from './scenario.ts';
import { endure, type Trial } from './trials.ts';

/** Other tests run beside this one: `pnpm faults` holds the times to what is promised. */
const PATIENCE = 5;

/** With so many owners that some are idle when the fault comes: those show when the workers are back. */
async function judgeTrials(options: ScenarioOptions, trials: readonly Trial[]) {
  const scenario = await Scenario.start({ users: 8, ...options });
  try {
    const traffic = scenario.startTraffic(25);
    const endured = await endure(scenario, trials);
    traffic.stop();
    const judgement = await scenario.judge();
    for (const { report, measured } of endured) {
      process.stdout.write(`${report.kind}: ${describeRecovery(measured)}\n`);
    }
    return {
      notFelt: endured.filter(({ report }) => !report.felt).map(({ report }) => report.kind),
      late: endured.flatMap(({ report, measured }) =>
        describeLateness(measured, PATIENCE).map((lateness) => `${report.kind}: ${lateness}`),
      ),
      violations: describeViolations(judgement),
    };
  } finally {
    await scenario.close();
  }
}

const NOTHING_WRONG = { notFelt: [], late: [], violations: [] };

/** By itself: a refusal within 2 s and a start within 2 s are measured here. */
describe('nothing is lost, and work goes on soon', () => {
  it('after Redis was killed, frozen, read-only, full, torn in the middle of a write', async () => {
    const outcome = await judgeTrials({ brokers: inject('kafkaBrokers') }, [
      ['redis-killed', 1000],
      ['redis-frozen', 4000],
      ['redis-read-only', 1500],
      ['redis-filling', 2500],
      ['redis-full', 1500],
      ['redis-wrong-policy', 1500],
      ['redis-aof-torn', 300],
    ]);
    expect(outcome).toEqual(NOTHING_WRONG);
  }, 120_000);
});

describe.concurrent('nothing is lost', () => {
  it('after connections to Redis were cut, also between a command and its reply', async () => {
    const outcome = await judgeTrials({ brokers: inject('kafkaBrokers'), proxied: true }, [
      ['redis-connections-cut', 0],
      ['redis-replies-cut', 1500],
      ['redis-replies-cut', 1500],
    ]);
    expect(outcome).toEqual(NOTHING_WRONG);
  }, 120_000);

  it('after Kafka was stopped, killed, frozen, after its replies were cut', async () => {
    const outcome = await judgeTrials({ proxied: true }, [
      ['kafka-stopped', 1500],
      ['kafka-killed', 500],
      ['kafka-frozen', 5000],
      ['kafka-reply-cut', 1000],
      ['kafka-reply-cut', 1000],
    ]);
    expect(outcome).toEqual(NOTHING_WRONG);
  }, 120_000);

  it('while Graph throttles, fails, is slow, does not know yet what it told of', async () => {
    const outcome = await judgeTrials({ brokers: inject('kafkaBrokers') }, [
      ['graph-throttled', 1500],
      ['graph-500', 1000],
      ['graph-slow', 2000],
      ['graph-early-404', 3000],
      ['graph-connection-reset', 500],
      ['graph-truncated', 500],
    ]);
    expect(outcome).toEqual(NOTHING_WRONG);
  }, 120_000);

  it('while receiver and workers are deployed anew, killed and stopped at any moment', async () => {
    const outcome = await judgeTrials({ brokers: inject('kafkaBrokers') }, [
      ['worker-deployed', 0],
      ['receiver-deployed', 0],
      ['worker-killed', 0],
      ['receiver-killed', 0],
      ['worker-frozen', 3500],
      ['receiver-frozen', 3500],
    ]);
    expect(outcome).toEqual(NOTHING_WRONG);
  }, 120_000);
});
