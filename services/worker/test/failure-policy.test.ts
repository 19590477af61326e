/** What follows a failed fetch: every kind of failure, over attempts and age. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decideAfterFailure, type Tried, type Verdict } from '../src/failure-policy.ts';
import type { GraphFailure } from '../src/graph/graph-error.ts';

const SECOND = 1000;
const HOUR = 3_600_000;

const first: Tried = { attempts: 0, waitingMs: 0, sinceNewsMs: HOUR, deletionExpected: false };
const transient: GraphFailure = { kind: 'transient', detail: 'ECONNRESET' };
const unusable: GraphFailure = { kind: 'unusable', detail: 'the answer is not JSON' };
const notFound: GraphFailure = { kind: 'notFound' };
const throttled = (retryAfterMs?: number): GraphFailure => ({
  kind: 'throttled',
  retryAfterMs,
  scope: 'request',
});

const decide = (failure: GraphFailure, tried: Partial<Tried> = {}, random = 0.5) =>
  decideAfterFailure(failure, { ...first, ...tried }, random);

const waitOf = (verdict: Verdict) => ('ms' in verdict ? verdict.ms : Number.NaN);

describe('a failure', () => {
  const table: [string, GraphFailure, Partial<Tried>, object][] = [
    ['a first 404 waits 2 s', notFound, {}, { next: 'wait', ms: 2 * SECOND, countsAsAttempt: true }],
    ['a second one 8 s', notFound, { attempts: 1, waitingMs: 2 * SECOND }, { next: 'wait', ms: 8 * SECOND }],
    [
      'a third one 30 s',
      notFound,
      { attempts: 2, waitingMs: 10 * SECOND },
      { next: 'wait', ms: 30 * SECOND },
    ],
    ['a fourth one is a deletion', notFound, { attempts: 3, waitingMs: 40 * SECOND }, { next: 'deleted' }],
    [
      'but not soon after further news: the resource may have come back',
      notFound,
      { attempts: 3, waitingMs: 40 * SECOND, sinceNewsMs: 34 * SECOND },
      { next: 'wait', ms: 30 * SECOND, countsAsAttempt: true },
    ],
    [
      'news that never stops is waited for for 4 hours',
      notFound,
      { attempts: 60, waitingMs: 4 * HOUR + 1, sinceNewsMs: 0 },
      { next: 'deleted' },
    ],
    [
      'a 404 after a notified deletion is one at once',
      notFound,
      { deletionExpected: true },
      { next: 'deleted' },
    ],
    ['a 410 is a deletion', { kind: 'gone' }, {}, { next: 'deleted' }],
    ['a 403 falls back at once', { kind: 'forbidden', code: 'ErrorAccessDenied' }, {}, { next: 'fallback' }],
    [
      'any other 4xx falls back at once',
      { kind: 'rejected', status: 400, code: 'BadRequest', detail: 'no' },
      {},
      { next: 'fallback' },
    ],
    [
      'a 401 holds back the owner',
      { kind: 'unauthorized', detail: 'x' },
      {},
      { next: 'delayOwner', ms: 30 * SECOND },
    ],
    ['a 5xx is tried again', transient, {}, { next: 'wait', countsAsAttempt: true }],
    ['a 5xx is tried again for 4 hours', transient, { attempts: 60, waitingMs: 4 * HOUR }, { next: 'wait' }],
    ['and then falls back', transient, { attempts: 60, waitingMs: 4 * HOUR + 1 }, { next: 'fallback' }],
    ['an unusable answer is tried again', unusable, { attempts: 4 }, { next: 'wait', countsAsAttempt: true }],
    ['five times', unusable, { attempts: 5 }, { next: 'fallback' }],
  ];

  it.each(table)('%s', (_name, failure, tried, verdict) => {
    expect(decide(failure, tried)).toMatchObject(verdict);
  });

  it('says in the fallback why', () => {
    expect(decide({ kind: 'forbidden', code: 'ErrorAccessDenied' })).toEqual({
      next: 'fallback',
      reason: 'forbidden (ErrorAccessDenied)',
    });
  });

  it('of the transient kind backs off 1, 2, 4 … 300 s, each between half and the whole', () => {
    const waits = (random: number) =>
      [0, 1, 2, 8, 9, 40, 1000].map((attempts) => waitOf(decide(transient, { attempts }, random)) / SECOND);
    expect(waits(1)).toEqual([1, 2, 4, 256, 300, 300, 300]);
    expect(waits(0)).toEqual([0.5, 1, 2, 128, 150, 150, 150]);
  });
});

describe('throttling', () => {
  it('waits as long as Graph asks, and up to a tenth longer', () => {
    expect(decide(throttled(2128), {}, 0)).toEqual({ next: 'delayOwner', ms: 2128 });
    expect(waitOf(decide(throttled(2128), {}, 1))).toBeCloseTo(2340.8);
  });

  it('waits 10 s where Graph does not say', () => {
    expect(decide(throttled(), {}, 0)).toEqual({ next: 'delayOwner', ms: 10 * SECOND });
  });

  it('does not ask again at once where Graph says "0": early retries count as usage', () => {
    expect(waitOf(decide(throttled(0), {}, 0))).toBeGreaterThanOrEqual(SECOND);
  });
});

describe('a 404 after other failures', () => {
  it('is not taken for a deletion before the 40 s of an early 404 are over', () => {
    // Three quick 503s, then Graph answers: 5 s are no proof that the resource is gone.
    expect(decide(notFound, { attempts: 3, waitingMs: 5 * SECOND })).toMatchObject({ next: 'wait' });
    expect(decide(notFound, { attempts: 9, waitingMs: 45 * SECOND })).toEqual({ next: 'deleted' });
  });
});

describe('any failure', () => {
  const failure = fc.oneof(
    fc.record({
      kind: fc.constant('throttled' as const),
      retryAfterMs: fc.option(fc.integer({ min: 0, max: HOUR }), { nil: undefined }),
      scope: fc.constantFrom('request' as const, 'app' as const),
    }),
    fc.constantFrom<GraphFailure>(
      { kind: 'unauthorized', detail: '' },
      { kind: 'forbidden', code: '' },
      { kind: 'gone' },
      { kind: 'rejected', status: 400, code: '', detail: '' },
      notFound,
      transient,
      unusable,
    ),
  );
  const tried = fc.record({
    attempts: fc.nat({ max: 100_000 }),
    waitingMs: fc.integer({ min: -5 * SECOND, max: 24 * HOUR }),
    sinceNewsMs: fc.integer({ min: -5 * SECOND, max: 24 * HOUR }),
    deletionExpected: fc.boolean(),
  });
  const random = fc.double({ min: 0, max: 1, noNaN: true });

  it('is decided, with a wait between half a second and 5 minutes, or Retry-After and a tenth', () => {
    fc.assert(
      fc.property(failure, tried, random, (what, before, chance) => {
        const verdict = decideAfterFailure(what, before, chance);
        if (verdict.next === 'wait') {
          expect(verdict.ms).toBeGreaterThanOrEqual(500);
          expect(verdict.ms).toBeLessThanOrEqual(300 * SECOND);
        }
        if (verdict.next === 'delayOwner') {
          expect(verdict.ms).toBeGreaterThanOrEqual(SECOND);
          expect(verdict.ms).toBeLessThanOrEqual(1.1 * HOUR);
        }
      }),
    );
  });

  it('that makes a resource wait is over within 4 hours and one pause, whatever fails in whatever order', () => {
    const waiting = fc.constantFrom(notFound, transient, unusable);
    const news = fc.constantFrom(0, HOUR);
    fc.assert(
      fc.property(
        fc.array(waiting, { minLength: 5, maxLength: 5 }),
        news,
        random,
        (failures, sinceNewsMs, chance) => {
          let [attempts, waitingMs] = [0, 0];
          for (let i = 0; ; i++) {
            const what = failures[i % failures.length] as GraphFailure;
            const verdict = decideAfterFailure(what, { ...first, attempts, waitingMs, sinceNewsMs }, chance);
            if (verdict.next !== 'wait') break;
            attempts++;
            waitingMs += verdict.ms;
            expect(waitingMs).toBeLessThanOrEqual(4 * HOUR + 300 * SECOND);
          }
        },
      ),
    );
  });
});
