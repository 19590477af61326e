import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { RedisServer, type RedisServerOptions } from '@graph2kafka/test-harness';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { durabilityProblems, memoryShare } from '../src/index.ts';

/** A Redis that may be set wrong, and a connection to it. */
async function ownRedis(options: Omit<RedisServerOptions, 'dir'> = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'durability-'));
  const server = await RedisServer.start({ dir, ...options });
  const redis = new Redis(server.url);
  redis.on('error', () => undefined);
  return {
    server,
    redis,
    [Symbol.asyncDispose]: async () => {
      redis.disconnect();
      await server.kill9();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

describe('durabilityProblems', () => {
  it('finds none in a Redis that syncs each write and evicts nothing', async () => {
    await using it = await ownRedis();
    expect(await durabilityProblems(it.redis, 'strict')).toEqual([]);
    expect(await durabilityProblems(it.redis, 'replicated')).toEqual([]);
  });

  it.each([
    ['appendfsync', 'everysec', 'always'],
    ['appendfsync', 'no', 'always'],
    ['appendonly', 'no', 'yes'],
    ['maxmemory-policy', 'allkeys-lru', 'noeviction'],
    ['maxmemory-policy', 'volatile-ttl', 'noeviction'],
    ['no-appendfsync-on-rewrite', 'yes', 'no'],
  ])('names %s=%s with its cure, and the cure cures it', async (setting, actual, wanted) => {
    await using it = await ownRedis({ extraArguments: [`--${setting}`, actual] });
    const cure = `config set ${setting} ${wanted}`;
    expect(await durabilityProblems(it.redis, 'strict')).toEqual([
      `Redis has ${setting}=${actual}, REDIS_DURABILITY=strict needs ${wanted}: redis-cli ${cure}`,
    ]);
    await it.redis.call(...(cure.split(' ') as [string, ...string[]]));
    expect(await durabilityProblems(it.redis, 'strict')).toEqual([]);
  });

  it('names all that is wrong at once', async () => {
    await using it = await ownRedis({
      extraArguments: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'],
    });
    const problems = await durabilityProblems(it.redis, 'strict');
    expect(problems).toHaveLength(2);
    expect(problems.join()).toMatch(/appendonly.*maxmemory-policy/);
  });

  it('asks of replication only that nothing is evicted', async () => {
    await using it = await ownRedis({
      extraArguments: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'],
    });
    expect(await durabilityProblems(it.redis, 'replicated')).toEqual([
      expect.stringContaining('REDIS_DURABILITY=replicated needs noeviction'),
    ]);
  });

  it('asks nothing where the operator gave his word', async () => {
    await using it = await ownRedis({
      extraArguments: ['--appendonly', 'no', '--maxmemory-policy', 'allkeys-lru'],
    });
    expect(await durabilityProblems(it.redis, 'declared')).toEqual([]);
  });

  it.each([
    ['a user may not ask', ['--user', 'default', 'on', 'nopass', '~*', '+@all', '-config']],
    ['the command was renamed', ['--rename-command', 'CONFIG', 'HIDDEN']],
  ])('speaks of REDIS_DURABILITY=declared where %s', async (_how, extraArguments) => {
    await using it = await ownRedis({ extraArguments });
    const problems = await durabilityProblems(it.redis, 'strict');
    expect(problems.length).toBeGreaterThan(0);
    for (const problem of problems) {
      expect(problem).toMatch(/^Redis hides its setting \S+ .*: set REDIS_DURABILITY=declared/);
    }
    expect(await durabilityProblems(it.redis, 'declared')).toEqual([]);
  });

  it('does not take an absent Redis for one that hides its settings', async () => {
    await using it = await ownRedis();
    await it.server.kill9();
    const away = new Redis(it.server.url, {
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      lazyConnect: true,
    });
    away.on('error', () => undefined);
    await expect(durabilityProblems(away, 'strict')).rejects.toThrow();
  });
});

describe('memoryShare', () => {
  it("is the share of the machine's memory without a limit of Redis' own", async () => {
    await using it = await ownRedis();
    const share = await memoryShare(it.redis);
    const used = Number(/^used_memory:(\d+)/m.exec(await it.redis.info('memory'))?.[1]);
    expect(share / (used / totalmem())).toBeCloseTo(1, 0);
  });

  it('is the share of the limit that is used', async () => {
    await using it = await ownRedis({ maxmemory: '64mb' });
    const empty = await memoryShare(it.redis);
    expect(empty).toBeGreaterThan(0);
    expect(empty).toBeLessThan(0.25);
    for (let n = 0; n < 32; n++) await it.redis.set(`filler ${n}`, Buffer.alloc(1024 * 1024));
    expect(await memoryShare(it.redis)).toBeGreaterThan(empty + 0.45);
  });
});
