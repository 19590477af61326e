/** Give-ups are shown twice: in the dead-letter topic, which has all, and in the queue that people look at. */
import { DEAD_LETTER_QUEUE } from '@graph2kafka/shared';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { createPublishOutcomes } from '../../src/inbox/publish-outcomes.ts';
import { createKafka, createKafkajsPublisher } from '../../src/kafka/kafkajs-publisher.ts';
import { PublishError } from '../../src/kafka/record-publisher.ts';
import { ownRedis } from '../support/own-redis.ts';
import { ownTopic, readEvents } from '../support/own-topic.ts';
import { keptLog } from '../support/silent-log.ts';
import { CLIENT, changeNews, EVENT, entry, TENANT, taken } from '../support/taken-entry.ts';

async function setup(deadLetterTopic?: string) {
  const own = ownRedis();
  const log = keptLog();
  const deadLetters = own.openQueue(DEAD_LETTER_QUEUE);
  const publisher = createKafkajsPublisher(createKafka([inject('kafkaBrokers')], 'test', log));
  onTestFinished(() => publisher.close());
  const topic = deadLetterTopic ?? (await ownTopic());
  const publish = createPublishOutcomes({
    publisher,
    deadLetters,
    origin: { tenantId: TENANT, clientId: CLIENT },
    deadLetterTopic: topic,
    log,
  });
  return { own, log, deadLetters, publish, topic };
}

const news = changeNews({ nonce: 'PLANTED-NONCE' });
const given = taken([entry('created', 1000, { news }), entry('updated', 2000, { count: 4, news })]);

describe('a give-up', () => {
  it('is one dead letter for all entries of the resource, and a job that says why', async () => {
    const { publish, topic, deadLetters, log } = await setup();
    await publish.giveUp(given, 'verify', 'planted reason');
    const key = `${TENANT}/${EVENT}`;
    const seen = await readEvents(topic);
    expect(seen).toMatchObject([
      {
        record: { key },
        notificationcount: 5,
        receivedtime: '1970-01-01T00:00:01.000Z',
        data: { stage: 'verify', reason: 'planted reason', notification: { changeType: 'updated' } },
      },
    ]);
    const [job] = await deadLetters.getWaiting();
    expect(job).toMatchObject({ name: 'verify', data: { key, stage: 'verify', reason: 'planted reason' } });
    expect(JSON.stringify([seen, job?.data, log.lines])).not.toContain('PLANTED-NONCE');
  });

  it('rejects where Kafka does not take the dead letter, and shows nothing', async () => {
    const { publish, deadLetters } = await setup('there-is-no-such-topic');
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
