/** Owners with news and no live job are brought back, whatever has become of their job. */
import {
  type InboxEntry,
  OWNER_JOB,
  OWNER_QUEUE,
  type OwnerJobData,
  ownerJobOptions,
} from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { type Job, type Queue, UnrecoverableError, Worker } from 'bullmq';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { startWaker, WAKER_DEFAULTS, type WakerOptions, wakeDueOwners } from '../../src/inbox/waker.ts';
import { type OwnRedis, ownRedis } from '../support/own-redis.ts';
import { keptLog } from '../support/silent-log.ts';
import { changeNews, EVENT, TENANT, USER } from '../support/taken-entry.ts';

const OWNER = `${TENANT}/users/${USER}`;
const atOnce: WakerOptions = { intervalMs: 20, overdueMs: 0, againInMs: 5000, page: 200 };

const entryOf = (owner: string): InboxEntry => ({
  owner,
  resource: EVENT,
  receivedAt: 1,
  news: changeNews(),
});

type Setup = OwnRedis & {
  readonly queue: Queue<OwnerJobData>;
  add(owner?: string, more?: object): Promise<Job<OwnerJobData>>;
  append(owner?: string): Promise<number>;
  wake(options?: Partial<WakerOptions>): Promise<number>;
};

function setup(): Setup {
  const own = ownRedis();
  const queue = own.openQueue<OwnerJobData>(OWNER_QUEUE);
  return {
    ...own,
    queue,
    add: (owner = OWNER, more = {}) =>
      queue.add(OWNER_JOB, { owner }, { ...ownerJobOptions(owner), ...more }),
    append: (owner = OWNER) => own.inbox.append(owner, [entryOf(owner)]),
    wake: (options = {}) => wakeDueOwners(own.inbox, queue, { ...atOnce, ...options }),
  };
}

/** Takes the next job as a worker does, and leaves it active. */
async function activate({ redis, names }: Setup): Promise<Job> {
  const worker = new Worker(OWNER_QUEUE, null, { connection: redis, prefix: names.prefix, autorun: false });
  worker.on('error', () => undefined);
  onTestFinished(() => worker.close(true));
  const job = await worker.getNextJob('a-token');
  if (!job) throw new Error('no job is waiting');
  return job;
}

const waiting = async ({ queue }: Setup) => (await queue.getWaiting()).map(({ data }) => data.owner);

describe('an owner with news', () => {
  it('and no job is brought back', async () => {
    const it = setup();
    await it.append();
    expect(await it.wake()).toBe(1);
    expect(await waiting(it)).toEqual([OWNER]);
  });

  it('is left alone where its job waits', async () => {
    const it = setup();
    await it.append();
    await it.add();
    expect(await it.wake()).toBe(0);
    expect(await waiting(it)).toEqual([OWNER]);
  });

  it('is left alone where its job is delayed', async () => {
    const it = setup();
    await it.append();
    await it.add(OWNER, { delay: 60_000 });
    expect(await it.wake()).toBe(0);
    expect(await waiting(it)).toEqual([]);
  });

  it('is left alone where its job is active', async () => {
    const it = setup();
    await it.append();
    await it.add();
    await activate(it);
    expect(await it.wake()).toBe(0);
    expect(await waiting(it)).toEqual([]);
  });

  it('is left alone where its job waits in a paused queue', async () => {
    const it = setup();
    await it.append();
    await it.add();
    await it.queue.pause();
    expect(await it.wake()).toBe(0);
    expect(await it.queue.count()).toBe(1);
  });

  it('is brought back where its job has failed for good, and where it has completed', async () => {
    for (const end of ['failed', 'completed'] as const) {
      const it = setup();
      await it.append();
      await it.add();
      const job = await activate(it);
      if (end === 'failed') await job.moveToFailed(new UnrecoverableError('planted'), 'a-token', false);
      else await job.moveToCompleted(null, 'a-token', false);
      expect(await it.wake()).toBe(1);
      expect(await waiting(it)).toEqual([OWNER]);
    }
  });

  it.each([
    ['is all that is left of its job', true],
    ['names a job that is in no list', false],
  ])('is brought back where a deduplication key %s', async (_name, isGone) => {
    const it = setup();
    await it.append();
    const { id } = await it.add();
    const base = `${it.names.prefix}:${OWNER_QUEUE}`;
    await it.redis.del(`${base}:wait`);
    if (isGone) await it.redis.del(`${base}:${id}`);
    expect(await it.queue.getDeduplicationJobId(OWNER)).toBe(id);
    expect(await it.wake()).toBe(1);
    expect(await waiting(it)).toEqual([OWNER]);
  });

  it('is brought back where its job was removed by hand', async () => {
    const it = setup();
    await it.append();
    await (await it.add()).remove();
    expect(await it.wake()).toBe(1);
  });
});

