/** `g2k dead-letters` on a real Kafka and a real Redis: what it shows, and what it puts into the inboxes. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, RedisServer } from '@graph2kafka/test-harness';
import type { Redis } from 'ioredis';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { DeadLetter } from '../../src/records/dead-letter-record.ts';
import { g2k, letter, RECEIVED_AT, recordOfLetter } from '../support/dead-letters.ts';
import { type OwnRedis, ownRedis } from '../support/own-redis.ts';
import { ownTopic } from '../support/own-topic.ts';
import { type SentRecord, sendRecords } from '../support/send-records.ts';
import { TENANT, USER } from '../support/taken-entry.ts';

/** `{g2k-0}` → `g2k` */
const prefixOf = ({ names }: OwnRedis) => names.prefix.slice(1, -3);

const OWNER = `${TENANT}/users/${USER}`;
const eventNo = (n: number) => `users/${USER}/events/event-${n}`;
const letterNo = (n: number, more: Partial<DeadLetter> = {}) => letter({ resource: eventNo(n), ...more });

async function topicWith(records: readonly SentRecord[], partitions = 1) {
  const topic = await ownTopic(partitions);
  await sendRecords(topic, records);
  const environment = { KAFKA_BROKERS: inject('kafkaBrokers'), KAFKA_DEAD_LETTER_TOPIC: topic };
  return { topic, environment };
}

function jsonLines(out: string): Record<string, unknown>[] {
  return out.split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('list', () => {
  it('shows what is in all partitions in either mode, the newest last, and names what is no dead letter', async () => {
    const { environment } = await topicWith(
      [
        { ...recordOfLetter(letterNo(1)), partition: 1 },
        { ...recordOfLetter(letterNo(2), { mode: 'binary' }), partition: 0 },
        { value: null },
        { value: 'garbage' },
        { value: '{"type":"com.example.other"}', partition: 1 },
        { ...recordOfLetter(letterNo(3, { reason: 'the last one' })), partition: 1 },
      ],
      2,
    );
    const table = await g2k(['dead-letters', 'list'], environment);
    expect(table.code).toBe(0);
    expect(table.out.split('\n').map((line) => line.split(/ +/)[0])).toEqual(['AT', '1:0', '0:0', '1:2']);
    expect(table.out.split('\n').at(-1)).toMatch(
      / run .* yes +2 +3 +subscription-1 .*event-3 +the last one$/,
    );
    expect(table.err.split('\n')).toEqual([
      '2 records of the topic are no dead letter: 0:2, its value is not JSON; 1:1, its type is com.example.other',
      '1 record without a value',
    ]);
    const json = await g2k(['dead-letters', 'list', '--json', '--limit', '2'], environment);
    expect(jsonLines(json.out).map(({ at, resource }) => [at, resource])).toEqual([
      ['0:0', eventNo(2)],
      ['1:2', eventNo(3)],
    ]);
    expect(json.err).toContain('the newest 2 of 3; --limit shows more');
  });

  it('shows what matches the filter, and fails where nothing does', async () => {
    const { environment } = await topicWith([
      recordOfLetter(letterNo(1)),
      recordOfLetter(letterNo(2, { stage: 'publish' })),
    ]);
    const list = (filter: string) => g2k(['dead-letters', 'list', '--json', '--filter', filter], environment);
    expect(jsonLines((await list('stage=publish')).out)).toMatchObject([{ resource: eventNo(2) }]);
    expect(await list('stage=read')).toEqual({ code: 1, out: '', err: 'none of 2 dead letters matches' });
    expect(await list('stage')).toMatchObject({
      code: 2,
      out: '',
      err: expect.stringContaining('is no term'),
    });
  });

  it('says that an empty topic is empty', async () => {
    const { environment } = await topicWith([]);
    expect(await g2k(['dead-letters', 'list'], environment)).toEqual({
      code: 1,
      out: '',
      err: 'there are no dead letters',
    });
  });
});

describe('show', () => {
  it('has all of a dead letter, by its id or its place, and says where the same one is', async () => {
    const record = recordOfLetter(letterNo(1));
    const { environment, topic } = await topicWith([record, recordOfLetter(letterNo(2)), record]);
    const byId = await g2k(['dead-letters', 'show', record.id], environment);
    expect(byId).toMatchObject({ code: 0, err: 'the same dead letter is also at 0:0' });
    for (const part of [
      '0:2',
      record.id,
      eventNo(1),
      'etag: W/"1"',
      '2026-11-23T12:00:00.000Z',
      'died or failed',
    ]) {
      expect(byId.out).toContain(part);
    }
    const byPlace = await g2k(['dead-letters', 'show', '0:1', '--json'], environment);
    expect(byPlace).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(byPlace.out)).toMatchObject({
      at: '0:1',
      resource: eventNo(2),
      notification: { etag: 'W/"1"' },
    });
    expect(await g2k(['dead-letters', 'show', '0:9'], environment)).toEqual({
      code: 1,
      out: '',
      err: `there is no dead letter "0:9" in ${topic}`,
    });
  });

  it('says what a place holds that is no dead letter', async () => {
    const { environment } = await topicWith([{ value: 'garbage' }]);
    const shown = await g2k(['dead-letters', 'show', '0:0'], environment);
    expect(shown).toMatchObject({ code: 1, err: expect.stringContaining('0:0, its value is not JSON') });
  });
});

