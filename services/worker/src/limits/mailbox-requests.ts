/**
 * How often Graph was asked for a mailbox, over all workers: Outlook allows 10,000 requests in 10 minutes of an app for a
 * mailbox (Graph: throttling-limits), and an early retry counts as well. So its owner waits before.
 */
import type { Logger, QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';

export type MailboxRequests = {
  /** Milliseconds until the mailbox may be asked again; 0: now. */
  waitFor(owner: string): Promise<number>;
  /** Does not wait for Redis: what is not counted for its sake is within the margin. */
  count(owner: string, requests: number): void;
};

/**
 * Of Graph's 10,000: a run that has begun asks for up to 1,000 resources (the most that OWNER_WINDOW may be) more.
 */
export const MOST_REQUESTS = 9000;
const MINUTE_MS = 60_000;
/** The current minute, and the ten before: the oldest of these may have lain within the ten minutes in part. */
const MINUTES = 11;
/** Minutes of one key. */
const KEY_MINUTES = 10;

/** Requests by minute since 1970. */
export type RequestsByMinute = ReadonlyMap<number, number>;

/** Milliseconds until fewer than `most` requests were made within the last ten minutes; 0: that is so. Pure. */
export function waitForRoom(requests: RequestsByMinute, now: number, most: number = MOST_REQUESTS): number {
  const minute = Math.floor(now / MINUTE_MS);
  const counted = [...requests].filter(([at]) => at > minute - MINUTES).toSorted(([a], [b]) => a - b);
  let sum = counted.reduce((all, [, count]) => all + count, 0);
  for (const [at, count] of counted) {
    if (sum < most) break;
    sum -= count;
    if (sum < most) return (at + MINUTES) * MINUTE_MS - now;
  }
  return 0;
}

export function createMailboxRequests(
  redis: Redis,
  { prefix }: QueueNames,
  log: Logger,
  { now = Date.now, most = MOST_REQUESTS }: { readonly now?: () => number; readonly most?: number } = {},
): MailboxRequests {
  const keyOf = (owner: string, tenMinutes: number) => `${prefix}:asked:${owner}:${tenMinutes}`;
  const minuteNow = () => Math.floor(now() / MINUTE_MS);
  return {
    async waitFor(owner) {
      if (!hasMailbox(owner)) return 0;
      const tens = Math.floor(minuteNow() / KEY_MINUTES);
      const stored = await Promise.all([tens - 1, tens].map((at) => redis.hgetall(keyOf(owner, at))));
      const byMinute = stored.flatMap((one) => Object.entries(one));
      return waitForRoom(new Map(byMinute.map(([at, count]) => [Number(at), Number(count)])), now(), most);
    },
    count(owner, requests) {
      if (requests === 0) return;
      const minute = minuteNow();
      const key = keyOf(owner, Math.floor(minute / KEY_MINUTES));
      const written = Promise.all([
        redis.hincrby(key, String(minute), requests),
        redis.pexpire(key, (KEY_MINUTES + MINUTES) * MINUTE_MS),
      ]);
      written.catch((error: unknown) => log.warn({ err: error }, 'requests.not-counted'));
    },
  };
}

/** Those of users and groups: `{tenant}/users/{id}`. */
function hasMailbox(owner: string): boolean {
  return /^[^/]*\/(users|groups)\//.test(owner);
}
