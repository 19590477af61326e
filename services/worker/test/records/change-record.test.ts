/** Items and outcomes → records: names, key, id, and that every one of them is a CloudEvent by the rules of 1.0. */
import { parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import { type CloudEvent, Kafka } from 'cloudevents';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MergedItem } from '../../src/inbox/merge-entries.ts';
import type { KafkaRecord } from '../../src/kafka/record-publisher.ts';
import { changeRecord, type Outcome } from '../../src/records/change-record.ts';
import { type DeadLetter, deadLetterRecord } from '../../src/records/dead-letter-record.ts';
import { createEncodeRecord } from '../../src/records/encode-record.ts';
import { findSchemaBreaks } from '../support/published-schemas.ts';
import {
  CLIENT,
  changeNews,
  EVENT,
  folder,
  mergedItem,
  TENANT,
  USER,
  wholeMailbox,
} from '../support/taken-entry.ts';

const origin = { tenantId: TENANT, clientId: CLIENT };
const READ_AT = Date.UTC(2026, 10, 23, 12, 0, 5);
const RECEIVED_AT = Date.UTC(2026, 10, 23, 12);

function path(text: string): ResourcePath {
  const parsed = parseResourcePath(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.path;
}

const state = (version: string | undefined, data: Record<string, unknown> = {}): Outcome => ({
  found: 'state',
  state: { data: { id: 'AAMkAGI1=_-x', subject: 'Lunch', ...data }, version, readAt: READ_AT },
});
const deleted: Outcome = { found: 'deleted', readAt: READ_AT };
const nothing: Outcome = { found: 'nothing', reason: 'forbidden (ErrorAccessDenied)' };

const encode = createEncodeRecord('structured');

function recordOf(outcome: Outcome, item: Partial<MergedItem> = {}, resource = EVENT): KafkaRecord {
  const merged = mergedItem(item);
  const { key, event } = changeRecord(origin, path(resource), merged, outcome);
  return encode(merged.view.topic, key, event);
}

function letterRecordOf(letter: DeadLetter): KafkaRecord {
  const { key, event } = deadLetterRecord(origin, letter, 'notification');
  return encode('graph.events.dlq', key, event);
}

type Attributes = Record<string, unknown> & { readonly data: Record<string, unknown> };
const attributesOf = ({ value }: KafkaRecord) => JSON.parse(String(value)) as Attributes;
const eventOf = (outcome: Outcome, item?: Partial<MergedItem>, resource?: string) =>
  attributesOf(recordOf(outcome, item, resource));

const REQUIRED = ['specversion', 'id', 'source', 'type'];
const OPTIONAL = ['datacontenttype', 'dataschema', 'subject', 'time', 'data'];

/** CloudEvents 1.0, sections "Type System" and "Context Attributes", and our published schemas. */
function findRuleBreaks(record: KafkaRecord): string[] {
  return [...findStandardBreaks(record), ...findSchemaBreaks(record)];
}

function findStandardBreaks({ value }: KafkaRecord): string[] {
  const event = JSON.parse(String(value)) as Record<string, unknown>;
  const names = Object.keys(event);
  const breaks = REQUIRED.filter((name) => typeof event[name] !== 'string' || event[name] === '');
  if (event.specversion !== '1.0') breaks.push('specversion');
  if (Number.isNaN(Date.parse(String(event.time)))) breaks.push('time');
  for (const name of names.filter((one) => ![...REQUIRED, ...OPTIONAL].includes(one))) {
    if (!/^[a-z0-9]{1,20}$/.test(name)) breaks.push(`${name}: name`);
    const attribute = event[name];
    const isText = typeof attribute === 'string' && attribute !== '';
    const isInteger = Number.isInteger(attribute) && Math.abs(attribute as number) < 2 ** 31;
    if (!isText && !isInteger && typeof attribute !== 'boolean') breaks.push(`${name}: type`);
  }
  for (const name of names.filter((one) => one !== 'data')) {
    const text = String(event[name]);
    if (/[\p{Cc}]/u.test(text) || !text.isWellFormed()) breaks.push(`${name}: characters`);
  }
  return breaks;
}

describe('a record', () => {
  it("is named as Azure Event Grid names Graph's events", () => {
    const event = eventOf(state('W/"v1"'), { created: true });
    expect(event).toMatchObject({
      specversion: '1.0',
      type: 'Microsoft.Graph.EventCreated',
      source: `/tenants/${TENANT}/applications/${CLIENT}`,
      subject: `Users/${USER}/Events/AAMkAGI1=_-x`,
      datacontenttype: 'application/json',
    });
  });

  it('goes to the topic of its view, under the canonical resource with its tenant', () => {
    const { topic, key } = recordOf(state('v1'), { view: folder });
    expect({ topic, key }).toEqual({ topic: 'graph.inbox', key: `${TENANT}/${EVENT}` });
  });

  it('has one key however Graph spelled the path, and its outcome was', () => {
    const spelled = `Users('${USER.toUpperCase()}')/Events('AAMkAGI1=_-x')`;
    const keys = [deleted, nothing, state('v1')].map((outcome) => recordOf(outcome, {}, spelled).key);
    expect(new Set(keys)).toEqual(new Set([`${TENANT}/${EVENT}`]));
    expect(recordOf(deleted, {}, EVENT.replace('AAMk', 'aamk')).key).not.toBe(keys[0]);
  });

  it('carries the resource as read, its version, and when it was notified and read', () => {
    const event = eventOf(state('W/"v1"', { lastModifiedDateTime: '2026-11-23T11:59:58.1234567Z' }), {
      count: 3,
    });
    expect(event.data).toMatchObject({ id: 'AAMkAGI1=_-x', subject: 'Lunch' });
    expect(event).toMatchObject({
      acquisition: 'fetched',
      resourceversion: 'W/"v1"',
      receivedtime: '2026-11-23T12:00:00.000Z',
      readtime: '2026-11-23T12:00:05.000Z',
      time: '2026-11-23T11:59:58.123Z',
      notificationcount: 3,
      tenantid: TENANT,
      subscriptionid: 'subscription-1',
      subscription: wholeMailbox.wish,
      partitionkey: `${TENANT}/${EVENT}`,
    });
  });

  it('takes the first receipt for its time where the resource tells none', () => {
    for (const odd of [undefined, 'yesterday', 7, null]) {
      expect(eventOf(state('v1', { lastModifiedDateTime: odd })).time).toBe('2026-11-23T12:00:00.000Z');
    }
  });

  it("of a deletion names what is gone, in the words of Graph's delta query", () => {
    const event = eventOf(deleted);
    expect(event).toMatchObject({ type: 'Microsoft.Graph.EventDeleted', acquisition: 'deleted' });
    expect(event.data).toEqual({ id: 'AAMkAGI1=_-x', '@removed': { reason: 'deleted' } });
    expect(eventOf({ found: 'deleted', readAt: undefined })).not.toHaveProperty('readtime');
  });

  it('of a fallback is unmistakable: nothing in it looks like the resource, and it says why', () => {
    const event = eventOf(nothing, { latest: changeNews({ etag: 'W/"notified"' }) });
    expect(event).toMatchObject({
      type: 'Microsoft.Graph.EventUpdated',
      acquisition: 'notification',
      fallbackreason: 'forbidden (ErrorAccessDenied)',
      resourceversion: 'W/"notified"',
    });
    expect(event).not.toHaveProperty('readtime');
    expect(Object.keys(event.data)).toEqual(['notification']);
    expect(eventOf(nothing, { latest: changeNews({ changeType: 'deleted' }) }).type).toMatch(/Deleted$/);
  });

  it('that is too large says where the resource is, under the same id', () => {
    const outcome = state('v1', { body: 'x'.repeat(1000) });
    const oversize = { bytes: 1_200_000, graphUrl: 'https://graph.microsoft.com' };
    const { key, event } = changeRecord(origin, path(EVENT), mergedItem(), outcome, oversize);
    const record = encode('graph.events', key, event);
    expect(attributesOf(record)).toMatchObject({
      id: eventOf(outcome).id,
      type: 'Microsoft.Graph.EventUpdated',
      acquisition: 'reference',
      resourceversion: 'v1',
      data: {
        reference: {
          url: `https://graph.microsoft.com/v1.0/users/${USER}/events/AAMkAGI1%3D_-x`,
          reason: 'tooLarge',
          bytes: 1_200_000,
        },
      },
    });
    expect(record.value).not.toContain('xxxx');
    expect(findRuleBreaks(record)).toEqual([]);
  });

  it('is no repetition of what was seen in the view, when it leaves it in the same version', () => {
    const seen = eventOf(state('v1'), { view: folder });
    const left = eventOf(state('v1'), { view: folder, leavesView: true });
    expect(left.id).not.toBe(seen.id);
    expect(eventOf(state('v1'), { view: folder, leavesView: true }).id).toBe(left.id);
  });

  it('says that the resource left the view only where it was found', () => {
    const leaving = { view: folder, leavesView: true, intent: 'confirmDeletion' as const };
    expect(eventOf(state('v1'), leaving)).toMatchObject({
      leftview: true,
      type: 'Microsoft.Graph.EventUpdated',
    });
    expect(eventOf(deleted, leaving)).not.toHaveProperty('leftview');
    expect(eventOf(state('v1'))).not.toHaveProperty('leftview');
  });

  it('never shows the nonce of the clientState', () => {
    const latest = changeNews({ nonce: 'PLANTED-NONCE' });
    for (const outcome of [state('v1'), deleted, nothing]) {
      expect(JSON.stringify(recordOf(outcome, { latest }))).not.toContain('PLANTED-NONCE');
    }
  });
});

describe('a record of a view with immutable ids', () => {
  it('says so, whatever became of the resource', () => {
    const prefer = ['IdType="ImmutableId"', 'outlook.timezone="UTC"'];
    const view = { ...wholeMailbox, prefer };
    for (const outcome of [state('v1'), deleted, nothing]) {
      expect(eventOf(outcome, { view })).toMatchObject({ idtype: 'immutable' });
      expect(eventOf(outcome, { view: { ...view, prefer: prefer.slice(1) } })).not.toHaveProperty('idtype');
      expect(eventOf(outcome)).not.toHaveProperty('idtype');
    }
    expect(findSchemaBreaks(recordOf(state('v1'), { view }))).toEqual([]);
  });
});

describe('the type of a record', () => {
  it.each([
    [`users/${USER}/events/x`, 'Event'],
    [`users/${USER}/messages/x`, 'Message'],
    [`users/${USER}/mailFolders/inbox/messages/x`, 'Message'],
    [`users/${USER}/contacts/x`, 'Contact'],
    [`users/${USER}`, 'User'],
    ['groups/g', 'Group'],
    ['chats/c/messages/m', 'ChatMessage'],
    ['teams/t/channels/c/messages/m', 'ChatMessage'],
    ['teams/t/channels/c/messages/m/replies/r', 'ChatMessage'],
    ['teams/t/channels/c', 'Channel'],
    ['chats/c/members/m', 'ConversationMember'],
  ])('of %s is Microsoft.Graph.%sUpdated', (resource, type) => {
    expect(eventOf(state('v1'), {}, resource).type).toBe(`Microsoft.Graph.${type}Updated`);
  });

  it.each([
    ['#Microsoft.Graph.driveItem', 'DriveItem'],
    ['#microsoft.graph.callRecords.callRecord', 'CallRecord'],
    ['#Microsoft.Graph.', 'Resource'],
    ['<script>.alert(1)', 'Alert'],
    [undefined, 'Resource'],
  ])('comes from @odata.type %s where the path does not tell it', (odataType, type) => {
    const latest = changeNews(odataType === undefined ? {} : { odataType });
    expect(eventOf(state('v1'), { latest }, 'users/u/onlineMeetings/m').type).toBe(
      `Microsoft.Graph.${type}Updated`,
    );
  });
});

describe('the id of a record', () => {
  const idOf = (outcome: Outcome, item?: Partial<MergedItem>, resource?: string) =>
    recordOf(outcome, item, resource) && (eventOf(outcome, item, resource).id as string);

  it('is the same for the same news: a rerun, a late repetition, another subscription of the same wish', () => {
    const id = idOf(state('v1'));
    expect(idOf(state('v1'))).toBe(id);
    expect(idOf(state('v1'), { count: 9, firstReceivedAt: RECEIVED_AT + 5000, created: true })).toBe(id);
    expect(idOf(state('v1'), { latest: changeNews({ subscriptionId: 'its-heir' }) })).toBe(id);
    expect(idOf(deleted)).toBe(idOf({ found: 'deleted', readAt: undefined }, { count: 4 }));
  });

  it('is another one for another version, resource, wish, tenant or kind of news', () => {
    const ids = [
      idOf(state('v1')),
      idOf(state('v2')),
      idOf(state('v1'), {}, `users/${USER}/events/other`),
      idOf(state('v1'), { view: folder }),
      idOf(state('v1'), { latest: changeNews({ tenantId: USER }) }),
      idOf(state(undefined)),
      idOf(deleted),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('is another one for a second deletion after a restore', () => {
    expect(idOf(deleted, { firstReceivedAt: RECEIVED_AT + 1 })).not.toBe(idOf(deleted));
  });

  it('cannot be brought about by parts that run together', () => {
    const a = idOf(state('c'), { view: { ...wholeMailbox, wish: 'a/b' } });
    const b = idOf(state('b","c'), { view: { ...wholeMailbox, wish: 'a' } });
    expect(a).not.toBe(b);
  });
});

describe('a dead letter', () => {
  const letter: DeadLetter = {
    tenantId: TENANT,
    resource: 'unreadable/0123abcd',
    subscriptionId: 'subscription-1',
    reason: 'resource: not a path of words and ids',
    stage: 'read',
    attempts: 0,
    firstReceivedAt: RECEIVED_AT,
    notifications: 2,
    notification: { kind: 'unreadable', resource: 'https://elsewhere/' },
  };

  it('names what was notified, the stage and the reason', () => {
    const record = letterRecordOf(letter);
    expect(record).toMatchObject({ topic: 'graph.events.dlq', key: `${TENANT}/unreadable/0123abcd` });
    expect(attributesOf(record)).toMatchObject({
      type: 'graph2kafka.DeadLetter',
      notificationcount: 2,
      data: {
        stage: 'read',
        reason: letter.reason,
        attempts: 0,
        replayable: false,
        notification: { kind: 'unreadable' },
      },
    });
    expect(findRuleBreaks(record)).toEqual([]);
  });

  it('can be replayed where it names a resource', () => {
    const { data } = attributesOf(letterRecordOf({ ...letter, resource: EVENT }));
    expect(data.replayable).toBe(true);
    for (const resource of ['lifecycle/missed', 'resync/subscription-1', 'unreadable/0123abcd', 'users']) {
      expect(attributesOf(letterRecordOf({ ...letter, resource })).data.replayable, resource).toBe(false);
    }
  });

  it('shows nothing of the notification where the payload is none', () => {
    const { event } = deadLetterRecord(origin, { ...letter, resource: EVENT }, 'none');
    expect(event.data).not.toHaveProperty('notification');
    expect(findRuleBreaks(encode('dlq', 'key', event))).toEqual([]);
  });

  it('has the same id on a rerun, and another one for other news', () => {
    const id = (more: Partial<DeadLetter>) => attributesOf(letterRecordOf({ ...letter, ...more })).id;
    expect(id({})).toBe(id({ notifications: 3 }));
    expect(
      new Set([id({}), id({ reason: 'x' }), id({ stage: 'verify' }), id({ firstReceivedAt: 1 })]).size,
    ).toBe(4);
  });
});

describe('every record', () => {
  const text = fc.oneof(fc.string(), fc.string({ unit: 'binary' }));
  const outcome: fc.Arbitrary<Outcome> = fc.oneof(
    fc.record({
      found: fc.constant('state' as const),
      state: fc.record({
        data: fc.dictionary(fc.string(), fc.jsonValue()) as fc.Arbitrary<Record<string, unknown>>,
        version: fc.option(fc.string({ minLength: 1, unit: 'grapheme-ascii' }), { nil: undefined }),
        readAt: fc.constant(READ_AT),
      }),
    }),
    fc.constant(deleted),
    fc.constant(nothing),
  );
  const item = fc.record({
    created: fc.boolean(),
    leavesView: fc.boolean(),
    count: fc.integer({ min: 1, max: 1_000_000 }),
    view: fc.constantFrom(wholeMailbox, folder, { ...folder, wish: undefined }),
    latest: fc.record({ odataType: text, notificationId: text }).map((news) => changeNews(news)),
  });

  it('is a CloudEvent 1.0, and the cloudevents package reads from it what was written', () => {
    fc.assert(
      fc.property(outcome, item, (found, merged) => {
        const record = recordOf(found, merged);
        expect(findRuleBreaks(record)).toEqual([]);
        const message = { ...record, value: record.value, body: record.value };
        const parsed = Kafka.toEvent(message as never) as CloudEvent<unknown>;
        expect(parsed.validate()).toBe(true);
        expect(parsed.id).toBe(attributesOf(record).id);
        expect(parsed.data).toEqual(attributesOf(record).data);
      }),
    );
  });

  it('keeps the rules also where Graph or a sender chose the text', () => {
    fc.assert(
      fc.property(text, (odd) => {
        const records = [
          recordOf(state(odd || 'v')),
          recordOf(nothing, { latest: changeNews({ etag: odd, subscriptionId: odd || 'x' }) }),
          letterRecordOf({
            tenantId: TENANT,
            attempts: 2,
            resource: `lifecycle/${odd}`,
            subscriptionId: odd || 'x',
            reason: odd,
            stage: 'read',
            firstReceivedAt: RECEIVED_AT,
            notifications: 1,
            notification: { odd },
          }),
        ];
        expect(records.flatMap(findRuleBreaks)).toEqual([]);
      }),
    );
  });
});
