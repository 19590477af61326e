// Which subscriptions hear of a change, by what they name, and what a notification of it names.
import { calendarIdOf, calendarViewOf, withDefaultCalendar } from './calendars.ts';
import type { JsonObject } from './graph-exchange.ts';
import type { ItemIdForms } from './item-id-forms.ts';
import { canonicalFolderId, DEFAULT_CALENDAR, DEFAULT_CONTACT_FOLDER, folderWordOf } from './mail-folders.ts';
import { viewTarget } from './mailbox-views.ts';
import { kindOf, notificationName, type ResourceKind } from './resource-kinds.ts';
import { collectionOf, type PathSegment, type ResourcePath, resourcePath } from './resource-path.ts';
import type { ResourceChange, ResourceStore, StoredResource } from './resource-store.ts';
import { type WordTable, wordTable } from './word-table.ts';

/** What finds the members of a chat. */
type Lister = Pick<ResourceStore, 'list'>;

/**
 * "users/{u}/mailfolders/{f}/messages" for a message, "users/{u}/calendars/{c}/events" for an event: a folder can be
 * watched, and asked for its delta.
 */
export function folderViewOf({
  path,
  body,
}: Pick<StoredResource, 'path' | 'body'>): ResourcePath | undefined {
  const calendar = calendarViewOf({ path, body });
  if (calendar !== undefined) return calendar;
  const view = folderWordOf(path.words);
  const [user, items] = path.segments;
  if (view === undefined || user?.id === undefined || items === undefined) return undefined;
  const given = body.parentFolderId ?? (view === 'contactfolders' ? DEFAULT_CONTACT_FOLDER : undefined);
  if (typeof given !== 'string') return undefined;
  const id = canonicalFolderId(user.id, view, given);
  return resourcePath([user, { word: view, id }, { word: items.word }]);
}

/** Functions that tell of the items of many collections → the words of those items. */
const GET_ALL: WordTable<string> = wordTable({
  'chats/getallmessages': 'chats/messages',
  'chats/getallmembers': 'chats/members',
  'users/chats/getallmessages': 'chats/messages',
  'teams/getallmessages': 'teams/channels/messages',
  'teams/getallchannels': 'teams/channels',
  'teams/getallmembers': 'teams/members',
  'teams/channels/getallmessages': 'teams/channels/messages',
  'teams/channels/getallmembers': 'teams/channels/members',
});

/** A reply is told of wherever the messages of its channel are. */
const MESSAGES_OF_REPLIES: WordTable<string> = wordTable({
  'teams/channels/messages/replies': 'teams/channels/messages',
});

/** The users in a chat, who can have their chats and all messages of them watched (Graph page "Set up notifications for changes in resource data"). */
function chatUsers(resources: Lister, chat: PathSegment): PathSegment[] {
  return resources.list(resourcePath([chat, { word: 'members' }])).flatMap(({ body }) => {
    return typeof body.userId === 'string' ? [{ word: 'users', id: body.userId }] : [];
  });
}

/** "chats/getallmessages", "teams/{t}/channels/getallmessages", "users/{u}/chats/getallmessages" … for an item of Teams. */
function getAllTargets({ path }: StoredResource, resources: Lister): ResourcePath[] {
  const words = MESSAGES_OF_REPLIES.get(path.words) ?? path.words;
  const [owner] = path.segments;
  return [...GET_ALL].flatMap(([name, told]) => {
    if (told !== words || owner === undefined) return [];
    const [word = '', ...rest] = name.split('/');
    const operation = rest.pop() ?? '';
    if (word === 'users') {
      return chatUsers(resources, owner).map((user) => resourcePath([user, { word: 'chats' }], operation));
    }
    const [inner] = rest;
    const parts = inner === undefined ? [{ word }] : [owner, { word: inner }];
    return [resourcePath(parts, operation)];
  });
}

/** "users/{u}/chats" of each user in a chat. */
function chatTargets({ path }: StoredResource, resources: Lister): ResourcePath[] {
  const [chat] = path.segments;
  if (path.words !== 'chats' || chat === undefined) return [];
  return chatUsers(resources, chat).map((user) => resourcePath([user, { word: 'chats' }]));
}

/** An event of another calendar than the default one is in no list but that calendar's. */
function listTargets(resource: StoredResource): ResourcePath[] {
  const { path, body } = resource;
  const folder = folderViewOf(resource);
  const folders = folder === undefined ? [] : [folder];
  const isElsewhere = path.words === 'users/events' && calendarIdOf(body) !== DEFAULT_CALENDAR;
  return isElsewhere ? folders : [collectionOf(path), ...folders];
}

function furtherTargets({ path }: StoredResource): ResourcePath[] {
  const [owner, ...rest] = path.segments;
  if (owner === undefined) return [];
  if (path.words === 'drives/items') return [resourcePath([owner, { word: 'root' }])];
  if (path.words === 'sites/lists/items') return [resourcePath([owner, ...rest.slice(0, -1)])];
  return MESSAGES_OF_REPLIES.has(path.words)
    ? [resourcePath([owner, ...rest.slice(0, -2), { word: 'messages' }])]
    : [];
}

/** Membership is told as an update of the group, to those that watch its members or its owners. */
function membershipTargets(path: ResourcePath, details: JsonObject | undefined): ResourcePath[] {
  return Object.keys(details ?? {}).flatMap((name) => {
    const word = /^(members|owners)@delta$/.exec(name)?.[1];
    return word === undefined ? [] : [resourcePath([...path.segments, { word }])];
  });
}

/** The canonical keys that a subscription may name to hear of a change: the item, its collection, its folder … */
export function watchedKeys(
  resource: StoredResource,
  resources: Lister,
  details?: ResourceChange['details'],
): string[] {
  const { path } = resource;
  const all = [
    path,
    ...listTargets(resource),
    ...getAllTargets(resource, resources),
    ...chatTargets(resource, resources),
    ...furtherTargets(resource),
    ...membershipTargets(path, details),
  ];
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
  'users/chats': 'chats',
});

function subscribedWords(path: ResourcePath): string | undefined {
  if (path.operation !== undefined) return GET_ALL.get(`${path.words}/${path.operation}`);
  const { path: kept } = viewTarget(withDefaultCalendar(path));
  return SUBSCRIBED_WORDS.get(path.words) ?? kept.words;
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
export const isUnnamed = ({ words }: ResourcePath) =>
  words.startsWith('drives/') || words.startsWith('sites/lists');

function unnamed(subscription: NotifiedSubscription, words: string): NotifiedResource {
  const odataType = words === 'drives/items' ? '#Microsoft.Graph.DriveItem' : '#Microsoft.Graph.List';
  return {
    resource: subscription.resource.replace(/^\/|\?.*$/g, ''),
    resourceData: { '@odata.type': odataType },
  };
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
