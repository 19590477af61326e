// Which delta queries there are: what each tells of, which options it takes, and how it shows what is gone.
import { DateRange } from './date-range.ts';
import { GraphError, type GraphRequest, type JsonObject } from './graph-exchange.ts';
import { DEFAULT_CALENDAR, DEFAULT_CONTACT_FOLDER } from './mail-folders.ts';
import { type Filter, parseFilter } from './odata-filter.ts';
import { pageSize } from './paging.ts';
import { type PathSegment, type ResourcePath, resourcePath } from './resource-path.ts';
import { type WordTable, wordTable } from './word-table.ts';

/** How items and removals look: Outlook's, the directory's, OneDrive's, Teams'. */
export type DeltaFamily = 'outlook' | 'directory' | 'drive' | 'teams';

export interface DeltaScope {
  readonly family: DeltaFamily;
  /** The key under which the journal keeps the changes. */
  readonly journalKey: string;
  /** The collection that holds the items, for names and ids of removed ones. */
  readonly collection: ResourcePath;
  /** "#microsoft.graph.event" */
  readonly odataType: string;
  readonly pageSize: number;
  /** Graph begins a round from now where "latest" stands for a token: in the directory, in drives and in lists. */
  readonly hasLatest: boolean;
  /** Of a calendar view: startDateTime and endDateTime are compulsory. */
  readonly isWindowed: boolean;
  /** Drives and lists name both of their tokens "token"; everything else $skiptoken and $deltatoken. */
  readonly tokenNames: { readonly skip: string; readonly delta: string };
}

/** What the first request of a round says; later ones carry it in their token. */
export interface DeltaOptions {
  /** The query of the first request without tokens, to begin anew with. */
  readonly query: string;
  readonly select: string | null;
  /** Items of a page by $top, unless a later request prefers another number. */
  readonly top: number;
  /** An item outside it comes as removed; on the first round not at all. */
  readonly range: DateRange | undefined;
  readonly filter: Filter | undefined;
  /** The first round tells of the messages that came last first. */
  readonly isNewestFirst: boolean;
  /** Items that the first round tells of at most. */
  readonly most: number;
}

const USUAL_TOKENS = { skip: '$skiptoken', delta: '$deltatoken' };
const DRIVE_TOKENS = { skip: 'token', delta: 'token' };

interface Shape {
  readonly family: DeltaFamily;
  readonly type: string;
  readonly pageSize: number;
  /** From the path before "delta" to the collection of the items; the path itself unless said. */
  readonly collection?: (path: ResourcePath) => ResourcePath;
  /** The list whose changes are told, where that is a part of the collection: a folder's, a calendar's. */
  readonly list?: (path: ResourcePath) => ResourcePath;
}

const inMailbox = (word: string) => (path: ResourcePath) =>
  resourcePath([...path.segments.slice(0, 1), { word }]);

const inFolder = (folder: PathSegment, word: string) => (path: ResourcePath) =>
  resourcePath([...path.segments.slice(0, 1), folder, { word }]);

const asWritten = (path: ResourcePath) => path;

/** "users/{u}/calendars/{c}/calendarView" tells of what "…/events" holds. */
const asEvents = (path: ResourcePath) => resourcePath([...path.segments.slice(0, -1), { word: 'events' }]);

const EVENTS = { family: 'outlook', type: 'event', pageSize: 10, collection: inMailbox('events') } as const;
const OF_DEFAULT_CALENDAR = inFolder({ word: 'calendars', id: DEFAULT_CALENDAR }, 'events');
const CONTACTS = {
  family: 'outlook',
  type: 'contact',
  pageSize: 10,
  collection: inMailbox('contacts'),
} as const;

const SHAPES: WordTable<Shape> = wordTable({
  'users/calendarview': { ...EVENTS, list: OF_DEFAULT_CALENDAR },
  'users/events': { ...EVENTS, list: OF_DEFAULT_CALENDAR },
  'users/calendars/calendarview': { ...EVENTS, list: asEvents },
  'users/calendars/events': { ...EVENTS, list: asEvents },
  'users/mailfolders/messages': {
    family: 'outlook',
    type: 'message',
    pageSize: 10,
    collection: inMailbox('messages'),
    list: asWritten,
  },
  'users/mailfolders': { family: 'outlook', type: 'mailFolder', pageSize: 10 },
  'users/contactfolders': { family: 'outlook', type: 'contactFolder', pageSize: 10 },
  'users/contacts': {
    ...CONTACTS,
    list: inFolder({ word: 'contactfolders', id: DEFAULT_CONTACT_FOLDER }, 'contacts'),
  },
  'users/contactfolders/contacts': { ...CONTACTS, list: asWritten },
  'users/todo/lists': { family: 'outlook', type: 'todoTaskList', pageSize: 10 },
  'users/todo/lists/tasks': { family: 'outlook', type: 'todoTask', pageSize: 10 },
  users: { family: 'directory', type: 'user', pageSize: 100 },
  groups: { family: 'directory', type: 'group', pageSize: 100 },
  'drives/root': { family: 'drive', type: 'driveItem', pageSize: 200, collection: inMailbox('items') },
  'sites/lists/items': { family: 'drive', type: 'listItem', pageSize: 200 },
  'teams/channels/messages': { family: 'teams', type: 'chatMessage', pageSize: 20 },
});

