/** Several rounds in pairs, and what they come to. Pure. */

/**
 * The order of a pair in round `round` (from 0): there and back in turn, so that going first or second favours neither.
 */
export function orderOfRound<T>(pair: readonly T[], round: number): readonly T[] {
  return round % 2 === 0 ? pair : pair.toReversed();
}

export type Spread = {
  readonly median: number;
  /** A quarter of the values lies below the first of these, and a quarter above the second. */
  readonly lowerQuartile: number;
  readonly upperQuartile: number;
};

/** Quantiles between two values are taken in proportion; `undefined` where there is no value. */
export function spreadOf(values: readonly number[]): Spread | undefined {
  if (values.length === 0) return undefined;
  const sorted = values.toSorted((a, b) => a - b);
  const quantile = (share: number) => {
    const rank = share * (sorted.length - 1);
    const below = sorted[Math.floor(rank)] as number;
    const above = sorted[Math.ceil(rank)] as number;
    return below + (above - below) * (rank - Math.floor(rank));
  };
  return { median: quantile(0.5), lowerQuartile: quantile(0.25), upperQuartile: quantile(0.75) };
}
