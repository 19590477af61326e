import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AckCounts, type AckHealth, createAckWindow, judgeAcks } from '../src/ack-health.ts';

const MINUTE_MS = 60_000;

/** Answers in the order of their times, some of them far apart. */
const answers = fc
  .array(
    fc.record({
      afterMs: fc.integer({ min: 0, max: 400_000 }),
      durationMs: fc.integer({ min: 0, max: 20_000 }),
    }),
  )
  .map((steps) => {
    let at = 0;
    return steps.map(({ afterMs, durationMs }) => {
      at += afterMs;
      return { at, durationMs };
    });
  });

const count = (all: readonly { readonly durationMs: number }[]): AckCounts => ({
  answers: all.length,
  slow: all.filter(({ durationMs }) => durationMs > 3000).length,
  verySlow: all.filter(({ durationMs }) => durationMs > 10_000).length,
});

describe('a window of acks', () => {
  it('holds all of the last ten minutes but for the oldest ten seconds, and nothing older', () => {
    fc.assert(
      fc.property(answers, fc.integer({ min: 0, max: 900_000 }), (all, laterMs) => {
        const window = createAckWindow();
        for (const { at, durationMs } of all) window.note(at, durationMs);
        const now = (all.at(-1)?.at ?? 0) + laterMs;
        const within = (ms: number) => all.filter(({ at }) => now - at < ms);
        const seen = window.counts(now);
        const [least, most] = [count(within(590_000)), count(within(600_000))];
        for (const key of ['answers', 'slow', 'verySlow'] as const) {
          expect(seen[key]).toBeGreaterThanOrEqual(least[key]);
          expect(seen[key]).toBeLessThanOrEqual(most[key]);
        }
      }),
    );
  });

  it('is exact where all came at once', () => {
    const window = createAckWindow();
    for (const durationMs of [2999, 3000, 3001, 9999, 10_000, 10_001]) window.note(5 * MINUTE_MS, durationMs);
    expect(window.counts(5 * MINUTE_MS)).toEqual({ answers: 6, slow: 4, verySlow: 1 });
    expect(window.counts(15 * MINUTE_MS)).toEqual({ answers: 0, slow: 0, verySlow: 0 });
  });
});

const counts = fc
  .record({ answers: fc.nat(5000), slow: fc.nat(5000), verySlow: fc.nat(5000) })
  .map((found) => {
    const slow = Math.min(found.slow, found.answers);
    return { answers: found.answers, slow, verySlow: Math.min(found.verySlow, slow) };
  });
const health = fc.constantFrom<AckHealth>('good', 'slowing', 'endangered');

describe('judgeAcks', () => {
  it('never calls good what Graph calls slow or drops', () => {
    fc.assert(
      fc.property(counts, health, (found, before) => {
        fc.pre(found.answers >= 100);
        fc.pre(found.slow > 0.1 * found.answers || found.verySlow > 0.15 * found.answers);
        expect(judgeAcks(found, before)).toBe('endangered');
      }),
    );
  });

  it('judges more slow answers never milder', () => {
    const severity: Readonly<Record<AckHealth, number>> = { good: 0, slowing: 1, endangered: 2 };
    fc.assert(
      fc.property(counts, health, fc.nat(100), (found, before, more) => {
        const worse = { ...found, slow: Math.min(found.answers, found.slow + more) };
        expect(severity[judgeAcks(worse, before)]).toBeGreaterThanOrEqual(severity[judgeAcks(found, before)]);
      }),
    );
  });

  it('settles: judging the same again changes nothing', () => {
    fc.assert(
      fc.property(counts, health, (found, before) => {
        const judged = judgeAcks(found, before);
        expect(judgeAcks(found, judged)).toBe(judged);
      }),
    );
  });

  it.each<[string, AckCounts, AckHealth, AckHealth]>([
    ['too few to say', { answers: 49, slow: 49, verySlow: 49 }, 'good', 'good'],
    ['under 2 %', { answers: 1000, slow: 19, verySlow: 0 }, 'good', 'good'],
    ['2 % over 3 s', { answers: 1000, slow: 20, verySlow: 0 }, 'good', 'slowing'],
    ['5 % over 3 s', { answers: 1000, slow: 50, verySlow: 0 }, 'good', 'endangered'],
    ['3 % over 10 s', { answers: 1000, slow: 30, verySlow: 30 }, 'good', 'endangered'],
    ['still 3 % after more', { answers: 1000, slow: 30, verySlow: 0 }, 'endangered', 'endangered'],
    ['2.4 % after more', { answers: 1000, slow: 24, verySlow: 0 }, 'endangered', 'slowing'],
    ['1 % after more', { answers: 1000, slow: 10, verySlow: 0 }, 'slowing', 'slowing'],
    ['under 1 %', { answers: 1000, slow: 9, verySlow: 0 }, 'slowing', 'good'],
    ['nothing any more', { answers: 0, slow: 0, verySlow: 0 }, 'endangered', 'good'],
  ])('%s', (_what, found, before, after) => {
    expect(judgeAcks(found, before)).toBe(after);
  });
});
