/**
 * What consumers may rely on in the data of a resource: Graph's names and shapes (v1.0 reference), all optional, since
 * a view may select properties, and open, since Graph adds some. docs/schemas is generated from these.
 */
import { z } from 'zod';

const text = z.string().nullable().optional();
const flag = z.boolean().nullable().optional();
const count = z.number().nullable().optional();
const texts = z.array(z.string()).nullable().optional();
/** As Graph writes it: an offset, and up to seven decimals. */
const timestamp = z.iso.datetime({ offset: true }).nullable().optional();

const open = <Shape extends z.ZodRawShape>(title: string, description: string, shape: Shape) =>
  z.looseObject(shape).meta({ title, description });

const maybe = <Schema extends z.ZodType>(schema: Schema) => schema.nullable().optional();

/** Without an offset; the zone may be a Windows name. */
const dateTimeTimeZone = z.looseObject({ dateTime: z.string(), timeZone: text });
const emailAddress = z.looseObject({ name: text, address: text });
const recipient = z.looseObject({ emailAddress: maybe(emailAddress) });
const itemBody = z.looseObject({ contentType: text, content: text });
const responseStatus = z.looseObject({ response: text, time: text });
const identitySet = z.looseObject({ user: maybe(z.looseObject({ id: text, displayName: text })) });

const identified = { id: z.string().optional(), '@odata.etag': z.string().optional() };
const outlookItem = {
  ...identified,
  changeKey: text,
  categories: texts,
  createdDateTime: timestamp,
  lastModifiedDateTime: timestamp,
};

const event = open('Event', 'An event of a calendar.', {
  ...outlookItem,
  subject: text,
  body: maybe(itemBody),
  bodyPreview: text,
  start: maybe(dateTimeTimeZone),
  end: maybe(dateTimeTimeZone),
  isAllDay: flag,
  isCancelled: flag,
  isOrganizer: flag,
  isOnlineMeeting: flag,
  location: maybe(z.looseObject({ displayName: text })),
  organizer: maybe(recipient),
  attendees: maybe(
    z.array(z.looseObject({ type: text, status: maybe(responseStatus), emailAddress: maybe(emailAddress) })),
  ),
  type: text,
  seriesMasterId: text,
  recurrence: maybe(z.looseObject({})),
  iCalUId: text,
  showAs: text,
  sensitivity: text,
  importance: text,
  responseStatus: maybe(responseStatus),
  webLink: text,
});

const message = open('Message', 'A message of a mailbox.', {
  ...outlookItem,
  subject: text,
  body: maybe(itemBody),
  bodyPreview: text,
  from: maybe(recipient),
  sender: maybe(recipient),
  toRecipients: maybe(z.array(recipient)),
  ccRecipients: maybe(z.array(recipient)),
  bccRecipients: maybe(z.array(recipient)),
  receivedDateTime: timestamp,
  sentDateTime: timestamp,
  parentFolderId: text,
  conversationId: text,
  internetMessageId: text,
  hasAttachments: flag,
  importance: text,
  isRead: flag,
  isDraft: flag,
  webLink: text,
});

const contact = open('Contact', 'A contact of a mailbox.', {
  ...outlookItem,
  displayName: text,
  givenName: text,
  surname: text,
  companyName: text,
  emailAddresses: maybe(z.array(emailAddress)),
  parentFolderId: text,
});

const user = open('User', 'A user of the directory.', {
  ...identified,
  displayName: text,
  givenName: text,
  surname: text,
  mail: text,
  userPrincipalName: text,
  accountEnabled: flag,
  businessPhones: texts,
  mobilePhone: text,
  jobTitle: text,
  officeLocation: text,
  preferredLanguage: text,
});

const group = open('Group', 'A group of the directory.', {
  ...identified,
  displayName: text,
  description: text,
  mail: text,
  mailEnabled: flag,
  securityEnabled: flag,
  groupTypes: texts,
  visibility: text,
});

const chat = open('Chat', 'A chat of Teams.', {
  ...identified,
  topic: text,
  chatType: text,
  createdDateTime: timestamp,
  lastUpdatedDateTime: timestamp,
});

const chatMessage = open('ChatMessage', 'A message in a chat or a channel of Teams.', {
  ...identified,
  etag: text,
  messageType: text,
  chatId: text,
  replyToId: text,
  createdDateTime: timestamp,
  lastModifiedDateTime: timestamp,
  deletedDateTime: timestamp,
  from: maybe(identitySet),
  body: maybe(itemBody),
  importance: text,
});