/** @param path resolved, with the operation "delta" @throws {GraphError} 400 where Graph has no delta query */
export function deltaScope(path: ResourcePath): DeltaScope {
  const asked = resourcePath(path.segments.map(nestedAsFolder).filter(isOutermost));
  const shape = SHAPES.get(asked.words);
  if (shape === undefined)
    throw new GraphError(400, 'BadRequest', "Resource not found for the segment 'delta'.");
  const collection = shape.collection?.(asked) ?? asked;
  return {
    family: shape.family,
    journalKey: (shape.list?.(asked) ?? collection).key,
    collection,
    odataType: `#microsoft.graph.${shape.type}`,
    pageSize: shape.pageSize,
    tokenNames: shape.family === 'drive' ? DRIVE_TOKENS : USUAL_TOKENS,
    hasLatest: shape.family === 'drive' || shape.family === 'directory',
    isWindowed: asked.words.endsWith('/calendarview'),
  };
}

const nestedAsFolder = ({ word, id }: ResourcePath['segments'][number]) => ({
  word: word === 'childfolders' ? 'mailfolders' : word,
  ...(id !== undefined && { id }),
});

/** Of folders in folders only the innermost is asked for. */
function isOutermost(
  segment: ResourcePath['segments'][number],
  index: number,
  all: readonly ResourcePath['segments'][number][],
): boolean {
  return segment.word !== 'mailfolders' || all[index + 1]?.word !== 'mailfolders';
}

const OPTION_NAMES = ['$select', '$expand', '$filter', '$orderby', '$search'];
/** Options that each delta query takes (Graph pages "event: delta", "message: delta", "user: delta" …). */
const ALLOWED: WordTable<readonly string[]> = wordTable({
  event: [],
  message: ['$select', '$filter', '$orderby'],
  contact: ['$select'],
  mailFolder: ['$select'],
  contactFolder: ['$select'],
  user: ['$select', '$filter'],
  group: ['$select', '$filter'],
  driveItem: ['$select'],
});
/** So many messages are told of in a first round that is filtered (Graph page "Get incremental changes to messages in a folder"). */
const MOST_FILTERED_MESSAGES = 5_000;
const MESSAGE_ORDER = /^\s*receivedDateTime\s+desc\s*$/i;
const MESSAGE_FILTER = /^\s*receivedDateTime\s+g[et]\s+\S+\s*$/i;

const ID_FILTER = /^\s*id\s+eq\s+'[^']*'\s*$/i;
/** Graph pages "user: delta", "group: delta". */
const MOST_IDS = 50;

function isListOfIds(filter: string): boolean {
  const parts = filter.split(/\s+or\s+/i);
  return parts.length <= MOST_IDS && parts.every((part) => ID_FILTER.test(part));
}

function refuseOptions(query: URLSearchParams, type: string): void {
  const allowed = ALLOWED.get(type) ?? [];
  const refused = OPTION_NAMES.find((name) => query.has(name) && !allowed.includes(name));
  if (refused !== undefined) {
    throw new GraphError(
      400,
      'ErrorInvalidUrlQuery',
      `The query option '${refused}' is not allowed with delta.`,
    );
  }
  const order = query.get('$orderby');
  if (order !== null && !MESSAGE_ORDER.test(order)) {
    const text = 'A delta query of messages can be ordered by receivedDateTime desc alone.';
    throw new GraphError(400, 'ErrorInvalidUrlQueryOrderBy', text);
  }
  const filter = query.get('$filter');
  if ((type === 'user' || type === 'group') && filter !== null && !isListOfIds(filter)) {
    const text = 'A delta query of users or groups can be filtered by up to 50 ids alone.';
    throw new GraphError(400, 'Request_UnsupportedQuery', text);
  }
  if (type === 'message' && filter !== null && !MESSAGE_FILTER.test(filter)) {
    const text = 'Only receivedDateTime ge or gt can be filtered by in a delta query of messages.';
    throw new GraphError(400, 'ErrorInvalidUrlQueryFilter', text);
  }
}

/** @throws {GraphError} 400 for an option that this delta query does not take, or a window without bounds */
export function deltaOptions(request: GraphRequest, scope: DeltaScope): DeltaOptions {
  const query = new URLSearchParams(request.query);
  for (const name of [scope.tokenNames.skip, scope.tokenNames.delta]) query.delete(name);
  refuseOptions(query, scope.odataType.replace('#microsoft.graph.', ''));
  const filter = query.get('$filter');
  return {
    query: query.toString().replaceAll('%24', '$'),
    select: query.get('$select'),
    top: pageSize({ query, headers: {} }, scope.pageSize),
    range: scope.isWindowed ? DateRange.of(query) : undefined,
    filter: filter === null ? undefined : parseFilter(filter),
    isNewestFirst: query.has('$orderby'),
    most:
      filter !== null && scope.odataType === '#microsoft.graph.message'
        ? MOST_FILTERED_MESSAGES
        : Number.POSITIVE_INFINITY,
  };
}

/** An item that is gone, as each family tells it. */
export function removedItem(scope: DeltaScope, id: string, reason: 'deleted' | 'changed'): JsonObject {
  if (scope.family === 'drive') return { '@odata.type': scope.odataType, id, deleted: { state: 'deleted' } };
  const type = scope.family === 'outlook' ? { '@odata.type': scope.odataType } : {};
  return { ...type, id, '@removed': { reason: scope.family === 'directory' ? reason : 'deleted' } };
}
