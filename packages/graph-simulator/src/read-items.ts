// GET of single items and of lists, views and folders among them.
import { DateRange } from './date-range.ts';
import type { DirectoryObjects, MemberWord } from './directory-objects.ts';
import { driveRootBody, driveRootId } from './drive-root.ts';
import {
  type GraphAnswer,
  GraphError,
  type GraphRequest,
  headerText,
  type JsonObject,
} from './graph-exchange.ts';
import { answerItem, contextUrl, notThere, showItem } from './item-answers.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { canonicalFolderId, rootFolderId, shownFolderId, wellKnownFolders } from './mail-folders.ts';
import { type ViewTarget, viewTarget } from './mailbox-views.ts';
import { parseFilter } from './odata-filter.ts';
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
const FILTERED = new Set(['users', 'groups', 'users/messages', 'users/events', 'users/contacts']);

/** A list before paging: what it holds, and where its context points. */
interface Listing {
  readonly path: ResourcePath;
  readonly items: readonly StoredResource[];
}

/** Something that is shown but not kept: a mailbox's own folder, a drive's root. Its version never counts. */
function virtual(path: ResourcePath, body: JsonObject): StoredResource {
  return { path, body, version: 0, etag: '' };
}

function folderWithCounts(resources: ResourceStore, stored: StoredResource): StoredResource {
  const [user, folder] = stored.path.segments;
  if (stored.path.words !== 'users/mailfolders' || user?.id === undefined) return stored;
  const userId = user.id;
  const messages = resources
    .list(resourcePath([user, { word: 'messages' }]))
    .filter(({ body }) => inFolder(userId, 'mailfolders', folder?.id ?? '', body));
  const unreadItemCount = messages.filter(({ body }) => body.isRead === false).length;
  return { ...stored, body: { ...stored.body, totalItemCount: messages.length, unreadItemCount } };
}

function inFolder(userId: string, word: string, folderId: string, body: JsonObject): boolean {
  const parent = body.parentFolderId ?? (word === 'contactfolders' ? 'contacts' : undefined);
  return typeof parent === 'string' && canonicalFolderId(userId, word, parent) === folderId;
}

/** The folders of a mailbox: its own and those that were made. */
export function mailFolders(resources: ResourceStore, user: { word: string; id?: string }): StoredResource[] {
  const own = wellKnownFolders(user.id ?? '').map(({ name, body }) =>
    virtual(resourcePath([user, { word: 'mailfolders', id: name }]), body),
  );
  const made = resources.list(resourcePath([user, { word: 'mailfolders' }]));
  return [...own, ...made].map((folder) => folderWithCounts(resources, folder));
}

/** The item at a path, or the folder or root that is there without having been made. */
export function findItem(resources: ResourceStore, path: ResourcePath): StoredResource | undefined {
  const [owner, last] = path.segments;
  if (path.words === 'users/mailfolders' && owner !== undefined) {
    return mailFolders(resources, owner).find((folder) => folder.path.key === path.key);
  }
  const isRoot =
    path.words === 'drives/root' ||
    (path.words === 'drives/items' && last?.id === driveRootId(owner?.id ?? ''));
  if (isRoot && owner?.id !== undefined && resources.get(resourcePath([owner])) !== undefined) {
    return driveRoot(resources, owner.id);
  }
  return resources.get(path);
}

export function driveRoot(resources: ResourceStore, driveId: string): StoredResource {
  const owner = { word: 'drives', id: driveId };
  const root = resourcePath([owner, { word: 'items', id: driveRootId(driveId) }]);
  return virtual(root, driveRootBody(driveId, childrenOf(resources, driveId, driveRootId(driveId)).length));
}

function childrenOf(resources: ResourceStore, driveId: string, parentId: string): StoredResource[] {
  const items = resources.list(resourcePath([{ word: 'drives', id: driveId }, { word: 'items' }]));
  const parentOf = ({ body }: StoredResource) =>
    (body.parentReference as { id?: string } | undefined)?.id ?? driveRootId(driveId);
  return items.filter((item) => parentOf(item) === parentId);
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
  const isDefault = folder.segments.at(-1)?.id === 'contacts';
  if (items.length > 0 || isDefault || findItem(resources, folder) !== undefined) return;
  throw notThere(folder);
}

const isTopFolder = ({ path, body }: StoredResource) =>
  body.parentFolderId === undefined || body.parentFolderId === rootFolderId(path.segments[0]?.id ?? '');

/** The events that overlap the window, which is compulsory. */
function calendarView({ resources }: ReadItemsDeps, request: GraphRequest, path: ResourcePath): Listing {
  const range = DateRange.of(request.query);
  const events = resourcePath([...path.segments.slice(0, 1), { word: 'events' }]);
  return { path: events, items: resources.list(events).filter(({ body }) => range.holds(body)) };
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

function listingOf(deps: ReadItemsDeps, request: GraphRequest, asked: ResourcePath): Listing {
  const target = viewTarget(asked);
  if (target.path.words === 'users/calendarview') return calendarView(deps, request, target.path);
  const view = asked.segments[1]?.word ?? '';
  return members(deps, asked) ?? driveChildren(deps, asked) ?? itemsOf(deps, target, view);
}

function filtered({ path, items }: Listing, request: GraphRequest): readonly StoredResource[] {
  const text = request.query.get('$filter');
  if (text === null) return items;
  if (!FILTERED.has(path.words) && MEMBER_WORDS.get(path.words) === undefined) {
    throw new GraphError(501, 'notImplemented', "The simulator does not support '$filter' here.");
  }
  const filter = parseFilter(text);
  return items.filter(({ body }) => filter(body));
}

/** The directory counts only for callers that say they know about its lag (Graph page "Advanced query capabilities"). */
function isCounted(request: GraphRequest, path: ResourcePath): boolean {
  const isAsked = request.query.get('$count')?.toLowerCase() === 'true';
  const isDirectory = path.words === 'users' || path.segments[0]?.word === 'groups';
  return isAsked && (!isDirectory || isEventual(request));
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