const team = open('Team', 'A team.', {
  ...identified,
  displayName: text,
  description: text,
  visibility: text,
  isArchived: flag,
});

const channel = open('Channel', 'A channel of a team.', {
  ...identified,
  displayName: text,
  description: text,
  membershipType: text,
  createdDateTime: timestamp,
});

const conversationMember = open('ConversationMember', 'A member of a chat, a channel or a team.', {
  ...identified,
  displayName: text,
  roles: texts,
  userId: text,
  email: text,
});

const driveItem = open('DriveItem', 'A file or folder of a drive.', {
  ...identified,
  eTag: text,
  cTag: text,
  name: text,
  size: count,
  createdDateTime: timestamp,
  lastModifiedDateTime: timestamp,
  parentReference: maybe(z.looseObject({ driveId: text, id: text, path: text })),
  file: maybe(z.looseObject({ mimeType: text })),
  folder: maybe(z.looseObject({ childCount: count })),
  webUrl: text,
});

const listItem = open('ListItem', 'An item of a SharePoint list.', {
  ...identified,
  eTag: text,
  name: text,
  createdDateTime: timestamp,
  lastModifiedDateTime: timestamp,
  parentReference: maybe(z.looseObject({ id: text, siteId: text })),
  contentType: maybe(z.looseObject({ id: text, name: text })),
  fields: maybe(z.looseObject({})),
  webUrl: text,
});

const todoTask = open('TodoTask', 'A task of Microsoft To Do.', {
  ...identified,
  title: text,
  status: text,
  importance: text,
  body: maybe(itemBody),
  categories: texts,
  createdDateTime: timestamp,
  lastModifiedDateTime: timestamp,
  bodyLastModifiedDateTime: timestamp,
  dueDateTime: maybe(dateTimeTimeZone),
  startDateTime: maybe(dateTimeTimeZone),
  completedDateTime: maybe(dateTimeTimeZone),
  reminderDateTime: maybe(dateTimeTimeZone),
  isReminderOn: flag,
  hasAttachments: flag,
  recurrence: maybe(z.looseObject({})),
});

const conversation = open('Conversation', 'A conversation of a group.', {
  ...identified,
  topic: text,
  preview: text,
  hasAttachments: flag,
  lastDeliveredDateTime: timestamp,
  uniqueSenders: texts,
});

const presence = open('Presence', 'Whether a user is there.', {
  ...identified,
  availability: text,
  activity: text,
});

const callRecord = open('CallRecord', 'A call or online meeting that is over.', {
  ...identified,
  version: count,
  type: text,
  modalities: texts,
  startDateTime: timestamp,
  endDateTime: timestamp,
  lastModifiedDateTime: timestamp,
  joinWebUrl: text,
  organizer: maybe(identitySet),
});

const alert = open('Alert', 'A security alert.', {
  ...identified,
  title: text,
  description: text,
  severity: text,
  status: text,
  category: text,
  createdDateTime: timestamp,
});

const printJob = open('PrintJob', 'A job of a printer.', {
  ...identified,
  createdDateTime: timestamp,
  status: maybe(z.looseObject({ state: text, description: text })),
});

const printTask = open('PrintTask', 'A task that a print job has started.', {
  ...identified,
  parentUrl: text,
  status: maybe(z.looseObject({ state: text, description: text })),
});

const resource = open('Resource', 'A resource without a schema of its own.', identified);

/** By the name of the schema, which is also the name of its file. */
export const RESOURCE_SCHEMAS = {
  event,
  message,
  contact,
  user,
  group,
  chat,
  'chat-message': chatMessage,
  team,
  channel,
  'conversation-member': conversationMember,
  'drive-item': driveItem,
  'list-item': listItem,
  'todo-task': todoTask,
  conversation,
  presence,
  'call-record': callRecord,
  alert,
  'print-job': printJob,
  'print-task': printTask,
  resource,
} as const;

/** "ChatMessage" → "chat-message"; what has no schema of its own is a "resource". */
export function schemaOfResource(type: string): string {
  const name = type.replaceAll(/(?<=[a-z])(?=[A-Z])/g, '-').toLowerCase();
  return Object.hasOwn(RESOURCE_SCHEMAS, name) ? name : 'resource';
}
