/**
 * The resources that can be watched, one entry each (Graph: change-notifications-overview,
 * api/subscription-post-subscriptions, api/resources/subscription). Whose changes are worked one after the other, the
 * owner, is what its paths begin with (`ownerOf`).
 */
import type { ChangeType } from '@graph2kafka/shared';
import type { ResourceKind } from './resource-kind.ts';

const ALL: readonly ChangeType[] = ['created', 'updated', 'deleted'];
const NOT_CREATED: readonly ChangeType[] = ['updated', 'deleted'];
const NOT_DELETED: readonly ChangeType[] = ['created', 'updated'];
const UPDATED: readonly ChangeType[] = ['updated'];

/** The reference says 10,080; the service refuses more than 10,070, with an error that says so. */
const OUTLOOK = { plain: 10_070, rich: 1_440 };

const outlook = {
  changeTypes: ALL,
  lifeMinutes: OUTLOOK,
  rich: 'select',
  fetch: 'item',
  service: 'outlook',
  mailbox: true,
  filter: { neededBy: [] },
} as const;
const directory = {
  // "updated" stands for created and restored ones as well.
  changeTypes: NOT_CREATED,
  lifeMinutes: { plain: 41_760 },
  rich: 'no',
  fetch: 'item',
  service: 'directory',
} as const;
/** To subscribe takes more than to read: for these Graph names a permission to write. */
const files = {
  changeTypes: UPDATED,
  lifeMinutes: { plain: 42_300 },
  rich: 'no',
  fetch: 'delta',
  service: 'files',
} as const;
const teams = {
  changeTypes: ALL,
  lifeMinutes: { plain: 4_320 },
  rich: 'whole',
  fetch: 'item',
  service: 'teams',
} as const;
const other = { rich: 'no', fetch: 'item', service: 'other' } as const;

