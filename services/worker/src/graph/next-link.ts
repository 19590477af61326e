/** Where a list goes on: `@odata.nextLink` is an absolute URL, of which only path and query are taken. */
import { GraphError } from './graph-error.ts';
import { GRAPH_VERSION, isGraphUrl } from './graph-url.ts';

export type PageAddress = { readonly path: string; readonly query: Readonly<Record<string, string>> };

/** Rejects links that leave the configured Graph with a `GraphError` "unusable". */
export function pinnedLink(link: string, graphUrl: string): PageAddress {
  const url = URL.parse(link);
  if (!url || !isGraphUrl(url, new URL(graphUrl).origin)) {
    throw new GraphError({ kind: 'unusable', detail: 'a next link that leaves the configured Graph' });
  }
  const query = Object.fromEntries(
    [...url.searchParams].map(([name, value]) => [name, encodeURIComponent(value)]),
  );
  return { path: url.pathname.slice(`/${GRAPH_VERSION}`.length), query };
}