type Replaying = { readonly own: OwnRedis; readonly environment: Record<string, string> };

async function readyToReplay(records: readonly SentRecord[]): Promise<Replaying> {
  const { environment } = await topicWith(records);
  const own = ownRedis();
  const redis = { REDIS_URL: inject('redisUrl'), REDIS_PREFIX: prefixOf(own) };
  return { own, environment: { ...environment, ...redis } };
}

/** What a run of the owner would take now. */
async function take({ own: { inbox } }: Replaying, owner = OWNER) {
  const begun = await inbox.begin(owner, randomUUID(), 1, 50);
  return begun.state === 'run' ? begun.resources : [];
}

const replay = (...words: string[]) => ['dead-letters', 'replay', ...words];

describe('replay', () => {
  it('puts one entry for each resource and subscription into the inbox, and a job for the owner', async () => {
    const hundred = Array.from({ length: 100 }, (_, n) =>
      recordOfLetter(letterNo(n % 2, { firstReceivedAt: RECEIVED_AT + n, reason: `${n}` })),
    );
    const at = await readyToReplay([
      ...hundred,
      recordOfLetter(letterNo(0, { subscriptionId: 'subscription-2' })),
      recordOfLetter(letterNo(0, { stage: 'resync', resource: 'lifecycle/missed' })),
    ]);
    const ran = await g2k(replay('--all', '--yes'), at.environment);
    expect(ran).toMatchObject({
      code: 0,
      err: expect.stringContaining('no worker is connected to this Redis'),
    });
    expect(ran.out.split('\n')).toEqual([
      '101 dead letters can be replayed, of 3 resources.',
      '1 dead letter cannot be replayed: it stands for a hole, and which resources are in it is not known.',
      '3 resources replayed: in the inbox, to be read from Graph and published.',
    ]);
    const taken = await take(at);
    expect(
      taken.flatMap(({ resource, entries }) =>
        entries.map(({ subscriptionId, last, count, firstReceivedAt, news }) => {
          return [resource, subscriptionId, last, count, firstReceivedAt - RECEIVED_AT, news.kind];
        }),
      ),
    ).toEqual([
      [eventNo(0), 'subscription-1', 'updated', 1, 0, 'change'],
      [eventNo(0), 'subscription-2', 'updated', 1, 0, 'change'],
      [eventNo(1), 'subscription-1', 'updated', 1, 1, 'change'],
    ]);
    const jobs = await at.own.openQueue('owners').getJobs(['waiting']);
    expect(jobs.map(({ data }) => data)).toEqual([{ owner: OWNER }]);
  });

  it('done twice before a worker comes is one entry that stands for both', async () => {
    const at = await readyToReplay([recordOfLetter(letterNo(1))]);
    for (let n = 0; n < 2; n++) expect((await g2k(replay('--all', '--yes'), at.environment)).code).toBe(0);
    expect(await take(at)).toMatchObject([
      { resource: eventNo(1), entries: [{ count: 2, firstReceivedAt: RECEIVED_AT }] },
    ]);
  });

  it('says what it would do and does nothing with --dry-run, for which it needs no Redis', async () => {
    const at = await readyToReplay([
      recordOfLetter(letterNo(1)),
      recordOfLetter(letterNo(2, { stage: 'publish' })),
    ]);
    const { REDIS_URL: _, ...withoutRedis } = at.environment;
    const ran = await g2k(replay('--dry-run', '--filter', 'stage=run'), withoutRedis);
    expect(ran).toEqual({
      code: 0,
      err: '',
      out: [
        '1 dead letter can be replayed, of 1 resource.',
        `  ${eventNo(1)} (1 dead letter, subscription subscription-1)`,
        'Nothing was done, as --dry-run wants it.',
      ].join('\n'),
    });
    expect(await take(at)).toEqual([]);
  });

  it('asks, and takes nothing but a yes for one', async () => {
    const at = await readyToReplay([recordOfLetter(letterNo(1))]);
    for (const answer of ['', 'n', 'yesterday']) {
      const ran = await g2k(replay('--all'), at.environment, { answer });
      expect(ran).toMatchObject({
        code: 1,
        err: expect.stringMatching(/Have 1 resource worked again\?.*\nnothing was done$/s),
      });
    }
    expect(await take(at)).toEqual([]);
    expect((await g2k(replay('--all'), at.environment, { answer: 'y' })).code).toBe(0);
    expect(await take(at)).toHaveLength(1);
  });

  it('without anybody to ask wants --yes or --dry-run, before it reads anything', async () => {
    expect(await g2k(replay('--all'), {})).toMatchObject({
      code: 2,
      err: expect.stringContaining('--dry-run says what would be done, --yes does it'),
    });
  });

  it('fails where nothing can be replayed', async () => {
    const at = await readyToReplay([
      recordOfLetter(letterNo(1, { stage: 'read', resource: 'unreadable/abc' })),
    ]);
    const ran = await g2k(replay('--all', '--yes'), at.environment);
    expect(ran).toMatchObject({
      code: 1,
      out: expect.stringContaining('1 dead letter cannot be replayed: it was not understood'),
    });
    expect(await g2k(replay('--filter', 'stage=run', '--yes'), at.environment)).toMatchObject({
      code: 1,
      err: 'the one dead letter does not match',
    });
  });

  it('stops where Redis is too full for it, and says how far it came', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-full-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const full = await RedisServer.start({ dir });
    onTestFinished(() => full.stop());
    const { redis }: { redis: Redis } = ownRedis(full.url);
    await redis.config('SET', 'maxmemory', '1000000');
    const { environment } = await topicWith([recordOfLetter(letterNo(1))]);
    const ran = await g2k(replay('--all', '--yes'), { ...environment, REDIS_URL: full.url });
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/Redis is \d+ % full.*\n0 of 1 resource replayed/s);
    expect(await redis.keys('*inbox*')).toEqual([]);
  });
});

