// What Graph's pages let an app subscribe to: one row a kind, and what is told of it. {user} and the like are filled in.

export const GROUP = '6f2d1a52-0c5e-4a5c-9d0e-3b1f0c9a7e11';
export const TEAM = '0b6d4a0e-7a5c-4f0f-8f5b-2f1f6c1d9a22';
export const SITE =
  'northwind.example,1c2b3a4d-0000-4000-8000-000000000001,1c2b3a4d-0000-4000-8000-000000000002';
export const LIST = '2d3c4b5a-0000-4000-8000-000000000003';
export const CHAT = '19:one@thread.v2';
export const CHANNEL = '19:general@thread.tacv2';

export interface WatchedKind {
  readonly kind: string;
  readonly watched: readonly string[];
  /** All that a subscription may ask for. */
  readonly changeTypes: string;
  readonly maxMinutes: number;
  /** Where an item is made, altered and removed. */
  readonly collection: string;
  /** `resource` of its notifications; "as watched" where Graph names only what was subscribed to. */
  readonly name: string;
  readonly odataType: string;
  /** The types that making, altering and removing one are told as; all of changeTypes unless said. */
  readonly told?: readonly string[];
  /** The delta query that tells of the item; needed where a notification does not name it. */
  readonly delta?: string;
  readonly isTeams?: boolean;
  /** After removal it can still be read, as deleted. */
  readonly staysReadable?: boolean;
  readonly draft?: Readonly<Record<string, unknown>>;
}

const ALL = 'created,updated,deleted';
const OUTLOOK = { changeTypes: ALL, maxMinutes: 10_070 };
const DIRECTORY = {
  changeTypes: 'updated,deleted',
  maxMinutes: 41_760,
  told: ['updated', 'updated', 'deleted'],
};
const TEAMS = { changeTypes: ALL, maxMinutes: 4_320, isTeams: true };
const STORAGE = {
  changeTypes: 'updated',
  maxMinutes: 42_300,
  told: ['updated', 'updated', 'updated'],
  name: 'as watched',
};
const ONCE_MADE = { changeTypes: 'created,updated', told: ['created', 'updated'] };
const MESSAGE = {
  ...TEAMS,
  odataType: '#Microsoft.Graph.chatMessage',
  staysReadable: true,
  draft: { body: { content: 'hello' } },
};
const MEMBER = { ...TEAMS, odataType: '#Microsoft.Graph.aadUserConversationMember' };

