/** The doctor's look at a real Redis, as it should be and as it should not. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectPatient, OWNER_QUEUE } from '@graph2kafka/shared';
import { freePort, RedisServer, type RedisServerOptions } from '@graph2kafka/test-harness';
import { Queue } from 'bullmq';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { checkRedis, judgeLatency } from '../../src/doctor/redis-check.ts';
import { judgeInfo, parseInfo, type RedisInfo } from '../../src/doctor/redis-info.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { ownRedis } from '../support/own-redis.ts';

type Place = Parameters<typeof checkRedis>[0];

const signal = new AbortController().signal;

async function ownServer(options: Partial<RedisServerOptions> = {}): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-doctor-'));
  const server = await RedisServer.start({ dir, ...options });
  onTestFinished(async () => {
    await server.stop();
    await rm(dir, { recursive: true, force: true });
  });
  return server;
}

/** How slow a Redis is here, the machine of the tests decides; what is said of that has a test of its own. */
const check = async (url: string, more: Partial<Place> = {}) => {
  const place = { REDIS_URL: url, REDIS_PREFIX: 'doctor', REDIS_REPLICAS: 1, ...more };
  const remarks = await checkRedis({ REDIS_DURABILITY: 'strict', ...place }, signal);
  return remarks.filter(({ found }) => !found.startsWith('the slowest of 50 pings'));
};

const told = async (checking: ReturnType<typeof checkRedis>) =>
  (await checking).map(({ level, found }) => `${level}: ${found}`);

describe('a Redis', () => {
  it('that is as it should be is well, and keeps no key of the look', async () => {
    const { url } = await ownServer({ maxmemory: '100mb' });
    expect(await check(url)).toEqual([
      {
        level: 'ok',
        found: expect.stringMatching(
          /^Redis \d+\.\d+\.\d+ at 127\.0\.0\.1:\d+ without TLS, REDIS_DURABILITY=strict, \d+ MB of 100 MB used; 99 % of 50 pings within [\d.]+ ms$/,
        ),
      },
    ]);
    const redis = connectPatient(url, () => undefined);
    onTestFinished(() => redis.disconnect());
    expect(await redis.dbsize()).toBe(0);
  });

  it('that would lose what it confirms is an error with the command that mends it', async () => {
    const { url } = await ownServer({ maxmemory: '100mb', appendfsync: 'everysec' });
    expect((await check(url)).slice(1)).toEqual([
      {
        level: 'error',
        found: 'Redis has appendfsync=everysec, REDIS_DURABILITY=strict needs always',
        cure: 'redis-cli config set appendfsync always',
      },
    ]);
  });

  it('that throws away when it is full is an error at every level, said once', async () => {
    const { url } = await ownServer({
      maxmemory: '100mb',
      extraArguments: ['--maxmemory-policy', 'allkeys-lru'],
    });
    for (const REDIS_DURABILITY of ['strict', 'declared'] as const) {
      const lines = await told(check(url, { REDIS_DURABILITY }));
      expect(lines.filter((line) => /^error: .*maxmemory-policy/.test(line))).toHaveLength(1);
    }
  });

  it('that is only declared durable is a warning', async () => {
    const { url } = await ownServer({ maxmemory: '100mb' });
    expect((await told(check(url, { REDIS_DURABILITY: 'declared' }))).slice(1)).toEqual([
      expect.stringMatching(/^warning: REDIS_DURABILITY=declared: what stands behind a 202 is not verified/),
    ]);
  });

  it('without maxmemory is a warning', async () => {
    expect((await told(check((await ownServer()).url))).slice(1)).toEqual([
      expect.stringMatching(/^warning: maxmemory is not set/),
    ]);
  });

  it('that lacks replicas under `replicated` is an error', async () => {
    const { url } = await ownServer({ maxmemory: '100mb' });
    const lines = await told(check(url, { REDIS_DURABILITY: 'replicated', REDIS_REPLICAS: 2 }));
    expect(lines.slice(1)).toEqual([
      'error: 0 replicas are connected, REDIS_REPLICAS=2 have to confirm each write',
    ]);
  });

  it('that is a replica itself is an error', async () => {
    const primary = await ownServer();
    const replicaOf = ['--replicaof', '127.0.0.1', String(primary.port)];
    const replica = await ownServer({ maxmemory: '100mb', extraArguments: replicaOf });
    expect(await told(check(replica.url))).toContain('error: this Redis is a replica, and takes no writes');
  });

  it('that wants another password is an error without it', async () => {
    const { port, url } = await ownServer();
    const admin = connectPatient(url, () => undefined);
    onTestFinished(() => admin.disconnect());
    await admin.config('SET', 'requirepass', 'right');
    for (const login of ['', ':PLANTED@']) {
      const remarks = await check(`redis://${login}127.0.0.1:${port}`);
      expect(remarks).toMatchObject([
        {
          level: 'error',
          found: expect.stringMatching(/refuses the sign-in/),
          cure: expect.stringContaining('REDIS_URL'),
        },
      ]);
      expect(JSON.stringify(remarks)).not.toContain('PLANTED');
    }
  });

  it('whose keys were written by another major version of BullMQ is a warning', async () => {
    const { redis, names } = ownRedis();
    const more = { REDIS_PREFIX: names.prefix.replace(/^\{|-0\}$/g, '') };
    const queue = new Queue(OWNER_QUEUE, { connection: redis, prefix: names.prefix });
    onTestFinished(() => queue.close());
    await queue.waitUntilReady();
    const about = async () =>
      (await told(check(inject('redisUrl'), more))).filter((line) => line.includes('REDIS_PREFIX'));
    expect(await about()).toEqual([]);
    await redis.hset(`${names.prefix}:${OWNER_QUEUE}:meta`, 'version', 'bullmq:4.18.2');
    expect(await about()).toEqual([
      expect.stringMatching(/were written by bullmq:4\.18\.2, this version has bullmq:/),
    ]);
  });

  it('that is not there, or silent, is an error without what the URL holds', async () => {
    const nowhere = await check(`redis://:PLANTED@127.0.0.1:${await freePort()}`);
    expect(nowhere).toMatchObject([
      { level: 'error', found: expect.stringContaining('refuses connections (ECONNREFUSED)') },
    ]);
    expect(JSON.stringify(nowhere)).not.toContain('PLANTED');
    const { address } = await startBlackHole();
    expect(await told(check(`redis://${address}`))).toEqual([`error: Redis at ${address} does not answer`]);
  });
});