describe('what is away or missing', () => {
  it('is named: a setting, all at once, with no need for those that the command does not use', async () => {
    const without = await g2k(['dead-letters', 'list'], {});
    expect(without).toMatchObject({ code: 1, err: 'g2k: a setting is wrong:\n  KAFKA_BROKERS is required' });
    const wrong = { KAFKA_BROKERS: 'a:1', KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' };
    const contradiction = await g2k(['dead-letters', 'list'], wrong);
    expect(contradiction).toMatchObject({ code: 1, err: expect.stringContaining('KAFKA_SASL_MECHANISM') });
    const replaying = await g2k(replay('--all', '--yes'), { KAFKA_BROKERS: 'a:1' });
    expect(replaying).toMatchObject({ code: 1, err: expect.stringContaining('REDIS_URL is required') });
  });

  it('is named: the identity that signs in to Event Hubs', async () => {
    const eventHubs = {
      KAFKA_BROKERS: 'contoso.servicebus.windows.net:9093',
      KAFKA_PROFILE: 'event-hubs',
      KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
    };
    expect(await g2k(['dead-letters', 'list'], eventHubs)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/AZURE_TENANT_ID: is required.*AZURE_CLIENT_ID: is required/s),
    });
  });

  it('is named: Kafka, the topic, which is not created', async () => {
    const nobody = `127.0.0.1:${await freePort()}`;
    const away = await g2k(['dead-letters', 'list'], { KAFKA_BROKERS: nobody });
    expect(away).toMatchObject({
      code: 1,
      err: expect.stringContaining(`from Kafka at ${nobody}: connect ECONNREFUSED`),
    });
    const missing = {
      KAFKA_BROKERS: inject('kafkaBrokers'),
      KAFKA_DEAD_LETTER_TOPIC: `missing-${randomUUID()}`,
    };
    for (let n = 0; n < 2; n++) {
      expect(await g2k(['dead-letters', 'list'], missing)).toMatchObject({
        code: 1,
        err: expect.stringContaining(`Kafka has no topic ${missing.KAFKA_DEAD_LETTER_TOPIC}`),
      });
    }
  });

  it('is named: Redis, without its password, which a file may hold', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-secret-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const place = `127.0.0.1:${await freePort()}`;
    await writeFile(join(dir, 'redis-url'), `redis://:PLANTED@${place}\n`);
    const { environment } = await topicWith([recordOfLetter(letterNo(1))]);
    const ran = await g2k(replay('--all', '--yes'), {
      ...environment,
      REDIS_URL: `file:${join(dir, 'redis-url')}`,
    });
    expect(ran).toMatchObject({
      code: 1,
      err: expect.stringContaining(`Redis is not reachable at ${place}: connect`),
    });
    expect(ran.out + ran.err).not.toContain('PLANTED');
  });
});