export const WATCHED_KINDS: readonly WatchedKind[] = [
  {
    ...OUTLOOK,
    kind: 'an event',
    watched: [
      'users/{user}/events',
      'users/{user}/calendar/events',
      "Users('{user}')/Calendars('{calendar}')/Events",
    ],
    collection: 'users/{user}/events',
    name: 'Users/{user}/Events/{id}',
    odataType: '#Microsoft.Graph.Event',
    delta:
      'users/{user}/calendarView/delta?startDateTime=2000-01-01T00:00:00Z&endDateTime=2100-01-01T00:00:00Z',
    draft: {
      start: { dateTime: '2026-12-01T09:00:00', timeZone: 'UTC' },
      end: { dateTime: '2026-12-01T10:00:00', timeZone: 'UTC' },
    },
  },
  {
    ...OUTLOOK,
    kind: 'an event of another calendar',
    watched: ['users/{user}/calendars/{other calendar}/events'],
    collection: 'users/{user}/calendars/{other calendar}/events',
    name: 'Users/{user}/Events/{id}',
    odataType: '#Microsoft.Graph.Event',
    delta:
      'users/{user}/calendars/{other calendar}/calendarView/delta?startDateTime=2000-01-01T00:00:00Z&endDateTime=2100-01-01T00:00:00Z',
    draft: {
      start: { dateTime: '2026-12-01T09:00:00', timeZone: 'UTC' },
      end: { dateTime: '2026-12-01T10:00:00', timeZone: 'UTC' },
    },
  },
  {
    ...OUTLOOK,
    kind: 'a message',
    watched: [
      'users/{user}/messages',
      "users/{user}/mailFolders('inbox')/messages",
      'users/{user}/mailFolders/{inbox}/messages',
    ],
    collection: 'users/{user}/mailFolders/inbox/messages',
    name: 'Users/{user}/Messages/{id}',
    odataType: '#Microsoft.Graph.Message',
    delta: 'users/{user}/mailFolders/inbox/messages/delta',
  },
  {
    ...OUTLOOK,
    kind: 'a message in a folder of a folder',
    watched: [
      'users/{user}/mailFolders/{nested}/messages',
      'users/{user}/mailFolders/inbox/childFolders/{nested}/messages',
    ],
    collection: 'users/{user}/mailFolders/{nested}/messages',
    name: 'Users/{user}/Messages/{id}',
    odataType: '#Microsoft.Graph.Message',
    delta: 'users/{user}/mailFolders/{nested}/messages/delta',
  },
  {
    ...OUTLOOK,
    kind: 'a contact',
    watched: ['users/{user}/contacts'],
    collection: 'users/{user}/contacts',
    name: 'Users/{user}/Contacts/{id}',
    odataType: '#Microsoft.Graph.Contact',
    delta: 'users/{user}/contacts/delta',
  },
  {
    ...OUTLOOK,
    kind: 'a contact in a folder',
    watched: ['users/{user}/contactFolders/{friends}/contacts', 'users/{user}/contacts'],
    collection: 'users/{user}/contactFolders/{friends}/contacts',
    name: 'Users/{user}/Contacts/{id}',
    odataType: '#Microsoft.Graph.Contact',
    delta: 'users/{user}/contactFolders/{friends}/contacts/delta',
  },
  {
    ...DIRECTORY,
    kind: 'a user',
    watched: ['users'],
    collection: 'users',
    name: 'Users/{id}',
    odataType: '#Microsoft.Graph.User',
    delta: 'users/delta',
  },
  {
    ...DIRECTORY,
    kind: 'a group',
    watched: ['groups'],
    collection: 'groups',
    name: 'Groups/{id}',
    odataType: '#Microsoft.Graph.Group',
    delta: 'groups/delta',
  },
  {
    ...STORAGE,
    kind: 'a file',
    watched: ['drives/{drive}/root', 'users/{user}/drive/root'],
    collection: 'drives/{drive}/items',
    odataType: '#Microsoft.Graph.DriveItem',
    delta: 'drives/{drive}/root/delta',
  },
  {
    ...STORAGE,
    kind: 'a file of a group',
    watched: [`groups/${GROUP}/drive/root`],
    collection: `groups/${GROUP}/drive/items`,
    odataType: '#Microsoft.Graph.DriveItem',
    delta: `groups/${GROUP}/drive/root/delta`,
  },
  {
    ...STORAGE,
    kind: 'an item of a list',
    watched: [`sites/${SITE}/lists/${LIST}`],
    collection: `sites/${SITE}/lists/${LIST}/items`,
    odataType: '#Microsoft.Graph.List',
    delta: `sites/${SITE}/lists/${LIST}/items/delta`,
  },
  {
    ...TEAMS,
    kind: 'a chat',
    watched: ['chats'],
    collection: 'chats',
    name: "chats('{id}')",
    odataType: '#Microsoft.Graph.Chat',
  },
  {
    ...MESSAGE,
    kind: 'a message of a chat',
    watched: [`chats/${CHAT}/messages`, 'chats/getAllMessages', 'users/{user}/chats/getAllMessages'],
    collection: `chats/${CHAT}/messages`,
    name: `chats('${CHAT}')/messages('{id}')`,
  },
  {
    ...MEMBER,
    kind: 'a member of a chat',
    watched: [`chats/${CHAT}/members`, 'chats/getAllMembers'],
    collection: `chats/${CHAT}/members`,
    name: `chats('${CHAT}')/members('{id}')`,
  },
  {
    ...TEAMS,
    kind: 'a team',
    watched: ['teams'],
    collection: 'teams',
    name: "teams('{id}')",
    odataType: '#Microsoft.Graph.Team',
  },
  {
    ...TEAMS,
    kind: 'a channel',
    watched: [`teams/${TEAM}/channels`, 'teams/getAllChannels'],
    collection: `teams/${TEAM}/channels`,
    name: `teams('${TEAM}')/channels('{id}')`,
    odataType: '#Microsoft.Graph.Channel',
  },
  {
    ...MEMBER,
    kind: 'a member of a team',
    watched: [`teams/${TEAM}/members`, 'teams/getAllMembers'],
    collection: `teams/${TEAM}/members`,
    name: `teams('${TEAM}')/members('{id}')`,
  },
  {
    ...MEMBER,
    kind: 'a member of a channel',
    watched: [`teams/${TEAM}/channels/getAllMembers`],
    collection: `teams/${TEAM}/channels/${CHANNEL}/members`,
    name: `teams('${TEAM}')/channels('${CHANNEL}')/members('{id}')`,
  },
  {
    ...MESSAGE,
    kind: 'a message of a channel',
    watched: [
      `teams/${TEAM}/channels/${CHANNEL}/messages`,
      `teams/${TEAM}/channels/getAllMessages`,
      'teams/getAllMessages',
    ],
    collection: `teams/${TEAM}/channels/${CHANNEL}/messages`,
    name: `teams('${TEAM}')/channels('${CHANNEL}')/messages('{id}')`,
    delta: `teams/${TEAM}/channels/${CHANNEL}/messages/delta`,
  },
  {
    ...MESSAGE,
    kind: 'a reply in a channel',
    watched: [
      `teams/${TEAM}/channels/${CHANNEL}/messages/1700000000000/replies`,
      `teams/${TEAM}/channels/${CHANNEL}/messages`,
      `teams/${TEAM}/channels/getAllMessages`,
      'teams/getAllMessages',
    ],
    collection: `teams/${TEAM}/channels/${CHANNEL}/messages/1700000000000/replies`,
    name: `teams('${TEAM}')/channels('${CHANNEL}')/messages('1700000000000')/replies('{id}')`,
  },
  {
    ...ONCE_MADE,
    kind: 'a call record',
    watched: ['communications/callRecords'],
    maxMinutes: 4_230,
    collection: 'communications/callRecords',
    name: 'communications/callRecords/{id}',
    odataType: '#Microsoft.Graph.callRecord',
  },
  {
    kind: 'a presence',
    watched: [
      'communications/presences/{user}',
      "communications/presences?$filter=id in ('{user}','{second user}')",
    ],
    changeTypes: 'updated',
    told: ['updated', 'updated'],
    maxMinutes: 60,
    collection: 'communications/presences',
    name: 'communications/presences/{user}',
    odataType: '#Microsoft.Graph.presence',
    draft: { id: '{user}', availability: 'Available' },
  },
  {
    kind: 'a task',
    watched: ['users/{user}/todo/lists/{tasks}/tasks'],
    changeTypes: ALL,
    maxMinutes: 4_230,
    collection: 'users/{user}/todo/lists/{tasks}/tasks',
    name: 'Users/{user}/todo/lists/{tasks}/tasks/{id}',
    odataType: '#Microsoft.Graph.TodoTask',
    delta: 'users/{user}/todo/lists/{tasks}/tasks/delta',
  },
  {
    ...ONCE_MADE,
    kind: 'an alert',
    watched: ['security/alerts_v2', "security/alerts_v2/?$filter=severity eq 'high'"],
    maxMinutes: 43_200,
    collection: 'security/alerts_v2',
    name: 'security/alerts_v2/{id}',
    odataType: '#Microsoft.Graph.alert',
    draft: { severity: 'high' },
  },
  {
    ...ONCE_MADE,
    kind: 'a legacy alert',
    watched: ['security/alerts', "security/alerts?$filter=status eq 'newAlert'"],
    maxMinutes: 43_200,
    collection: 'security/alerts',
    name: 'security/alerts/{id}',
    odataType: '#Microsoft.Graph.alert',
    draft: { status: 'newAlert' },
  },
  {
    ...ONCE_MADE,
    kind: 'a print job',
    watched: ['print/printers/p/jobs'],
    maxMinutes: 4_230,
    collection: 'print/printers/p/jobs',
    name: 'print/printers/p/jobs/{id}',
    odataType: '#Microsoft.Graph.PrintJob',
  },
  {
    ...ONCE_MADE,
    kind: 'a print task',
    watched: ['print/taskDefinitions/d/tasks'],
    maxMinutes: 4_230,
    collection: 'print/taskDefinitions/d/tasks',
    name: 'print/taskDefinitions/d/tasks/{id}',
    odataType: '#Microsoft.Graph.PrintTask',
  },
  {
    kind: 'a conversation',
    watched: [`groups/${GROUP}/conversations`],
    changeTypes: ALL,
    maxMinutes: 4_230,
    collection: `groups/${GROUP}/conversations`,
    name: `Groups/${GROUP}/Conversations/{id}`,
    odataType: '#Microsoft.Graph.Conversation',
  },
];
