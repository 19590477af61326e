// Which subscriptions hear of a change, by what they name, and what a notification of it names.
import type { JsonObject } from './graph-exchange.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { canonicalFolderId, DEFAULT_CONTACT_FOLDER, folderWordOf } from './mail-folders.ts';
import { viewTarget } from './mailbox-views.ts';
import { kindOf, notificationName, type ResourceKind } from './resource-kinds.ts';
import { collectionOf, type ResourcePath, resourcePath } from './resource-path.ts';
import type { ResourceChange, StoredResource } from './resource-store.ts';
import { type WordTable, wordTable } from './word-table.ts';

/** "users/{u}/mailfolders/{f}/messages" for a message, so that a folder can be watched and asked for its delta. */
export function folderViewOf({
  path,
  body,
}: Pick<StoredResource, 'path' | 'body'>): ResourcePath | undefined {
  const view = folderWordOf(path.words);
  const [user, items] = path.segments;
  if (view === undefined || user?.id === undefined || items === undefined) return undefined;
  const given = body.parentFolderId ?? (view === 'contactfolders' ? DEFAULT_CONTACT_FOLDER : undefined);
  if (typeof given !== 'string') return undefined;
  const id = canonicalFolderId(user.id, view, given);
  return resourcePath([user, { word: view, id }, { word: items.word }]);
}

/** Collections of the whole tenant whose name is no prefix of their items' path. */
const ALL_MESSAGES: WordTable<string> = wordTable({
  'chats/messages': 'chats',
  'teams/channels/messages': 'teams',
  'teams/channels/messages/replies': 'teams',
});

function furtherTargets(resource: StoredResource): ResourcePath[] {
  const { path } = resource;
  const [owner, ...rest] = path.segments;
  const folder = folderViewOf(resource);
  const targets = folder === undefined ? [] : [folder];
  const everywhere = ALL_MESSAGES.get(path.words);
  if (everywhere !== undefined) targets.push(resourcePath([{ word: everywhere }], 'getallmessages'));
  if (path.words === 'drives/items' && owner !== undefined) {
    targets.push(resourcePath([owner, { word: 'root' }]));
  }
  if (path.words === 'sites/lists/items' && owner !== undefined) {
    targets.push(resourcePath([owner, ...rest.slice(0, -1)]));
  }
  return targets;
}

/** Membership is told as an update of the group, to those that watch its members or its owners. */
function membershipTargets(path: ResourcePath, details: JsonObject | undefined): ResourcePath[] {
  return Object.keys(details ?? {}).flatMap((name) => {
    const word = /^(members|owners)@delta$/.exec(name)?.[1];
    return word === undefined ? [] : [resourcePath([...path.segments, { word }])];
  });
}

/** The canonical keys that a subscription may name to hear of a change: the item, its collection, its folder … */
export function watchedKeys(resource: StoredResource, details?: ResourceChange['details']): string[] {
  const { path } = resource;
  const all = [path, collectionOf(path), ...furtherTargets(resource), ...membershipTargets(path, details)];
  return [...new Set(all.map(({ key }) => key))];
}

/** Words of what can be subscribed to → the words of the kind that is told of. */
const SUBSCRIBED_WORDS: WordTable<string> = wordTable({
  'drives/root': 'drives/items',
  'users/drive/root': 'drives/items',
  'groups/drive/root': 'drives/items',
  'sites/drive/root': 'drives/items',
  'groups/members': 'groups',
  'groups/owners': 'groups',
});

const GET_ALL: WordTable<string> = wordTable({
  chats: 'chats/messages',
  teams: 'teams/channels/messages',
});

function subscribedWords(path: ResourcePath): string | undefined {
  if (path.operation === 'getallmessages') return GET_ALL.get(path.words);
  return path.operation === undefined
    ? (SUBSCRIBED_WORDS.get(path.words) ?? viewTarget(path).path.words)
    : undefined;
}

/** The kind whose changes a subscription to the path tells of, or undefined where Graph has no such subscription. */
export function subscribableKind(path: ResourcePath): ResourceKind | undefined {
  const words = subscribedWords(path);
  const kind = words === undefined ? undefined : kindOf({ ...path, words });
  return kind === undefined || kind.changeTypes.length === 0 ? undefined : kind;
}

export interface NotifiedSubscription {
  /** As the app wrote it. */
  readonly resource: string;
  readonly immutableIds: boolean;
}

export interface NotifiedResource {
  readonly resource: string;
  readonly resourceData: JsonObject;
}

/** Files and lists: neither the item nor its id is told, only what was subscribed to. */
const isUnnamed = ({ words }: ResourcePath) => words.startsWith('drives/') || words.startsWith('sites/lists');

function unnamed(subscription: NotifiedSubscription, words: string): NotifiedResource {
  const odataType = words === 'drives/items' ? '#Microsoft.Graph.DriveItem' : '#Microsoft.Graph.List';
  return { resource: subscription.resource.replace(/^\//, ''), resourceData: { '@odata.type': odataType } };
}

/** `resource` and `resourceData` of a notification item. `details` are further properties of resourceData. */
export function notifiedResource(
  subscription: NotifiedSubscription,
  stored: StoredResource,
  idForms: ItemIdForms,
  details: JsonObject = {},
): NotifiedResource {
  if (isUnnamed(stored.path)) return unnamed(subscription, stored.path.words);
  const path = subscription.immutableIds ? idForms.immutablePath(stored.path) : stored.path;
  const kind = kindOf(path);
  const name = kind === undefined ? path.key : notificationName(kind, path);
  const etag = stored.body['@odata.etag'] === undefined ? {} : { '@odata.etag': stored.etag };
  const id = path.segments.at(-1)?.id;
  const odataType = kind?.odataType ?? '#Microsoft.Graph.Entity';
  return {
    resource: name,
    resourceData: { '@odata.type': odataType, '@odata.id': name, ...etag, id, ...details },
  };
}
