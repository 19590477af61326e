import { describe, expect, inject, it } from 'vitest';
import { PLANTED_BUGS } from './build/planted-bugs.ts';
import { describeViolations, violationsOf } from './judgement.ts';
import { bugScenarios, runBugScenario } from './planted-bug-scenarios.ts';

describe.concurrent('a product with a bug', () => {
  it.each(PLANTED_BUGS)(
    '%s is caught',
    async (bug) => {
      const scenario = bugScenarios[bug];
      const judgement = await runBugScenario(scenario, bug, inject('kafkaBrokers'));
      expect(violationsOf(judgement), describeViolations(judgement).join('\n')).toContain(scenario.caughtBy);
    },
    90_000,
  );
});

describe.concurrent('the product as it is', () => {
  it.each(PLANTED_BUGS)(
    'passes the run that gives %s away',
    async (bug) => {
      const judgement = await runBugScenario(bugScenarios[bug], undefined, inject('kafkaBrokers'));
      expect(describeViolations(judgement)).toEqual([]);
    },
    90_000,
  );
});
