/** One look at one source: who is in it by Graph, what that changes, what is kept of it. */
import { GraphError } from '../graph/graph-error.ts';
import { comparePeople } from './compare-people.ts';
import type { Directory, DirectoryList } from './directory.ts';
import { lookAtGroup, NoSuchGroupError } from './follow-group.ts';
import type { PeopleSource } from './people-source.ts';
import type { PeopleStore, SourceState } from './people-store.ts';
import { dueNames, lookUpNames, type NameRecord, skippedNames } from './resolve-names.ts';
import type { Skipped, SourceReport } from './wish-source.ts';

export type RefreshDeps = {
  readonly directory: Directory;
  readonly store: PeopleStore;
  readonly now: () => number;
};

/** Between two tries of what failed. */
export const RETRY_MS = 60_000;

/** Whether it is time to look. A clock that was turned back makes it time. Pure. */
export function isDue(
  { readAt, triedAt, notBefore = 0 }: SourceState,
  everyMs: number,
  now: number,
): boolean {
  if (now < notBefore && notBefore - now <= LONGEST_REST_MS) return false;
  const passed = (since: number | undefined, ms: number) =>
    since === undefined || Math.abs(now - since) >= ms;
  return passed(readAt, everyMs) && passed(triedAt, Math.min(RETRY_MS, everyMs));
}

/** More than Graph's `Retry-After` is believed (`parseRetryAfter`): the clock was turned back. */
const LONGEST_REST_MS = 3_600_000;

export type Refreshed = { readonly report: SourceReport; readonly isNews: boolean };

/** Rejects where Redis fails; what fails in Graph is the report's `problem`, and changes nobody. */
export async function refreshSource(
  source: PeopleSource,
  state: SourceState,
  deps: RefreshDeps,
): Promise<Refreshed> {
  try {
    return source.kind === 'names'
      ? await refreshNames(source, state, deps)
      : await refreshList(source, state, deps);
  } catch (error) {
    if (!(error instanceof GraphError || error instanceof NoSuchGroupError)) throw error;
    return await noteFailure(source, state, error, deps);
  }
}

async function refreshList(
  source: Exclude<PeopleSource, { kind: 'names' }>,
  state: SourceState,
  { directory, store, now }: RefreshDeps,
): Promise<Refreshed> {
  const at = now();
  const memory = state.doubted === undefined ? (state.group ?? {}) : withoutLink(state.group);
  const { list, memory: group } =
    source.kind === 'group'
      ? await lookAtGroup(directory, source.group, memory, at)
      : { list: await directory.listUsers(source.filter), memory: undefined };
  const known = await store.loadIds(source);
  if (!list) {
    const { readAt: _before, triedAt, notBefore, problem, ...kept } = state;
    await store.save(source, { state: { ...kept, readAt: at, ...(group && { group }) } }, false);
    return { report: reportOf(source, known.size, state.skipped ?? []), isNews: false };
  }
  const { ids, skipped } = peopleIn(list, source);
  const listed = { ids, isComplete: list.withoutId === 0 };
  const { joined, left, doubted } = comparePeople(known, listed, state.doubted !== undefined);
  const isNews = joined.length + left.length > 0 || state.readAt === undefined;
  const next = { readAt: at, skipped, ...(group && { group }), ...(doubted > 0 && { doubted }) };
  await store.save(source, { state: next, joined, left }, isNews);
  const people = known.size + joined.length - left.length;
  const report = { ...reportOf(source, people, skipped), joined: joined.length, left: left.length };
  return { report: { ...report, ...(doubted > 0 && { doubted }) }, isNews };
}

/** The second look at a list that was not believed has to be a list. */
function withoutLink(group: SourceState['group']): NonNullable<SourceState['group']> {
  const { link: _link, ...rest } = group ?? {};
  return rest;
}

const SHOWN = 20;

/** Guests have no mailbox here. A filter that speaks of user types is taken at its word. */
function peopleIn(
  { users, guests, withoutId }: DirectoryList,
  source: PeopleSource,
): { readonly ids: ReadonlySet<string>; readonly skipped: readonly Skipped[] } {
  const wantsGuests = source.kind === 'users' && /\buserType\b/i.test(source.filter ?? '');
  const skipped: Skipped[] = [];
  if (!wantsGuests && guests.length > 0) {
    skipped.push({ reason: 'guest', count: guests.length, who: guests.slice(0, SHOWN) });
  }
  if (withoutId > 0) skipped.push({ reason: 'no id', count: withoutId, who: [] });
  return { ids: new Set(wantsGuests ? [...users, ...guests] : users), skipped };
}

async function refreshNames(
  source: PeopleSource & { readonly kind: 'names' },
  state: SourceState,
  { directory, store, now }: RefreshDeps,
): Promise<Refreshed> {
  const at = now();
  const known = await store.loadNames(source);
  const namesGone = [...new Set(known.keys()).difference(new Set(source.names))];
  const looked = await lookUpNames(directory, dueNames(source.names, known, at), known, at);
  const { names, doubted } = believed(looked, known, state.doubted !== undefined);
  const all = new Map([...known, ...names]);
  for (const name of namesGone) all.delete(name);
  const [before, after] = [idsIn(known), idsIn(all)];
  const [joined, left] = [after.difference(before).size, before.difference(after).size];
  const isNews = joined + left > 0 || names.keys().some((name) => !known.has(name)) || namesGone.length > 0;
  const skipped = skippedNames(all);
  const next = { readAt: at, skipped, ...(doubted > 0 && { doubted }) };
  await store.save(source, { state: next, names, namesGone }, isNews);
  const report = { ...reportOf(source, after.size, skipped), joined, left };
  return { report: { ...report, ...(doubted > 0 && { doubted }) }, isNews };
}

/** Without what would lose more people than can be believed at the first look: those names stay as they are. */
function believed(
  looked: ReadonlyMap<string, NameRecord>,
  known: ReadonlyMap<string, NameRecord>,
  isSecondLook: boolean,
) {
  const ids = idsIn(new Map([...known, ...looked]));
  const { doubted } = comparePeople(idsIn(known), { ids, isComplete: true }, isSecondLook);
  if (doubted === 0) return { names: looked, doubted };
  const kept = [...looked].filter(([name, { id }]) => id !== undefined || known.get(name)?.id === undefined);
  return { names: new Map(kept), doubted };
}

function idsIn(records: ReadonlyMap<string, NameRecord>): Set<string> {
  return new Set(records.values().flatMap(({ id }) => (id === undefined ? [] : [id])));
}

async function noteFailure(
  source: PeopleSource,
  state: SourceState,
  error: GraphError | NoSuchGroupError,
  { store, now }: RefreshDeps,
): Promise<Refreshed> {
  const at = now();
  const failure = error instanceof GraphError ? error.failure : undefined;
  const problem = failure?.kind === 'notFound' ? 'there is no such group' : error.message;
  const restMs = failure?.kind === 'throttled' ? (failure.retryAfterMs ?? 0) : 0;
  const { notBefore: _before, ...kept } = state;
  const rest = restMs > 0 ? { notBefore: at + restMs } : {};
  await store.save(source, { state: { ...kept, ...rest, triedAt: at, problem } }, false);
  const people =
    source.kind === 'names' ? idsIn(await store.loadNames(source)).size : (await store.loadIds(source)).size;
  return { report: { ...reportOf(source, people, state.skipped ?? []), problem }, isNews: false };
}

function reportOf(source: PeopleSource, people: number, skipped: readonly Skipped[]): SourceReport {
  return { tenantId: source.tenantId, source: source.label, people, joined: 0, left: 0, skipped };
}
