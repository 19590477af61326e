import { describe, expect, it } from 'vitest';
import { PLANNED_KINDS, planFaults } from '../src/fault-plan.ts';
import { effectOf } from '../src/fault-rules.ts';

describe('a plan of faults', () => {
  it('follows from its seed alone', () => {
    const plan = planFaults({ seed: 5, minutes: 10 });
    expect(planFaults({ seed: 5, minutes: 10 })).toEqual(plan);
    expect(planFaults({ seed: 6, minutes: 10 })).not.toEqual(plan);
  });

  it('fills its minutes, in the order of time', () => {
    const times = planFaults({ seed: 5, minutes: 10 }).map(({ atMs }) => atMs);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times.at(-1)).toBeLessThan(600_000);
    expect(times.at(-1)).toBeGreaterThan(500_000);
  });

  it('draws every kind in the long run, and each can harm something', () => {
    const plan = planFaults({ seed: 5, minutes: 120 });
    expect(new Set(plan.map(({ fault }) => effectOf(fault).split(' ', 1)[0]))).toEqual(
      new Set([
        'drop',
        'duplicate',
        'reorder',
        'delay',
        'silence',
        'status',
        'early404',
        'slow-loris',
        'hang',
        'reset',
        'truncated',
        'endless',
        'garbage',
        'html',
        'redirect',
        'gzip-bomb',
        'consent',
        'clock',
      ]),
    );
    for (const kind of PLANNED_KINDS) {
      const effects = planFaults({ seed: 5, minutes: 1, kinds: [kind] }).map(({ fault }) => effectOf(fault));
      expect(effects.length, kind).toBeGreaterThan(0);
      expect(effects, kind).not.toContain('none');
    }
  });
});
