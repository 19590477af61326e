/** Which URLs are Graph's: of the configured origin, below its version, and with no way out in them. */

export const GRAPH_VERSION = 'v1.0';

const ROOT = `/${GRAPH_VERSION}/`;

/** Whether a token may be sent to it. `origin` as `URL.origin` writes it. */
export function isGraphUrl(url: URL, origin: string): boolean {
  if (url.origin !== origin || url.username !== '' || url.password !== '') return false;
  if (!url.pathname.startsWith(ROOT)) return false;
  return url.pathname.slice(ROOT.length).split('/').every(isPlain);
}

/** Stands in for Graph's origin, which the parts of a batch leave out. */
const ANY_ORIGIN = 'https://graph.invalid';

/**
 * Path and query of a request as a part of a batch names them: `/users/{id}?$select=id`. `undefined` where they would
 * lead elsewhere.
 */
export function batchUrl(request: {
  readonly path: string;
  readonly query?: Readonly<Record<string, string>>;
}): string | undefined {
  const query = Object.entries(request.query ?? {}).map(([name, value]) => `${name}=${value}`);
  const text = [request.path, ...(query.length > 0 ? [query.join('&')] : [])].join('?');
  const url = URL.parse(`${ANY_ORIGIN}${ROOT.slice(0, -1)}${text}`);
  if (url?.hash !== '' || !isGraphUrl(url, ANY_ORIGIN)) return undefined;
  return `${url.pathname.slice(ROOT.length - 1)}${url.search}`;
}

/**
 * `URL` resolves dots, but not behind an encoded slash; a server that decodes more, or takes full-width dots for dots,
 * could. An id of Graph has none of that.
 */
function isPlain(segment: string): boolean {
  const text = decoded(segment)?.normalize('NFKC');
  if (text === undefined || text === '' || /[\p{Cc}\\]/u.test(text)) return false;
  return text.split('/').every((part) => part !== '.' && part !== '..');
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
