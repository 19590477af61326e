import { describe, expect, it } from 'vitest';
import { summarizeLatencies } from '../load/latencies.ts';

describe('the summary of latencies', () => {
  it('names latencies that were really seen, by nearest rank', () => {
    const latencies = Array.from({ length: 1000 }, (_, i) => 1000 - i);
    expect(summarizeLatencies(latencies)).toEqual({
      count: 1000,
      p50Ms: 500,
      p90Ms: 900,
      p99Ms: 990,
      maxMs: 1000,
    });
  });

  it('sorts by size, not by text', () => {
    expect(summarizeLatencies([9, 100, 11])).toMatchObject({ p50Ms: 11, p90Ms: 100, maxMs: 100 });
  });

  it('of a single one is that one', () => {
    expect(summarizeLatencies([7])).toEqual({ count: 1, p50Ms: 7, p90Ms: 7, p99Ms: 7, maxMs: 7 });
  });

  it('is absent where nothing was measured', () => {
    expect(summarizeLatencies([])).toBeUndefined();
  });

  it('leaves what it was given in its order', () => {
    const latencies = [3, 1, 2];
    summarizeLatencies(latencies);
    expect(latencies).toEqual([3, 1, 2]);
  });
});
