import { randomUUID } from 'node:crypto';
import { eventually } from '@graph2kafka/test-harness';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { describe, expect, inject, it } from 'vitest';
import { OWNER_JOB, OWNER_QUEUE, type OwnerJobData, ownerJobOptions, queueNames } from '../src/index.ts';

/** A queue of owners under a prefix of its own; a worker of it on demand. */
function ownQueue() {
  const redis = new Redis(inject('redisUrl'), { maxRetriesPerRequest: null });
  const { prefix } = queueNames(`test-${randomUUID()}`);
  const queue = new Queue<OwnerJobData>(OWNER_QUEUE, { connection: redis, prefix });
  const workers: Worker<OwnerJobData>[] = [];
  return {
    queue,
    redis,
    prefix,
    add: (owner: string) => queue.add(OWNER_JOB, { owner }, ownerJobOptions(owner)),
    work(run: (owner: string) => Promise<void>): void {
      workers.push(
        new Worker<OwnerJobData>(OWNER_QUEUE, ({ data }) => run(data.owner), { connection: redis, prefix }),
      );
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map((worker) => worker.close()));
      await queue.obliterate({ force: true });
      await queue.close();
      redis.disconnect();
    },
  };
}

describe('queueNames', () => {
  it('gives all keys of a shard one hash tag, and shards different ones', () => {
    expect(queueNames('g2k')).toEqual({ prefix: '{g2k-0}' });
    expect(queueNames('g2k', 3)).toEqual({ prefix: '{g2k-3}' });
  });
});

describe('ownerJobOptions', () => {
  it('keep one waiting job per owner, however much arrives', async () => {
    await using it = ownQueue();
    for (let n = 0; n < 5; n++) await it.add('tenant/users/a');
    await it.add('tenant/users/b');
    expect((await it.queue.getWaiting()).map(({ data }) => data.owner).toSorted()).toEqual([
      'tenant/users/a',
      'tenant/users/b',
    ]);
  });

  it('bring one more run for what arrives during a run', async () => {
    await using it = ownQueue();
    const runs: string[] = [];
    const first = Promise.withResolvers<void>();
    it.work(async (owner) => {
      runs.push(owner);
      if (runs.length === 1) await first.promise;
    });
    await it.add('tenant/users/a');
    await eventually(() => runs.length === 1);
    for (let n = 0; n < 3; n++) await it.add('tenant/users/a');
    first.resolve();
    await eventually(() => runs.length === 2);
    await eventually(async () => (await it.queue.getCompletedCount()) === 2);
    expect(await it.queue.getJobCountByTypes('waiting', 'active', 'delayed')).toBe(0);
  });

  it('take any name of an owner', async () => {
    await using it = ownQueue();
    const owners = [
      't/chats/19:a@thread.v2',
      't/users/ü ö',
      't/users/{x}',
      't/subscriptions/1',
      't/lanes/3',
      '1',
    ];
    for (const owner of owners) await it.add(owner);
    for (const owner of owners) await it.add(owner);
    expect((await it.queue.getWaiting()).map(({ data }) => data.owner).toSorted()).toEqual(owners.toSorted());
  });

  it('try a run again that ended in an error', async () => {
    await using it = ownQueue();
    await it.add('tenant/users/a');
    it.work(async () => {
      throw new Error('unforeseen');
    });
    const [job] = await eventually(async () => {
      const delayed = await it.queue.getDelayed();
      return delayed.length > 0 && delayed;
    });
    expect(job?.attemptsMade).toBe(1);
    expect(job?.delay).toBeGreaterThanOrEqual(500);
    expect(job?.delay).toBeLessThanOrEqual(1000);
    expect(job?.opts.attempts).toBe(10);
  });

  it('hold the owner and nothing else, and do not keep jobs for ever', () => {
    const { removeOnComplete, removeOnFail } = ownerJobOptions('a');
    expect([removeOnComplete, removeOnFail]).toEqual([{ count: 500 }, { count: 1000 }]);
  });
});
