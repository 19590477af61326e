/**
 * An item and what was found out about it → the Kafka record: a CloudEvent, named as Azure Event Grid names Graph's
 * events, so that consumers of one can read the other.
 *
 * The key keeps all records of a resource in one partition, in the order in which they were published. What may
 * still swap two: a process stopped between its last look at the lease and the write to the socket. Records
 * therefore carry the version and the time of reading.
 */
import { createHash } from 'node:crypto';
import { canonicalResource, type ResourcePath, subjectOf } from '@graph2kafka/shared';
import { CloudEvent, Kafka } from 'cloudevents';
import type { ResourceState } from '../graph/fetch-resource.ts';
import type { ChangeNews, MergedItem } from '../inbox/merge-entries.ts';
import type { KafkaRecord } from './record-publisher.ts';

/** Where the records come from; the CloudEvents `source`. */
export type RecordOrigin = { readonly tenantId: string; readonly clientId: string };

export type Outcome =
  /** The resource as Graph has it. */
  | {
      readonly found: 'state';
      readonly state: ResourceState;
      /** Read with the whole collection, since notifications were missed. */
      readonly snapshot?: boolean;
    }
  /** Gone for certain. */
  | { readonly found: 'deleted'; readonly readAt: number | undefined }
  /** It could not be read; the notification itself is the news. */
  | { readonly found: 'nothing'; readonly reason: string };

/** Record of a change. */
export function toRecord(
  origin: RecordOrigin,
  path: ResourcePath,
  item: MergedItem,
  outcome: Outcome,
): KafkaRecord {
  const resource = canonicalResource(path);
  const { view, latest, count, firstReceivedAt } = item;
  const event = new CloudEvent(
    withPlainText({
      id: recordId(item, resource, outcome),
      type: `Microsoft.Graph.${resourceType(path, latest)}${changeOf(item, outcome)}`,
      source: `/tenants/${origin.tenantId}/applications/${origin.clientId}`,
      subject: subjectOf(path),
      time: timeOf(item, outcome),
      datacontenttype: 'application/json',
      partitionkey: recordKey(latest.tenantId, resource),
      tenantid: latest.tenantId,
      subscriptionid: latest.subscriptionId,
      ...(view.wish === undefined ? {} : { subscription: view.wish }),
      receivedtime: iso(firstReceivedAt),
      notificationcount: count,
      ...describeOutcome(outcome, latest),
      ...(item.leavesView && outcome.found === 'state' ? { leftview: true } : {}),
      data: dataOf(latest, outcome),
    }),
    false,
  );
  return serialize(view.topic, recordKey(latest.tenantId, resource), event);
}

export type DeadLetter = {
  readonly tenantId: string;
  /** Canonical resource, or the name under which the news was kept. */
  readonly resource: string;
  readonly subscriptionId: string;
  readonly reason: string;
  /** Where it was given up: `read` (not understandable), `verify`, `fetch`, `run` (runs die of it), `publish`, `resync`. */
  readonly stage: 'read' | 'verify' | 'fetch' | 'run' | 'publish' | 'resync';
  readonly firstReceivedAt: number;
  readonly notifications: number;
  /** What was notified, without clientState. */
  readonly notification: Readonly<Record<string, unknown>>;
};

/** Record of news that could not become a record of a change. */
export function toDeadLetterRecord(origin: RecordOrigin, topic: string, letter: DeadLetter): KafkaRecord {
  const { tenantId, resource, subscriptionId, reason, stage, firstReceivedAt, notifications, notification } =
    letter;
  const key = recordKey(tenantId, resource);
  const event = new CloudEvent(
    withPlainText({
      id: hash(key, subscriptionId, 'dead-letter', stage, reason, String(firstReceivedAt)),
      type: 'graph2kafka.DeadLetter',
      source: `/tenants/${origin.tenantId}/applications/${origin.clientId}`,
      subject: resource,
      time: iso(firstReceivedAt),
      datacontenttype: 'application/json',
      partitionkey: key,
      tenantid: tenantId,
      subscriptionid: subscriptionId,
      receivedtime: iso(firstReceivedAt),
      notificationcount: notifications,
      data: { resource, reason, stage, notification },
    }),
    false,
  );
  return serialize(topic, key, event);
}

/** `{tenantId}/users/{id}/events/{id}`. */
export function recordKey(tenantId: string, resource: string): string {
  return `${tenantId}/${resource}`;
}

