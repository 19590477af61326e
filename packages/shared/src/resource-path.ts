/**
 * The identity of a Graph resource: one canonical form for all spellings of its path, and the owner whose
 * changes are worked one after the other.
 *
 * Graph writes one resource in several ways (`Users/{id}/Events/{id}`, `users/{id}@{tenant}/messages/{id}`,
 * `teams('{id}')/channels('{id}')`): path words come in any case, ids are opaque and case-sensitive, GUIDs are
 * not. A path is never compared or requested as text: it is parsed here, and rebuilt from its parts.
 */

/** One step of a path: a known word, and the id that follows it where it has one. */
export type PathSegment = { readonly word: string; readonly id?: string };

export type ResourcePath = readonly PathSegment[];

export type ParsedPath =
  | { readonly ok: true; readonly path: ResourcePath }
  | { readonly ok: false; readonly reason: string };

/** Words that take an id (`users/{id}`), in the spelling that Graph's reference uses. */
const COLLECTIONS = [
  'alerts',
  'alerts_v2',
  'calendarGroups',
  'calendars',
  'callRecords',
  'channels',
  'chats',
  'childFolders',
  'contactFolders',
  'contacts',
  'conversations',
  'devices',
  'drives',
  'events',
  'groups',
  'installedApps',
  'items',
  'jobs',
  'lists',
  'mailFolders',
  'members',
  'messages',
  'offerShiftRequests',
  'onlineMeetings',
  'openShiftChangeRequests',
  'owners',
  'presences',
  'printers',
  'recordings',
  'replies',
  'shares',
  'shifts',
  'sites',
  'swapShiftsChangeRequests',
  'tasks',
  'taskDefinitions',
  'teams',
  'timeOffRequests',
  'transcripts',
  'users',
] as const;

/** Words that stand alone (`communications/callRecords/{id}`). */
const SINGLETONS = [
  'calendar',
  'communications',
  'drive',
  'presence',
  'print',
  'root',
  'schedule',
  'security',
  'todo',
] as const;

/** Words that stand for all there is of a collection, where its id would stand (`chats/getAllMessages`). */
const FUNCTIONS = ['getAllChannels', 'getAllMembers', 'getAllMessages'] as const;

const canonicalWord = new Map<string, string>(
  [...COLLECTIONS, ...SINGLETONS, ...FUNCTIONS].map((word) => [word.toLowerCase(), word]),
);
const isFunction = new Set<string>(FUNCTIONS.map((word) => word.toLowerCase()));
const takesId = new Set<string>(COLLECTIONS.map((word) => word.toLowerCase()));

/** Longer than any id or path that Graph has been seen to send (Outlook ids: 152 characters). */
const LONGEST_PATH = 2048;

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export function isGuid(text: string): boolean {
  return GUID.test(text);
}

/**
 * Parses the path of one resource or of one collection, relative to Graph's root.
 *
 * Anything that could leave that root or carry a second meaning is refused with a reason: absolute URLs, empty
 * segments, `..`, `\`, `%`, `?`, `#`, control characters, unknown words.
 */
export function parseResourcePath(text: string): ParsedPath {
  const problem = unsafeText(text);
  if (problem) return { ok: false, reason: problem };
  const tokens = tokenize(text.startsWith('/') ? text.slice(1) : text);
  if (!tokens) return { ok: false, reason: 'not a path of words and ids' };
  return readSegments(tokens);
}

function unsafeText(text: string): string | undefined {
  if (text.length === 0) return 'empty path';
  if (text.length > LONGEST_PATH) return `longer than ${LONGEST_PATH} characters`;
  if (!text.isWellFormed()) return 'holds a lone surrogate';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\u0000-\u001f\u007f\\%?#]/.test(text)) return 'holds a control character or one of \\ % ? #';
  return undefined;
}

type Token = { readonly word: string; readonly quotedId?: string };

/** `word('id')` */
const KEYED = /^([A-Za-z_0-9]+)\('((?:[^']|'')+)'\)$/;

/** Splits at `/`, and `word('id')` into its two parts; `''` inside quotes stands for one quote. */
function tokenize(text: string): Token[] | undefined {
  const tokens: Token[] = [];
  for (const part of text.split('/')) {
    const quoted = KEYED.exec(part);
    if (quoted)
      tokens.push({ word: quoted[1] as string, quotedId: (quoted[2] as string).replaceAll("''", "'") });
    else if (part === '' || part === '.' || part === '..') return undefined;
    else tokens.push({ word: part });
  }
  return tokens;
}

