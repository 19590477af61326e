// What Graph's pages say about each kind of resource: type names, subscription limits, how it shows its version.
import type { ResourcePath } from './resource-path.ts';

export type ChangeType = 'created' | 'updated' | 'deleted';

export interface ResourceKind {
  /** "#Microsoft.Graph.Event": resourceData's @odata.type; its case varies by kind, as in Graph's samples. */
  readonly odataType: string;
  /** How the words are written in a notification, in order: ["Users", "Events"]. */
  readonly spelling: readonly string[];
  /** Ids in notifications stand as segments (Outlook, directory) or as ('keys') (Teams). */
  readonly idForm: 'segment' | 'key';
  /** Where a body shows its version: @odata.etag and changeKey, @odata.etag alone, properties, or nowhere. */
  readonly versionForm: 'outlook' | 'odata' | 'chatMessage' | 'drive' | 'none';
  /** What a subscription may ask for; empty where Graph has no change notifications for the kind. */
  readonly changeTypes: readonly ChangeType[];
  /** Graph page "subscription resource type", maximum length of subscription. */
  readonly maxLifeMinutes: number;
  /** Teams: a life over one hour needs a lifecycleNotificationUrl (same page). */
  readonly isTeams: boolean;
  /** The code of a 404 for one of its items. */
  readonly notFoundCode: string;
  /** Items of a list page when the caller names no number. */
  readonly pageSize: number;
}

const ALL: readonly ChangeType[] = ['created', 'updated', 'deleted'];

/** Documented as 10,080; the live service refuses more than 10,070, seen by three independent projects. */
const OUTLOOK_MINUTES = 10_070;
const DIRECTORY_MINUTES = 41_760;
const TEAMS_MINUTES = 4_320;
const STORAGE_MINUTES = 42_300;
const PRINT_MINUTES = 4_230;

function outlook(type: string, spelling: string): ResourceKind {
  return {
    odataType: `#Microsoft.Graph.${type}`,
    spelling: spelling.split('/'),
    idForm: 'segment',
    versionForm: 'outlook',
    changeTypes: ALL,
    maxLifeMinutes: OUTLOOK_MINUTES,
    isTeams: false,
    notFoundCode: 'ErrorItemNotFound',
    pageSize: 10,
  };
}

function directory(type: string, spelling: string): ResourceKind {
  return {
    odataType: `#Microsoft.Graph.${type}`,
    spelling: spelling.split('/'),
    idForm: 'segment',
    versionForm: 'none',
    // "updated" covers created and soft-deleted ones too.
    changeTypes: ['updated', 'deleted'],
    maxLifeMinutes: DIRECTORY_MINUTES,
    isTeams: false,
    notFoundCode: 'Request_ResourceNotFound',
    pageSize: 100,
  };
}

function teams(type: string, spelling: string): ResourceKind {
  return {
    odataType: `#Microsoft.Graph.${type}`,
    spelling: spelling.split('/'),
    idForm: 'key',
    versionForm: type === 'chatMessage' ? 'chatMessage' : 'none',
    changeTypes: ALL,
    maxLifeMinutes: TEAMS_MINUTES,
    isTeams: true,
    notFoundCode: 'NotFound',
    pageSize: 20,
  };
}

/** Files and lists: "updated" of what is subscribed is all that is told (Graph page "subscription resource type"). */
function storage(type: string, spelling: string, more: Partial<ResourceKind> = {}): ResourceKind {
  return {
    ...directory(type, spelling),
    versionForm: 'drive',
    changeTypes: ['updated'],
    maxLifeMinutes: STORAGE_MINUTES,
    notFoundCode: 'itemNotFound',
    pageSize: 200,
    ...more,
  };
}

/** Kinds with numbers of their own; the rest as in the directory. */
function other(type: string, spelling: string, more: Partial<ResourceKind>): ResourceKind {
  return { ...directory(type, spelling), notFoundCode: 'UnknownError', changeTypes: ALL, ...more };
}

