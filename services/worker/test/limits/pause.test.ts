/** When refusals of single owners are taken for everybody's. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { GraphFailure } from '../../src/graph/graph-error.ts';
import {
  comeBackIn,
  type Evidence,
  judgeRefusal,
  REFUSAL_TIMES,
  type RefusalRule,
  refusalRule,
} from '../../src/limits/pause.ts';

const ruleOf = (failure: GraphFailure) => refusalRule(failure, REFUSAL_TIMES) as RefusalRule;
const throttled = (scope: 'app' | 'request', retryAfterMs?: number): GraphFailure => {
  return { kind: 'throttled', scope, retryAfterMs };
};
const denied: GraphFailure = { kind: 'forbidden', code: 'ErrorAccessDenied' };
const first: Evidence = { ageMs: 0, owners: 1, answeredSince: false };

const judge = (failure: GraphFailure, evidence: Partial<Evidence> = {}, isPaused = false) =>
  judgeRefusal(ruleOf(failure), { ...first, ...evidence }, isPaused);

describe('a refusal', () => {
  const table: [string, GraphFailure, Partial<Evidence>, 'all' | 'owner' | 'undecided'][] = [
    ['429 of the app means all', throttled('app'), {}, 'all'],
    ['429 of a mailbox means that one', throttled('request'), { owners: 4 }, 'owner'],
    ['429 of five mailboxes and no answer between means all', throttled('request'), { owners: 5 }, 'all'],
    [
      '429 of five with an answer between means each',
      throttled('request'),
      { owners: 5, answeredSince: true },
      'owner',
    ],
    ['401 means all', { kind: 'unauthorized', detail: '' }, {}, 'all'],
    [
      '401 while others are answered means that one',
      { kind: 'unauthorized', detail: '' },
      { answeredSince: true },
      'owner',
    ],
    [
      'the directory says that the app lacks the permission',
      { kind: 'forbidden', code: 'Authorization_RequestDenied' },
      {},
      'all',
    ],
    ['403 of one mailbox waits for the fate of others', denied, {}, 'undecided'],
    ['403 of one mailbox for 4 s means that one', denied, { ageMs: 4000 }, 'owner'],
    ['403 of one while others are read means that one', denied, { answeredSince: true }, 'owner'],
    ['403 of two and no answer between means all', denied, { owners: 2 }, 'all'],
    ['403 of two with an answer between means each', denied, { owners: 2, answeredSince: true }, 'owner'],
  ];

  it.each(table)('%s', (_name, failure, evidence, verdict) => {
    expect(judge(failure, evidence)).toBe(verdict);
  });

  it('of the probe prolongs the pause, though it is refused alone by now', () => {
    expect(judge(denied, { ageMs: 9000 }, true)).toBe('all');
    expect(judge(throttled('request'), {}, true)).toBe('all');
  });

  it.each<GraphFailure>([
    { kind: 'notFound' },
    { kind: 'gone' },
    { kind: 'transient', detail: '' },
    { kind: 'unusable', detail: '' },
    { kind: 'rejected', status: 400, code: '', detail: '' },
  ])('says nothing of others as $kind', (failure) => {
    expect(refusalRule(failure, REFUSAL_TIMES)).toBeUndefined();
  });
});

describe('a pause', () => {
  it('for throttling lasts as long as Graph asks, and ten seconds at most where it is only concluded', () => {
    expect(ruleOf(throttled('app', 120_000)).pauseMs).toBe(120_000);
    expect(ruleOf(throttled('app')).pauseMs).toBe(10_000);
    expect(ruleOf(throttled('app', 0)).pauseMs).toBe(1000);
    expect(ruleOf(throttled('request', 120_000)).pauseMs).toBe(10_000);
  });

  it('of what people have to mend is tried again every 30 s', () => {
    expect(ruleOf(denied).pauseMs).toBe(30_000);
    expect(ruleOf({ kind: 'unauthorized', detail: '' }).pauseMs).toBe(30_000);
  });

  it('brings its owners back after its end, not at one instant, within 5.3 s', () => {
    const numbers = [fc.nat({ max: 3_600_000 }), fc.double({ min: 0, max: 1, noNaN: true })] as const;
    fc.assert(
      fc.property(...numbers, (left, random) => {
        const ms = comeBackIn(left, random);
        expect(ms).toBeGreaterThanOrEqual(left + 300);
        expect(ms).toBeLessThanOrEqual(left + 5300);
      }),
    );
    expect(comeBackIn(30_000, 1) - comeBackIn(30_000, 0)).toBe(5000);
  });
});
