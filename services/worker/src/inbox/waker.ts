/**
 * Brings back every owner that has had work for a while without a live job: what waited and is due now, and orphans,
 * whose job was lost between append and add, removed by hand, or has failed for good. Whether news is worked
 * depends on the inbox and this, never on a job.
 */
import { type Inbox, type Logger, OWNER_JOB, type OwnerJobData, ownerJobOptions } from '@graph2kafka/shared';
import type { Queue } from 'bullmq';

export type WakerOptions = {
  readonly intervalMs: number;
  /** Owners with a live job are worked within this time in ordinary life, and not worth a look before. */
  readonly overdueMs: number;
  /** Before the same owner is looked at again, by any worker. */
  readonly againInMs: number;
  readonly page: number;
};

/** Small pages, often: a burst of 200 looks held up acknowledgements for some 60 ms. 1,000 owners/s at most. */
export const WAKER_DEFAULTS: WakerOptions = { intervalMs: 250, overdueMs: 1000, againInMs: 5000, page: 25 };

/** One round looks at so many pages at most: a backlog of 100,000 owners must not keep Redis busy with looking. */
const PAGES_PER_ROUND = 10;

/** States in which BullMQ brings the job to a worker by itself. */
const LIVE = new Set(['waiting', 'active', 'delayed', 'prioritized', 'waiting-children', 'paused']);

export type Waker = {
  /**
   * Brings the owner back after so long, or at an earlier time that was planned: sooner than the next look, and no harm
   * if this process ends before.
   */
  wakeIn(owner: string, ms: number): void;
  close(): Promise<void>;
};

export function startWaker(
  inbox: Inbox,
  queue: Queue<OwnerJobData>,
  log: Logger,
  options: WakerOptions = WAKER_DEFAULTS,
): Waker {
  let closed = false;
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> = Promise.resolve();
  const planned = new Map<string, { readonly at: number; readonly timer: NodeJS.Timeout }>();

  const tick = async () => {
    try {
      const woken = await wakeDueOwners(inbox, queue, options);
      if (woken > 0) log.debug({ owners: woken }, 'owner.woken');
    } catch (error) {
      log.warn({ err: error }, 'waker.failed');
    }
    if (!closed) timer = setTimeout(start, options.intervalMs);
  };
  const start = () => {
    round = tick();
  };
  start();
  return {
    wakeIn(owner, ms) {
      const at = performance.now() + ms;
      const other = planned.get(owner);
      if (closed || (other && other.at <= at)) return;
      clearTimeout(other?.timer);
      const wakePlanned = () => {
        planned.delete(owner);
        wake(queue, owner, isUnfinished).catch((error: unknown) => log.warn({ err: error }, 'waker.failed'));
      };
      planned.set(owner, { at, timer: setTimeout(wakePlanned, ms) });
    },
    async close() {
      closed = true;
      clearTimeout(timer);
      for (const { timer: plan } of planned.values()) clearTimeout(plan);
      await round;
    },
  };
}

/** One look at everything that is due, up to 10 pages of it; resolves to the number of jobs added. */
export async function wakeDueOwners(
  inbox: Inbox,
  queue: Queue<OwnerJobData>,
  options: WakerOptions,
): Promise<number> {
  const isLive = (await queue.getWaitingCount()) > CHEAP_SEARCH ? isUnfinished : isInSomeList;
  let woken = 0;
  for (let page = 0; page < PAGES_PER_ROUND; page++) {
    const owners = await inbox.claimOverdue(options.overdueMs, options.againInMs, options.page);
    const added = await Promise.all(owners.map((owner) => wake(queue, owner, isLive)));
    woken += added.filter(Boolean).length;
    if (owners.length < options.page) break;
  }
  return woken;
}

type IsLive = (queue: Queue<OwnerJobData>, jobId: string) => Promise<boolean>;

/**
 * BullMQ finds a job's state by searching its lists: 1 ms of Redis with 100,000 jobs waiting, which made
 * acknowledgements 66 times slower. So with many waiting a job counts as live while its hash says that it has not
 * ended; one that is in no list all the same is found when the backlog is worked.
 */
const CHEAP_SEARCH = 1000;

const isInSomeList: IsLive = async (queue, jobId) => LIVE.has(await queue.getJobState(jobId));

const isUnfinished: IsLive = async (queue, jobId) => {
  const job = await queue.getJob(jobId);
  return job !== undefined && job.finishedOn === undefined;
};

/** Adds a job unless a live one is there. A deduplication key alone proves nothing: its job may be gone. */
async function wake(queue: Queue<OwnerJobData>, owner: string, isLive: IsLive): Promise<boolean> {
  const jobId = await queue.getDeduplicationJobId(owner);
  if (jobId !== null) {
    if (await isLive(queue, jobId)) return false;
    await queue.removeDeduplicationKey(owner);
  }
  await queue.add(OWNER_JOB, { owner }, ownerJobOptions(owner));
  return true;
}
