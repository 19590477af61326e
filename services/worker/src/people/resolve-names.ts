/** Whom principal names and mail addresses mean: what to look up, and what follows from what was found. */
import type { Directory, NamedUser } from './directory.ts';
import type { Skipped, SkipReason } from './wish-source.ts';

export type NameRecord = {
  /** Object id of whom it means; one that was found stays while it is there, whatever its name becomes. */
  readonly id?: string;
  /** Why it means nobody, or no longer the one that is kept. */
  readonly reason?: SkipReason;
  /** Epoch milliseconds of the look. */
  readonly at: number;
};

/** Somebody else may have got the name. */
const LOOK_AGAIN_MS = 24 * 3_600_000;

/** The names to look up: new ones, those that mean nobody each time, others once a day. Pure. */
export function dueNames(
  names: readonly string[],
  known: ReadonlyMap<string, NameRecord>,
  now: number,
): readonly string[] {
  return names.filter((name) => {
    const record = known.get(name);
    return (
      record?.id === undefined || record.reason !== undefined || Math.abs(now - record.at) >= LOOK_AGAIN_MS
    );
  });
}

/** The records of `due` as of now. Rejects with a `GraphError`. */
export async function lookUpNames(
  directory: Directory,
  due: readonly string[],
  known: ReadonlyMap<string, NameRecord>,
  now: number,
): Promise<ReadonlyMap<string, NameRecord>> {
  const found = await directory.findUsers(due);
  const lost = due.flatMap((name) => (found.get(name)?.length === 1 ? [] : (known.get(name)?.id ?? [])));
  const existing = await directory.findExisting(lost);
  return new Map(
    due.map((name) => {
      const before = known.get(name)?.id;
      const kept = before !== undefined && existing.has(before) ? before : undefined;
      return [name, { ...recordOf(found.get(name) ?? [], kept), at: now }];
    }),
  );
}

/** `kept`: whom it meant before, who is still there. */
function recordOf(found: readonly NamedUser[], kept: string | undefined): Omit<NameRecord, 'at'> {
  const [user] = found;
  if (user === undefined) return { ...(kept !== undefined && { id: kept }), reason: 'unknown' };
  if (found.length > 1) return { ...(kept !== undefined && { id: kept }), reason: 'ambiguous' };
  return user.isGuest ? { reason: 'guest' } : { id: user.id };
}

const SHOWN = 20;

/** By reason, those that nobody is subscribed for. Pure. */
export function skippedNames(records: ReadonlyMap<string, NameRecord>): readonly Skipped[] {
  const without = [...records].filter(([, { id }]) => id === undefined);
  const byReason = Map.groupBy(without, ([, { reason = 'unknown' }]) => reason);
  return [...byReason].map(([reason, those]) => ({
    reason,
    count: those.length,
    who: those.slice(0, SHOWN).map(([name]) => name),
  }));
}