function readSegments(tokens: readonly Token[]): ParsedPath {
  const path: PathSegment[] = [];
  for (let i = 0; i < tokens.length; i++) {
    const { word, quotedId } = tokens[i] as Token;
    const known = canonicalWord.get(word.toLowerCase());
    if (!known) return { ok: false, reason: `unknown word ${JSON.stringify(word.slice(0, 40))}` };
    if (!takesId.has(known.toLowerCase())) {
      if (quotedId !== undefined) return { ok: false, reason: `${known} takes no id` };
      path.push({ word: known });
      continue;
    }
    const id = quotedId ?? tokens[i + 1]?.word;
    const namesFunction = isFunction.has(id?.toLowerCase() ?? '');
    if (id === undefined || (namesFunction && quotedId === undefined)) {
      path.push({ word: known });
      continue;
    }
    if (quotedId === undefined) {
      if (tokens[i + 1]?.quotedId !== undefined) return { ok: false, reason: `${known} lacks its id` };
      i++;
    }
    if (id === '.' || id === '..') return { ok: false, reason: 'an id of dots' };
    // In the canonical form, which has no quotes, it would be read as a word with its id, or as a function.
    if (KEYED.test(id)) return { ok: false, reason: 'an id that looks like a word with its id' };
    if (namesFunction) return { ok: false, reason: 'an id that looks like a function' };
    path.push({ word: known, id: canonicalId(id) });
  }
  const reason = misplaced(path);
  return reason === undefined ? { ok: true, path } : { ok: false, reason };
}

/** What no path of Graph's is made of: a collection without its id before something else, a function of nothing. */
function misplaced(path: ResourcePath): string | undefined {
  for (const [i, { word, id }] of path.entries()) {
    const next = path[i + 1];
    const followsFunction = next !== undefined && isFunction.has(next.word.toLowerCase());
    const isOpen = id === undefined && takesId.has(word.toLowerCase());
    if (isOpen && next && !followsFunction) return `${word} lacks its id`;
    if (followsFunction && !isOpen) return `${next.word} follows no collection`;
    if (isFunction.has(word.toLowerCase()) && (i === 0 || next))
      return `${word} stands alone at the end only`;
  }
  return undefined;
}

/** GUIDs in lower case; `{guid}@{guid}` (user at tenant) without the tenant; anything else as it is. */
function canonicalId(id: string): string {
  if (isGuid(id)) return id.toLowerCase();
  const [user, tenant, ...rest] = id.split('@');
  if (rest.length === 0 && user && tenant && isGuid(user) && isGuid(tenant)) return user.toLowerCase();
  return id;
}

/** The one spelling used for keys: `users/{id}/events/{id}`, words in lower case. */
export function canonicalResource(path: ResourcePath): string {
  return path
    .map(({ word, id }) => (id === undefined ? word.toLowerCase() : `${word.toLowerCase()}/${id}`))
    .join('/');
}

/** The path to request, below `/v1.0`: words in Graph's spelling, each id percent-encoded. */
export function requestPath(path: ResourcePath): string {
  return `/${path.map(({ word, id }) => (id === undefined ? word : `${word}/${encodeURIComponent(id)}`)).join('/')}`;
}

/** The form that records name a resource by, as Azure Event Grid does: `Users/{id}/Events/{id}`. */
export function subjectOf(path: ResourcePath): string {
  const title = (word: string) => word.charAt(0).toUpperCase() + word.slice(1);
  return path.map(({ word, id }) => (id === undefined ? title(word) : `${title(word)}/${id}`)).join('/');
}

/** Resources without an owner of their own (call records, alerts) spread over this many lanes per tenant. */
const LANES_PER_TENANT = 8;

/**
 * The owner of a resource, below its tenant: what the path begins with (`users/{id}`), or a numbered lane for
 * collections that belong to nobody (`communications/callrecords` → `lanes/3`).
 */
export function ownerOf(path: ResourcePath): string {
  const first = path[0];
  if (first?.id !== undefined) return `${first.word.toLowerCase()}/${first.id}`;
  return `lanes/${laneOf(canonicalResource(path))}`;
}

/** A number below `LANES_PER_TENANT` that depends on nothing but the text (FNV-1a). */
export function laneOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return (hash >>> 0) % LANES_PER_TENANT;
}
