// What a record of the judged topics says: of which resource, and what it shows of it.
import type { TopicRecord } from '../topic-reader.ts';
import { canonicalPath, lowerCaseGuid } from './canonical-path.ts';

export type PublishedRecord = {
  /** `{tenantId}/users/{id}/events/{id}`, as the record itself names it. */
  readonly resourceKey: string;
  /** False when the Kafka key is another: records of one resource may then end in several partitions. */
  readonly isKeyedByResource: boolean;
  /** CloudEvents source + id; undefined for a tombstone. */
  readonly identity: string | undefined;
  readonly shows: Shown;
};

export type Shown =
  /** The resource as it was at a version. */
  | { readonly what: 'state'; readonly etag: string | undefined }
  /** That it is gone. */
  | { readonly what: 'deleted' }
  /** That there is something new, up to a version, but not what. */
  | { readonly what: 'notification'; readonly etag: string | undefined };

interface CloudEvent {
  readonly id?: unknown;
  readonly source?: unknown;
  readonly type?: unknown;
  readonly subject?: unknown;
  readonly tenantid?: unknown;
  readonly acquisition?: unknown;
  readonly resourceversion?: unknown;
}

/** Undefined where the record is neither a CloudEvent about a resource nor a tombstone. */
export function readPublishedRecord(record: TopicRecord): PublishedRecord | undefined {
  if (record.value === null) return record.key === null ? undefined : tombstone(record.key);
  const event = cloudEventOf(record);
  if (!event || typeof event.id !== 'string' || typeof event.type !== 'string') return undefined;
  const resourceKey = resourceKeyOf(event) ?? record.key;
  if (resourceKey === null) return undefined;
  return {
    resourceKey,
    isKeyedByResource: record.key === resourceKey,
    identity: `${String(event.source)}\n${event.id}`,
    shows: shownBy(event, event.type),
  };
}

/** The resources that a dead letter names, by key, with or without tenant; and the key it is stored by. */
export function namesInDeadLetter({ key, value }: TopicRecord): string[] {
  const letter = parseObject(value);
  const data = asObject(letter?.data);
  const candidates = [key, letter?.key, letter?.resource, letter?.subject, data?.resource];
  return candidates
    .filter((name) => typeof name === 'string')
    .flatMap((name) => [name, canonicalPath(name), canonicalKey(name)]);
}

/** `{tenantId}/Users/{id}/Events/{id}` → the same with a canonical path. */
function canonicalKey(key: string): string {
  const slash = key.indexOf('/');
  return `${lowerCaseGuid(key.slice(0, slash))}/${canonicalPath(key.slice(slash + 1))}`;
}

function tombstone(key: string): PublishedRecord {
  return { resourceKey: key, isKeyedByResource: true, identity: undefined, shows: { what: 'deleted' } };
}

// Structured mode has all in the value; binary mode has the attributes in `ce_` headers.
function cloudEventOf({ value, headers }: TopicRecord): CloudEvent | undefined {
  if (!('ce_id' in headers)) return parseObject(value);
  const attributes = Object.entries(headers).filter(([name]) => name.startsWith('ce_'));
  return Object.fromEntries(attributes.map(([name, text]) => [name.slice('ce_'.length), text]));
}

function resourceKeyOf({ subject, tenantid }: CloudEvent): string | undefined {
  if (typeof subject !== 'string' || typeof tenantid !== 'string') return undefined;
  return `${lowerCaseGuid(tenantid)}/${canonicalPath(subject)}`;
}

function shownBy({ acquisition, resourceversion }: CloudEvent, type: string): Shown {
  const etag = typeof resourceversion === 'string' ? resourceversion : undefined;
  if (acquisition === 'notification') return { what: 'notification', etag };
  if (acquisition === 'deleted' || type.endsWith('Deleted')) return { what: 'deleted' };
  return { what: 'state', etag };
}

function parseObject(text: string | null): Record<string, unknown> | undefined {
  try {
    return asObject(JSON.parse(text ?? 'null'));
  } catch {
    return undefined;
  }
}

function asObject(value: unknown): Record<string, unknown> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : undefined;
}
