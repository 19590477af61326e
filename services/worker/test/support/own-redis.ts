/** A connection to the run's Redis under a prefix of one test's own; keys and connection go with the test. */
import { randomUUID } from 'node:crypto';
import { connectPatient, createInbox, type Inbox, type QueueNames, queueNames } from '@graph2kafka/shared';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import { inject, onTestFinished } from 'vitest';

export type OwnRedis = {
  readonly redis: Redis;
  readonly names: QueueNames;
  readonly inbox: Inbox;
  /** The same inbox, as a receiver with this limit writes to it. */
  boundedInbox(mostResources: number): Inbox;
  openQueue<Data>(name: string): Queue<Data>;
};

export function ownRedis(url = inject('redisUrl')): OwnRedis {
  const names = queueNames(`t${randomUUID().slice(0, 13)}`);
  const redis = connectPatient(url, () => undefined);
  onTestFinished(async () => {
    await removeKeys(redis, names.prefix);
    redis.disconnect();
  });
  return {
    redis,
    names,
    inbox: createInbox(redis, names),
    boundedInbox: (mostResources) => createInbox(redis, names, mostResources),
    openQueue<Data>(name: string): Queue<Data> {
      const queue = new Queue<Data>(name, { connection: redis, prefix: names.prefix });
      queue.on('error', () => undefined);
      onTestFinished(() => queue.close());
      return queue;
    },
  };
}

async function removeKeys(redis: Redis, prefix: string): Promise<void> {
  const keys = await redis.keys(`${prefix}*`);
  if (keys.length > 0) await redis.del(...keys);
}

/** Ends what is paused, as an operator does who has mended its cause and cannot wait. */
export async function endPauses({ redis, names }: OwnRedis): Promise<void> {
  await redis.del(`${names.prefix}:pauses`);
}

/** Brings the due time of everything that an owner waits for forward to now: what a test cannot wait 30 s for. */
export async function bringForward({ redis, names }: OwnRedis, owner: string): Promise<void> {
  const key = `${names.prefix}:due:${owner}`;
  for (const resource of await redis.zrange(key, '0', '-1')) await redis.zadd(key, '0', resource);
}