export const RESOURCE_TABLE: readonly ResourceKind[] = [
  {
    ...outlook,
    name: 'event',
    recordType: 'Event',
    permissions: ['Calendars.Read'],
    watched: ['users/{id}/events', 'users/{id}/calendar/events', 'users/{id}/calendars/{id}/events'],
    notified: [
      'users/{id}/events/{id}',
      'users/{id}/calendar/events/{id}',
      'users/{id}/calendars/{id}/events/{id}',
    ],
    delta: 'calendarView',
  },
  {
    ...outlook,
    name: 'message',
    recordType: 'Message',
    permissions: ['Mail.Read'],
    watched: ['users/{id}/messages', 'users/{id}/mailfolders/{id}/messages'],
    notified: ['users/{id}/messages/{id}', 'users/{id}/mailfolders/{id}/messages/{id}'],
    delta: 'mailFolders',
  },
  {
    ...outlook,
    name: 'contact',
    recordType: 'Contact',
    permissions: ['Contacts.Read'],
    watched: ['users/{id}/contacts', 'users/{id}/contactfolders/{id}/contacts'],
    notified: ['users/{id}/contacts/{id}', 'users/{id}/contactfolders/{id}/contacts/{id}'],
    delta: 'contactFolders',
  },
  {
    ...directory,
    name: 'user',
    recordType: 'User',
    permissions: ['User.Read.All'],
    watched: ['users', 'users/{id}'],
    notified: ['users/{id}'],
    delta: 'watched',
  },
  {
    ...directory,
    name: 'group',
    recordType: 'Group',
    permissions: ['Group.Read.All'],
    // Of a change of members Graph notifies the group.
    watched: ['groups', 'groups/{id}', 'groups/{id}/members', 'groups/{id}/owners'],
    notified: ['groups/{id}'],
    delta: 'watched',
  },
  {
    ...other,
    name: 'conversation',
    recordType: 'Conversation',
    permissions: [],
    watched: ['groups/{id}/conversations'],
    notified: ['groups/{id}/conversations/{id}'],
    changeTypes: ALL,
    lifeMinutes: { plain: 4_230 },
    service: 'outlook',
  },
  {
    ...files,
    name: 'drive item',
    recordType: 'DriveItem',
    permissions: ['Files.ReadWrite.All'],
    watched: ['drives/{id}/root', 'users/{id}/drive/root', 'groups/{id}/drive/root', 'sites/{id}/drive/root'],
    notified: [
      'drives/{id}/root',
      'users/{id}/drive/root',
      'groups/{id}/drive/root',
      'sites/{id}/drive/root',
    ],
    found: [
      'drives/{id}/items/{id}',
      'users/{id}/drive/items/{id}',
      'groups/{id}/drive/items/{id}',
      'sites/{id}/drive/items/{id}',
    ],
    delta: 'watched',
  },
  {
    ...files,
    name: 'list item',
    recordType: 'ListItem',
    permissions: ['Sites.ReadWrite.All'],
    watched: ['sites/{id}/lists/{id}'],
    notified: ['sites/{id}/lists/{id}'],
    found: ['sites/{id}/lists/{id}/items/{id}'],
    delta: 'listItems',
  },
  {
    ...teams,
    name: 'chat',
    recordType: 'Chat',
    permissions: ['Chat.ReadBasic.All'],
    watched: ['chats', 'chats/{id}', 'users/{id}/chats'],
    notified: ['chats/{id}'],
  },
  {
    ...teams,
    name: 'chat message',
    recordType: 'ChatMessage',
    permissions: ['Chat.Read.All', 'ChannelMessage.Read.All'],
    watched: [
      'chats/{id}/messages',
      'chats/getallmessages',
      'users/{id}/chats/getallmessages',
      'teams/{id}/channels/{id}/messages',
      'teams/{id}/channels/getallmessages',
      'teams/getallmessages',
    ],
    notified: [
      'chats/{id}/messages/{id}',
      'teams/{id}/channels/{id}/messages/{id}',
      'teams/{id}/channels/{id}/messages/{id}/replies/{id}',
    ],
  },
  {
    ...teams,
    name: 'conversation member',
    recordType: 'ConversationMember',
    permissions: ['ChatMember.Read.All', 'TeamMember.Read.All', 'ChannelMember.Read.All'],
    watched: [
      'chats/{id}/members',
      'chats/getallmembers',
      'teams/{id}/members',
      'teams/{id}/channels/getallmembers',
    ],
    notified: ['chats/{id}/members/{id}', 'teams/{id}/members/{id}', 'teams/{id}/channels/{id}/members/{id}'],
  },
  {
    ...teams,
    name: 'channel',
    recordType: 'Channel',
    permissions: ['Channel.ReadBasic.All'],
    watched: ['teams/{id}/channels', 'teams/getallchannels'],
    notified: ['teams/{id}/channels/{id}'],
  },
  {
    ...teams,
    name: 'team',
    recordType: 'Team',
    permissions: ['Team.ReadBasic.All'],
    watched: ['teams', 'teams/{id}'],
    notified: ['teams/{id}'],
  },
  {
    ...other,
    name: 'presence',
    recordType: 'Presence',
    permissions: [],
    filter: { neededBy: ['communications/presences'] },
    watched: ['communications/presences/{id}', 'communications/presences'],
    notified: ['communications/presences/{id}'],
    changeTypes: UPDATED,
    lifeMinutes: { plain: 60 },
    rich: 'whole',
  },
  {
    ...other,
    name: 'call record',
    recordType: 'CallRecord',
    permissions: ['CallRecords.Read.All'],
    filter: { neededBy: [] },
    watched: ['communications/callrecords'],
    notified: ['communications/callrecords/{id}'],
    changeTypes: NOT_DELETED,
    lifeMinutes: { plain: 4_230 },
  },
  {
    ...other,
    name: 'to-do task',
    recordType: 'TodoTask',
    permissions: ['Tasks.ReadWrite.All'],
    watched: ['users/{id}/todo/lists/{id}/tasks'],
    notified: ['users/{id}/todo/lists/{id}/tasks/{id}'],
    changeTypes: ALL,
    lifeMinutes: { plain: 4_230 },
    delta: 'watched',
  },
  {
    ...other,
    name: 'security alert',
    recordType: 'Alert',
    permissions: ['SecurityEvents.ReadWrite.All'],
    filter: { neededBy: [] },
    watched: ['security/alerts', 'security/alerts/{id}', 'security/alerts_v2'],
    notified: ['security/alerts/{id}', 'security/alerts_v2/{id}'],
    changeTypes: NOT_DELETED,
    lifeMinutes: { plain: 43_200 },
  },
  {
    ...other,
    name: 'print job',
    recordType: 'PrintJob',
    permissions: ['Printer.Read.All'],
    watched: ['print/printers/{id}/jobs'],
    notified: ['print/printers/{id}/jobs/{id}'],
    changeTypes: NOT_DELETED,
    lifeMinutes: { plain: 4_230 },
  },
  {
    ...other,
    name: 'print task',
    recordType: 'PrintTask',
    permissions: ['PrintTaskDefinition.ReadWrite.All'],
    watched: ['print/taskdefinitions/{id}/tasks'],
    notified: ['print/taskdefinitions/{id}/tasks/{id}'],
    changeTypes: NOT_DELETED,
    lifeMinutes: { plain: 4_230 },
  },
];
