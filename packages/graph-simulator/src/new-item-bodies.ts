// Makes the first body of an item of each kind as Graph would show it, from what a caller gave.

import { type CalendarOwner, calendarBody } from './calendars.ts';
import { driveRootId } from './drive-root.ts';
import { withPreview } from './event-body.ts';
import type { JsonObject } from './graph-exchange.ts';
import { DEFAULT_CONTACT_FOLDER, shownFolderId } from './mail-folders.ts';
import type { ResourcePath } from './resource-path.ts';
import { type WordTable, wordTable } from './word-table.ts';

/** Whose collection an item is made in, and when. */
export interface NewItemContext {
  readonly collection: ResourcePath;
  /** The folder that the caller's path has named. */
  readonly folderId: string | undefined;
  readonly id: string;
  /** Graph's text of now, "2026-11-23T12:00:00.1230000Z". */
  readonly nowText: string;
  /** The owner of the mailbox as a recipient; null outside mailboxes. */
  readonly mailbox: JsonObject | null;
}

type Defaults = (draft: JsonObject, context: NewItemContext) => JsonObject;

const ownerId = ({ collection }: NewItemContext) => collection.segments[0]?.id ?? '';

function inFolder(
  word: string,
  fallback: string,
): (draft: JsonObject, context: NewItemContext) => JsonObject {
  return (draft, context) => {
    const given = context.folderId ?? draft.parentFolderId;
    const folder = typeof given === 'string' ? given : fallback;
    return { parentFolderId: shownFolderId(ownerId(context), word, folder) };
  };
}

const messageFolder = inFolder('mailfolders', 'drafts');
const contactFolder = inFolder('contactfolders', DEFAULT_CONTACT_FOLDER);

function messageBody(draft: JsonObject, context: NewItemContext): JsonObject {
  const { mailbox, nowText, id } = context;
  const sender = mailbox === null ? {} : { sender: mailbox, from: mailbox };
  return {
    receivedDateTime: nowText,
    sentDateTime: nowText,
    hasAttachments: false,
    internetMessageId: `<${id.slice(-24).replace(/[^a-z0-9]/gi, '')}@northwind.example>`,
    subject: '',
    importance: 'normal',
    conversationId: id,
    isDeliveryReceiptRequested: false,
    isReadReceiptRequested: false,
    isRead: false,
    isDraft: context.folderId === undefined,
    inferenceClassification: 'focused',
    categories: [],
    ...sender,
    toRecipients: [],
    ccRecipients: [],
    bccRecipients: [],
    replyTo: [],
    flag: { flagStatus: 'notFlagged' },
    ...draft,
    ...withPreview(draft.body),
    ...messageFolder(draft, context),
  };
}

function chatMessageBody(draft: JsonObject, { nowText, collection }: NewItemContext): JsonObject {
  const [owner, channel] = collection.segments;
  const place =
    owner?.word === 'chats'
      ? { chatId: owner.id, channelIdentity: null }
      : { chatId: null, channelIdentity: { teamId: owner?.id, channelId: channel?.id } };
  return {
    replyToId: null,
    messageType: 'message',
    createdDateTime: nowText,
    lastEditedDateTime: null,
    deletedDateTime: null,
    subject: null,
    summary: null,
    importance: 'normal',
    locale: 'en-us',
    from: null,
    body: { contentType: 'text', content: '' },
    attachments: [],
    mentions: [],
    reactions: [],
    ...place,
    ...draft,
  };
}

/** What a caller cannot set, whatever the kind. */
const READ_ONLY = new Set(['id', 'changeKey', 'lastModifiedDateTime']);

function writable(draft: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(draft).filter(([name]) => !READ_ONLY.has(name) && !name.startsWith('@')),
  );
}

const named = (draft: JsonObject) => ({ displayName: '', ...draft });

const DEFAULTS: WordTable<Defaults> = wordTable({
  'users/messages': messageBody,
  'users/contacts': (draft, context) => ({
    categories: [],
    displayName: '',
    givenName: null,
    surname: null,
    emailAddresses: [],
    businessPhones: [],
    homePhones: [],
    mobilePhone: null,
    ...draft,
    ...contactFolder(draft, context),
  }),
  'users/mailfolders': (draft, context) => ({
    displayName: '',
    childFolderCount: 0,
    isHidden: false,
    unreadItemCount: 0,
    totalItemCount: 0,
    ...draft,
    ...inFolder('mailfolders', 'msgfolderroot')(draft, context),
  }),
  'users/contactfolders': named,
  'users/calendars': (draft, { mailbox }) =>
    calendarBody(draft, (mailbox?.emailAddress as CalendarOwner | undefined) ?? null, false),
  users: (draft) => ({
    businessPhones: [],
    displayName: null,
    givenName: null,
    jobTitle: null,
    mail: draft.userPrincipalName ?? null,
    mobilePhone: null,
    officeLocation: null,
    preferredLanguage: null,
    surname: null,
    userPrincipalName: null,
    ...draft,
  }),
  groups: (draft, { nowText }) => ({
    createdDateTime: nowText,
    description: null,
    groupTypes: [],
    mail: null,
    mailEnabled: false,
    securityEnabled: true,
    visibility: null,
    ...named(draft),
  }),
  chats: (draft, { nowText }) => ({ topic: null, chatType: 'group', createdDateTime: nowText, ...draft }),
  'chats/messages': chatMessageBody,
  'teams/channels/messages': chatMessageBody,
  'teams/channels/messages/replies': chatMessageBody,
  'drives/items': (draft, context) => ({
    name: '',
    size: 0,
    parentReference: {
      driveId: ownerId(context),
      id: context.folderId ?? driveRootId(ownerId(context)),
    },
    ...(draft.folder === undefined && { file: { mimeType: 'application/octet-stream' } }),
    ...draft,
  }),
  'users/todo/lists/tasks': (draft) => ({
    title: '',
    status: 'notStarted',
    importance: 'normal',
    isReminderOn: false,
    categories: [],
    hasAttachments: false,
    body: { content: '', contentType: 'text' },
    ...draft,
  }),
});

/** The whole body but for what the store stamps: times and versions. */
export function newItemBody(given: JsonObject, context: NewItemContext): JsonObject {
  const draft = writable(given);
  const defaults = DEFAULTS.get(context.collection.words);
  return { id: context.id, ...(defaults?.(draft, context) ?? draft) };
}

/** What a PATCH changes: its writable properties, and those that follow from them. */
export function itemPatch(path: ResourcePath, patch: JsonObject): JsonObject {
  const given = writable(patch);
  const { parentFolderId: _fixed, ...rest } = given;
  if (path.words !== 'users/messages') return path.words === 'users/contacts' ? rest : given;
  return { ...rest, ...('body' in rest && withPreview(rest.body)) };
}
