/** What a subscription watches, as Graph writes it: a path and, where notifications carry data, `?$select=…`. Pure. */

export type WatchedResource = {
  /** Without the query; the text as it was where that holds more than a `$select`. */
  readonly resource: string;
  readonly select?: readonly string[];
};

/** `users/{id}/events?$select=subject,start` in its two parts. A filter is a part of what is watched, and stays in it. */
export function splitSelect(text: string): WatchedResource {
  const at = text.indexOf('?');
  if (at < 0) return { resource: text };
  const [option, ...others] = [...new URLSearchParams(text.slice(at + 1))];
  if (option?.[0].toLowerCase() !== '$select' || others.length > 0) return { resource: text };
  const select = option[1].split(',').map((name) => name.trim());
  return { resource: text.slice(0, at), select: select.filter((name) => name !== '') };
}

export function joinSelect(resource: string, select: readonly string[] | undefined): string {
  return select === undefined ? resource : `${resource}?$select=${select.join(',')}`;
}

/** The same names in any order; Graph reads them in any case. */
export function sameSelect(a: readonly string[] | undefined, b: readonly string[] | undefined): boolean {
  return selectKey(a) === selectKey(b);
}

/** Equal for two that select the same; empty where everything is. */
export function selectKey(select: readonly string[] | undefined): string {
  return [...new Set(select?.map((name) => name.toLowerCase()))].sort().join();
}
