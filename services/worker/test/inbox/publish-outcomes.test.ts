/** Give-ups are shown twice: in the dead-letter topic, which has all, and in the queue that people look at. */
import { randomBytes } from 'node:crypto';
import { DEAD_LETTER_QUEUE, parseResourcePath } from '@graph2kafka/shared';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { createPublishOutcomes, type PublishOutcomesDeps } from '../../src/inbox/publish-outcomes.ts';
import { PublishError } from '../../src/kafka/record-publisher.ts';
import type { Outcome } from '../../src/records/change-record.ts';
import { createEncodeRecord } from '../../src/records/encode-record.ts';
import { ownRedis } from '../support/own-redis.ts';
import { ownTopic, readEvents, readRecords } from '../support/own-topic.ts';
import { openPublisher, takingTheKeyOf } from '../support/publishers.ts';
import { keptLog } from '../support/silent-log.ts';
import {
  CLIENT,
  changeNews,
  EVENT,
  entry,
  mergedItem,
  TENANT,
  taken,
  wholeMailbox,
} from '../support/taken-entry.ts';

type Changed = Partial<PublishOutcomesDeps> & { readonly deadLetterTopic?: string };

async function setup({ deadLetterTopic, ...more }: Changed = {}) {
  const own = ownRedis();
  const log = keptLog();
  const deadLetters = own.openQueue(DEAD_LETTER_QUEUE);
  const publisher = openPublisher('platformatic', inject('kafkaBrokers'));
  onTestFinished(() => publisher.close());
  const topic = deadLetterTopic ?? (await ownTopic());
  const publish = createPublishOutcomes({
    publisher,
    encode: createEncodeRecord('structured'),
    deadLetters,
    tenantOf: () => ({ id: TENANT, clientId: CLIENT, deadLetterTopic: topic }),
    graphUrl: 'https://graph.microsoft.com',
    deadLetterPayload: 'notification',
    tombstones: false,
    log,
    ...more,
  });
  return { own, log, deadLetters, publish, topic };
}

const news = changeNews({ nonce: 'PLANTED-NONCE' });
const given = taken([entry('created', 1000, { news }), entry('updated', 2000, { count: 4, news })]);

describe('a give-up', () => {
  it('is one dead letter for all entries of the resource, and a job that says why', async () => {
    const { publish, topic, deadLetters, log } = await setup();
    await publish.giveUp(given, 'verify', 'planted reason', 'calendars/ada');
    const key = `${TENANT}/${EVENT}`;
    const seen = await readEvents(topic);
    expect(seen).toMatchObject([
      {
        record: { key },
        notificationcount: 5,
        subscription: 'calendars/ada',
        receivedtime: '1970-01-01T00:00:01.000Z',
        data: { stage: 'verify', reason: 'planted reason', notification: { changeType: 'updated' } },
      },
    ]);
    const [job] = await deadLetters.getWaiting();
    expect(job).toMatchObject({ name: 'verify', data: { key, stage: 'verify', reason: 'planted reason' } });
    expect(JSON.stringify([seen, job?.data, log.lines])).not.toContain('PLANTED-NONCE');
  });

  it('rejects where Kafka does not take the dead letter, and shows nothing', async () => {
    const { publish, deadLetters } = await setup({ deadLetterTopic: 'there-is-no-such-topic' });
    await expect(publish.giveUp(given, 'read', 'x')).rejects.toBeInstanceOf(PublishError);
    expect(await deadLetters.count()).toBe(0);
  });

  it('is published also where it cannot be shown', async () => {
    const { own, publish, topic, log } = await setup();
    await own.redis.set(`${own.names.prefix}:${DEAD_LETTER_QUEUE}:wait`, 'no list');
    await publish.giveUp(given, 'read', 'x');
    expect(await readEvents(topic)).toHaveLength(1);
    expect(log.lines.join()).toContain('dead-letter.not-shown');
  });
});

const parsed = parseResourcePath(EVENT);
const path = parsed.ok ? parsed.path : [];
const deleted: Outcome = { found: 'deleted', readAt: undefined };
const stateOf = (subject: string): Outcome => ({
  found: 'state',
  state: { data: { id: 'AAMkAGI1=_-x', subject }, version: 'v1', readAt: 1000 },
});

