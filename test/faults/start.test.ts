import { eventually, startReceiver, startWorker } from '@graph2kafka/test-harness';
import { describe, expect, inject, it } from 'vitest';
import { measureJobRestarts } from './faults.ts';
import { describeViolations } from './judgement.ts';
import { describeLateness, describeRecovery } from './recovery.ts';
import { requestRedis } from './redis-request.ts';
import { Scenario } from './scenario.ts';

const STEP = { timeoutMs: 30_000 };

describe.concurrent('a start', () => {
  it('without Redis is no failure: not ready, and at work once Redis is there', async () => {
    const scenario = await Scenario.start({ brokers: inject('kafkaBrokers'), servicesLater: true });
    try {
      const { redis } = scenario.servers;
      await redis.stop();
      await scenario.launchServices();
      const askedAt = performance.now();
      const answer = await fetch(`${scenario.receiver.service.url}/readyz`);
      expect(answer.status).toBe(503);
      expect(performance.now() - askedAt).toBeLessThan(2000);
      await redis.restart();
      await scenario.subscribed();
      const traffic = scenario.startTraffic(20);
      await eventually(
        () => scenario.observations.logged.some(({ name }) => name === 'record.published'),
        STEP,
      );
      traffic.stop();
      expect(describeViolations(await scenario.judge())).toEqual([]);
    } finally {
      await scenario.close();
    }
  }, 90_000);

  it('on a Redis that takes no writes for the moment waits for it, as for one that is away', async () => {
    const scenario = await Scenario.start({ brokers: inject('kafkaBrokers'), servicesLater: true });
    try {
      const { redis } = scenario.servers;
      await requestRedis(redis.port, 'REPLICAOF', '127.0.0.1', '1');
      await scenario.launchServices();
      await eventually(() => /READONLY/.test(JSON.stringify(scenario.observations)), STEP);
      await requestRedis(redis.port, 'REPLICAOF', 'NO', 'ONE');
      await scenario.subscribed();
      expect(scenario.observations.crashes).toEqual([]);
      expect(scenario.services.map(({ lives }) => lives)).toEqual([1, 1, 1]);
    } finally {
      await scenario.close();
    }
  }, 90_000);

  it('on a Redis that evicts is refused by both services, with the setting and the cure', async () => {
    const scenario = await Scenario.start({ brokers: inject('kafkaBrokers'), servicesLater: true });
    try {
      await requestRedis(scenario.servers.redis.port, 'CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
      for (const start of [startReceiver(scenario.stack), startWorker(scenario.stack, {})]) {
        const { process } = await start;
        await expect(process.exited).resolves.toMatchObject({ code: 1 });
        expect(process.lines().join('\n')).toContain('config set maxmemory-policy noeviction');
      }
    } finally {
      await scenario.close();
    }
  }, 60_000);
});

describe.concurrent('a worker killed in the middle of a run', () => {
  it('is replaced by another within 15 s, with the lease as delivered', async () => {
    const scenario = await Scenario.start({
      brokers: inject('kafkaBrokers'),
      users: 1,
      workers: 1,
      leaseMs: 10_000,
      worker: () => ({ plan: [{ stage: 'after-fetch', action: 'kill', nth: 1 }] }),
    });
    try {
      const { simulator, observations } = scenario;
      simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'In good hands' });
      await eventually(() => measureJobRestarts(scenario).length > 0, { timeoutMs: 60_000 });
      process.stdout.write(`killed run: ${describeRecovery(measureJobRestarts(scenario))}\n`);
      expect(describeLateness(measureJobRestarts(scenario))).toEqual([]);
      expect(observations.strikes).toHaveLength(1);
      expect(describeViolations(await scenario.judge())).toEqual([]);
    } finally {
      await scenario.close();
    }
  }, 120_000);
});