/** Holds items, but has no change notifications of its own. */
function container(kind: ResourceKind): ResourceKind {
  return { ...kind, versionForm: 'none', changeTypes: [] };
}

const NOT_DELETED: readonly ChangeType[] = ['created', 'updated'];

const KINDS = new Map<string, ResourceKind>(
  [
    outlook('Event', 'Users/Events'),
    outlook('Message', 'Users/Messages'),
    outlook('Contact', 'Users/Contacts'),
    container(outlook('MailFolder', 'Users/MailFolders')),
    container(outlook('ContactFolder', 'Users/ContactFolders')),
    container(outlook('Calendar', 'Users/Calendars')),
    directory('User', 'Users'),
    directory('Group', 'Groups'),
    teams('Chat', 'chats'),
    teams('chatMessage', 'chats/messages'),
    teams('aadUserConversationMember', 'chats/members'),
    teams('Team', 'teams'),
    teams('Channel', 'teams/channels'),
    teams('chatMessage', 'teams/channels/messages'),
    teams('chatMessage', 'teams/channels/messages/replies'),
    teams('aadUserConversationMember', 'teams/members'),
    teams('aadUserConversationMember', 'teams/channels/members'),
    container(directory('DirectoryObject', 'Groups/Members')),
    container(directory('DirectoryObject', 'Groups/Owners')),
    container(directory('DirectoryObject', 'Directory/DeletedItems')),
    other('Conversation', 'Groups/Conversations', {
      maxLifeMinutes: 4_230,
      notFoundCode: 'ErrorItemNotFound',
    }),
    container(storage('Drive', 'drives')),
    storage('DriveItem', 'drives/items'),
    container(storage('Site', 'sites')),
    storage('List', 'sites/lists'),
    container(storage('ListItem', 'sites/lists/items')),
    container(other('TodoTaskList', 'Users/todo/lists', {})),
    other('TodoTask', 'Users/todo/lists/tasks', {
      versionForm: 'odata',
      maxLifeMinutes: 4_230,
      notFoundCode: 'ErrorItemNotFound',
      pageSize: 10,
    }),
    other('presence', 'communications/presences', { changeTypes: ['updated'], maxLifeMinutes: 60 }),
    other('callRecord', 'communications/callRecords', { changeTypes: NOT_DELETED, maxLifeMinutes: 4_230 }),
    other('alert', 'security/alerts', { changeTypes: NOT_DELETED, maxLifeMinutes: 43_200 }),
    other('alert', 'security/alerts_v2', { changeTypes: NOT_DELETED, maxLifeMinutes: 43_200 }),
    container(other('Printer', 'print/printers', {})),
    other('PrintJob', 'print/printers/jobs', { changeTypes: NOT_DELETED, maxLifeMinutes: PRINT_MINUTES }),
    container(other('PrintTaskDefinition', 'print/taskDefinitions', {})),
    other('PrintTask', 'print/taskDefinitions/tasks', {
      changeTypes: NOT_DELETED,
      maxLifeMinutes: PRINT_MINUTES,
    }),
  ].map((kind) => [kind.spelling.join('/').toLowerCase(), kind]),
);

/** The kind of a stored item or of its collection; undefined for what the table does not name. */
export function kindOf(path: ResourcePath): ResourceKind | undefined {
  return KINDS.get(path.words);
}

/** How a notification names an item: "Users/{id}/Events/{id}" or "chats('{id}')/messages('{id}')". */
export function notificationName(kind: ResourceKind, path: ResourcePath): string {
  const parts = path.segments.map(({ word, id }, i) => {
    const spelled = kind.spelling[i] ?? word;
    if (id === undefined) return spelled;
    return kind.idForm === 'key' ? `${spelled}('${id.replaceAll("'", "''")}')` : `${spelled}/${id}`;
  });
  return parts.join('/');
}
