// Reads the path of a Graph resource, in any of its spellings, into one canonical form.
import { WELL_KNOWN_FOLDERS } from './mail-folders.ts';

/** A collection word or singleton in lower case, with the id that follows it, decoded and as written. */
export interface PathSegment {
  readonly word: string;
  readonly id?: string;
}

export interface ResourcePath {
  readonly segments: readonly PathSegment[];
  /**
   * Canonical text: "users/{id}/events/{id}"; words in lower case, GUIDs too, other ids untouched. An operation stands
   * at its end, so that "chats/getallmessages" is not "chats".
   */
  readonly key: string;
  /** The words alone: "users/events". */
  readonly words: string;
  /** True for "users/{id}/events", false for an item or a singleton. */
  readonly isCollection: boolean;
  /** A function or system segment at the end: "delta", "$count". */
  readonly operation?: string;
}

/** The text is no resource path: empty or dotted segments, or broken percent-encoding. */
export class ResourcePathError extends Error {
  override readonly name = 'ResourcePathError';
}

/** Words that name one thing, so that no id follows them. */
const SINGLETONS = new Set(
  [
    'admin appcatalogs auditlogs calendar communications directory drive education identity mailboxsettings manager me',
    'onenote photo planner presence primarychannel print reauthorize reports root security solutions teamwork todo',
  ].flatMap((line) => line.split(' ')),
);

const OPERATIONS = new Set(
  'delta getallmessages getallmembers getallchannels $count $ref $value $batch'.split(' '),
);

const GUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const GUID_AT_TENANT = /^([0-9a-f-]{36})@([0-9a-f-]{36})$/i;
const KEYED = /^([^(]+)\('(.*)'\)$/s;

export function isGuid(text: string): boolean {
  return GUID.test(text);
}

function decodeSegment(raw: string): string {
  let text: string;
  try {
    text = decodeURIComponent(raw);
  } catch {
    throw new ResourcePathError(`Broken percent-encoding in '${raw}'.`);
  }
  if (text === '' || text === '.' || text === '..') throw new ResourcePathError(`Bad path segment '${raw}'.`);
  return text;
}

function operationName(text: string): string | undefined {
  const name = text
    .toLowerCase()
    .replace(/\(.*\)$/, '')
    .replace(/^microsoft\.graph\./, '');
  return OPERATIONS.has(name) ? name : undefined;
}

function canonicalId(word: string, id: string): string {
  const lower = id.toLowerCase();
  if (word === 'mailfolders' && WELL_KNOWN_FOLDERS.has(lower)) return lower;
  if (isGuid(id)) return lower;
  const [, guid, tenant] = GUID_AT_TENANT.exec(id) ?? [];
  if (guid !== undefined && tenant !== undefined && isGuid(guid) && isGuid(tenant)) return guid.toLowerCase();
  return id;
}

/** Only what would make the key ambiguous is escaped: a slash inside an id, and the escape sign itself. */
const keyText = (id: string) => id.replaceAll('%', '%25').replaceAll('/', '%2F');

const segmentKey = ({ word, id }: PathSegment) => (id === undefined ? word : `${word}/${keyText(id)}`);

/** Builds a path from its parts; ids are made canonical here. */
export function resourcePath(parts: readonly PathSegment[], operation?: string): ResourcePath {
  const segments = parts.map(({ word, id }) =>
    id === undefined ? { word } : { word, id: canonicalId(word, id) },
  );
  const last = segments.at(-1);
  const isCollection =
    last !== undefined && last.id === undefined && !SINGLETONS.has(last.word) && !operation;
  const words = segments.map((segment) => segment.word).join('/');
  const keys = segments.map(segmentKey);
  const key = (operation === undefined ? keys : [...keys, operation]).join('/');
  const path = { segments, words, isCollection, key };
  return operation === undefined ? path : { ...path, operation };
}

/**
 * Reads "/users/{id}/events/{id}", "Users('{id}')/Events('{id}')" and mixtures, percent-encoded or not, without query.
 * @throws {ResourcePathError}
 */
export function parseResourcePath(text: string): ResourcePath {
  const texts = text
    .replace(/^\/|\/$/g, '')
    .split('/')
    .map(decodeSegment);
  const segments: PathSegment[] = [];
  for (let i = 0; i < texts.length; i += 1) {
    const current = texts[i] as string;
    const operation = operationName(current);
    if (operation !== undefined) return resourcePath(segments, operation);
    const [, keyedWord, keyedId] = KEYED.exec(current) ?? [];
    const word = (keyedWord ?? current).toLowerCase();
    const next = texts[i + 1];
    if (keyedId !== undefined) {
      segments.push({ word, id: keyedId.replaceAll("''", "'") });
    } else if (SINGLETONS.has(word) || next === undefined || operationName(next) !== undefined) {
      segments.push({ word });
    } else {
      segments.push({ word, id: next });
      i += 1;
    }
  }
  return resourcePath(segments);
}

/** The collection that holds an item: "users/{id}/events/{id}" → "users/{id}/events". */
export function collectionOf(path: ResourcePath): ResourcePath {
  const last = path.segments.at(-1);
  if (last === undefined) return path;
  return resourcePath([...path.segments.slice(0, -1), { word: last.word }]);
}

/** What the path begins with, e.g. "users/{id}": the mailbox, chat or team; the word alone where no id follows. */
export function ownerKey(path: ResourcePath): string {
  const first = path.segments[0];
  return first === undefined ? '' : segmentKey(first);
}
