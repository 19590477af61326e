/**
 * Users and groups as Graph lists them, in pages of 999, one request at a time. Each request waits as long as Graph asks,
 * within bounds; what is read from here on is whole, or it rejects with a `GraphError`.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { isGuid } from '@graph2kafka/shared';
import { z } from 'zod';
import type { GraphRequest, GraphRequests } from '../graph/graph-client.ts';
import { GraphError, type GraphFailure } from '../graph/graph-error.ts';
import { GRAPH_VERSION } from '../graph/graph-url.ts';
import { pinnedLink } from '../graph/next-link.ts';

/** Object ids in lower case. */
export type DirectoryList = {
  readonly users: readonly string[];
  /** Of other organisations (`userType`), so far as the app may see that. */
  readonly guests: readonly string[];
  /** Groups among the members. */
  readonly groups: readonly string[];
  /** Items that are users and have no object id. */
  readonly withoutId: number;
};

export type NamedUser = { readonly id: string; readonly isGuest: boolean };

export type Directory = {
  /** Of a group and of the groups in it (Graph: api/group-list-transitivemembers). Rejects with "notFound" where there is none. */
  listMembers(groupId: string): Promise<DirectoryList>;
  /** All, or those that `filter` (not percent-encoded) finds. */
  listUsers(filter: string | undefined): Promise<DirectoryList>;
  /** By principal name or else mail address, in lower case; several where an address is not unique, none where unknown. */
  findUsers(names: readonly string[]): Promise<ReadonlyMap<string, readonly NamedUser[]>>;
  /** Those of the object ids that are still in the directory. */
  findExisting(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Object ids of the groups that have this mail address. */
  findGroups(mail: string): Promise<readonly string[]>;
  /** Where a delta query of the members of these groups begins now; `undefined` where Graph has none for them. */
  followMembers(groupIds: readonly string[]): Promise<string | undefined>;
  /** Whether members came or went since `link`; and where to ask from the next time, if not. */
  haveMembersChanged(link: string): Promise<{ readonly changed: boolean; readonly link: string | undefined }>;
};

export type DirectoryDeps = {
  readonly client: GraphRequests;
  readonly graphUrl: string;
  /** Milliseconds; replaced in tests that cannot wait. */
  readonly wait?: (ms: number) => Promise<void>;
};

/** The most that Graph takes for users, groups and members (Graph: api/user-list). */
const PAGE_SIZE = '999';
/** Two million people: a list that does not end is no list. */
const MOST_PAGES = 2000;
/** Values behind `in` (Graph: filter-query-parameter, "limitations"). */
const NAMES_AT_ONCE = 15;
/** Groups of one delta query (Graph: api/group-delta). */
const MOST_FOLLOWED = 50;

/** A refresh is not held for longer; what Graph puts off further is tried at a later one. */
const LONGEST_WAIT_MS = 20_000;
const MOST_TRIES = 4;
const FIRST_WAIT_MS = 1000;

/** What filters beyond the simple ones need (Graph: aad-advanced-queries). */
const ADVANCED = { headers: { ConsistencyLevel: 'eventual' }, query: { $count: 'true' } };

const itemSchema = z.looseObject({ id: z.string().optional() });

const pageSchema = z.object({
  value: z.array(itemSchema),
  '@odata.nextLink': z.string().optional(),
  '@odata.deltaLink': z.string().optional(),
});

type Item = z.output<typeof itemSchema>;
type Page = z.output<typeof pageSchema>;
type Query = Pick<GraphRequest, 'path' | 'query' | 'headers'>;

export function createDirectory({ client, graphUrl, wait = sleep }: DirectoryDeps): Directory {
  const readPage = async (query: Query): Promise<Page> => {
    const { body } = await patiently(() => client.request({ method: 'GET', ...query }), wait);
    const page = pageSchema.safeParse(body);
    if (!page.success) throw new GraphError({ kind: 'unusable', detail: 'the answer is no list' });
    return page.data;
  };
  async function* pages(first: Query): AsyncGenerator<Page> {
    let query = first;
    for (let read = 0; read < MOST_PAGES; read++) {
      const page = await readPage(query);
      yield page;
      const next = page['@odata.nextLink'];
      if (next === undefined) return;
      query = { ...pinnedLink(next, graphUrl), ...(first.headers && { headers: first.headers }) };
    }
    throw new GraphError({ kind: 'unusable', detail: `more than ${MOST_PAGES} pages` });
  }
  const list = async (query: Query): Promise<Item[]> => {
    const items: Item[] = [];
    for await (const { value } of pages(query)) items.push(...value);
    return items;
  };
  const find = async (path: string, select: string, property: string, values: readonly string[]) => {
    const found: Item[] = [];
    for (const some of inLots(values)) {
      const filter = `${property} in (${some.map(quoted).join(',')})`;
      found.push(...(await list({ path, query: queryOf(select, filter) })));
    }
    return found;
  };
  return {
    async listMembers(groupId) {
      const path = `/groups/${encodeURIComponent(groupId)}/transitiveMembers`;
      return sorted(await list({ path, query: queryOf('id,userType') }));
    },
    async listUsers(filter) {
      const query = queryOf('id,userType', filter);
      const advanced = filter === undefined ? {} : { headers: ADVANCED.headers };
      return sorted(
        await list({ path: '/users', query: { ...query, ...(filter && ADVANCED.query) }, ...advanced }),
      );
    },
    async findUsers(names) {
      const select = 'id,userType,userPrincipalName,mail';
      const byName = namedBy('userPrincipalName', await find('/users', select, 'userPrincipalName', names));
      const others = names.filter((name) => !byName.has(name));
      return new Map([...namedBy('mail', await find('/users', select, 'mail', others)), ...byName]);
    },
    async findExisting(ids) {
      return new Set((await find('/users', 'id', 'id', ids)).flatMap(({ id }) => id?.toLowerCase() ?? []));
    },
    async findGroups(mail) {
      return (await find('/groups', 'id', 'mail', [mail])).flatMap(({ id }) => id ?? []);
    },
    async followMembers(groupIds) {
      if (groupIds.length > MOST_FOLLOWED) return undefined;
      const filter = groupIds.map((id) => `id eq ${quoted(id)}`).join(' or ');
      const query = { $deltatoken: 'latest', $select: 'members', $filter: encodeURIComponent(filter) };
      try {
        return await lastLink(pages({ path: '/groups/delta', query }), graphUrl);
      } catch (error) {
        if (isRefused(error)) return undefined;
        throw error;
      }
    },
    async haveMembersChanged(link) {
      try {
        const root = `${new URL(graphUrl).origin}/${GRAPH_VERSION}`;
        let last: string | undefined;
        for await (const page of pages(pinnedLink(`${root}${link}`, graphUrl))) {
          if (page.value.some(tellsOfMembers)) return { changed: true, link: undefined };
          last = page['@odata.deltaLink'];
        }
        return { changed: last === undefined, link: last && relativeLink(last, graphUrl) };
      } catch (error) {
        // A token that has expired, in one of Graph's forms, or a link that is none.
        if (isRefused(error)) return { changed: true, link: undefined };
        throw error;
      }
    },
  };
}

async function sleep(ms: number): Promise<void> {
  await pause(ms);
}

function queryOf(select: string, filter?: string): Record<string, string> {
  return {
    $select: select,
    $top: PAGE_SIZE,
    ...(filter !== undefined && { $filter: encodeURIComponent(filter) }),
  };
}

/** A text of OData: quotes are doubled. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function inLots(values: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(values.length / NAMES_AT_ONCE) }, (_, i) =>
    values.slice(i * NAMES_AT_ONCE, (i + 1) * NAMES_AT_ONCE),
  );
}

function sorted(items: readonly Item[]): DirectoryList {
  // Of a list of users none says what it is.
  const users = items.filter((item) => typeOf(item) === undefined || typeOf(item) === 'user');
  const named = users.filter(hasId);
  return {
    users: named.filter((user) => !isGuest(user)).map(idOf),
    guests: named.filter(isGuest).map(idOf),
    groups: items.filter((item) => typeOf(item) === 'group').flatMap(({ id }) => id ?? []),
    withoutId: users.length - named.length,
  };
}

function typeOf({ '@odata.type': type }: Item): string | undefined {
  return typeof type === 'string' ? type.replace(/^#microsoft\.graph\./i, '').toLowerCase() : undefined;
}

function isGuest({ userType }: Item): boolean {
  return typeof userType === 'string' && userType.toLowerCase() === 'guest';
}

function hasId(item: Item): item is Item & { readonly id: string } {
  return item.id !== undefined && isGuid(item.id);
}

function idOf({ id }: { readonly id: string }): string {
  return id.toLowerCase();
}

function namedBy(property: string, items: readonly Item[]): Map<string, NamedUser[]> {
  const found = items.filter(hasId).map((item) => ({
    name: String(item[property]).toLowerCase(),
    user: { id: idOf(item), isGuest: isGuest(item) },
  }));
  const byName = Map.groupBy(found, ({ name }) => name);
  return new Map([...byName].map(([name, those]) => [name, those.map(({ user }) => user)]));
}

function tellsOfMembers(item: Item): boolean {
  return 'members@delta' in item || '@removed' in item;
}

async function lastLink(pages: AsyncGenerator<Page>, graphUrl: string): Promise<string | undefined> {
  let last: string | undefined;
  for await (const page of pages) last = page['@odata.deltaLink'];
  return last && relativeLink(last, graphUrl);
}

/** Path and query below Graph's version. */
function relativeLink(link: string, graphUrl: string): string {
  pinnedLink(link, graphUrl);
  const { pathname, search } = new URL(link);
  return `${pathname.slice(`/${GRAPH_VERSION}`.length)}${search}`;
}

function isRefused(error: unknown): boolean {
  const kinds: readonly GraphFailure['kind'][] = ['rejected', 'gone', 'notFound', 'unusable'];
  return error instanceof GraphError && kinds.includes(error.failure.kind);
}

async function patiently<T>(act: () => Promise<T>, wait: (ms: number) => Promise<void>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await act();
    } catch (error) {
      const waitMs = error instanceof GraphError ? waitAfter(error.failure, tries) : undefined;
      if (waitMs === undefined) throw error;
      await wait(waitMs);
    }
  }
}

/** Milliseconds; `undefined`: it is no use, or would take too long. */
export function waitAfter(failure: GraphFailure, tries: number): number | undefined {
  if (tries >= MOST_TRIES) return undefined;
  const backOffMs = FIRST_WAIT_MS * 2 ** (tries - 1);
  if (failure.kind === 'transient') return backOffMs;
  if (failure.kind !== 'throttled') return undefined;
  const waitMs = failure.retryAfterMs ?? backOffMs;
  return waitMs <= LONGEST_WAIT_MS ? waitMs : undefined;
}