describe('a record that is too large for Kafka', () => {
  it('is replaced by one that says where the resource is; others beside it are published whole', async () => {
    const topic = await ownTopic(1, inject('kafkaBrokers'), { 'max.message.bytes': '20000' });
    const { publish, log, deadLetters } = await setup();
    const item = mergedItem({ view: { ...wholeMailbox, topic } });
    // Random text: no compression makes it fit.
    const large = stateOf(randomBytes(60_000).toString('base64'));
    await Promise.all([
      publish.outcome(path, item, stateOf('before')),
      publish.outcome(path, item, large),
      publish.outcome(path, item, stateOf('after')),
    ]);
    const seen = await readEvents(topic);
    expect(seen.map(({ acquisition }) => acquisition).sort()).toEqual(['fetched', 'fetched', 'reference']);
    const reference = seen.find(({ acquisition }) => acquisition === 'reference');
    expect(reference?.data).toMatchObject({
      reference: { url: `https://graph.microsoft.com/v1.0/${EVENT.replace('=', '%3D')}`, reason: 'tooLarge' },
    });
    expect(log.lines.join()).toContain('"sent":"reference"');
    expect(await deadLetters.count()).toBe(0);
  });

  it('is a dead letter where not even that fits', async () => {
    const topic = await ownTopic(1, inject('kafkaBrokers'), { 'max.message.bytes': '300' });
    const { publish, topic: deadLetterTopic } = await setup();
    await publish.outcome(path, mergedItem({ view: { ...wholeMailbox, topic } }), stateOf('x'));
    expect(await readEvents(topic)).toEqual([]);
    expect(await readEvents(deadLetterTopic)).toMatchObject([
      { subject: EVENT, data: { stage: 'publish', replayable: true } },
    ]);
  });
});

describe('a record that Kafka will never take', () => {
  it('is a dead letter that says why, and holds nothing back', async () => {
    const topic = await ownTopic(1, inject('kafkaBrokers'), { 'cleanup.policy': 'compact' });
    const key = `${TENANT}/${EVENT}`;
    const publisher = openPublisher('platformatic', inject('kafkaBrokers'), {}, takingTheKeyOf(key));
    const { publish, topic: deadLetterTopic } = await setup({ publisher });
    await publish.outcome(path, mergedItem({ view: { ...wholeMailbox, topic } }), stateOf('x'));
    expect(await readEvents(topic)).toEqual([]);
    expect(await readEvents(deadLetterTopic)).toMatchObject([
      { subject: EVENT, data: { stage: 'publish', reason: expect.stringContaining('INVALID_RECORD') } },
    ]);
  });
});

describe('a deletion', () => {
  it('is followed by a tombstone of the same key where that is set', async () => {
    const topic = await ownTopic();
    const { publish } = await setup({ tombstones: true });
    const item = mergedItem({ view: { ...wholeMailbox, topic } });
    await publish.outcome(path, item, stateOf('x'));
    await publish.outcome(path, item, deleted);
    const records = await readRecords(topic);
    expect(records.map(({ key }) => key)).toEqual(Array(3).fill(`${TENANT}/${EVENT}`));
    expect(records.map(({ value }) => value === null)).toEqual([false, false, true]);
    expect(records[2]?.headers).toEqual({});
  });

  it('is one record otherwise', async () => {
    const topic = await ownTopic();
    const { publish } = await setup();
    await publish.outcome(path, mergedItem({ view: { ...wholeMailbox, topic } }), deleted);
    expect(await readRecords(topic)).toHaveLength(1);
  });
});

describe('the queue of give-ups', () => {
  it('keeps the newest 10,000, whatever has come before', async () => {
    const { deadLetters, publish } = await setup();
    const old = Array.from({ length: 10_005 }, (_, i) => ({ name: 'fetch', data: { key: `old/${i}` } }));
    for (let at = 0; at < old.length; at += 1000) await deadLetters.addBulk(old.slice(at, at + 1000));
    await publish.giveUp(given, 'verify', 'the newest');
    expect(await deadLetters.count()).toBe(10_000);
    const [oldest] = await deadLetters.getWaiting(0, 0);
    expect(oldest?.data).toEqual({ key: 'old/6' });
    const [newest] = await deadLetters.getWaiting(9999, 9999);
    expect(newest?.data).toMatchObject({ reason: 'the newest' });
  });
});
