import { createServer } from 'node:http';
import { listen } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, inject, it } from 'vitest';
import { SECRET } from './notifications.ts';
import { ownRedis } from './own-redis.ts';
import { get } from './post.ts';
import { runReceiver, spawnReceiver } from './running-receiver.ts';

const nothingSet = {
  REDIS_URL: undefined,
  REDIS_PREFIX: undefined,
  REDIS_DURABILITY: undefined,
  CLIENT_STATE_SECRETS: undefined,
  PORT: '0',
  SHUTDOWN_DELAY_MS: '0',
};

/** Runs the program to its end. */
async function outcomeOf(environment: Readonly<Record<string, string | undefined>>) {
  const said = { stdout: '', stderr: '' };
  const receiver = await spawnReceiver({ ...nothingSet, ...environment }, (line, stream) => {
    said[stream] += `${line}\n`;
  });
  return { exit: await receiver.exited, ...said };
}

describe('a receiver that is set wrong', () => {
  it('ends with 1 and names all settings that are missing, on standard error', async () => {
    const { exit, stdout, stderr } = await outcomeOf({});
    expect(exit).toEqual({ code: 1, signal: null });
    expect(stderr).toBe(
      'graph2kafka receiver: 2 settings are wrong:\n  REDIS_URL is required\n  CLIENT_STATE_SECRETS is required\n',
    );
    expect(stdout).toBe('');
  });

  it('ends with 1 and names all settings that are wrong, without their values', async () => {
    const wrong = {
      REDIS_URL: 'canary',
      CLIENT_STATE_SECRETS: 'canary',
      PORT: 'canary',
      LOG_LEVEL: 'canary',
    };
    const { exit, stdout, stderr } = await outcomeOf(wrong);
    expect(exit.code).toBe(1);
    for (const name of Object.keys(wrong)) expect(stderr).toContain(name);
    expect(stdout + stderr).not.toContain('canary');
  });

  it.each([
    ['loses what it confirms', ['--appendfsync', 'everysec'], 'redis-cli config set appendfsync always'],
    ['evicts', ['--maxmemory-policy', 'allkeys-lru'], 'redis-cli config set maxmemory-policy noeviction'],
    ['hides its settings', ['--rename-command', 'CONFIG', ''], 'REDIS_DURABILITY=declared'],
  ])('ends with 1 and says the cure where Redis %s', async (_what, extraArguments, cure) => {
    await using redis = await ownRedis({ extraArguments });
    const { exit, stdout } = await outcomeOf({ REDIS_URL: redis.server.url, CLIENT_STATE_SECRETS: SECRET });
    expect(exit).toEqual({ code: 1, signal: null });
    expect(stdout).toContain(cure);
  });

  it('ends with 1 where its port is taken', async () => {
    const other = createServer();
    const port = await listen(other, { port: 0, setting: 'PORT' });
    const { exit, stdout } = await outcomeOf({
      REDIS_URL: inject('redisUrl'),
      CLIENT_STATE_SECRETS: SECRET,
      PORT: String(port),
    });
    expect(exit.code).toBe(1);
    expect(stdout).toContain(`PORT: port ${port} is in use`);
    other.close();
  });
});

describe('a receiver', () => {
  it('says at its start how it is set, and of secrets only whether they are', async () => {
    await using it = await runReceiver({ redisUrl: inject('redisUrl') });
    const starting = it.lines.find((line) => line.includes('"service.starting"')) ?? '{}';
    expect(JSON.parse(starting).settings).toMatchObject({
      REDIS_URL: true,
      CLIENT_STATE_SECRETS: true,
      CLIENT_STATES_ACCEPTED: false,
      REDIS_DURABILITY: 'strict',
      PORT: 0,
    });
    expect(it.lines.join()).not.toContain(SECRET);
  });

  it('works with a Redis that hides its settings where its operator gave his word', async () => {
    await using redis = await ownRedis({ extraArguments: ['--rename-command', 'CONFIG', ''] });
    await using it = await runReceiver({
      redisUrl: redis.server.url,
      environment: { REDIS_DURABILITY: 'declared' },
    });
    await it.untilReady();
    expect((await it.post()).status).toBe(202);
  });

  it('writes one JSON object per line and nothing else', async () => {
    await using it = await runReceiver({ redisUrl: inject('redisUrl') });
    await it.untilReady();
    await it.post();
    await eventually(() => it.lines.some((line) => line.includes('notification.stored')));
    for (const line of it.lines) expect(JSON.parse(line)).toMatchObject({ service: 'receiver' });
  });

  it('is ended by SIGTERM while it starts', async () => {
    for (const moment of ['"service.starting"', '"service.listening"']) {
      const receiver = await spawnReceiver({
        ...nothingSet,
        REDIS_URL: inject('redisUrl'),
        CLIENT_STATE_SECRETS: SECRET,
      });
      await receiver.waitForLine((line) => line.includes(moment));
      expect(await receiver.stop({ graceMs: 15_000 })).toEqual({ code: 0, signal: null });
    }
  });

  it('starts without Redis, refuses until one is there, and then works without a restart', async () => {
    await using redis = await ownRedis();
    await redis.server.kill9();
    await using it = await runReceiver({ redisUrl: redis.server.url });
    expect((await get(`${it.url}/healthz`)).status).toBe(200);
    expect((await it.ready()).status).toBe(503);
    const refused = await it.post();
    expect([refused.status, refused.headers['retry-after']]).toEqual([503, '10']);
    expect(refused.ms).toBeLessThan(2500);
    await redis.server.restart();
    await eventually(async () => (await it.post()).status === 202, { timeoutMs: 5000 });
    expect((await it.ready()).status).toBe(200);
  });

  it('starts beside a frozen Redis, and works once that thaws', async () => {
    await using redis = await ownRedis();
    redis.server.freeze();
    await using it = await runReceiver({ redisUrl: redis.server.url });
    const refused = await it.post();
    expect(refused.status).toBe(503);
    expect(refused.ms).toBeLessThan(2500);
    redis.server.thaw();
    await eventually(async () => (await it.post()).status === 202, { timeoutMs: 5000 });
  });
});