/**
 * The same news, the same id: by version where there is one, else by what was said and when it was first received,
 * so that a second deletion after a restore is new news, and a rerun of the same window is not.
 */
function recordId(item: MergedItem, resource: string, outcome: Outcome): string {
  const { view, latest, firstReceivedAt, leavesView } = item;
  const wanted = view.wish ?? latest.subscriptionId;
  const key = recordKey(latest.tenantId, resource);
  if (outcome.found === 'state' && outcome.state.version !== undefined) {
    // That it left the view is news, also of a version that was seen in it.
    return hash(wanted, key, outcome.state.version, ...(leavesView ? ['left', String(firstReceivedAt)] : []));
  }
  const what = outcome.found === 'deleted' ? 'deleted' : 'notification';
  return hash(wanted, key, what, String(firstReceivedAt));
}

function hash(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** By the last collection of the path, as Graph's types are called; `#Microsoft.Graph.Event` where that is unknown. */
function resourceType(path: ResourcePath, { odataType }: ChangeNews): string {
  const last = path.findLast(({ id }) => id !== undefined) ?? path.at(-1);
  const isTeams = path[0]?.word === 'teams' || path[0]?.word === 'chats';
  if (isTeams && (last?.word === 'messages' || last?.word === 'replies')) return 'ChatMessage';
  const known = TYPE_BY_COLLECTION[last?.word ?? ''];
  if (known) return known;
  const named = odataType
    ?.split('.')
    .at(-1)
    ?.replace(/[^A-Za-z]/g, '');
  return named ? named.charAt(0).toUpperCase() + named.slice(1) : 'Resource';
}

const TYPE_BY_COLLECTION: Readonly<Record<string, string>> = {
  channels: 'Channel',
  chats: 'Chat',
  contacts: 'Contact',
  events: 'Event',
  groups: 'Group',
  members: 'ConversationMember',
  messages: 'Message',
  teams: 'Team',
  users: 'User',
};

function changeOf({ created, latest }: MergedItem, outcome: Outcome): 'Created' | 'Updated' | 'Deleted' {
  if (outcome.found === 'deleted') return 'Deleted';
  if (outcome.found === 'nothing' && latest.changeType === 'deleted') return 'Deleted';
  return created ? 'Created' : 'Updated';
}

/** When it happened, as far as Graph says: the resource's last modification, else the first notification. */
function timeOf({ firstReceivedAt }: MergedItem, outcome: Outcome): string {
  const modified = outcome.found === 'state' ? outcome.state.data.lastModifiedDateTime : undefined;
  const ms = typeof modified === 'string' ? Date.parse(modified) : Number.NaN;
  return iso(Number.isNaN(ms) ? firstReceivedAt : ms);
}

/** `acquisition`: how the data was had: `fetched`, `snapshot`, `deleted` (none to have), `notification` (fallback). */
function describeOutcome(outcome: Outcome, { etag }: ChangeNews): Record<string, string> {
  switch (outcome.found) {
    case 'state': {
      const { version, readAt } = outcome.state;
      return {
        acquisition: outcome.snapshot ? 'snapshot' : 'fetched',
        readtime: iso(readAt),
        ...(version ? { resourceversion: version } : {}),
      };
    }
    case 'deleted':
      return {
        acquisition: 'deleted',
        ...(outcome.readAt === undefined ? {} : { readtime: iso(outcome.readAt) }),
      };
    case 'nothing':
      return {
        acquisition: 'notification',
        fallbackreason: outcome.reason,
        ...(etag ? { resourceversion: etag } : {}),
      };
  }
}

function dataOf(latest: ChangeNews, outcome: Outcome): Readonly<Record<string, unknown>> {
  return outcome.found === 'state' ? outcome.state.data : withoutNonce(latest);
}

/** What was notified, as a record may show it. */
export function withoutNonce<T extends { nonce?: string }>({
  nonce: _nonce,
  ...notification
}: T): Omit<T, 'nonce'> {
  return notification;
}

/**
 * CloudEvents allows neither control characters nor lone surrogates in an attribute (1.0, type system); etags, ids and
 * reasons are texts of others.
 */
function withPlainText<T extends Readonly<Record<string, unknown>>>(attributes: T): T {
  const plain = (value: unknown) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll(/\p{Cc}/gu, '\ufffd') : value;
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)])) as T;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

function serialize(topic: string, key: string, event: CloudEvent<unknown>): KafkaRecord {
  const { headers, value } = Kafka.structured(event);
  return { topic, key, headers: headers as Record<string, string>, value: String(value) };
}