describe('a look at what is due', () => {
  it('is brought back beside a long queue too, where its job was removed, and left alone where it waits', async () => {
    const it = setup();
    await it.queue.addBulk(
      Array.from({ length: 1100 }, (_, i) => ({
        name: OWNER_JOB,
        data: { owner: `o${i}` },
        opts: ownerJobOptions(`o${i}`),
      })),
    );
    const [orphan, waiting] = [`${TENANT}/users/orphan`, `${TENANT}/users/waiting`];
    for (const owner of [orphan, waiting]) {
      await it.append(owner);
      await it.add(owner);
    }
    const jobId = await it.queue.getDeduplicationJobId(orphan);
    await it.redis.del(`${it.names.prefix}:${OWNER_QUEUE}:${jobId}`);
    expect(await it.wake()).toBe(1);
    expect(await it.queue.getDeduplicationJobId(orphan)).not.toBe(jobId);
  });

  it('does not concern itself with news that has just come', async () => {
    const it = setup();
    await it.append();
    expect(await it.wake({ overdueMs: 60_000 })).toBe(0);
    expect(await waiting(it)).toEqual([]);
  });

  it('is not repeated for the same owner by another worker meanwhile', async () => {
    const it = setup();
    await it.append();
    const woken = await Promise.all([it.wake(), it.wake(), it.wake()]);
    expect(woken.toSorted()).toEqual([0, 0, 1]);
    await (await it.queue.getWaiting())[0]?.remove();
    expect(await it.wake()).toBe(0);
  });

  it('does not bring back owners whose news waits for later', async () => {
    const it = setup();
    await it.append();
    await it.inbox.begin(OWNER, 'a-run', 1000, 10);
    await it.inbox.settle(OWNER, 'a-run', [
      { resource: EVENT, doneSeqs: [], wait: { ms: 60_000, countsAsAttempt: true } },
    ]);
    expect(await it.wake()).toBe(0);
  });

  it('goes through all pages', async () => {
    const it = setup();
    const owners = Array.from({ length: 25 }, (_, i) => `${TENANT}/users/${i}`);
    for (const owner of owners) await it.append(owner);
    expect(await it.wake({ page: 10 })).toBe(25);
    expect((await waiting(it)).toSorted()).toEqual(owners.toSorted());
  });

  it('ends after ten pages, and goes on from there the next time', async () => {
    const it = setup();
    for (let i = 0; i < 25; i++) await it.append(`${TENANT}/users/${i}`);
    expect(await it.wake({ page: 2 })).toBe(20);
    expect(await it.wake({ page: 2 })).toBe(5);
  });
});

describe('a waker', () => {
  it('brings orphans back as they appear', async () => {
    const it = setup();
    const waker = startWaker(it.inbox, it.queue, keptLog(), atOnce);
    onTestFinished(() => waker.close());
    await it.append();
    await eventually(async () => expect(await waiting(it)).toEqual([OWNER]));
    await it.append('another/owner');
    await eventually(async () => expect(await waiting(it)).toHaveLength(2));
  });

  it('finds orphans within seconds by its defaults', async () => {
    const it = setup();
    const waker = startWaker(it.inbox, it.queue, keptLog());
    onTestFinished(() => waker.close());
    await it.append();
    await eventually(async () => expect(await waiting(it)).toEqual([OWNER]), { timeoutMs: 5000 });
  });

  it('brings an owner back at a planned time', async () => {
    const it = setup();
    const waker = startWaker(it.inbox, it.queue, keptLog(), { ...WAKER_DEFAULTS, overdueMs: 600_000 });
    onTestFinished(() => waker.close());
    await it.append();
    waker.wakeIn(OWNER, 50);
    waker.wakeIn(OWNER, 50);
    await eventually(async () => expect(await waiting(it)).toEqual([OWNER]));
  });

  it('takes the sooner of two planned times', async () => {
    const it = setup();
    const waker = startWaker(it.inbox, it.queue, keptLog(), { ...WAKER_DEFAULTS, overdueMs: 600_000 });
    onTestFinished(() => waker.close());
    waker.wakeIn(OWNER, 300_000);
    waker.wakeIn(OWNER, 50);
    await eventually(async () => expect(await waiting(it)).toEqual([OWNER]));
  });

  it('goes on after an error', async () => {
    const it = setup();
    const log = keptLog();
    const base = `${it.names.prefix}:index`;
    await it.redis.set(base, 'no index');
    const waker = startWaker(it.inbox, it.queue, log, atOnce);
    onTestFinished(() => waker.close());
    await eventually(() => expect(log.lines.join()).toContain('waker.failed'));
    await it.redis.del(base);
    await it.append();
    await eventually(async () => expect(await waiting(it)).toEqual([OWNER]));
  });

  it('leaves no timer when it is closed, and plans nothing afterwards; closing twice is safe', async () => {
    const it = setup();
    await it.queue.waitUntilReady();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const waker = startWaker(it.inbox, it.queue, keptLog(), atOnce);
    waker.wakeIn(OWNER, 1000);
    expect(vi.getTimerCount()).toBeGreaterThan(0);
    await waker.close();
    await waker.close();
    waker.wakeIn('another/owner', 1000);
    expect(vi.getTimerCount()).toBe(0);
  });
});
