/**
 * An item and what was found out about it → the event of its record, named as Azure Event Grid names Graph's events,
 * so that consumers of one can read the other.
 *
 * The key keeps all records of a resource in one partition, in the order in which they were published. What may
 * still swap two: a process stopped between its last look at the lease and the write to the socket. Records
 * therefore carry the version and the time of reading.
 */
import { canonicalResource, type ResourcePath, requestPath, subjectOf } from '@graph2kafka/shared';
import type { ResourceState } from '../graph/fetch-resource.ts';
import type { ChangeNews, MergedItem } from '../inbox/merge-entries.ts';
import { IMMUTABLE_IDS } from '../resources/outlook-preferences.ts';
import {
  type Attributes,
  isoTime,
  makeEvent,
  newsId,
  type RecordEvent,
  type RecordOrigin,
  recordKey,
} from './cloud-event.ts';
import { schemaOfResource } from './resource-schemas.ts';
import { resourceType } from './resource-types.ts';

export type Outcome =
  /** The resource as Graph has it. */
  | {
      readonly found: 'state';
      readonly state: ResourceState;
      /**
       * `snapshot`: with the whole collection. `delta`: with what has changed in it. `rich`: it came with the notification.
       */
      readonly how?: 'fetched' | 'snapshot' | 'delta' | 'rich';
    }
  /** Gone for certain. */
  | { readonly found: 'deleted'; readonly readAt: number | undefined }
  /** It was not to be read; the notification itself is the news. */
  | { readonly found: 'unread' }
  /** It could not be read; the notification itself is the news. */
  | { readonly found: 'nothing'; readonly reason: string };

/** A record stands for it that says where the resource is, since the resource itself has no room in one. */
export type Oversize = { readonly bytes: number; readonly graphUrl: string };

export type ChangeRecord = { readonly key: string; readonly event: RecordEvent };

export function changeRecord(
  origin: RecordOrigin,
  path: ResourcePath,
  item: MergedItem,
  outcome: Outcome,
  oversize?: Oversize,
): ChangeRecord {
  const resource = canonicalResource(path);
  const { view, latest, count, firstReceivedAt } = item;
  const key = recordKey(latest.tenantId, resource);
  const type = resourceType(path, latest.odataType);
  const { schema, data, attributes } = oversize
    ? describeReference(path, outcome, oversize)
    : describeOutcome(type, path, item, outcome);
  const event = makeEvent({
    origin,
    id: idOf(item, resource, outcome),
    type: `Microsoft.Graph.${type}${changeOf(item, outcome)}`,
    subject: subjectOf(path),
    time: timeOf(item, outcome),
    schema,
    attributes: {
      partitionkey: key,
      tenantid: latest.tenantId,
      subscriptionid: latest.subscriptionId,
      subscription: view.wish,
      receivedtime: isoTime(firstReceivedAt),
      notificationcount: count,
      idtype: view.prefer?.includes(IMMUTABLE_IDS) ? 'immutable' : undefined,
      traceparent: latest.traceparent,
      ...attributes,
    },
    data,
  });
  return { key, event };
}

/**
 * The same news, the same id: by version where there is one, else by what was said and when it was first received,
 * so that a second deletion after a restore is new news, and a rerun of the same window is not.
 */
function idOf(item: MergedItem, resource: string, outcome: Outcome): string {
  const { view, latest, firstReceivedAt, leavesView } = item;
  const wanted = view.wish ?? latest.subscriptionId;
  const key = recordKey(latest.tenantId, resource);
  if (outcome.found === 'state' && outcome.state.version !== undefined) {
    // That it left the view is news, also of a version that was seen in it.
    return newsId(
      wanted,
      key,
      outcome.state.version,
      ...(leavesView ? ['left', String(firstReceivedAt)] : []),
    );
  }
  const what = outcome.found === 'deleted' ? 'deleted' : 'notification';
  return newsId(wanted, key, what, String(firstReceivedAt));
}

function changeOf({ created, latest }: MergedItem, outcome: Outcome): 'Created' | 'Updated' | 'Deleted' {
  if (outcome.found === 'deleted') return 'Deleted';
  if (outcome.found !== 'state' && latest.changeType === 'deleted') return 'Deleted';
  return created ? 'Created' : 'Updated';
}

/** When it happened, as far as Graph says: the resource's last modification, else the first notification. */
function timeOf({ firstReceivedAt }: MergedItem, outcome: Outcome): number {
  const modified = outcome.found === 'state' ? outcome.state.data.lastModifiedDateTime : undefined;
  const ms = typeof modified === 'string' ? Date.parse(modified) : Number.NaN;
  return Number.isNaN(ms) ? firstReceivedAt : ms;
}

type Description = { readonly schema: string; readonly attributes: Attributes; readonly data: unknown };

/** How the data was had (`acquisition`), and what it looks like therefore. */
function describeOutcome(
  type: string,
  path: ResourcePath,
  { latest, leavesView }: MergedItem,
  outcome: Outcome,
): Description {
  switch (outcome.found) {
    case 'state':
      return {
        schema: schemaOfResource(type),
        attributes: {
          acquisition: outcome.how ?? (latest.by === 'delta' ? 'delta' : 'fetched'),
          ...readingOf(outcome),
          leftview: leavesView || undefined,
        },
        data: outcome.state.data,
      };
    case 'deleted':
      return {
        schema: 'deleted',
        attributes: {
          acquisition: 'deleted',
          readtime: outcome.readAt === undefined ? undefined : isoTime(outcome.readAt),
        },
        data: { id: path.at(-1)?.id ?? canonicalResource(path), '@removed': { reason: 'deleted' } },
      };
    case 'unread':
    case 'nothing':
      return {
        schema: 'notification',
        attributes: {
          acquisition: 'notification',
          fallbackreason: outcome.found === 'nothing' ? outcome.reason : undefined,
          resourceversion: latest.etag,
        },
        data: { notification: notificationOf(latest) },
      };
  }
}

/** The resource is too large for Kafka: where it is, instead of it. */
function describeReference(path: ResourcePath, outcome: Outcome, { bytes, graphUrl }: Oversize): Description {
  return {
    schema: 'reference',
    attributes: {
      acquisition: 'reference',
      ...(outcome.found === 'state' ? readingOf(outcome) : {}),
    },
    data: {
      reference: { url: `${graphUrl}/v1.0${requestPath(path)}`, reason: 'tooLarge', bytes },
    },
  };
}

/** What came with a notification was not read by us: how old it was then is not known. */
function readingOf({ state, how }: Extract<Outcome, { found: 'state' }>): Attributes {
  return {
    readtime: how === 'rich' ? undefined : isoTime(state.readAt),
    resourceversion: state.version,
  };
}

/** What was notified, as a record may show it. */
export function notificationOf({
  kind: _kind,
  nonce: _nonce,
  traceparent: _traceparent,
  contentId: _contentId,
  by: _by,
  ...shown
}: ChangeNews): Record<string, unknown> {
  return shown;
}
