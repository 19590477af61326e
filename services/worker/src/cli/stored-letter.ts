/** A record of the dead-letter topic → what it says, in either mode of CloudEvents; known fields only. Pure. */
import { z } from 'zod';
import type { StoredRecord } from '../kafka/read-topic.ts';

export type StoredLetter = {
  /** `partition:offset` */
  readonly at: string;
  readonly partition: number;
  readonly offset: number;
  /** Epoch milliseconds: when it came into the topic. */
  readonly writtenAt: number;
  /** Of the CloudEvent; the same for the same give-up. */
  readonly id: string;
  readonly tenantId: string;
  readonly resource: string;
  readonly subscriptionId: string;
  /** Name of the wanted subscription, where it was known. */
  readonly subscription: string | undefined;
  readonly stage: string;
  readonly reason: string;
  readonly attempts: number;
  readonly replayable: boolean;
  /** Epoch milliseconds: when the first notification came that it stands for. */
  readonly receivedAt: number;
  readonly notifications: number;
  /** Absent with KAFKA_DEAD_LETTER_PAYLOAD=none. */
  readonly notification: Notification | undefined;
};

export type ReadLetter =
  | { readonly is: 'letter'; readonly letter: StoredLetter }
  | { readonly is: 'tombstone' }
  /** Somebody else's record, or one that was damaged. */
  | { readonly is: 'stranger'; readonly why: string };

const text = z.string().optional().catch(undefined);

/** What may be shown of a notification. Anything else, a clientState above all, is dropped, whoever wrote it. */
const notification = z.object({
  kind: text,
  tenantId: text,
  subscriptionId: text,
  changeType: text,
  lifecycleEvent: text,
  resource: text,
  odataType: text,
  etag: text,
  notificationId: text,
  reason: text,
});

type Notification = z.output<typeof notification>;

const TYPE = 'graph2kafka.DeadLetter';

/** Laxer than docs/schemas/dead-letter.v1.json: a later version may know more stages and say more. */
const letterEvent = z.object({
  type: z.literal(TYPE),
  id: z.string().min(1),
  tenantid: z.string(),
  subscriptionid: z.string(),
  subscription: z.string().optional(),
  receivedtime: z.iso.datetime({ offset: true }),
  notificationcount: z.coerce.number().int().min(0),
  data: z.object({
    resource: z.string(),
    reason: z.string(),
    stage: z.string(),
    attempts: z.int().min(0),
    replayable: z.boolean(),
    notification: notification.optional().catch(undefined),
  }),
});

export function readLetter(record: StoredRecord): ReadLetter {
  if (record.value === null) return { is: 'tombstone' };
  const event = eventOf(record, record.value);
  if (event === undefined) return { is: 'stranger', why: 'its value is not JSON' };
  const { type } = event;
  if (type !== TYPE) {
    const named = typeof type === 'string' ? `its type is ${type.slice(0, 80)}` : 'it is no CloudEvent';
    return { is: 'stranger', why: named };
  }
  const parsed = letterEvent.safeParse(event);
  if (parsed.success) return { is: 'letter', letter: letterOf(record, parsed.data) };
  const wrong = [...new Set(parsed.error.issues.map(({ path }) => path.join('.')))];
  return { is: 'stranger', why: `not as documented: ${wrong.join(', ')}` };
}

/** Structured: the value is the event. Binary: the value is its data, the attributes are headers (`ce_id`). */
function eventOf({ headers }: StoredRecord, value: Buffer): Record<string, unknown> | undefined {
  const json = parseJson(withoutSchemaId(value).toString('utf8'));
  if (json === undefined) return undefined;
  const isBinary = !headers['content-type']?.startsWith('application/cloudevents') && 'ce_type' in headers;
  if (!isBinary) return typeof json === 'object' && json !== null ? { ...json } : {};
  const attributes = Object.entries(headers)
    .filter(([name]) => name.startsWith('ce_'))
    .map(([name, attribute]) => [name.slice(3), attribute]);
  return { ...Object.fromEntries(attributes), data: json };
}

/** A magic byte and four bytes of id, with KAFKA_SCHEMA_REGISTRY_URL; no JSON begins with a byte 0. */
function withoutSchemaId(value: Buffer): Buffer {
  return value[0] === 0 ? value.subarray(5) : value;
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined;
  }
}

function letterOf(
  { partition, offset, timestamp }: StoredRecord,
  { data, ...event }: z.output<typeof letterEvent>,
): StoredLetter {
  return {
    at: `${partition}:${offset}`,
    partition,
    offset,
    writtenAt: timestamp,
    id: event.id,
    tenantId: event.tenantid,
    resource: data.resource,
    subscriptionId: event.subscriptionid,
    subscription: event.subscription,
    stage: data.stage,
    reason: data.reason,
    attempts: data.attempts,
    replayable: data.replayable,
    receivedAt: Date.parse(event.receivedtime),
    notifications: event.notificationcount,
    notification: data.notification,
  };
}
