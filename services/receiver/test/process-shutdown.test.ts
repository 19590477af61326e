import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, inject, it } from 'vitest';
import { ownRedis } from './own-redis.ts';
import { lostOf, runReceiver, startLoad } from './running-receiver.ts';

const CLEAN = { code: 0, signal: null };

async function openConnection(url: string, bytes: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(bytes);
  return socket;
}

describe('a receiver that is told to end', () => {
  it('answers what is under way, loses nothing that it accepted, and ends with 0', async () => {
    await using redis = await ownRedis();
    await using it = await runReceiver({ redisUrl: redis.server.url });
    await it.untilReady();
    const load = startLoad(it, 'term', 20);
    await eventually(() => load.accepted.size > 200);
    expect(await it.process.stop()).toEqual(CLEAN);
    await load.stop();
    expect(new Set(load.statuses)).toEqual(new Set([202]));
    expect(lostOf(load.accepted, await it.takeStored())).toEqual([]);
    expect(it.lines.at(-1)).toContain('"service.stopped"');
  });

  it.each([
    ['SIGTERM', 'SIGTERM'],
    ['SIGTERM', 'SIGINT'],
    ['SIGINT', 'SIGTERM'],
  ] as const)('ends once by %s and %s', async (first, second) => {
    await using it = await runReceiver({ redisUrl: inject('redisUrl') });
    await it.untilReady();
    const lingering = await openConnection(it.url, 'POST /events HTTP/1.1\r\n');
    process.kill(it.process.pid, first);
    await it.process.waitForLine((line) => line.includes('"service.stopping"'));
    process.kill(it.process.pid, second);
    expect(await it.process.exited).toEqual(CLEAN);
    lingering.destroy();
    expect(it.lines.filter((line) => line.includes('"service.stopping"'))).toHaveLength(1);
    expect(it.lines.filter((line) => line.includes('"service.stopped"'))).toHaveLength(1);
  });

  it('ends while Redis is down', async () => {
    await using redis = await ownRedis();
    await using it = await runReceiver({ redisUrl: redis.server.url });
    await it.untilReady();
    await redis.server.kill9();
    expect(await it.process.stop()).toEqual(CLEAN);
  });

  it('ends where Redis was never there', async () => {
    await using redis = await ownRedis();
    await redis.server.kill9();
    await using it = await runReceiver({ redisUrl: redis.server.url });
    expect(await it.process.stop()).toEqual(CLEAN);
  });

  it('refuses what is under way where Redis is frozen, and ends', async () => {
    await using redis = await ownRedis();
    await using it = await runReceiver({ redisUrl: redis.server.url });
    await it.untilReady();
    redis.server.freeze();
    const answers = Array.from({ length: 10 }, (_, n) => it.post(`frozen-${n}`));
    const ended = Promise.all(answers);
    await eventually(async () => (await it.ready()).status === 503);
    expect(await it.process.stop()).toEqual(CLEAN);
    expect(new Set((await ended).map(({ status }) => status))).toEqual(new Set([503]));
  });

  it.each([
    ['nothing', ''],
    ['half of its headers', 'POST /events HTTP/1.1\r\nHost: x\r\n'],
    [
      'half of its body',
      'POST /events HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
    ],
  ])('ends although somebody has connected and sent %s', async (_what, bytes) => {
    await using it = await runReceiver({ redisUrl: inject('redisUrl') });
    const socket = await openConnection(it.url, bytes);
    await it.untilReady();
    expect(await it.process.stop({ graceMs: 20_000 })).toEqual(CLEAN);
    socket.destroy();
  });
});
