/**
 * The contract of the records as schemas: the event around them, and each kind of data that is no resource. One source
 * for docs/schemas (`pnpm schemas`) and for the tests that hold every record against it.
 */
import { z } from 'zod';
import { schemaUri } from './cloud-event.ts';
import { RESOURCE_SCHEMAS } from './resource-schemas.ts';

const timestamp = z.iso.datetime({ offset: true });

/** How the data was had, which also says what it looks like. */
const acquisition = z
  .enum(['fetched', 'rich', 'snapshot', 'delta', 'deleted', 'notification', 'reference'])
  .meta({
    description:
      'fetched: read after the notification. rich: carried by the notification, encrypted. snapshot: read with the whole collection, the first time or after a hole. delta: found by a delta query, as changed since the last one. deleted: gone, nothing to read. notification: could not be read, or was not to be, the data is the notification. reference: too large for Kafka, the data says where it is.',
  });

const described = <Schema extends z.ZodType>(schema: Schema, description: string) =>
  schema.meta({ description });

const context = {
  specversion: z.literal('1.0'),
  id: described(z.string().min(1), 'The same news, the same id: drop what you have seen (with source).'),
  source: described(z.string(), '/tenants/{tenant}/applications/{client}'),
  time: described(timestamp, 'Last modification as Graph tells it, else the first receipt.'),
  datacontenttype: z.literal('application/json'),
  dataschema: described(z.string(), 'urn:graph2kafka:schema:{name}:v1: the schema {name} beside this one.'),
  partitionkey: described(z.string(), 'The key of the record: {tenant}/{canonical resource}.'),
  tenantid: z.string(),
  subscriptionid: described(z.string(), 'Subscription of the last notification.'),
  subscription: described(z.string().optional(), 'Name of the wanted subscription.'),
  receivedtime: described(timestamp, 'When the first notification came that this record stands for.'),
  notificationcount: described(z.int().min(0), 'Notifications that this record stands for.'),
  traceparent: described(
    z.string().optional(),
    'W3C Trace Context of the POST that brought the last notification.',
  ),
};

const changeRecord = z
  .looseObject({
    ...context,
    type: z.string().regex(/^Microsoft\.Graph\.[A-Za-z]+(Created|Updated|Deleted)$/),
    subject: described(z.string().min(1), 'Users/{id}/Events/{id}'),
    acquisition,
    resourceversion: described(z.string().optional(), 'The etag or changeKey of the data.'),
    readtime: described(timestamp.optional(), 'The data is no older than this.'),
    fallbackreason: described(
      z.string().optional(),
      'Why only the notification is known, where the resource was to be read.',
    ),
    idtype: described(
      z.literal('immutable').optional(),
      'The ids in key, subject and data stay when an item is moved to another folder.',
    ),
    leftview: described(z.literal(true).optional(), 'Still there, but no longer in the folder or filter.'),
    data: z.looseObject({}),
  })
  .meta({ title: 'Record of a change', description: 'A CloudEvent 1.0 in structured mode.' });

const deadLetterRecord = z
  .looseObject({
    ...context,
    type: z.literal('graph2kafka.DeadLetter'),
    subject: z.string(),
    data: z.looseObject({}),
  })
  .meta({ title: 'Dead letter', description: 'A CloudEvent 1.0 in structured mode.' });

const deleted = z
  .object({ id: z.string(), '@removed': z.object({ reason: z.literal('deleted') }) })
  .meta({ title: 'Deleted', description: "Data of a deletion, in the words of Graph's delta query." });

const notification = z
  .object({
    notification: z.object({
      tenantId: z.string(),
      subscriptionId: z.string(),
      changeType: z.enum(['created', 'updated', 'deleted']),
      resource: described(z.string(), 'The path as Graph sent it.'),
      odataType: z.string().optional(),
      etag: z.string().optional(),
      notificationId: z.string().optional(),
    }),
  })
  .meta({ title: 'Notification', description: 'Data of a record whose resource could not be read.' });

const reference = z
  .object({
    reference: z.object({
      url: described(z.url(), 'Where Graph has the resource.'),
      reason: z.literal('tooLarge'),
      bytes: described(z.int(), 'Size of the record that Kafka refused.'),
    }),
  })
  .meta({ title: 'Reference', description: 'Data of a record whose resource is too large for Kafka.' });

const deadLetter = z
  .object({
    resource: described(z.string(), 'Canonical resource, or the name under which the news was kept.'),
    reason: z.string(),
    stage: z.enum(['read', 'verify', 'run', 'publish', 'resync']),
    attempts: described(z.int().min(0), 'Tries that were spent on it.'),
    replayable: described(z.boolean(), 'Whether `g2k dead-letters replay` can have it worked again.'),
    notification: described(
      z.looseObject({}).optional(),
      'Known fields of the last notification; absent with KAFKA_DEAD_LETTER_PAYLOAD=none.',
    ),
  })
  .meta({ title: 'Dead letter data', description: 'News that could not become a record of a change.' });

const SCHEMAS: Readonly<Record<string, z.ZodType>> = {
  'change-record': changeRecord,
  'dead-letter-record': deadLetterRecord,
  ...RESOURCE_SCHEMAS,
  deleted,
  notification,
  reference,
  'dead-letter': deadLetter,
};

/** JSON Schemas by name; `$id` is what `dataschema` says. */
export function recordSchemas(
  target: 'draft-2020-12' | 'draft-7' = 'draft-2020-12',
): Map<string, Record<string, unknown>> {
  const made = Object.entries(SCHEMAS).map(([name, schema]): [string, Record<string, unknown>] => {
    const { $schema, ...body } = z.toJSONSchema(schema, { target, io: 'input', override: withoutPattern });
    return [name, { $schema, $id: schemaUri(name), ...body }];
  });
  return new Map(made);
}

/** zod's pattern for times is longer than the rest, and `format` says the same. */
function withoutPattern({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  if (jsonSchema.format === 'date-time' || jsonSchema.format === 'uri') delete jsonSchema.pattern;
}
