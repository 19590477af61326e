/** What many latencies come to. Pure. */

export type LatencySummary = {
  readonly count: number;
  readonly p50Ms: number;
  readonly p90Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
};

/**
 * Percentiles by nearest rank: each is a latency that was really seen, so the p99 of fewer than 100 is the maximum.
 * `undefined` where nothing was measured, since a zero would look like a good result.
 */
export function summarizeLatencies(latenciesMs: readonly number[]): LatencySummary | undefined {
  if (latenciesMs.length === 0) return undefined;
  const sorted = Float64Array.from(latenciesMs).sort();
  const rank = (share: number) => sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] as number;
  return {
    count: sorted.length,
    p50Ms: rank(0.5),
    p90Ms: rank(0.9),
    p99Ms: rank(0.99),
    maxMs: rank(1),
  };
}
