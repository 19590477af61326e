/** Which pages of Microsoft's documentation a source names in its comments: `(Graph: throttling-limits, "JSON batching")`. */

/** Where the pages are, by who publishes them. */
export const PUBLISHERS = {
  Graph: 'https://learn.microsoft.com/graph/',
  Entra: 'https://learn.microsoft.com/entra/identity-platform/',
} as const;

/** A list of pages and, in quotes, of their sections, up to a bracket that closes. */
const NAMED = /\b(?:Graph|Entra): ((?:[a-z0-9/-]+|"[^"]*")(?:, (?:[a-z0-9/-]+|"[^"]*"))*)\)/g;

/** What looks like a page, but is not named in that form, so that nobody would look for it in docs/protocol.md. */
const OTHERWISE =
  /\bGraph pages?\b|\((?:Graph|Entra): [a-z]|change-notifications-[a-z]|throttling[ -]limits|resource type\)|learn\.microsoft\.com\/graph/i;

type NamedSources = {
  /** Without their sections, each once. */
  readonly pages: readonly string[];
  /** Comments that name a page in another form. */
  readonly otherwise: readonly string[];
};

export function namedSources(source: string): NamedSources {
  const comments = [...source.matchAll(/\/\*[\s\S]*?\*\/|\/\/.*/g)].map(([comment]) => onOneLine(comment));
  const lists = comments.flatMap((comment) => [...comment.matchAll(NAMED)].map(([, list = '']) => list));
  const items = lists.flatMap((list) => list.match(/"[^"]*"|[^ ,]+/g) ?? []);
  return {
    pages: [...new Set(items.filter((item) => !item.startsWith('"')))],
    otherwise: comments.filter((comment) => OTHERWISE.test(comment.replaceAll(NAMED, ''))),
  };
}

function onOneLine(comment: string): string {
  return comment.replaceAll(/\s*\n\s*(?:\*(?!\/) ?)?/g, ' ');
}
