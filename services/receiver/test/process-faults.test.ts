import { eventually, freePort } from '@graph2kafka/test-harness';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { ownRedis } from './own-redis.ts';
import type { Answer } from './post.ts';
import { lostOf, type RunningReceiver, runReceiver, startLoad } from './running-receiver.ts';

/** The promise is 2 s; the rest is for two cores that many share. */
const MOST_MS = 2500;

/** A receiver that accepts, its Redis to be hurt, and a connection of ours to that. */
async function accepting(options: Parameters<typeof ownRedis>[0] = {}) {
  const own = await ownRedis(options);
  const receiver = await runReceiver({ redisUrl: own.server.url });
  await receiver.untilReady();
  const redis = new Redis(own.server.url);
  redis.on('error', () => undefined);
  return {
    server: own.server,
    receiver,
    redis,
    [Symbol.asyncDispose]: async () => {
      redis.disconnect();
      await receiver[Symbol.asyncDispose]();
      await own[Symbol.asyncDispose]();
    },
  };
}

/** All of many POSTs at once are refused in time. */
async function expectRefusals({ post }: RunningReceiver): Promise<void> {
  const answers: Answer[] = await Promise.all(Array.from({ length: 20 }, (_, n) => post(`refused-${n}`)));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(MOST_MS);
  expect(answers.every(({ headers }) => headers['retry-after'] === '10')).toBe(true);
}

const accepts = ({ post }: RunningReceiver, timeoutMs = MOST_MS) =>
  eventually(async () => (await post('accepted')).status === 202, { timeoutMs });

describe('a receiver', () => {
  it('has in Redis what it answered with 202, entry and job, at that moment', async () => {
    await using it = await accepting();
    expect((await it.receiver.post('e1')).status).toBe(202);
    await it.server.kill9();
    await it.server.restart();
    const stored = await it.receiver.takeStored();
    expect(stored.resources).toMatchObject([{ resource: expect.stringMatching(/events\/e1$/) }]);
    expect(stored.jobs).toEqual(stored.owners);
  });

  it('loses nothing that it accepted when it is killed, and works again when it is started again', async () => {
    await using redis = await ownRedis();
    const prefix = 'killed';
    await using first = await runReceiver({ redisUrl: redis.server.url, prefix });
    await first.untilReady();
    const load = startLoad(first, 'before');
    await eventually(() => load.accepted.size > 100);
    await first.process.kill9();
    await load.stop();
    await using second = await runReceiver({ redisUrl: redis.server.url, prefix });
    await accepts(second, 5000);
    const stored = await second.takeStored();
    expect(lostOf(load.accepted, stored)).toEqual([]);
    expect(stored.jobs).toEqual(stored.owners);
  });

  it('refuses in time while Redis is frozen, and accepts within two seconds of its thaw', async () => {
    await using it = await accepting();
    await it.receiver.post();
    for (let n = 0; n < 2; n++) {
      it.server.freeze();
      await expectRefusals(it.receiver);
      await expectRefusals(it.receiver);
      it.server.thaw();
      await accepts(it.receiver);
    }
  });

  it('loses nothing that it accepted around freezes of Redis, and leaves nobody without an answer', async () => {
    await using it = await accepting();
    const load = startLoad(it.receiver, 'freeze');
    for (let n = 1; n <= 2; n++) {
      await eventually(() => load.accepted.size > n * 100);
      it.server.freeze();
      const refusedBefore = load.statuses.filter((status) => status === 503).length;
      await eventually(() => load.statuses.filter((status) => status === 503).length > refusedBefore);
      it.server.thaw();
    }
    await accepts(it.receiver, 5000);
    await load.stop();
    expect(new Set(load.statuses)).toEqual(new Set([202, 503]));
    expect(load.slowestMs).toBeLessThan(MOST_MS);
    expect(lostOf(load.accepted, await it.receiver.takeStored())).toEqual([]);
  });

  it('loses nothing that it accepted when Redis is killed under load, and accepts soon after its restart', async () => {
    await using it = await accepting();
    const load = startLoad(it.receiver, 'kill');
    for (let n = 1; n <= 2; n++) {
      await eventually(() => load.accepted.size > n * 100);
      await it.server.kill9();
      await eventually(async () => (await it.receiver.ready()).status === 503);
      await expectRefusals(it.receiver);
      await it.server.restart();
      await accepts(it.receiver);
    }
    await load.stop();
    expect(new Set(load.statuses)).toEqual(new Set([202, 503]));
    expect(load.slowestMs).toBeLessThan(MOST_MS);
    expect(lostOf(load.accepted, await it.receiver.takeStored())).toEqual([]);
  });

  it('refuses while Redis holds back writes, and accepts afterwards', async () => {
    await using it = await accepting();
    await it.redis.client('PAUSE', 60_000, 'WRITE');
    await expectRefusals(it.receiver);
    expect((await it.receiver.ready()).status).toBe(503);
    await it.redis.call('CLIENT', 'UNPAUSE');
    await accepts(it.receiver);
  });

  it('refuses while its Redis is a replica, and accepts when it is a primary again', async () => {
    await using it = await accepting();
    await it.redis.replicaof('127.0.0.1', await freePort());
    await expectRefusals(it.receiver);
    expect((await it.receiver.ready()).status).toBe(503);
    await it.redis.replicaof('NO', 'ONE');
    await accepts(it.receiver, 5000);
  });

  it('refuses while Redis wants a password that it does not have, and accepts when it does not', async () => {
    await using it = await accepting();
    await it.redis.config('SET', 'requirepass', 'changed');
    await it.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(async () => (await it.receiver.ready()).status === 503);
    await expectRefusals(it.receiver);
    await it.redis.config('SET', 'requirepass', '');
    await accepts(it.receiver, 5000);
  });

  it('refuses before Redis is full, while workers could still write, and accepts when there is room again', async () => {
    await using it = await accepting({ maxmemory: '64mb' });
    const share = async () => {
      const info = await it.redis.info('memory');
      return Number(/used_memory:(\d+)/.exec(info)?.[1]) / (64 * 1024 * 1024);
    };
    let fillers = 0;
    while ((await share()) < 0.72) await it.redis.set(`filler ${fillers++}`, Buffer.alloc(1_000_000));
    await eventually(async () => (await it.receiver.post()).status === 503);
    await expectRefusals(it.receiver);
    expect((await it.receiver.ready()).status).toBe(503);
    expect(await it.redis.set('of a worker', 'x')).toBe('OK');
    while ((await share()) > 0.55) await it.redis.del(`filler ${--fillers}`);
    await accepts(it.receiver, 5000);
  });

  it('refuses when Redis loses its durability while it runs, and stays up', async () => {
    await using it = await accepting();
    await it.redis.config('SET', 'appendfsync', 'everysec');
    await it.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await eventually(async () => (await it.receiver.post()).status === 503);
    await eventually(async () => (await it.receiver.ready()).text.includes('appendfsync') || null);
    await it.redis.config('SET', 'appendfsync', 'always');
    await it.redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    await accepts(it.receiver, 5000);
  });
});
