/**
 * Reads one page of a collection, or of a delta query: what there is, or what has changed since its token was given
 * (Graph: delta-query-overview).
 *
 * Links are absolute URLs; of each only path and query are kept, and it is looked at again before it is followed: what
 * lay in Redis is input as well.
 */
import { parseResourcePath } from '@graph2kafka/shared';
import { z } from 'zod';
import { shapeOf } from '../resources/resource-kind.ts';
import { type FetchOptions, preferences, type ResourceState } from './fetch-resource.ts';
import type { GraphRequests } from './graph-client.ts';
import { GraphError } from './graph-error.ts';
import { GRAPH_VERSION } from './graph-url.ts';
import { type PageAddress, pinnedLink } from './next-link.ts';
import { versionOf } from './resource-version.ts';

export type PageQuery = {
  /** Below Graph's version, its ids percent-encoded: `/users/{id}/events`, `/users/{id}/calendarView/delta`. */
  readonly path: string;
  /** Of the first page; values percent-encoded. Later ones carry it in their link. */
  readonly query?: Readonly<Record<string, string>>;
};

export type FoundItem = {
  readonly id: string;
  /** Gone, or no longer where it was asked for. */
  readonly removed: boolean;
  readonly state: ResourceState;
};

export type Page = {
  /** Each id once: of several the last counts. */
  readonly items: readonly FoundItem[];
  /** Where it goes on: path and query below Graph's version. */
  readonly next?: string;
  /** The round of a delta query is over; the next one begins here. */
  readonly delta?: string;
};

export type PageOptions = FetchOptions & {
  /** Tries of this page that have failed: it may be too large, or too much for Graph at once, so that less is asked for. */
  readonly failures?: number;
};

export type ReadPage = {
  /** `link` is what the page before said, for the same query. Rejects with a `GraphError`. */
  (query: PageQuery, link: string | undefined, options?: PageOptions): Promise<Page>;
  /** Whether a kept link is one of this query, of this Graph. */
  isLinkOf(query: PageQuery, link: string): boolean;
};

/** A page is published within one run, so that it should not take longer than a window of fetches. */
const PAGE_SIZE = 50;

const pageSchema = z.object({
  value: z.array(z.looseObject({ id: z.string().min(1) })),
  '@odata.nextLink': z.string().optional(),
  '@odata.deltaLink': z.string().optional(),
});

export function createReadPage(client: GraphRequests, graphUrl: string, pageSize = PAGE_SIZE): ReadPage {
  const root = `${new URL(graphUrl).origin}/${GRAPH_VERSION}`;
  const addressOf = (query: PageQuery, link: string) => linkOf(query, `${root}${link}`, graphUrl);
  const read = async (query: PageQuery, link: string | undefined, options: PageOptions = {}) => {
    const size = sizeAfter(options.failures ?? 0, pageSize);
    const prefer = [...(options.prefer ?? []), `odata.maxpagesize=${size}`];
    const { query: selected, headers } = preferences({ ...options, prefer });
    const address =
      link === undefined
        ? { path: query.path, query: { ...topOf(query, size), ...selected, ...query.query } }
        : withTop(addressOf(query, link), size);
    const { body, readAt } = await client.request({ method: 'GET', ...address, ...(headers && { headers }) });
    const page = pageSchema.safeParse(body);
    if (!page.success) throw new GraphError({ kind: 'unusable', detail: 'the answer is no list' });
    const { value, '@odata.nextLink': next, '@odata.deltaLink': delta } = page.data;
    return {
      items: lastOfEach(value.map((data) => itemOf(data, readAt))),
      ...(next !== undefined && { next: relative(query, next, graphUrl) }),
      ...(next === undefined && delta !== undefined && { delta: relative(query, delta, graphUrl) }),
    };
  };
  return Object.assign(read, {
    isLinkOf(query: PageQuery, link: string) {
      try {
        addressOf(query, link);
        return true;
      } catch (error) {
        if (error instanceof GraphError) return false;
        throw error;
      }
    },
  });
}

/** 50, 10, 10, then one by one: a message may have megabytes. */
function sizeAfter(failures: number, pageSize: number): number {
  return failures === 0 ? pageSize : failures < 3 ? Math.ceil(pageSize / 5) : 1;
}

/** A link has the size of its first page. */
function withTop({ path, query }: PageAddress, size: number): PageAddress {
  const asked = Number(query.$top);
  return { path, query: asked > size ? { ...query, $top: String(size) } : query };
}

const DELTA = /\/(microsoft\.graph\.)?delta(\(.*\))?$/i;

/** Lists and drives go by `$top` (Graph: paging, api/driveitem-delta), Outlook's delta queries by the header. */
function topOf({ path }: PageQuery, pageSize: number): Record<string, string> {
  const isDrive = /\/root\/delta$/.test(path);
  return !DELTA.test(path) || isDrive ? { $top: String(pageSize) } : {};
}

type Body = { readonly id: string } & Readonly<Record<string, unknown>>;

function itemOf(data: Body, readAt: number): FoundItem {
  // Drives have a facet for it, everything else an annotation.
  const removed = isObject(data['@removed']) || isObject(data.deleted);
  return { id: data.id, removed, state: { data, version: versionOf(data), readAt } };
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

/** Replays come in one page as well (Graph: delta-query-overview): the last one counts. */
function lastOfEach(items: readonly FoundItem[]): FoundItem[] {
  const last = new Map(items.map((item) => [item.id, item]));
  return items.filter((item) => last.get(item.id) === item);
}

function relative(query: PageQuery, link: string, graphUrl: string): string {
  linkOf(query, link, graphUrl);
  const { pathname, search } = new URL(link);
  return `${pathname.slice(`/${GRAPH_VERSION}`.length)}${search}`;
}

/** `link`, which may spell the query in another way, but leads to no other kind of thing. */
function linkOf(query: PageQuery, link: string, graphUrl: string): PageAddress {
  const address = pinnedLink(link, graphUrl);
  const asked = queryShape(query.path);
  const answered = queryShape(address.path);
  const isSame = answered === asked || (isDriveDelta(asked) && isDriveDelta(answered));
  if (answered === undefined || !isSame) {
    throw new GraphError({ kind: 'unusable', detail: 'a next link that leaves the list' });
  }
  return address;
}

/** A drive answers under its own name, or its root's, whatever name it was asked by. */
function isDriveDelta(shape: string | undefined): boolean {
  return /^(drives\/\{id\}|(users|groups|sites)\/\{id\}\/drive)(\/root)?\/delta$/.test(shape ?? '');
}

/** `users/{id}/events/delta`; a calendar view counts as the events of its calendar. */
function queryShape(path: string): string | undefined {
  const plain = path.replace(DELTA, '').replace(/\/calendarView$/i, '/events');
  const text = plain.split('/').map((part) => decodeURIComponent(part).replaceAll(/[/%?#\\]/g, '_'));
  const parsed = parseResourcePath(text.join('/'));
  if (!parsed.ok) return undefined;
  return DELTA.test(path) ? `${shapeOf(parsed.path)}/delta` : shapeOf(parsed.path);
}
