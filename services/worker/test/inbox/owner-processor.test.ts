/** What a run says, carried out by a real BullMQ worker on the owner's job. */
import { OWNER_JOB, OWNER_QUEUE, type OwnerJobData, ownerJobOptions } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { Worker } from 'bullmq';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createOwnerProcessor } from '../../src/inbox/owner-processor.ts';
import type { OwnerRunDeps } from '../../src/inbox/owner-run.ts';
import { bringForward } from '../support/own-redis.ts';
import { type OwnerBench, ownerBench } from '../support/owner-bench.ts';

async function setup(options?: Parameters<typeof ownerBench>[0]) {
  const bench = await ownerBench(options);
  const { own } = bench;
  const queue = own.openQueue<OwnerJobData>(OWNER_QUEUE);
  const add = (owner: string) => queue.add(OWNER_JOB, { owner }, ownerJobOptions(owner));
  return { ...bench, queue, add };
}

/** Works the queue until the test ends; resolves to the runs so far, as `owner: step`. */
function work({ own, deps }: OwnerBench, changed: Partial<OwnerRunDeps> = {}, concurrency = 1): string[] {
  const runs: string[] = [];
  const processor = createOwnerProcessor({ ...deps, ...changed }, (owner, { next }) =>
    runs.push(`${owner.split('/').at(-1)}: ${next.step}`),
  );
  const worker = new Worker<OwnerJobData>(OWNER_QUEUE, processor, {
    connection: own.redis,
    prefix: own.names.prefix,
    concurrency,
  });
  worker.on('error', () => undefined);
  onTestFinished(() => worker.close());
  return runs;
}

describe("an owner's job", () => {
  it('completes when nothing is left', async () => {
    const bench = await setup();
    const { simulator, user, notify, add, queue, owner } = bench;
    await notify('created', simulator.calendar.create(user, { subject: 'Lunch' }).path.key);
    await add(owner);
    work(bench);
    await eventually(async () => expect(await queue.getJobCounts('completed')).toEqual({ completed: 1 }));
    expect((await queue.getCompleted())[0]?.returnvalue).toMatchObject({
      records: 1,
      next: { step: 'done' },
    });
  });

  it('with more to do goes behind the jobs of others', async () => {
    const bench = await setup({ simulator: { users: 2 } });
    const { simulator, notify, add, queue } = bench;
    const owners = simulator.users().map(({ id }) => id);
    for (const user of owners) {
      for (const subject of ['1', '2', '3']) {
        await notify('created', simulator.calendar.create(user, { subject }).path.key);
      }
    }
    for (const user of owners) await add(`${simulator.tenantId}/users/${user}`);
    const runs = work(bench, { window: 1 });
    await eventually(async () => expect(await queue.getJobCounts('completed')).toEqual({ completed: 2 }));
    const [first, second] = owners;
    expect(runs.slice(0, 3)).toEqual([`${first}: again`, `${second}: again`, `${first}: again`]);
    expect(runs).toHaveLength(6);
  });

  it('is delayed as long as Graph asks, and says so in its progress and its log', async () => {
    const bench = await setup();
    const { simulator, user, notify, add, queue, owner } = bench;
    simulator.faults.add({ status: 429, headers: { 'retry-after': '60' } });
    await notify('created', simulator.calendar.create(user, { subject: 'Lunch' }).path.key);
    const { id } = await add(owner);
    work(bench);
    await eventually(async () => expect(await queue.getJobCounts('delayed')).toEqual({ delayed: 1 }));
    const [job] = await queue.getDelayed();
    expect(job?.id).toBe(id);
    expect(job?.delay).toBeGreaterThan(59_000);
    expect(job?.delay).toBeLessThan(67_000);
    expect(job?.progress).toMatchObject({ next: { step: 'delay' }, records: 0 });
    expect((await queue.getJobLogs(id ?? '')).logs).toEqual([
      expect.stringMatching(/the owner waits until .*: throttled/),
    ]);
    expect(job?.attemptsMade).toBe(0);
  });

  it('completes when the rest waits, so that it does not hold back fresh news', async () => {
    const bench = await setup();
    const { simulator, user, notify, add, queue, owner, own, events } = bench;
    simulator.faults.add({ kind: 'early404', path: /AAMk-early/ });
    await notify('created', `users/${user}/events/AAMk-early`);
    await add(owner);
    work(bench);
    await eventually(async () => expect(await queue.getJobCounts('completed')).toEqual({ completed: 1 }));
    expect((await queue.getCompleted())[0]?.progress).toMatchObject({ next: { step: 'later' }, waiting: 1 });

    await notify('created', simulator.calendar.create(user, { subject: 'fresh' }).path.key);
    await add(owner);
    await eventually(async () => expect(await events()).toMatchObject([{ data: { subject: 'fresh' } }]));
    simulator.seed(`users/${user}/events/AAMk-early`, { subject: 'early' });
    await bringForward(own, owner);
    await add(owner);
    await eventually(async () => expect(await events()).toHaveLength(2));
  });

  it('is there again for what came while it was active', async () => {
    const bench = await setup({ simulator: { graphLatencyMs: 50 } });
    const { simulator, user, notify, add, owner, events, own } = bench;
    work(bench, {}, 4);
    const { path } = simulator.calendar.create(user, { subject: '0' });
    for (let i = 1; i <= 20; i++) {
      simulator.calendar.update(path.key, { subject: String(i) });
      await notify('updated', path.key);
      await add(owner);
    }
    await eventually(async () => expect((await events()).at(-1)?.data.subject).toBe('20'));
    await eventually(async () => expect(await own.inbox.countOwners()).toBe(0));
    expect(simulator.maxConcurrent(`users/${user}`)).toBe(1);
  });

  it('that was moved behind others still lets fresh news bring it about', async () => {
    const bench = await setup();
    const { simulator, user, notify, add, owner, own, queue } = bench;
    work(bench, { window: 1 }, 2);
    for (let i = 0; i < 15; i++) {
      await notify('created', simulator.calendar.create(user, { subject: String(i) }).path.key);
      await add(owner);
    }
    await eventually(async () => expect(await own.inbox.countOwners()).toBe(0));
    await eventually(async () =>
      expect(await queue.getJobCounts('waiting', 'active', 'delayed', 'failed')).toEqual({
        waiting: 0,
        active: 0,
        delayed: 0,
        failed: 0,
      }),
    );
  });
});

