// Makes, alters, moves and removes items of every kind as Graph's own calls do, with ids and bodies of Graph's form.
import type { Calendar } from './calendar.ts';
import type { JsonObject } from './graph-exchange.ts';
import { graphDateTime } from './graph-time.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import type { ItemIds } from './item-ids.ts';
import { folderWordOf, shownFolderId } from './mail-folders.ts';
import { viewTarget } from './mailbox-views.ts';
import { itemPatch, newItemBody } from './new-item-bodies.ts';
import { kindOf } from './resource-kinds.ts';
import { collectionOf, parseResourcePath, type ResourcePath, resourcePath } from './resource-path.ts';
import {
  type ChangeOptions,
  NoSuchResourceError,
  type ResourceStore,
  type StoredResource,
} from './resource-store.ts';
import type { UserDirectory } from './user-directory.ts';

export interface Items {
  /**
   * Makes an item in a collection, e.g. "users/{id}/mailFolders/inbox/messages" or "drives/{id}/items", from any of its
   * properties; the rest is filled in.
   * @throws {NoSuchResourceError} for a mailbox without a user
   */
  create(collection: string | ResourcePath, draft: JsonObject, options?: ChangeOptions): StoredResource;
  /** Alters the named properties. @throws {NoSuchResourceError} */
  update(path: string | ResourcePath, patch: JsonObject, options?: ChangeOptions): StoredResource;
  /** A message of a chat or channel stays, as deleted; everything else is gone. @throws {NoSuchResourceError} */
  remove(path: string | ResourcePath, options?: ChangeOptions): StoredResource;
  /**
   * Moves a message or contact to another folder: its ordinary id changes, its immutable one does not.
   * @throws {NoSuchResourceError}
   */
  move(path: string | ResourcePath, folder: string, options?: ChangeOptions): StoredResource;
}

export interface ItemsDeps {
  readonly resources: ResourceStore;
  readonly directory: UserDirectory;
  readonly calendar: Calendar;
  readonly ids: ItemIds;
  readonly idForms: ItemIdForms;
  readonly resolve: (path: ResourcePath) => ResourcePath;
  readonly now: () => number;
}

const OUTLOOK_WORDS = new Set(['messages', 'contacts', 'mailfolders', 'contactfolders', 'calendars']);

function newId({ ids, now }: ItemsDeps, collection: ResourcePath, draft: JsonObject): string {
  const [owner] = collection.segments;
  const word = collection.segments.at(-1)?.word ?? '';
  if (owner?.word === 'users' && OUTLOOK_WORDS.has(word)) return ids.itemId(owner.id ?? '');
  if (word === 'messages' || word === 'replies') return ids.chatMessageId(now());
  if (collection.words === 'drives/items') return ids.driveItemId();
  // A presence is its user's.
  return collection.words === 'communications/presences' ? String(draft.id) : ids.guid();
}

function mailboxOf({ directory }: ItemsDeps, collection: ResourcePath): JsonObject | null {
  const [owner, ...rest] = collection.segments;
  if (owner?.word !== 'users' || rest.length === 0) return null;
  const user = directory.find(owner.id ?? '');
  if (user === undefined) throw new NoSuchResourceError(`There is no user ${owner.id}.`);
  return { emailAddress: { name: user.displayName, address: user.mail } };
}

function itemPath(collection: ResourcePath, id: string): ResourcePath {
  const last = collection.segments.at(-1);
  return resourcePath([...collection.segments.slice(0, -1), { word: last?.word ?? '', id }]);
}

function moveToFolder(
  { resources, ids, idForms }: ItemsDeps,
  { path, body }: StoredResource,
  folder: string,
  options?: ChangeOptions,
): StoredResource {
  const [user] = path.segments;
  const word = folderWordOf(path.words);
  const oldId = path.segments.at(-1)?.id;
  if (word === undefined || user?.id === undefined || oldId === undefined) {
    throw new TypeError(`Only messages and contacts move between folders, not ${path.key}.`);
  }
  const id = ids.itemId(user.id);
  idForms.noteMove(user.id, oldId, id);
  resources.remove(path, options);
  const parentFolderId = shownFolderId(user.id, word, folder);
  return resources.create(itemPath(collectionOf(path), id), { ...body, id, parentFolderId }, options);
}

export function createItems(deps: ItemsDeps): Items {
  const { resources, calendar } = deps;
  const asPath = (path: string | ResourcePath) =>
    deps.resolve(typeof path === 'string' ? parseResourcePath(path) : path);
  const stored = (path: string | ResourcePath): StoredResource => {
    const { path: target } = viewTarget(asPath(path));
    const found = resources.get(target);
    if (found === undefined) throw new NoSuchResourceError(`There is no resource at ${target.key}.`);
    return found;
  };
  const nowText = () => graphDateTime(deps.now());

  return {
    create: (asked, draft, options) => {
      const { path: collection, folderId } = viewTarget(asPath(asked));
      if (collection.words === 'users/events') {
        return calendar.create(collection.segments[0]?.id ?? '', draft, { ...options, calendarId: folderId });
      }
      const mailbox = mailboxOf(deps, collection);
      const id = newId(deps, collection, draft);
      const body = newItemBody(draft, { collection, folderId, id, nowText: nowText(), mailbox });
      return resources.create(itemPath(collection, id), body, options);
    },
    update: (asked, patch, options) => {
      const { path } = stored(asked);
      if (path.words === 'users/events') return calendar.update(path.key, patch, options);
      return resources.update(path, itemPatch(path, patch), options);
    },
    remove: (asked, options) => {
      const { path } = stored(asked);
      if (kindOf(path)?.versionForm !== 'chatMessage') return resources.remove(path, options);
      const emptied = { deletedDateTime: nowText(), body: { contentType: 'html', content: '' } };
      return resources.update(path, emptied, { ...options, announcedAs: 'deleted' });
    },
    move: (asked, folder, options) => moveToFolder(deps, stored(asked), folder, options),
  };
}
