// GET of single items and of lists, views and folders among them.
import { DateRange } from './date-range.ts';
import type { DirectoryObjects, MemberWord } from './directory-objects.ts';
import { type GraphAnswer, GraphError, type GraphRequest, headerText } from './graph-exchange.ts';
import { answerItem, contextUrl, notThere, showItem } from './item-answers.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { DEFAULT_CALENDAR, DEFAULT_CONTACT_FOLDER, rootFolderId, shownFolderId } from './mail-folders.ts';
import { type ViewTarget, viewTarget } from './mailbox-views.ts';
import { advancedOperator, parseFilter } from './odata-filter.ts';
import { calendars, childrenOf, findItem, inFolder, mailFolders } from './own-items.ts';
import { pageOf, selectProperties } from './paging.ts';
import { appliedHeader, readPreferences } from './preferences.ts';
import { kindOf } from './resource-kinds.ts';
import { type ResourcePath, resourcePath } from './resource-path.ts';
import type { ResourceStore, StoredResource } from './resource-store.ts';
import { type WordTable, wordTable } from './word-table.ts';

export interface ReadItemsDeps {
  readonly resources: ResourceStore;
  readonly directoryObjects: DirectoryObjects;
  readonly idForms: ItemIdForms;
  readonly now: () => number;
}

const DEFAULT_PAGE_SIZE = 100;
/** Kinds whose lists can be filtered here, though Graph filters others too. */
const FILTERED = new Set([
  'users',
  'groups',
  'users/messages',
  'users/events',
  'users/contacts',
  'users/mailfolders',
  'users/todo/lists/tasks',
  'security/alerts',
  'security/alerts_v2',
]);

/** A list before paging: what it holds, and where its context points. */
interface Listing {
  readonly path: ResourcePath;
  readonly items: readonly StoredResource[];
}

export function readItem(deps: ReadItemsDeps, request: GraphRequest, path: ResourcePath): GraphAnswer {
  const stored = findItem(deps.resources, path);
  const read = { resource: path.key, version: stored?.version ?? null, at: deps.now() };
  if (stored === undefined) throw notThere(path, read);
  return { ...answerItem(request, stored, 200, deps.idForms), read };
}

function requireCollection({ resources }: ReadItemsDeps, path: ResourcePath): void {
  if (kindOf(path) === undefined && !resources.hasCollection(path)) {
    const word = path.segments.at(-1)?.word ?? '';
    throw new GraphError(400, 'BadRequest', `Resource not found for the segment '${word}'.`);
  }
  const parent = path.segments.slice(0, -1);
  // A singleton such as "communications" holds collections without being kept itself.
  const isKept = parent.at(-1)?.id !== undefined;
  if (isKept && !resources.hasCollection(path) && findItem(resources, resourcePath(parent)) === undefined) {
    throw notThere(resourcePath(parent));
  }
}

function itemsOf(deps: ReadItemsDeps, { path, folderId }: ViewTarget, view: string): Listing {
  requireCollection(deps, path);
  const [user] = path.segments;
  const userId = user?.id ?? '';
  if (path.words === 'users/calendars' && user !== undefined) {
    return { path, items: calendars(deps.resources, user) };
  }
  const isFolders = path.words === 'users/mailfolders' && user !== undefined;
  const all = isFolders ? mailFolders(deps.resources, user) : deps.resources.list(path);
  if (folderId === undefined) return { path, items: isFolders ? all.filter(isTopFolder) : all };
  if (isFolders) {
    const parentId = shownFolderId(userId, 'mailfolders', folderId);
    return { path, items: all.filter(({ body }) => body.parentFolderId === parentId) };
  }
  const items = all.filter(({ body }) => inFolder(userId, view, folderId, body));
  requireFolder(deps, resourcePath([...path.segments.slice(0, 1), { word: view, id: folderId }]), items);
  return { path, items };
}

/** A folder that something was put into is taken to be there; Outlook would have had it made first. */
function requireFolder({ resources }: ReadItemsDeps, folder: ResourcePath, items: readonly unknown[]): void {
  const isDefault = folder.segments.at(-1)?.id === DEFAULT_CONTACT_FOLDER;
  if (items.length > 0 || isDefault || findItem(resources, folder) !== undefined) return;
  throw notThere(folder);
}

const isTopFolder = ({ path, body }: StoredResource) =>
  body.parentFolderId === undefined || body.parentFolderId === rootFolderId(path.segments[0]?.id ?? '');

/** The events that overlap the window, which is compulsory. */
function calendarView(deps: ReadItemsDeps, request: GraphRequest, target: ViewTarget): Listing {
  const range = DateRange.of(request.query);
  const events = resourcePath([...target.path.segments.slice(0, 1), { word: 'events' }]);
  const { path, items } = itemsOf(deps, { ...target, path: events }, 'calendars');
  return { path, items: items.filter(({ body }) => range.holds(body)) };
}

const MEMBER_WORDS: WordTable<{ word: MemberWord; transitive: boolean }> = wordTable({
  'groups/members': { word: 'members', transitive: false },
  'groups/transitivemembers': { word: 'members', transitive: true },
  'groups/owners': { word: 'owners', transitive: false },
});

function members(deps: ReadItemsDeps, path: ResourcePath): Listing | undefined {
  const asked = MEMBER_WORDS.get(path.words);
  const [group] = path.segments;
  if (asked === undefined || group?.id === undefined) return undefined;
  if (deps.resources.get(resourcePath([group])) === undefined) throw notThere(resourcePath([group]));
  const items = deps.directoryObjects.members(group.id, asked.word, asked.transitive);
  const typed = items.map((item) => {
    const odataType = kindOf(item.path)?.odataType.replace('#Microsoft.Graph.', '').toLowerCase();
    return { ...item, body: { '@odata.type': `#microsoft.graph.${odataType}`, ...item.body } };
  });
  return { path, items: typed };
}

