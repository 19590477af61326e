/**
 * What a subscription watches, as Graph writes it: a path, a `$filter` where only some changes are wanted, and a
 * `$select` where notifications carry data. Pure.
 */

export type WatchedResource = {
  /** The path alone; the text as it was where it holds other options as well. */
  readonly resource: string;
  /** Not percent-encoded: `isRead eq false`. */
  readonly filter?: string;
  readonly select?: readonly string[];
};

/** Options begin with `$`; an `&` inside a filter, which Graph may show decoded, is followed by something else. */
const BETWEEN_OPTIONS = /&(?=\$|%24)/i;

/** `users/{id}/events?$filter=isAllDay%20eq%20true&$select=subject,start` in its parts. */
export function readWatched(text: string): WatchedResource {
  const at = text.indexOf('?');
  if (at < 0) return { resource: text };
  const options = new Map(
    text
      .slice(at + 1)
      .split(BETWEEN_OPTIONS)
      .map(readOption),
  );
  const { $filter: filter, $select: select, ...others } = Object.fromEntries(options);
  if (Object.keys(others).length > 0) return { resource: text };
  return {
    resource: text.slice(0, at).replace(/\/$/, ''),
    ...(filter !== undefined && { filter }),
    ...(select !== undefined && { select: namesOf(select) }),
  };
}

function readOption(option: string): [name: string, value: string] {
  const [name = '', ...value] = option.split('=');
  return [decoded(name).toLowerCase(), decoded(value.join('='))];
}

function namesOf(select: string): string[] {
  return select
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '');
}

export function writeWatched({ resource, filter, select }: WatchedResource): string {
  const options = [
    ...(filter === undefined ? [] : [`$filter=${encodeURIComponent(filter)}`]),
    ...(select === undefined ? [] : [`$select=${select.join(',')}`]),
  ];
  return options.length === 0 ? resource : `${resource}?${options.join('&')}`;
}

/** The same names in any order; Graph reads them in any case. */
export function sameSelect(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return selectKey(a) === selectKey(b);
}

/** Equal for two that select the same; empty where everything is. */
export function selectKey(select: readonly string[] | undefined): string {
  return [...new Set(select?.map((name) => name.toLowerCase()))].sort().join();
}

/** The same filter, however it is encoded; Graph answers it as it was sent, or decoded. */
export function sameFilter(a: string | undefined, b: string | undefined): boolean {
  return filterKey(a) === filterKey(b);
}

/** Equal for two that are the same; empty where nothing is filtered. */
export function filterKey(filter = ''): string {
  const once = decoded(filter);
  return once === filter ? filter.trim() : filterKey(once);
}

/** `+` stands for a space in queries; text that is not encoded stays. */
function decoded(text: string): string {
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}
