import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, RedisServer } from '@graph2kafka/test-harness';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { connectFailFast, connectPatient } from '../src/index.ts';

type Connect = typeof connectFailFast;

/** A Redis to hurt, and a connection to it that closes first. */
async function connected(connect: Connect) {
  const dir = await mkdtemp(join(tmpdir(), 'connection-'));
  const server = await RedisServer.start({ dir });
  const errors: Error[] = [];
  const redis = connect(server.url, (error) => void errors.push(error));
  await eventually(() => redis.status === 'ready');
  return {
    server,
    redis,
    errors,
    [Symbol.asyncDispose]: async () => {
      redis.disconnect();
      await server.kill9();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function elapsedMs(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

const failure = (redis: Redis) => expect(redis.set('key', 'value')).rejects.toThrow();

describe('connectFailFast', () => {
  it('fails at once while Redis is down, and works again when it is back', async () => {
    await using it = await connected(connectFailFast);
    await it.server.kill9();
    await eventually(() => it.redis.status !== 'ready');
    expect(await elapsedMs(() => failure(it.redis))).toBeLessThan(500);
    await it.server.restart();
    await eventually(() => it.redis.set('key', 'back'), { timeoutMs: 2500 });
  });

  it('fails within its time limit while Redis is frozen, and works again when it thaws', async () => {
    await using it = await connected(connectFailFast);
    it.server.freeze();
    expect(await elapsedMs(() => failure(it.redis))).toBeLessThan(2500);
    it.server.thaw();
    await eventually(() => it.redis.set('key', 'back'), { timeoutMs: 2500 });
  });

  it('fails while no Redis was there yet, and works once one is', async () => {
    const port = await freePort();
    const errors: Error[] = [];
    const redis = connectFailFast(`redis://127.0.0.1:${port}`, (error) => void errors.push(error));
    const dir = await mkdtemp(join(tmpdir(), 'connection-'));
    try {
      expect(await elapsedMs(() => failure(redis))).toBeLessThan(500);
      await eventually(() => errors.length > 0);
      await using _server = await RedisServer.start({ dir, port });
      await eventually(() => redis.set('key', 'value'), { timeoutMs: 5000 });
    } finally {
      redis.disconnect();
      await rm(dir, { recursive: true, force: true });
    }
  });

  it('sends nothing later that has failed', async () => {
    await using it = await connected(connectFailFast);
    await it.server.kill9();
    await eventually(() => it.redis.status !== 'ready');
    await failure(it.redis);
    await it.server.restart();
    await eventually(() => it.redis.ping());
    expect(await it.redis.exists('key')).toBe(0);
  });

  it('looks for the new primary when the one it knows has become a replica', async () => {
    await using it = await connected(connectFailFast);
    const reconnected = new Promise((resolve) => it.redis.once('close', resolve));
    await it.redis.replicaof('127.0.0.1', await freePort());
    await expect(it.redis.set('key', 'value')).rejects.toThrow('READONLY');
    await reconnected;
    await eventually(() => it.redis.status === 'ready');
    await it.redis.replicaof('NO', 'ONE');
    await eventually(() => it.redis.set('key', 'value'));
  });
});

describe('both connections', () => {
  // What a replica with Redis 6.2 says when a script wants to write; Redis 7 says READONLY first.
  const wrapped =
    "ERR Error running script (call to f_1): @user_script:1: -READONLY You can't write against a read only replica.";

  it.each([
    ['connectFailFast', connectFailFast],
    ['connectPatient', connectPatient],
  ])('look for the new primary also by the words of Redis 6.2: %s', async (_name, connect) => {
    await using it = await connected(connect);
    const reconnected = new Promise((resolve) => it.redis.once('close', resolve));
    await expect(it.redis.eval('return redis.error_reply(ARGV[1])', 0, wrapped)).rejects.toThrow('READONLY');
    await reconnected;
    await eventually(() => it.redis.set('key', 'value'));
  });
});

describe('connectPatient', () => {
  it('keeps a command until Redis is back', async () => {
    await using it = await connected(connectPatient);
    await it.server.kill9();
    await eventually(() => it.redis.status !== 'ready');
    const written = it.redis.set('key', 'value');
    await it.server.restart();
    expect(await written).toBe('OK');
  });

  it('sends again what had no answer yet when the connection was lost', async () => {
    await using it = await connected(connectPatient);
    it.server.freeze();
    const written = it.redis.set('key', 'value');
    await it.server.kill9();
    await it.server.restart();
    expect(await written).toBe('OK');
  });

  it('is back within a second or two of Redis', async () => {
    await using it = await connected(connectPatient);
    await it.server.kill9();
    await eventually(() => it.redis.status !== 'ready');
    await it.server.restart();
    expect(await elapsedMs(() => it.redis.ping())).toBeLessThan(2500);
  });
});