function driveChildren({ resources }: ReadItemsDeps, path: ResourcePath): Listing | undefined {
  const [drive, item] = path.segments;
  if (path.segments.at(-1)?.word !== 'children' || drive?.word !== 'drives' || item === undefined)
    return undefined;
  const parent = findItem(resources, resourcePath([drive, item]));
  if (parent === undefined) throw notThere(resourcePath([drive, item]));
  const parentId = parent.path.segments.at(-1)?.id ?? '';
  return {
    path: resourcePath([drive, { word: 'items' }]),
    items: childrenOf(resources, drive.id ?? '', parentId),
  };
}

/** Lists of a mailbox that are those of one folder, unless another is named (Graph pages "List events", "List contacts"). */
const DEFAULT_FOLDERS: WordTable<{ readonly word: string; readonly id: string }> = wordTable({
  'users/events': { word: 'calendars', id: DEFAULT_CALENDAR },
  'users/calendarview': { word: 'calendars', id: DEFAULT_CALENDAR },
  'users/contacts': { word: 'contactfolders', id: DEFAULT_CONTACT_FOLDER },
});

function inDefaultFolder({ path, folderId }: ViewTarget): ViewTarget {
  return { path, folderId: folderId ?? DEFAULT_FOLDERS.get(path.words)?.id };
}

function listingOf(deps: ReadItemsDeps, request: GraphRequest, asked: ResourcePath): Listing {
  const target = inDefaultFolder(viewTarget(asked));
  if (target.path.words === 'users/calendarview') return calendarView(deps, request, target);
  const view = DEFAULT_FOLDERS.get(target.path.words)?.word ?? asked.segments[1]?.word ?? '';
  return members(deps, asked) ?? driveChildren(deps, asked) ?? itemsOf(deps, target, view);
}

function filtered({ path, items }: Listing, request: GraphRequest): readonly StoredResource[] {
  const text = request.query.get('$filter');
  if (text === null) return items;
  if (!FILTERED.has(path.words) && MEMBER_WORDS.get(path.words) === undefined) {
    throw new GraphError(501, 'notImplemented', "The simulator does not support '$filter' here.");
  }
  const filter = parseFilter(text);
  refuseAdvanced(request, path, text);
  return items.filter(({ body }) => filter(body));
}

const isDirectoryList = (path: ResourcePath) => path.words === 'users' || path.segments[0]?.word === 'groups';

function refuseAdvanced(request: GraphRequest, path: ResourcePath, filter: string): void {
  const operator = isDirectoryList(path) ? advancedOperator(filter) : undefined;
  const isCounting = request.query.get('$count')?.toLowerCase() === 'true' || path.operation === '$count';
  if (operator === undefined || (isEventual(request) && isCounting)) return;
  const text =
    `Operator '${operator}' is not supported because the required parameters might be missing. ` +
    'Try adding $count=true query parameter and ConsistencyLevel:eventual header.';
  throw new GraphError(400, 'Request_UnsupportedQuery', text);
}

/** Same pages of the directory: 999 at most, and more is refused. */
const MOST_OF_DIRECTORY = 999;

function refuseLargePage({ query }: GraphRequest, path: ResourcePath): void {
  const top = query.get('$top');
  if (top === null || Number(top) <= MOST_OF_DIRECTORY || !isDirectoryList(path)) return;
  const text = `Invalid page size specified: '${top}'. Must be between 1 and ${MOST_OF_DIRECTORY} inclusive.`;
  throw new GraphError(400, 'Request_UnsupportedQuery', text);
}

/** The directory counts only for callers that say they know about its lag (Graph page "Advanced query capabilities"). */
function isCounted(request: GraphRequest, path: ResourcePath): boolean {
  const isAsked = request.query.get('$count')?.toLowerCase() === 'true';
  return isAsked && (!isDirectoryList(path) || isEventual(request));
}

const isEventual = ({ headers }: GraphRequest) =>
  headerText(headers, 'consistencylevel').toLowerCase() === 'eventual';

/** GET …/$count: the number alone, as text. */
export function countItems(deps: ReadItemsDeps, request: GraphRequest, asked: ResourcePath): GraphAnswer {
  if (!isEventual(request) && asked.segments[0]?.word !== 'users') {
    const text = "$count is not currently supported without the header 'ConsistencyLevel: eventual'.";
    throw new GraphError(400, 'Request_BadRequest', text);
  }
  const listing = listingOf(deps, request, resourcePath(asked.segments));
  return { status: 200, text: String(filtered(listing, request).length) };
}

export function listItems(deps: ReadItemsDeps, request: GraphRequest, asked: ResourcePath): GraphAnswer {
  const listing = listingOf(deps, request, asked);
  const { path } = listing;
  refuseLargePage(request, path);
  const items = filtered(listing, request);
  const { page, link } = pageOf(request, items, kindOf(path)?.pageSize ?? DEFAULT_PAGE_SIZE);
  const preferences = readPreferences(request);
  const value = page.map((item) =>
    selectProperties(showItem(item, preferences, deps.idForms), request.query),
  );
  const count = isCounted(request, path) ? { '@odata.count': items.length } : {};
  const body = { '@odata.context': contextUrl(request, path, false), ...count, ...link, value };
  return { status: 200, headers: appliedHeader(preferences), body };
}
