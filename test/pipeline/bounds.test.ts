/** What a flood, a withdrawn consent or one bad event may cost: little, and only what is theirs. */
import { eventually, LOCAL_ADMIN_PASSWORD } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { requestRedis } from '../faults/redis-request.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const authorization = `Basic ${Buffer.from(`admin:${LOCAL_ADMIN_PASSWORD}`).toString('base64')}`;

async function setQueue({ services }: Pipeline, state: 'pause' | 'resume'): Promise<void> {
  const url = `${services.worker.url}/queues/api/queues/owners/${state}`;
  expect((await fetch(url, { method: 'PUT', headers: { authorization } })).ok).toBe(true);
}

/** Bytes that the owner's inbox takes in Redis. */
async function inboxBytes({ stack, simulator }: Pipeline, user: string): Promise<number> {
  const key = `{${stack.redisPrefix}-0}:inbox:${simulator.tenantId}/users/${user}`;
  return Number((await requestRedis(Number(new URL(stack.redisUrl).port), 'MEMORY', 'USAGE', key)) ?? 0);
}

describe('bounds', () => {
  it('50,000 updates of one event that wait together cost one entry and few fetches', async () => {
    const pipeline = await startPipeline({ simulator: { delivery: { maxItemsPerPost: 1000 } } });
    const { simulator, eventsOf } = pipeline;
    const [user] = simulator.users();
    const { path } = simulator.calendar.create(user?.id ?? '', { subject: 'Flood' });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
    await setQueue(pipeline, 'pause');
    let last = '';
    for (let i = 1; i <= 50_000; i++)
      last = simulator.calendar.update(path.key, { subject: `Flood ${i}` }).etag;
    await simulator.notifier.idle({ timeoutMs: 60_000 });
    expect(await inboxBytes(pipeline, user?.id ?? '')).toBeLessThan(10_000);
    await setQueue(pipeline, 'resume');
    await eventually(() => expect(eventsOf(path.key).at(-1)?.resourceversion).toBe(last));
    const fetches = simulator.changeLog.ofKind('read').filter(({ resource }) => resource === path.key);
    expect(fetches.length).toBeLessThanOrEqual(5);
    expect(eventsOf(path.key).at(-1)?.notificationcount).toBeGreaterThan(10_000);
  }, 120_000);

  it('a withdrawn consent costs what its events take, however often they change, and ends by itself', async () => {
    const pipeline = await startPipeline();
    const { simulator, eventsOf } = pipeline;
    const [user] = simulator.users();
    const made = Array.from({ length: 5 }, (_, i) =>
      simulator.calendar.create(user?.id ?? '', { subject: `E${i}` }),
    );
    for (const { path } of made) await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
    const withdrawn = [
      simulator.faults.add({
        method: 'POST',
        path: /\/oauth2\/v2\.0\/token$/,
        status: 401,
        times: Number.POSITIVE_INFINITY,
      }),
      simulator.faults.add({
        method: 'GET',
        path: /\/events\//,
        status: 401,
        times: Number.POSITIVE_INFINITY,
      }),
    ];
    const bytes: number[] = [];
    let last = made;
    for (let round = 1; round <= 4; round++) {
      for (let i = 0; i < 100; i++)
        last = made.map(({ path }) => simulator.calendar.update(path.key, { subject: `${round} ${i}` }));
      await simulator.notifier.idle();
      bytes.push(await inboxBytes(pipeline, user?.id ?? ''));
    }
    expect(bytes.at(-1)).toBeLessThan((bytes[0] ?? 0) * 1.5);
    for (const fault of withdrawn) fault.remove();
    for (const { path, etag } of last) {
      await eventually(() => expect(eventsOf(path.key).at(-1)?.resourceversion).toBe(etag), {
        timeoutMs: 45_000,
      });
    }
  }, 120_000);

  it('news that waits holds up no other of its owner', async () => {
    const { simulator, eventsOf } = await startPipeline();
    const [user] = simulator.users();
    const waiting = simulator.calendar.create(user?.id ?? '', { subject: 'Not to be had yet' });
    simulator.faults.add({ method: 'GET', path: waiting.path.key, kind: 'early404', times: 2 });
    await eventually(() => expect(simulator.changeLog.ofKind('read').length).toBeGreaterThan(0));
    const beside = simulator.calendar.create(user?.id ?? '', { subject: 'Beside it' });
    await eventually(() => expect(eventsOf(beside.path.key)).toHaveLength(1), { timeoutMs: 2000 });
    expect(eventsOf(waiting.path.key)).toEqual([]);
    await eventually(() => expect(eventsOf(waiting.path.key)).toHaveLength(1), { timeoutMs: 20_000 });
  });
});
