/** What every record is: a CloudEvent 1.0 with attributes that its rules allow, whoever chose their text. */
import { createHash } from 'node:crypto';
import { CloudEvent } from 'cloudevents';

/** Where the records come from; the CloudEvents `source`. */
export type RecordOrigin = { readonly tenantId: string; readonly clientId: string };

export type RecordEvent = CloudEvent<unknown>;

/** Context attributes beside those that all records share; undefined ones are left out. */
export type Attributes = Readonly<Record<string, string | number | boolean | undefined>>;

/** `schema` names a file of docs/schemas. */
export type EventParts = {
  readonly origin: RecordOrigin;
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly schema: string;
  readonly attributes: Attributes;
  readonly data: unknown;
};

export function makeEvent({ origin, id, type, subject, time, schema, attributes, data }: EventParts) {
  return new CloudEvent<unknown>(
    {
      ...withPlainText({
        id,
        type,
        source: `/tenants/${origin.tenantId}/applications/${origin.clientId}`,
        subject,
        time: isoTime(time),
        datacontenttype: 'application/json',
        dataschema: schemaUri(schema),
        ...present(attributes),
      }),
      data,
    },
    // The package's own check also refuses what the standard allows, such as a relative source.
    false,
  );
}

/** The version is part of the name: a change that breaks readers makes a new one. */
export function schemaUri(schema: string): string {
  return `urn:graph2kafka:schema:${schema}:v1`;
}

/** Tells of the parts in order, also where they run together otherwise. */
export function newsId(...parts: string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}

/** `{tenantId}/users/{id}/events/{id}`: one key for a resource, so that its records stay in one partition. */
export function recordKey(tenantId: string, resource: string): string {
  return `${tenantId}/${resource}`;
}

export function isoTime(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** An empty text is no value of an attribute (CloudEvents 1.0, context attributes). */
function present(attributes: Attributes): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).filter(([, value]) => value !== undefined && value !== ''),
  );
}

/**
 * CloudEvents allows neither control characters nor lone surrogates in an attribute (1.0, type system); etags, ids and
 * reasons are texts of others.
 */
function withPlainText<T extends Attributes>(attributes: T): T {
  const plain = (value: unknown) =>
    typeof value === 'string' ? value.toWellFormed().replaceAll(/\p{Cc}/gu, '\ufffd') : value;
  return Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name, plain(value)])) as T;
}
