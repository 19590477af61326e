// An inbox under a prefix of its own in the run's Redis, a look at its keys, and entries to put into it.
import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { inject } from 'vitest';
import {
  type Begun,
  type ChangeType,
  createInbox,
  type Inbox,
  type InboxEntry,
  type QueueNames,
  queueNames,
  type TakenResource,
} from '../src/index.ts';

export interface InboxOnRedis extends AsyncDisposable {
  readonly inbox: Inbox;
  readonly redis: Redis;
  readonly names: QueueNames;
  /** All keys under the prefix. */
  readonly keys: () => Promise<string[]>;
  /** Milliseconds of Redis's clock since 1970. */
  readonly now: () => Promise<number>;
  /** When the index says that the owner next has work. */
  readonly indexScore: (owner: string) => Promise<number | undefined>;
}

/** `mostResources`: how many one owner may have news of. */
export function inboxOnRedis(mostResources?: number): InboxOnRedis {
  const redis = new Redis(inject('redisUrl'));
  const names = queueNames(`test-${randomUUID()}`);
  const keys = () => scan(redis, `${names.prefix}:*`);
  return {
    inbox: createInbox(redis, names, mostResources),
    redis,
    names,
    keys,
    now: async () => {
      const [seconds, microseconds] = await redis.time();
      return Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
    },
    indexScore: async (owner) => {
      const score = await redis.zscore(`${names.prefix}:index`, owner);
      return score === null ? undefined : Number(score);
    },
    [Symbol.asyncDispose]: async () => {
      const left = await keys();
      if (left.length > 0) await redis.del(left);
      redis.disconnect();
    },
  };
}

async function scan(redis: Redis, pattern: string): Promise<string[]> {
  const found: string[] = [];
  for await (const page of redis.scanStream({ match: pattern, count: 1000 }))
    found.push(...(page as string[]));
  return found.toSorted();
}

export const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
export const OWNER = `${TENANT}/users/u`;

export interface EntryOptions {
  readonly owner?: string;
  readonly subscription?: string;
  readonly receivedAt?: number;
  /** Tells notifications apart. */
  readonly id?: string;
}

/** A change of event `name` of the owner's calendar. */
export function entry(
  name: string,
  changeType: ChangeType = 'updated',
  options: EntryOptions = {},
): InboxEntry {
  const { owner = OWNER, subscription = 'subscription-1', receivedAt = 1000, id } = options;
  return {
    owner,
    resource: `users/u/events/${name}`,
    receivedAt,
    news: {
      kind: 'change',
      tenantId: TENANT,
      subscriptionId: subscription,
      changeType,
      resource: `Users/u/Events/${name}`,
      ...(id === undefined ? {} : { notificationId: id }),
    },
  };
}

/** A lifecycle notification of the owner's subscription. */
export function lifecycle(lifecycleEvent: string): InboxEntry {
  const news = {
    kind: 'lifecycle',
    tenantId: TENANT,
    subscriptionId: 'subscription-1',
    lifecycleEvent,
  } as const;
  return { owner: OWNER, resource: `lifecycle/${lifecycleEvent}`, receivedAt: 1000, news };
}

/** The resources of a run; fails where none began. */
export function resourcesOf(begun: Begun): readonly TakenResource[] {
  if (begun.state !== 'run') throw new Error(`no run began: ${begun.state}`);
  return begun.resources;
}

/** Settles all that was taken. */
export const allDone = (resources: readonly TakenResource[]) =>
  resources.map(({ resource, entries }) => ({ resource, doneSeqs: entries.map(({ seq }) => seq) }));