describe('a job that has lost its data', () => {
  it('fails for people to see, and is not tried again', async () => {
    const bench = await setup();
    const { queue } = bench;
    await queue.add(OWNER_JOB, {} as OwnerJobData, ownerJobOptions('x'));
    const runs = work(bench);
    await eventually(async () => expect(await queue.getJobCounts('failed')).toEqual({ failed: 1 }));
    expect((await queue.getFailed())[0]).toMatchObject({
      failedReason: expect.stringContaining('names no owner'),
      attemptsMade: 1,
    });
    expect(runs).toEqual([]);
  });

  it('is never counted as completed, not even where all of it is gone; the next job is worked', async () => {
    const bench = await setup();
    const { queue, add, own, owner, simulator, user, notify, events } = bench;
    const gone = await add('gone');
    await own.redis.del(`${own.names.prefix}:${OWNER_QUEUE}:${gone.id}`);
    await notify('created', simulator.calendar.create(user, { subject: 'Lunch' }).path.key);
    await add(owner);
    const runs = work(bench);
    await eventually(async () => expect(await events()).toHaveLength(1));
    await eventually(async () => expect(await queue.getJobCounts('completed')).toEqual({ completed: 1 }));
    expect(runs).toEqual([`${user}: done`]);
  });
});

describe('a run that ends in an unforeseen error', () => {
  it('is tried again by BullMQ within seconds', async () => {
    const bench = await setup();
    const { simulator, user, notify, add, owner, events, deps } = bench;
    await notify('created', simulator.calendar.create(user, { subject: 'Lunch' }).path.key);
    await add(owner);
    let failures = 0;
    work(bench, {
      loadViews: async () => {
        if (failures++ === 0) throw new TypeError('planted');
        return deps.loadViews([], '');
      },
    });
    await eventually(async () => expect(await events()).toHaveLength(1), { timeoutMs: 5000 });
    expect(failures).toBe(2);
  });
});
