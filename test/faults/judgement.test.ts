import { check } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { describeViolations, type Judgement, tallyOf, violationsOf } from './judgement.ts';

const NO_JOBS = { wait: 0, active: 0, delayed: 0, failed: 0 };
const fine: Judgement = {
  verdict: check([], []),
  leftovers: { owners: [], jobs: NO_JOBS },
  undelivered: 0,
  crashes: [],
};

describe('a judgement', () => {
  it('without anything wrong has no violations', () => {
    expect(violationsOf(fine)).toEqual([]);
    expect(describeViolations(fine)).toEqual([]);
  });

  it.each([
    ['stuck', { leftovers: { owners: ['tenant/users/a'], jobs: NO_JOBS } }],
    ['failedJobs', { leftovers: { owners: [], jobs: { ...NO_JOBS, failed: 1 } } }],
    ['undelivered', { undelivered: 3 }],
    ['crashes', { crashes: ['worker 1 ended by SIGSEGV'] }],
  ] as const)('tells of %s, in numbers and in words', (violation, wrong) => {
    const judgement: Judgement = { ...fine, ...wrong };
    expect(violationsOf(judgement)).toEqual([violation]);
    expect(tallyOf(judgement)[violation]).toBeGreaterThan(0);
    expect(describeViolations(judgement)).toHaveLength(1);
  });

  it('tells of what was acknowledged and never came', () => {
    const change = { tenantId: 't', resource: 'users/a/events/1', version: 1, at: 1 };
    const verdict = check(
      [
        { ...change, kind: 'change', changeType: 'created', etag: 'W/"1"', subscribed: true },
        { ...change, kind: 'delivery', status: 202 },
      ],
      [],
    );
    expect(violationsOf({ ...fine, verdict })).toEqual(['lost', 'stale']);
  });
});
