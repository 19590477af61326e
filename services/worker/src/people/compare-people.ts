/** Who has joined and who has left, by what was known and what Graph lists. Pure. */

export type Listed = {
  /** Object ids. */
  readonly ids: ReadonlySet<string>;
  /** Whether the list was read to its end and each of its items was understood. */
  readonly isComplete: boolean;
};

export type Difference = {
  readonly joined: readonly string[];
  readonly left: readonly string[];
  /** So many are missing that the list is not believed: they stay until a second look says the same. */
  readonly doubted: number;
};

/** So few may leave at once without a second look, and of more people no more than this share. */
const FEW = 20;
const LARGE_SHARE = 0.5;

/** `isSecondLook`: the list before this one was not believed. Whoever joins, joins at once, whatever the list lacks. */
export function comparePeople(
  known: ReadonlySet<string>,
  { ids, isComplete }: Listed,
  isSecondLook: boolean,
): Difference {
  const joined = [...ids.difference(known)];
  if (!isComplete) return { joined, left: [], doubted: 0 };
  const missing = [...known.difference(ids)];
  const isLarge = missing.length > FEW && missing.length > known.size * LARGE_SHARE;
  return isLarge && !isSecondLook
    ? { joined, left: [], doubted: missing.length }
    : { joined, left: missing, doubted: 0 };
}
