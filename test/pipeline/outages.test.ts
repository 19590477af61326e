import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, KafkaBroker, RedisServer, startWorker } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startPipeline } from '../support/pipeline.ts';

async function ownFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-outage-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

describe('while something is away', () => {
  it('acknowledges with Graph slow and Kafka stopped, and every change is a record once they are back', async () => {
    const kafka = await KafkaBroker.start({ dir: await ownFolder() });
    onTestFinished(async () => void (await kafka.stop()));
    const { simulator, eventsOf, drained } = await startPipeline({ users: 3, brokers: kafka.brokers });
    const slow = simulator.faults.add({ method: 'GET', path: /\/events\//, delayMs: 5000, times: 6 });
    await kafka.stop();
    const made = simulator
      .users()
      .flatMap(({ id }) =>
        [1, 2, 3, 4].map((i) => simulator.calendar.create(id, { subject: `While away ${i}` })),
      );
    await simulator.notifier.idle();
    expect(simulator.notifier.counters).toMatchObject({ delivered: made.length, failedAttempts: 0 });
    await kafka.restart();
    await drained(45_000);
    for (const { path } of made) {
      await eventually(() => expect(eventsOf(path.key).at(-1)?.data.subject).toMatch(/^While away/));
    }
    expect(slow.hits).toBeGreaterThan(0);
  }, 90_000);

  it('loses nothing when a worker is killed in the middle of its runs and another takes over', async () => {
    const { simulator, stack, services, eventsOf } = await startPipeline({
      users: 2,
      simulator: { graphLatencyMs: 400 },
      worker: { OWNER_LEASE_MS: '2000' },
    });
    const made = simulator
      .users()
      .flatMap(({ id }) => [1, 2, 3].map((i) => simulator.calendar.create(id, { subject: `Killed ${i}` })));
    await eventually(() => expect(simulator.changeLog.ofKind('read').length).toBeGreaterThan(0));
    services.worker.process.kill9();
    const heir = await startWorker(stack, {}, { OWNER_LEASE_MS: '2000' });
    onTestFinished(async () => void (await heir.process.stop()));
    for (const { path, etag } of made) {
      await eventually(() => expect(eventsOf(path.key).at(-1)?.resourceversion).toBe(etag), {
        timeoutMs: 20_000,
      });
    }
  }, 60_000);

  it('ends its runs on SIGTERM: what was begun is finished, what was not is left for the next worker', async () => {
    const { simulator, stack, services, eventsOf } = await startPipeline({
      simulator: { graphLatencyMs: 300 },
    });
    const [user] = simulator.users();
    const made = [1, 2, 3, 4, 5, 6].map((i) =>
      simulator.calendar.create(user?.id ?? '', { subject: `Deploy ${i}` }),
    );
    await eventually(() => expect(simulator.changeLog.ofKind('read').length).toBeGreaterThan(0));
    await expect(services.worker.process.stop()).resolves.toMatchObject({ code: 0 });
    const next = await startWorker(stack, {});
    onTestFinished(async () => void (await next.process.stop()));
    for (const { path, etag } of made) {
      await eventually(() => expect(eventsOf(path.key).at(-1)?.resourceversion).toBe(etag));
    }
    const ids = made.flatMap(({ path }) => eventsOf(path.key).map(({ id }) => id));
    expect(new Set(ids).size, 'nothing was published twice').toBe(ids.length);
  });

  it('goes on by itself after Redis was killed and started again', async () => {
    const redis = await RedisServer.start({ dir: join(await ownFolder(), 'redis') });
    onTestFinished(async () => void (await redis.stop()));
    const { simulator, eventsOf, drained } = await startPipeline({ redisUrl: redis.url });
    const [user] = simulator.users();
    const before = simulator.calendar.create(user?.id ?? '', { subject: 'Before' });
    await eventually(() => expect(eventsOf(before.path.key)).toHaveLength(1));
    await redis.kill9();
    const during = simulator.calendar.create(user?.id ?? '', { subject: 'During' });
    await eventually(() => expect(simulator.notifier.counters.failedAttempts).toBeGreaterThan(0));
    await redis.restart();
    await simulator.notifier.idle();
    await eventually(() => expect(eventsOf(during.path.key).at(-1)?.data.subject).toBe('During'), {
      timeoutMs: 20_000,
    });
    await drained();
  }, 60_000);
});
