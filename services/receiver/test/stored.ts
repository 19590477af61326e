// What lies in Redis after a 202: entries in their owners' inboxes, and the owners that have a job.
import {
  createInbox,
  OWNER_QUEUE,
  type OwnerJobData,
  type QueueNames,
  type TakenResource,
} from '@graph2kafka/shared';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';

export interface Stored {
  /** Owners that have entries, in order of their names. */
  readonly owners: readonly string[];
  /** Owners of the jobs that wait, likewise. */
  readonly jobs: readonly string[];
  readonly resources: readonly TakenResource[];
  /** Notifications that the entries stand for. */
  readonly count: number;
}

const FOR_GOOD_MS = 600_000;

/** Takes everything, so that a second look finds nothing. */
export async function takeStored(redisUrl: string, names: QueueNames): Promise<Stored> {
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const queue = new Queue<OwnerJobData>(OWNER_QUEUE, { connection: redis, prefix: names.prefix });
  try {
    const inbox = createInbox(redis, names);
    const owners = await inbox.claimOverdue(0, FOR_GOOD_MS, 100_000);
    const begun = await Promise.all(owners.map((owner) => inbox.begin(owner, 'test', FOR_GOOD_MS, 100_000)));
    const resources = begun.flatMap((run) => (run.state === 'run' ? run.resources : []));
    const jobs = (await queue.getWaiting(0, -1)).map(({ data }) => data.owner);
    const count = resources.flatMap(({ entries }) => entries).reduce((sum, entry) => sum + entry.count, 0);
    return { owners: owners.toSorted(), jobs: jobs.toSorted(), resources, count };
  } finally {
    await queue.close();
    redis.disconnect();
  }
}

/** Every key under a prefix with all that it holds, as text. */
export async function dumpOf(redis: Redis, pattern: string): Promise<string> {
  const texts: string[] = [];
  for await (const page of redis.scanStream({ match: pattern, count: 1000 })) {
    for (const key of page as string[]) texts.push(`${key} ${await contentOf(redis, key)}`);
  }
  return texts.join('\n');
}

async function contentOf(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'hash':
      return JSON.stringify(Object.entries(await redis.hgetall(key)));
    case 'list':
      return JSON.stringify(await redis.lrange(key, 0, -1));
    case 'set':
      return JSON.stringify(await redis.smembers(key));
    case 'zset':
      return JSON.stringify(await redis.zrange(key, '0', '-1'));
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return (await redis.get(key)) ?? '';
  }
}

export async function removeKeys(redis: Redis, pattern: string): Promise<void> {
  for await (const page of redis.scanStream({ match: pattern, count: 1000 })) {
    if ((page as string[]).length > 0) await redis.del(page as string[]);
  }
}
