/** The intake of jobs stops while Kafka is away and goes on by itself. Kafka's answers are the probe's, said by the test. */
import { eventually } from '@graph2kafka/test-harness';
import { Worker } from 'bullmq';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createIntake } from '../../src/inbox/intake.ts';
import { ownRedis } from '../support/own-redis.ts';
import { keptLog } from '../support/silent-log.ts';

async function setup(ask?: () => Promise<void>) {
  const own = ownRedis();
  const queue = own.openQueue<{ name: string }>('jobs');
  const worked: string[] = [];
  const worker = new Worker<{ name: string }>('jobs', async ({ data }) => void worked.push(data.name), {
    connection: own.redis,
    prefix: own.names.prefix,
  });
  worker.on('error', () => undefined);
  onTestFinished(() => worker.close());
  await worker.waitUntilReady();
  const kafka = { isThere: false, probes: 0 };
  const probe = async () => {
    kafka.probes++;
    if (ask) return ask();
    if (!kafka.isThere) throw new Error('Kafka is away');
  };
  const log = keptLog();
  const intake = createIntake(worker, probe, log);
  onTestFinished(() => intake.close());
  return { add: (name: string) => queue.add('job', { name }), worked, worker, kafka, intake, log };
}

describe('a paused intake', () => {
  it('takes no job until Kafka is back, and then goes on', async () => {
    const { add, worked, kafka, intake } = await setup();
    await add('before');
    await eventually(() => expect(worked).toEqual(['before']));
    intake.pause('planted');
    // One read of the queue may be under way; what it brings is worked.
    await add('under way');
    await eventually(() => expect(kafka.probes).toBeGreaterThan(0));
    await add('meanwhile');
    const probes = kafka.probes;
    await eventually(() => expect(kafka.probes).toBeGreaterThan(probes));
    expect(intake.paused).toBe(true);
    expect(worked).not.toContain('meanwhile');
    kafka.isThere = true;
    await eventually(() => expect(worked).toEqual(expect.arrayContaining(['under way', 'meanwhile'])));
    expect(intake.paused).toBe(false);
  });

  it('is paused and resumed once, however many runs find Kafka away', async () => {
    const { kafka, intake, log } = await setup();
    for (let i = 0; i < 10; i++) intake.pause('planted');
    kafka.isThere = true;
    await eventually(() => expect(intake.paused).toBe(false));
    expect(log.lines.filter((line) => line.includes('intake.paused'))).toHaveLength(1);
    expect(log.lines.filter((line) => line.includes('intake.resumed'))).toHaveLength(1);
    intake.pause('again');
    expect(intake.paused).toBe(true);
  });
});

describe('a closed intake', () => {
  it('leaves no timer, also where it was closed while it paused', async () => {
    const { intake, worker, kafka } = await setup();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const paused = vi.spyOn(worker, 'pause');
    intake.pause('planted');
    intake.close();
    await paused.mock.results[0]?.value;
    expect(vi.getTimerCount()).toBe(0);
    intake.close();
    intake.pause('too late');
    expect(vi.getTimerCount()).toBe(0);
    expect(kafka.probes).toBe(0);
  });

  it('leaves none either where it was closed while it probed, and takes no job again', async () => {
    for (const answer of ['resolve', 'reject'] as const) {
      const asked = Promise.withResolvers<void>();
      const { intake, kafka, worker } = await setup(() => asked.promise);
      const resumed = vi.spyOn(worker, 'resume');
      intake.pause('planted');
      await eventually(() => expect(kafka.probes).toBe(1));
      intake.close();
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
      onTestFinished(() => void vi.useRealTimers());
      if (answer === 'resolve') asked.resolve();
      else asked.reject(new Error('Kafka is away'));
      // All that follows from the answer without a timer has happened by then.
      await new Promise(setImmediate);
      expect(vi.getTimerCount()).toBe(0);
      expect(resumed).not.toHaveBeenCalled();
      vi.useRealTimers();
    }
  });
});
