// What is there without having been made: a mailbox's own folders and calendar, a drive's root; and the item at a path.
import { calendarBody, calendarIdOf } from './calendars.ts';
import { driveRootBody, driveRootId } from './drive-root.ts';
import type { JsonObject } from './graph-exchange.ts';
import {
  canonicalFolderId,
  DEFAULT_CALENDAR,
  DEFAULT_CONTACT_FOLDER,
  shownFolderId,
  wellKnownFolderId,
  wellKnownFolders,
} from './mail-folders.ts';
import { type PathSegment, type ResourcePath, resourcePath } from './resource-path.ts';
import type { ResourceStore, StoredResource } from './resource-store.ts';

/** Something that is shown but not kept: a mailbox's own folder, a drive's root. Its version never counts. */
function virtual(path: ResourcePath, body: JsonObject): StoredResource {
  return { path, body, version: 0, etag: '' };
}

/** A mail folder as it is shown, with the numbers of what is in it now; everything else as it is. */
export function folderWithCounts(resources: ResourceStore, stored: StoredResource): StoredResource {
  const [user, folder] = stored.path.segments;
  if (stored.path.words !== 'users/mailfolders' || user?.id === undefined) return stored;
  const userId = user.id;
  const messages = resources
    .list(resourcePath([user, { word: 'messages' }]))
    .filter(({ body }) => inFolder(userId, 'mailfolders', folder?.id ?? '', body));
  const unreadItemCount = messages.filter(({ body }) => body.isRead === false).length;
  const shownId = shownFolderId(userId, 'mailfolders', folder?.id ?? '');
  const childFolderCount = resources
    .list(resourcePath([user, { word: 'mailfolders' }]))
    .filter(({ body }) => body.parentFolderId === shownId).length;
  const counts = { childFolderCount, totalItemCount: messages.length, unreadItemCount };
  return { ...stored, body: { ...stored.body, ...counts } };
}

export function inFolder(userId: string, word: string, folderId: string, body: JsonObject): boolean {
  if (word === 'calendars') return calendarIdOf(body) === folderId;
  const parent = body.parentFolderId ?? (word === 'contactfolders' ? DEFAULT_CONTACT_FOLDER : undefined);
  return typeof parent === 'string' && canonicalFolderId(userId, word, parent) === folderId;
}

/** The folders of a mailbox: its own and those that were made. */
export function mailFolders(resources: ResourceStore, user: PathSegment): StoredResource[] {
  const own = wellKnownFolders(user.id ?? '').map(({ name, body }) =>
    virtual(resourcePath([user, { word: 'mailfolders', id: name }]), body),
  );
  const made = resources.list(resourcePath([user, { word: 'mailfolders' }]));
  return [...own, ...made].map((folder) => folderWithCounts(resources, folder));
}

/** The calendars of a mailbox: the default one and those that were made. */
export function calendars(resources: ResourceStore, user: PathSegment): StoredResource[] {
  const userId = user.id ?? '';
  const person = resources.get(resourcePath([user]))?.body;
  const owner = { name: String(person?.displayName), address: String(person?.mail) };
  const body = calendarBody(
    { id: wellKnownFolderId(userId, DEFAULT_CALENDAR), name: 'Calendar' },
    owner,
    true,
  );
  const own = virtual(resourcePath([user, { word: 'calendars', id: DEFAULT_CALENDAR }]), body);
  return [own, ...resources.list(resourcePath([user, { word: 'calendars' }]))];
}

/** The item at a path, or the folder or root that is there without having been made. */
export function findItem(resources: ResourceStore, path: ResourcePath): StoredResource | undefined {
  const [owner, last] = path.segments;
  if (path.words === 'users/mailfolders' && owner !== undefined) {
    return mailFolders(resources, owner).find((folder) => folder.path.key === path.key);
  }
  if (path.words === 'users/calendars' && owner !== undefined) {
    return calendars(resources, owner).find((calendar) => calendar.path.key === path.key);
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

export function childrenOf(resources: ResourceStore, driveId: string, parentId: string): StoredResource[] {
  const items = resources.list(resourcePath([{ word: 'drives', id: driveId }, { word: 'items' }]));
  const parentOf = ({ body }: StoredResource) =>
    (body.parentReference as { id?: string } | undefined)?.id ?? driveRootId(driveId);
  return items.filter((item) => parentOf(item) === parentId);
}
