/** What the worker writes, read back; and everything else that may lie in the topic. */
import { describe, expect, it } from 'vitest';
import { readLetter } from '../../src/cli/stored-letter.ts';
import { createSchemaRegistry } from '../../src/records/schema-registry.ts';
import { letter, RECEIVED_AT, recordOfLetter } from '../support/dead-letters.ts';
import type { SentRecord } from '../support/send-records.ts';
import { EVENT, TENANT } from '../support/taken-entry.ts';

const stored = ({ key = 'k', value, headers = {} }: SentRecord) => ({
  partition: 2,
  offset: 17,
  timestamp: 1000,
  key,
  headers,
  value: value === null ? null : Buffer.from(value),
});

describe('a dead letter in the topic', () => {
  it.each(['structured', 'binary'] as const)('is read as it was written in %s mode', (mode) => {
    const record = recordOfLetter(letter({ subscription: 'calendars' }), { mode });
    expect(readLetter(stored(record))).toEqual({
      is: 'letter',
      letter: {
        at: '2:17',
        partition: 2,
        offset: 17,
        writtenAt: 1000,
        id: record.id,
        tenantId: TENANT,
        resource: EVENT,
        subscriptionId: 'subscription-1',
        subscription: 'calendars',
        stage: 'run',
        reason: 'every run that took it died or failed',
        attempts: 2,
        replayable: true,
        receivedAt: RECEIVED_AT,
        notifications: 3,
        notification: letter().notification,
      },
    });
  });

  it.each(['structured', 'binary'] as const)(
    'is read behind the id of a schema registry, in %s mode',
    async (mode) => {
      const registry = createSchemaRegistry(mode, async () => 123_456);
      await registry.learn({ records: ['any'], deadLetters: ['any'] });
      const read = readLetter(stored(recordOfLetter(letter(), { mode, frame: registry.frame })));
      expect(read).toMatchObject({ is: 'letter', letter: { resource: EVENT } });
    },
  );

  it('may be without the notification', () => {
    const read = readLetter(stored(recordOfLetter(letter(), { payload: 'none' })));
    expect(read).toMatchObject({ is: 'letter', letter: { resource: EVENT, notification: undefined } });
  });

  it('loses what may not be shown, whoever wrote it', () => {
    const notification = { ...letter().notification, clientState: 'PLANTED', body: { content: 'PLANTED' } };
    const read = readLetter(stored(recordOfLetter(letter({ notification }))));
    expect(read).toMatchObject({ is: 'letter', letter: { notification: { resource: EVENT } } });
    expect(JSON.stringify(read)).not.toContain('PLANTED');
  });
});

describe('another record', () => {
  it('without a value is a tombstone', () => {
    expect(readLetter(stored({ value: null }))).toEqual({ is: 'tombstone' });
  });

  it.each([
    ['{', 'its value is not JSON'],
    ['\u0000\u0000\u0000', 'its value is not JSON'],
    ['7', 'it is no CloudEvent'],
    ['[]', 'it is no CloudEvent'],
    ['null', 'it is no CloudEvent'],
    ['{"type":"Microsoft.Graph.EventUpdated"}', 'its type is Microsoft.Graph.EventUpdated'],
    ['{"type":"graph2kafka.DeadLetter","id":"1","data":{}}', 'not as documented: tenantid,'],
  ])('with the value %j is told apart', (value, why) => {
    expect(readLetter(stored({ value }))).toEqual({ is: 'stranger', why: expect.stringContaining(why) });
  });
});
