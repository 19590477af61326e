/**
 * Puts entries into the inboxes of their owners, each owner with a job, as the receiver does: from there on they are
 * news like any other.
 */
import {
  connectFailFast,
  createInbox,
  type InboxEntry,
  memoryShare,
  OWNER_JOB,
  OWNER_QUEUE,
  ownerJobOptions,
  queueNames,
} from '@graph2kafka/shared';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { type RedisPlace, untilReady } from './redis-place.ts';

export type Appended = {
  /** Workers that are connected under the prefix; undefined where Redis does not tell. */
  readonly workers: number | undefined;
};

/** Some entries are in their inboxes, the others are not; all of them can be appended again. */
export class AppendError extends Error {
  override readonly name = 'AppendError';
  readonly appended: number;

  constructor(appended: number, message: string, options?: ErrorOptions) {
    super(message, options);
    this.appended = appended;
  }
}

/** Entries of one step: some 20 ms of Redis, which receivers wait for as well. */
const STEP = 500;
/** From there on the receiver refuses Graph's own notifications, so that workers have the rest. */
const MEMORY_HIGH_WATER = 0.7;

/** Rejects with an `AppendError`. */
export async function appendEntries(place: RedisPlace, entries: readonly InboxEntry[]): Promise<Appended> {
  let lastProblem: Error | undefined;
  const redis = connectFailFast(place.REDIS_URL, (error) => {
    lastProblem = error;
  });
  const names = queueNames(place.REDIS_PREFIX);
  const queue = new Queue(OWNER_QUEUE, {
    connection: redis,
    prefix: names.prefix,
    skipMetasUpdate: true,
    skipVersionCheck: true,
    skipWaitingForReady: true,
  });
  // BullMQ repeats the errors of the connection.
  queue.on('error', () => undefined);
  try {
    await untilReady(redis, place.REDIS_URL, () => lastProblem).catch((error: Error) => {
      throw new AppendError(0, error.message, { cause: error });
    });
    const inbox = createInbox(redis, names);
    for (let done = 0; done < entries.length; done += STEP) {
      const step = entries.slice(done, done + STEP);
      await appendStep(redis, queue, inbox.append, step).catch((error: Error) => {
        throw new AppendError(done, error.message, { cause: error });
      });
    }
    return { workers: await countWorkers(queue) };
  } finally {
    await queue.close().catch(() => undefined);
    redis.disconnect();
  }
}

async function appendStep(
  redis: Redis,
  queue: Queue,
  append: (owner: string, entries: readonly InboxEntry[]) => Promise<number>,
  step: readonly InboxEntry[],
): Promise<void> {
  const share = await memoryShare(redis);
  if (share > MEMORY_HIGH_WATER) {
    const percent = Math.round(share * 100);
    throw new Error(`Redis is ${percent} % full, and the rest belongs to the workers`);
  }
  const byOwner = Map.groupBy(step, ({ owner }) => owner);
  await Promise.all([...byOwner].map(([owner, entries]) => append(owner, entries)));
  await queue.addBulk(
    [...byOwner.keys()].map((owner) => ({ name: OWNER_JOB, data: { owner }, opts: ownerJobOptions(owner) })),
  );
}

/** By the list of connections, which managed Redis may hide. */
async function countWorkers(queue: Queue): Promise<number | undefined> {
  try {
    const workers = await queue.getWorkers();
    return workers.every(({ name }) => name !== undefined && name !== '') ? workers.length : undefined;
  } catch {
    return undefined;
  }
}
