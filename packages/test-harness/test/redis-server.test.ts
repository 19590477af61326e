import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { answersPing } from '../src/redis-probe.ts';
import { fetchRedisServer, findRedisServer } from '../src/redis-program.ts';
import { RedisServer, type RedisServerOptions } from '../src/redis-server.ts';

async function startRedis(options: Partial<RedisServerOptions> = {}): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-redis-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const redis = await RedisServer.start({ dir, ...options });
  // Runs before the removal of its folder: what is registered last is done first.
  onTestFinished(() => redis.stop());
  return redis;
}

/** Sends one command as text and returns the reply as it comes. */
async function command(redis: RedisServer, text: string): Promise<string> {
  const socket = connect({ port: redis.port, host: '127.0.0.1' });
  socket.write(`${text}\r\n`);
  const [reply] = await once(socket, 'data');
  socket.destroy();
  return reply.toString();
}

async function setting(redis: RedisServer, name: string): Promise<string | undefined> {
  return (await command(redis, `CONFIG GET ${name}`)).split('\r\n').at(4);
}

describe('RedisServer', () => {
  it('keeps every answered write on disk, evicts nothing, and listens on loopback alone', async () => {
    const redis = await startRedis();
    const names = ['appendonly', 'appendfsync', 'maxmemory-policy', 'save', 'bind'];
    const settings = await Promise.all(names.map((name) => setting(redis, name)));
    expect(settings).toEqual(['yes', 'always', 'noeviction', '', '127.0.0.1']);
    expect(redis.url).toBe(`redis://127.0.0.1:${redis.port}`);
  });

  it('takes other settings', async () => {
    const redis = await startRedis({
      appendfsync: 'everysec',
      maxmemory: '24mb',
      extraArguments: ['--maxmemory-policy', 'allkeys-lru'],
    });
    expect(await setting(redis, 'appendfsync')).toBe('everysec');
    expect(await setting(redis, 'maxmemory')).toBe(String(24 * 1024 * 1024));
    expect(await setting(redis, 'maxmemory-policy')).toBe('allkeys-lru');
  });

  it('has the same data at the same port after kill -9 and after an orderly restart', async () => {
    const redis = await startRedis();
    const { port, pid } = redis;
    expect(await command(redis, 'SET kept yes')).toBe('+OK\r\n');
    await redis.kill9();
    expect(await answersPing(port)).toBe(false);
    await redis.restart();
    expect(await command(redis, 'GET kept')).toBe('$3\r\nyes\r\n');
    await redis.restart();
    expect(await command(redis, 'GET kept')).toBe('$3\r\nyes\r\n');
    expect(redis.port).toBe(port);
    expect(redis.pid).not.toBe(pid);
  });

  it('answers nothing while it is frozen, and again when it is thawed', async () => {
    const redis = await startRedis();
    redis.freeze();
    const reply = command(redis, 'ECHO late');
    expect(await answersPing(redis.port)).toBe(false);
    redis.thaw();
    expect(await reply).toBe('$4\r\nlate\r\n');
  });

  it('stops twice, also when it is frozen', async () => {
    const redis = await startRedis();
    redis.freeze();
    await Promise.all([redis.stop(), redis.stop()]);
    expect(await answersPing(redis.port)).toBe(false);
  });

  it('says why it cannot start', async () => {
    const server = createServer().listen({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    await expect(startRedis({ port })).rejects.toThrow(
      /redis-server on port \d+ ended .*Address already in use/s,
    );
    await expect(startRedis({ extraArguments: ['--no-such-setting', 'x'] })).rejects.toThrow(
      /no-such-setting/,
    );
  });

  it('takes a server that is still loading its data for not ready', async () => {
    const server = createServer((socket) =>
      socket.end('-LOADING Redis is loading the dataset in memory\r\n'),
    );
    server.listen({ port: 0, host: '127.0.0.1' });
    await once(server, 'listening');
    onTestFinished(() => {
      server.close();
    });
    expect(await answersPing((server.address() as AddressInfo).port)).toBe(false);
  });
});

describe('where the program comes from', () => {
  it('prefers the one on PATH', async () => {
    expect(await findRedisServer()).toBe('redis-server');
  });

  // Needs Maven and its repository, so it runs on demand only.
  it.runIf(process.env.TEST_DOWNLOADS)('fetches one from Maven Central that starts', async () => {
    const parent = await mkdtemp(join(tmpdir(), 'graph2kafka-fetch-'));
    onTestFinished(() => rm(parent, { recursive: true, force: true }));
    const told: string[] = [];
    const program = await fetchRedisServer(join(parent, 'redis'), (text) => told.push(text));
    const redis = await startRedis({ command: program });
    expect(await command(redis, 'PING')).toBe('+PONG\r\n');
    expect(told).toHaveLength(1);
    expect(await fetchRedisServer(join(parent, 'redis'))).toBe(program);
  });
});
