/** Both modes of the Kafka protocol binding, as the cloudevents package reads them. */
import { type CloudEvent, Kafka } from 'cloudevents';
import { describe, expect, it } from 'vitest';
import { makeEvent } from '../../src/records/cloud-event.ts';
import { createEncodeRecord, tombstone } from '../../src/records/encode-record.ts';

const event = makeEvent({
  origin: { tenantId: 'tenant', clientId: 'client' },
  id: 'id-1',
  type: 'Microsoft.Graph.EventUpdated',
  subject: 'Users/u/Events/é',
  time: Date.UTC(2026, 10, 23, 12),
  schema: 'event',
  attributes: {
    partitionkey: 'tenant/users/u/events/é',
    notificationcount: 3,
    leftview: true,
    absent: undefined,
    empty: '',
  },
  data: { id: 'é', subject: 'Lunch' },
});

const HEADERS = {
  ce_specversion: '1.0',
  ce_id: 'id-1',
  ce_type: 'Microsoft.Graph.EventUpdated',
  ce_source: '/tenants/tenant/applications/client',
  ce_subject: 'Users/u/Events/é',
  ce_time: '2026-11-23T12:00:00.000Z',
  ce_dataschema: 'urn:graph2kafka:schema:event:v1',
  ce_partitionkey: 'tenant/users/u/events/é',
  ce_notificationcount: '3',
  ce_leftview: 'true',
};

describe('a record in structured mode', () => {
  const record = createEncodeRecord('structured')('topic', 'key', event);

  it('has the whole event as its value', () => {
    expect(JSON.parse(String(record.value))).toMatchObject({ id: 'id-1', data: { subject: 'Lunch' } });
    const read = Kafka.toEvent({ ...record, body: record.value } as never) as CloudEvent<unknown>;
    expect(read.validate()).toBe(true);
    expect(read).toMatchObject({ id: 'id-1', notificationcount: 3, data: { id: 'é', subject: 'Lunch' } });
  });

  it('can be routed by its headers alone', () => {
    expect(record.headers).toEqual({
      ...HEADERS,
      'content-type': 'application/cloudevents+json; charset=utf-8',
    });
  });
});

describe('a record in binary mode', () => {
  const record = createEncodeRecord('binary')('topic', 'key', event);

  it('has the data as its value and the attributes as headers', () => {
    expect(record.value).toBe('{"id":"é","subject":"Lunch"}');
    expect(record.headers).toEqual({ ...HEADERS, 'content-type': 'application/json' });
    const read = Kafka.toEvent({ ...record, body: record.value } as never) as CloudEvent<unknown>;
    expect(read).toMatchObject({
      id: 'id-1',
      type: 'Microsoft.Graph.EventUpdated',
      subject: 'Users/u/Events/é',
    });
  });
});

describe('a tombstone', () => {
  it('is a key without a value', () => {
    expect(tombstone('topic', 'key')).toEqual({ topic: 'topic', key: 'key', headers: {}, value: null });
  });
});
