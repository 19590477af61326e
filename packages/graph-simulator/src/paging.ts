// Page sizes, select lists and next links of Graph's collections.
import { GraphError, type GraphRequest, type JsonObject } from './graph-exchange.ts';
import { preferredPageSize } from './preferences.ts';

/** Graph refuses pages beyond this for Outlook (Graph page "Paging"); directory objects stop at 999. */
const MAX_PAGE_SIZE = 1000;

/** `{"@odata.nextLink": …}`: the same request with one parameter put in place, to be used as it is. */
export function nextLink(request: GraphRequest, name: string, value: string): JsonObject {
  const query = new URLSearchParams(request.query);
  query.set(name, value);
  // Graph writes its parameters' dollar signs bare.
  return {
    '@odata.nextLink': `${request.origin}/v1.0${request.path}?${query.toString().replaceAll('%24', '$')}`,
  };
}

function wholeNumber(request: Pick<GraphRequest, 'query'>, name: string, least: number): number | undefined {
  const text = request.query.get(name);
  if (text === null) return undefined;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least) {
    throw new GraphError(400, 'BadRequest', `Invalid value '${text}' for the query option '${name}'.`);
  }
  return value;
}

/** $top, else the preference odata.maxpagesize, else the kind's own number. */
export function pageSize(request: Pick<GraphRequest, 'query' | 'headers'>, fallback: number): number {
  const wished = wholeNumber(request, '$top', 1) ?? preferredPageSize(request.headers) ?? fallback;
  return Math.min(Math.max(wished, 1), MAX_PAGE_SIZE);
}

/** One page by position. Items that come or go between two pages shift the rest, as they do in Outlook. */
export function pageOf<T>(
  request: GraphRequest,
  items: readonly T[],
  fallback: number,
): { page: T[]; link: JsonObject } {
  const size = pageSize(request, fallback);
  const start = wholeNumber(request, '$skip', 0) ?? 0;
  const page = items.slice(start, start + size);
  const link = items.length > start + size ? nextLink(request, '$skip', String(start + size)) : {};
  return { page, link };
}

/** Keeps the properties of $select (in any case), the id and OData's annotations; everything without $select. */
export function selectProperties(body: JsonObject, query: URLSearchParams): JsonObject {
  const select = query.get('$select');
  if (select === null || select.trim() === '' || select.trim() === '*') return body;
  const wanted = new Set(select.split(',').map((name) => name.trim().toLowerCase()));
  const kept = Object.entries(body).filter(
    ([name]) => name === 'id' || name.startsWith('@odata.') || wanted.has(name.toLowerCase()),
  );
  return Object.fromEntries(kept);
}
