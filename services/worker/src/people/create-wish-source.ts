/** The `WishSource` of a declaration: people from Graph by way of Redis, wishes from people. */
import type { Logger, QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import type { DeclaredEntry } from '../declaration/declared-entry.ts';
import type { Wish } from '../subscriptions/wanted-subscriptions.ts';
import type { Directory } from './directory.ts';
import { type Expanded, expandWishes, type KnownPeople } from './expand-wishes.ts';
import { type PeopleSource, sourcesOf } from './people-source.ts';
import { createPeopleStore, type PeopleStore, type SourceState } from './people-store.ts';
import { isDue, RETRY_MS, type Refreshed, refreshSource } from './refresh-source.ts';
import type { PeopleReport, SourceReport, WishSource } from './wish-source.ts';

export type WishSourceDeps = {
  readonly entries: readonly DeclaredEntry[];
  /** `undefined` for a tenant that is not served. */
  readonly directoryOf: (tenantId: string) => Directory | undefined;
  readonly redis: Redis;
  readonly names: QueueNames;
  /** Between two looks at a source. */
  readonly everyMs: number;
  readonly log: Logger;
  /** Epoch milliseconds. */
  readonly now: () => number;
};

export function createWishSource(deps: WishSourceDeps): WishSource {
  const { entries } = deps;
  const sources = sourcesOf(entries);
  if (sources.length === 0) return fixedWishes(expandWishes(entries, new Map()).wishes);
  const store = createPeopleStore(deps.redis, deps.names);
  const known = createKnownPeople(sources, store);
  let expanded: Expanded | undefined;
  return {
    async current() {
      const hasChanged = await known.update();
      if (hasChanged || !expanded) expanded = expandWishes(entries, known.people);
      return expanded.wishes;
    },
    unread: () => expanded?.unread ?? entries.map(({ name }) => name),
    refresh: () => refreshAll(sources, store, deps),
    refreshEveryMs: Math.min(deps.everyMs, RETRY_MS),
  };
}

/** All is in the file. */
function fixedWishes(wishes: readonly Wish[]): WishSource {
  return {
    current: async () => wishes,
    unread: () => [],
    refresh: async () => ({ changed: false, sources: [] }),
    refreshEveryMs: RETRY_MS,
  };
}

/** What this process has loaded, kept while Redis says that it is still so, and where an emptied Redis says nothing. */
function createKnownPeople(sources: readonly PeopleSource[], store: PeopleStore) {
  const people = new Map<string, KnownPeople>();
  const loaded = new Map<string, string>();
  const load = async (source: PeopleSource): Promise<KnownPeople> => {
    if (source.kind !== 'names') return { kind: 'ids', ids: [...(await store.loadIds(source))].sort() };
    const records = await store.loadNames(source);
    return { kind: 'names', idOf: new Map([...records].map(([name, { id }]) => [name, id])) };
  };
  return {
    people,
    /** Whether anything is another than before. */
    async update(): Promise<boolean> {
      const versions = await store.versions(sources);
      let hasChanged = false;
      for (const [i, source] of sources.entries()) {
        const version = versions[i];
        if (version === undefined || loaded.get(source.key) === version) continue;
        people.set(source.key, await load(source));
        loaded.set(source.key, version);
        hasChanged = true;
      }
      return hasChanged;
    },
  };
}

/** Tenants beside each other, since each has its own limits; the sources of a tenant one after the other. */
async function refreshAll(
  sources: readonly PeopleSource[],
  store: PeopleStore,
  deps: WishSourceDeps,
): Promise<PeopleReport> {
  const byTenant = Map.groupBy(sources, ({ tenantId }) => tenantId);
  const ofTenants = [...byTenant].map(([tenantId, own]) => refreshTenant(tenantId, own, store, deps));
  const refreshed = (await Promise.all(ofTenants)).flat();
  return {
    changed: refreshed.some(({ isNews }) => isNews),
    sources: refreshed.map(({ report }) => report),
  };
}

async function refreshTenant(
  tenantId: string,
  sources: readonly PeopleSource[],
  store: PeopleStore,
  { directoryOf, everyMs, log, now }: WishSourceDeps,
): Promise<Refreshed[]> {
  const directory = directoryOf(tenantId);
  const all: Refreshed[] = [];
  if (!directory) return all;
  for (const source of sources) {
    const state = await store.loadState(source);
    if (!(await isTime(source, state, store, everyMs, now()))) continue;
    const refreshed = await refreshSource(source, state, { directory, store, now });
    tell(log, state, refreshed.report);
    all.push(refreshed);
  }
  return all;
}

/** A name that was put into the file since the last look is looked up at once. */
async function isTime(
  source: PeopleSource,
  state: SourceState,
  store: PeopleStore,
  everyMs: number,
  now: number,
): Promise<boolean> {
  if (isDue(state, everyMs, now)) return true;
  if (source.kind !== 'names' || state.problem !== undefined) return false;
  const known = await store.loadNames(source);
  return source.names.some((name) => !known.has(name));
}

/** Once for each change: not every five minutes that a name is still unknown. */
function tell(log: Logger, before: SourceState, report: SourceReport): void {
  const { tenantId: tenant, source, people, joined, left, skipped, doubted, problem } = report;
  const about = { tenant, source, people };
  if (joined + left > 0) log.info({ ...about, joined, left }, 'people.changed');
  if (doubted !== undefined) log.warn({ ...about, missing: doubted }, 'people.doubted');
  if (problem !== undefined && problem !== before.problem) {
    log.warn({ ...about, reason: problem }, 'people.not-read');
  }
  if (skipped.length > 0 && JSON.stringify(skipped) !== JSON.stringify(before.skipped)) {
    log.warn({ ...about, skipped }, 'people.skipped');
  }
}
