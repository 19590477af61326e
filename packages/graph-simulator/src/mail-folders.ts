// The folders that every mailbox has: their names, and the opaque ids that stand for the names.
import { createHash } from 'node:crypto';
import type { JsonObject } from './graph-exchange.ts';
import { type WordTable, wordTable } from './word-table.ts';

/** Names that may stand for an id, in any case (Graph page "mailFolder resource type"), and what Outlook shows. */
const MAIL_FOLDERS: Readonly<Record<string, string>> = {
  archive: 'Archive',
  deleteditems: 'Deleted Items',
  drafts: 'Drafts',
  inbox: 'Inbox',
  junkemail: 'Junk Email',
  outbox: 'Outbox',
  sentitems: 'Sent Items',
};
/** Contacts that are in no folder of their own are in this one, which Graph does not list. */
export const DEFAULT_CONTACT_FOLDER = 'contacts';
/** The name under which the default calendar is kept; "users/{id}/calendar" and its opaque id lead to it. */
export const DEFAULT_CALENDAR = 'calendar';

/** The parent of all top folders; like Outlook's, it is in no list. */
const ROOT_FOLDER = 'msgfolderroot';

const MAIL_FOLDER_NAMES = [...Object.keys(MAIL_FOLDERS), ROOT_FOLDER];
const FOLDER_WORDS: WordTable<readonly string[]> = wordTable({
  mailfolders: MAIL_FOLDER_NAMES,
  childfolders: MAIL_FOLDER_NAMES,
  contactfolders: [DEFAULT_CONTACT_FOLDER],
  calendars: [DEFAULT_CALENDAR],
});

export const WELL_KNOWN_FOLDERS: ReadonlySet<string> = new Set(MAIL_FOLDER_NAMES);

/** Hashed once for each mailbox, as every message that is shown or told of asks for some. */
const madeIds = new Map<string, string>();

/** The id that a body shows for a well-known folder; it has the form of Outlook's, and differs by mailbox. */
export function wellKnownFolderId(userId: string, name: string): string {
  const key = `${userId}/${name}`;
  const id = madeIds.get(key) ?? hashedFolderId(userId, name);
  madeIds.set(key, id);
  return id;
}

function hashedFolderId(userId: string, name: string): string {
  const bytes = Buffer.concat([
    Buffer.from([0x00, 0x03, 0x24, 0x00]),
    createHash('sha512').update(`${userId}/${name}`).digest(),
    createHash('sha256').update(name).digest().subarray(0, 21),
  ]);
  return bytes.toString('base64url').concat('=');
}

/** Words of an item's path → the word of the folders that hold it. */
const FOLDERS_OF_ITEMS: WordTable<string> = wordTable({
  'users/messages': 'mailfolders',
  'users/contacts': 'contactfolders',
});

/** "mailfolders" for "users/messages"; undefined for what is in no folder. */
export function folderWordOf(words: string): string | undefined {
  return FOLDERS_OF_ITEMS.get(words);
}

export const rootFolderId = (userId: string) => wellKnownFolderId(userId, ROOT_FOLDER);

/** A well-known folder's name in lower case for its name or its opaque id; every other id as it is. */
export function canonicalFolderId(userId: string, word: string, id: string): string {
  const lower = id.toLowerCase();
  const names = FOLDER_WORDS.get(word) ?? [];
  return names.find((name) => name === lower || wellKnownFolderId(userId, name) === id) ?? id;
}

/** What a body shows of a folder: the opaque id, also where the well-known name was given. */
export function shownFolderId(userId: string, word: string, id: string): string {
  const name = canonicalFolderId(userId, word, id);
  return FOLDER_WORDS.get(word)?.includes(name) ? wellKnownFolderId(userId, name) : name;
}

export interface WellKnownFolder {
  readonly name: string;
  readonly body: JsonObject;
}

/** The bodies of a mailbox's own folders, without the counts of their items. */
export function wellKnownFolders(userId: string): WellKnownFolder[] {
  const parentFolderId = rootFolderId(userId);
  return Object.entries(MAIL_FOLDERS).map(([name, displayName]) => ({
    name,
    body: {
      id: wellKnownFolderId(userId, name),
      displayName,
      parentFolderId,
      childFolderCount: 0,
      isHidden: false,
    },
  }));
}