describe('what Redis tells of itself', () => {
  const good = parseInfo(
    [
      'redis_version:7.2.4',
      'role:master',
      'connected_slaves:1',
      'used_memory:10',
      'maxmemory:100',
      'maxmemory_policy:noeviction',
      'aof_enabled:1',
      'aof_last_write_status:ok',
      'loading:0',
    ].join('\r\n'),
  );
  const judge = (more: Partial<RedisInfo>) =>
    judgeInfo({ ...good, ...more }, { replicas: 1 }).map(({ level, found }) => `${level}: ${found}`);

  it('is well as it should be', () => expect(judge({})).toEqual([]));

  it.each<[Partial<RedisInfo>, string]>([
    [{ version: '6.0.16' }, 'error: Redis is version 6.0.16, 6.2 is the least'],
    [{ version: '5.9.0' }, 'error: Redis is version 5.9.0, 6.2 is the least'],
    [{ lastWrite: 'err' }, 'error: the last write to the append-only file failed'],
    [{ isLoading: true }, 'warning: Redis is still loading its data'],
    [{ usedBytes: 50 }, 'warning: 0 MB of maxmemory 0 MB are used (50 %)'],
    [
      { usedBytes: 70 },
      'error: 0 MB of maxmemory 0 MB are used (70 %); from 70 % on the receiver answers 503',
    ],
  ])('%j is told', (more, line) => expect(judge(more)).toEqual([line]));

  it.each(['6.2.0', '7.0.0', '10.1.0'])('version %s will do', (version) =>
    expect(judge({ version })).toEqual([]),
  );
});

describe('the time that Redis takes', () => {
  it.each<[pingMs: number, fsync: number | undefined, ...lines: RegExp[]]>([
    [25, undefined],
    [25, 1000],
    [26, undefined, /^the slowest of 50 pings took 26 ms$/],
    [1, 1001, /1001 ms|1 s/],
    [30, 2000, /^the slowest of 50 pings/, /2000 ms|2 s/],
  ])('of %d ms for a ping, and %s ms for its disk, is judged', (pingMs, fsync, ...lines) => {
    const problems = judgeLatency(pingMs, fsync);
    expect(problems.map(({ found }) => found)).toEqual(lines.map((line) => expect.stringMatching(line)));
    for (const problem of problems)
      expect(problem).toMatchObject({ level: 'warning', cure: expect.stringMatching(/./) });
  });
});
