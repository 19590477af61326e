/** Reads what a collection holds now, a page at a time: the way to find what was not notified. */
import { type ResourcePath, requestPath } from '@graph2kafka/shared';
import { z } from 'zod';
import type { ResourceState } from './fetch-resource.ts';
import type { GraphClient } from './graph-client.ts';
import { GraphError } from './graph-error.ts';
import { pinnedLink } from './next-link.ts';

export type ResourcePage = {
  readonly items: readonly { readonly id: string; readonly state: ResourceState }[];
  /** Path and query of the next page, below Graph's version; absent on the last one. */
  readonly next: string | undefined;
};

/** `next` is what the page before said. Rejects with a `GraphError`. */
export type ListResources = (collection: ResourcePath, next: string | undefined) => Promise<ResourcePage>;

/** A page is published within one run, so that it should not take longer than a window of fetches. */
const PAGE_SIZE = '50';

const pageSchema = z.object({
  value: z.array(z.looseObject({ id: z.string().min(1), '@odata.etag': z.string().optional() })),
  '@odata.nextLink': z.string().optional(),
});

export function createListResources(client: GraphClient, graphUrl: string): ListResources {
  return async (collection, next) => {
    const { body, readAt } = await client.request({
      method: 'GET',
      ...addressOf(collection, next, graphUrl),
    });
    const page = pageSchema.safeParse(body);
    if (!page.success) throw new GraphError({ kind: 'unusable', detail: 'the answer is no list' });
    const { value, '@odata.nextLink': nextLink } = page.data;
    return {
      items: value.map((data) => ({ id: data.id, state: { data, version: data['@odata.etag'], readAt } })),
      next: nextLink === undefined ? undefined : relative(nextLink, graphUrl),
    };
  };
}

/** A page that was kept for a later run is looked at again: what lies in Redis is input as well. */
function addressOf(collection: ResourcePath, next: string | undefined, graphUrl: string) {
  if (next === undefined) return { path: requestPath(collection), query: { $top: PAGE_SIZE } };
  return pinnedLink(`${new URL(graphUrl).origin}/v1.0${next}`, graphUrl);
}

function relative(nextLink: string, graphUrl: string): string {
  pinnedLink(nextLink, graphUrl);
  const { pathname, search } = new URL(nextLink);
  return `${pathname.slice('/v1.0'.length)}${search}`;
}
