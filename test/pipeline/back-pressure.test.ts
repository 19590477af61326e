/** A Redis that fills up: the receiver refuses in time, so that the workers have the memory to drain it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, LOCAL_ADMIN_PASSWORD, RedisServer } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { requestRedis } from '../faults/redis-request.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const USERS = 8;

type Line = Readonly<Record<string, unknown>>;

/** What the services have logged under a name. */
function logged({ log }: Pipeline, message: string): Line[] {
  return log.filter((line) => line.includes(`"${message}"`)).map((line) => JSON.parse(line) as Line);
}

const timeOf = (line: Line | undefined) => Date.parse(String(line?.time));
const isWithin = (at: number, from: number, to: number) => at > from && at < to;

async function setQueue({ services }: Pipeline, state: 'pause' | 'resume'): Promise<void> {
  const authorization = `Basic ${Buffer.from(`admin:${LOCAL_ADMIN_PASSWORD}`).toString('base64')}`;
  const url = `${services.worker.url}/queues/api/queues/owners/${state}`;
  expect((await fetch(url, { method: 'PUT', headers: { authorization } })).ok).toBe(true);
}

async function ownRedis(): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'back-pressure-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const redis = await RedisServer.start({ dir });
  onTestFinished(() => redis.kill9().then(() => undefined));
  return redis;
}

/** Gives Redis so little memory that it uses this share of it now. */
async function limitMemory({ port }: RedisServer, share: number): Promise<void> {
  const info = String(await requestRedis(port, 'INFO', 'memory'));
  const used = Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
  await requestRedis(port, 'CONFIG', 'SET', 'maxmemory', String(Math.floor(used / share)));
}

describe('back-pressure', () => {
  it('is 503 from 70 % of the memory, while workers drain, and 202 below 60 %; nothing is lost', async () => {
    const redis = await ownRedis();
    const pipeline = await startPipeline({
      users: USERS,
      redisUrl: redis.url,
      simulator: { delivery: { retryBaseMs: 200, retryCapMs: 1000 } },
    });
    const { simulator, services } = pipeline;
    await setQueue(pipeline, 'pause');
    await limitMemory(redis, 0.5);
    const made: string[] = [];
    const create = (user: string) =>
      made.push(simulator.calendar.create(user, { subject: 'One more' }).path.key);
    const isShut = () => logged(pipeline, 'redis.memory-high-water').length === 1;
    await eventually(
      () => {
        for (const { id } of isShut() ? [] : simulator.users())
          for (let n = 0; n < 20; n++)
            made.push(simulator.calendar.create(id, { subject: `E${n}` }).path.key);
        return isShut();
      },
      { timeoutMs: 60_000, intervalMs: 200 },
    );
    for (const { id } of simulator.users()) create(id);
    await eventually(() => logged(pipeline, 'notification.not-stored').length > 0);
    const ready = await fetch(`${services.receiver.url}/readyz`);
    expect([ready.status, await ready.json()]).toMatchObject([503, { reason: /70 %/ }]);

    await setQueue(pipeline, 'resume');
    await eventually(() => logged(pipeline, 'redis.memory-high-water').length === 2, { timeoutMs: 30_000 });
    const [shut, open] = logged(pipeline, 'redis.memory-high-water');
    expect([shut?.full, open?.full]).toEqual([true, false]);
    expect(shut?.share).toBeGreaterThanOrEqual(0.7);
    expect(open?.share).toBeLessThan(0.6);
    const [shutAt, openAt] = [timeOf(shut), timeOf(open)];
    const published = logged(pipeline, 'record.published').filter((line) =>
      isWithin(timeOf(line), shutAt, openAt),
    );
    expect(published.length).toBeGreaterThan(0);
    // What had passed the gate before it shut is still stored.
    const begun = () =>
      logged(pipeline, 'notification.stored').map((line) => timeOf(line) - Number(line.duration_ms));
    await eventually(() => begun().some((at) => at > openAt));
    expect(begun().filter((at) => isWithin(at, shutAt, openAt))).toEqual([]);

    await simulator.notifier.idle({ timeoutMs: 60_000 });
    const keys = () => new Set(pipeline.events().map(({ record }) => record.key));
    await eventually(() => expect(keys().size).toBe(made.length), { timeoutMs: 30_000 });
  }, 180_000);
});
