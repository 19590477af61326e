import { connectFailFast, queueNames, type RedisDurability } from '@graph2kafka/shared';
import { eventually, freePort, type RedisServerOptions } from '@graph2kafka/test-harness';
import type { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { createStorageGate } from '../src/storage-gate.ts';
import { logLines } from './log-lines.ts';
import { ownRedis } from './own-redis.ts';

/** A gate on a connection to `url`; `beforeGate` may still touch the connection. */
function gateAt(url: string, durability: RedisDurability = 'strict', beforeGate = (_redis: Redis) => {}) {
  const redis = connectFailFast(url, () => undefined);
  beforeGate(redis);
  const logged = logLines();
  const unfit: (readonly string[])[] = [];
  const gate = createStorageGate(
    redis,
    queueNames('gate'),
    durability,
    logged.log,
    (problems) => void unfit.push(problems),
  );
  return {
    redis,
    gate,
    logged,
    unfit,
    [Symbol.dispose]: () => {
      gate.close();
      redis.disconnect();
    },
  };
}

async function opened(options: Omit<RedisServerOptions, 'dir'> = {}) {
  const own = await ownRedis(options);
  const it = gateAt(own.server.url);
  await eventually(() => it.gate.refusal() === undefined);
  return {
    ...it,
    server: own.server,
    [Symbol.asyncDispose]: async () => {
      it[Symbol.dispose]();
      await own[Symbol.asyncDispose]();
    },
  };
}

/** How often the gate has asked Redis for its memory: all INFO but our own. */
async function countLooks(redis: Redis): Promise<number> {
  const stats = await redis.call('INFO', 'commandstats');
  const asked = Number(/cmdstat_info:calls=(\d+)/.exec(String(stats))?.[1] ?? 0);
  const own = ownLooks.get(redis) ?? 0;
  ownLooks.set(redis, own + 1);
  return asked - own;
}

const ownLooks = new WeakMap<Redis, number>();

const isOpen = (it: { gate: { refusal(): string | undefined } }) => it.gate.refusal() === undefined;

describe('createStorageGate', () => {
  it('refuses while no Redis is there, and opens once one is', async () => {
    const port = await freePort();
    using it = gateAt(`redis://127.0.0.1:${port}`);
    expect(it.gate.refusal()).toMatch(/^Redis is not connected/);
    await using _redis = await ownRedis({ port });
    await eventually(() => isOpen(it));
    expect(it.unfit).toEqual([]);
  });

  it('refuses until the settings of Redis are known', async () => {
    await using own = await ownRedis();
    const seen: (string | undefined)[] = [];
    using it = gateAt(own.server.url);
    it.redis.once('ready', () => seen.push(it.gate.refusal()));
    await eventually(() => isOpen(it));
    expect(seen).toEqual(['the settings of Redis are not known yet']);
  });

  it('tells of a Redis that is set wrong from the start, with the cure, and stays shut', async () => {
    await using own = await ownRedis({
      appendfsync: 'everysec',
      extraArguments: ['--maxmemory-policy', 'allkeys-lru'],
    });
    using it = gateAt(own.server.url);
    await eventually(() => it.unfit.length > 0);
    expect(it.unfit).toEqual([
      [
        expect.stringContaining('config set appendfsync always'),
        expect.stringContaining('config set maxmemory-policy noeviction'),
      ],
    ]);
    expect(it.gate.refusal()).toContain('appendfsync=everysec');
  });

  it('opens for any Redis whose operator gave his word', async () => {
    await using own = await ownRedis({ extraArguments: ['--appendonly', 'no'] });
    using it = gateAt(own.server.url, 'declared');
    await eventually(() => isOpen(it));
    expect(it.unfit).toEqual([]);
  });

  it('shuts for a Redis that comes back with other settings, and does not call that a wrong start', async () => {
    await using it = await opened();
    await it.redis.config('SET', 'appendfsync', 'everysec');
    await it.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => undefined);
    await eventually(() => it.gate.refusal()?.includes('appendfsync=everysec') ?? null);
    expect(it.unfit).toEqual([]);
    expect(it.logged.of('redis.not-durable')).toHaveLength(1);
  });

  it('shuts at once when the connection is lost, and opens when it is back', async () => {
    await using it = await opened();
    await it.server.kill9();
    await eventually(() => it.gate.refusal()?.startsWith('Redis is not connected') ?? null);
    const seen: (string | undefined)[] = [];
    it.redis.once('ready', () => seen.push(it.gate.refusal()));
    await it.server.restart();
    await eventually(() => isOpen(it), { timeoutMs: 2500 });
    // It may be another Redis: what was known of the first one counts no more.
    expect(seen).toEqual(['the settings of Redis are not known yet']);
  });

  it('opens soon after a Redis that could not say its settings answers again', async () => {
    await using own = await ownRedis();
    using it = gateAt(
      own.server.url,
      'strict',
      (redis) => void redis.once('ready', () => own.server.freeze()),
    );
    await eventually(() => it.logged.of('redis.check-failed').length > 0);
    expect(isOpen(it)).toBe(false);
    own.server.thaw();
    await eventually(() => isOpen(it), { timeoutMs: 5000 });
  });

  it('shuts from 70 % of the memory on, and opens below 60 %', async () => {
    await using it = await opened({ maxmemory: '100mb' });
    const fillTo = async (megabytes: number) => {
      for (let n = 0; n < 75; n++) {
        if (n < megabytes) await it.redis.set(`filler ${n}`, Buffer.alloc(1_000_000));
        else await it.redis.del(`filler ${n}`);
      }
    };
    await fillTo(72);
    await eventually(() => it.gate.refusal()?.includes('70 %') ?? null);
    await fillTo(64);
    const looked = await countLooks(it.redis);
    await eventually(async () => (await countLooks(it.redis)) > looked);
    expect(isOpen(it)).toBe(false);
    await fillTo(50);
    await eventually(() => isOpen(it));
    expect(it.logged.of('redis.memory-high-water').map(({ full }) => full)).toEqual([true, false]);
  });

  it('leaves no timer when it is closed, also twice', async () => {
    await using own = await ownRedis();
    const timers = () => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const redis = connectFailFast(own.server.url, () => undefined);
    await eventually(() => redis.status === 'ready');
    const before = timers();
    const gate = createStorageGate(redis, queueNames('gate'), 'strict', logLines().log, () => undefined);
    expect(timers()).toBeGreaterThan(before);
    gate.close();
    gate.close();
    expect(timers()).toBe(before);
    redis.disconnect();
  });
});
