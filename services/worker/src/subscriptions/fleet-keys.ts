/** Where in Redis lies what is known of the subscriptions, and a connection that has the scripts for it. */
import type { QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import { fleetScripts } from './fleet-scripts.ts';

export type FleetKeys = ReturnType<typeof fleetKeys>;

export function fleetKeys({ prefix }: QueueNames) {
  return {
    /** Hash: id → subscription. */
    subscriptions: `${prefix}:subscriptions`,
    /** Hash: id → demand. */
    demands: `${prefix}:subscription-demands`,
    /** Hash: wish → ids. */
    byWish: `${prefix}:subscriptions-by-wish`,
    /** Sorted set: wish, by when it is to be looked at. */
    due: `${prefix}:subscriptions-due`,
    /** Hash: wish → why it is not served. */
    troubles: `${prefix}:subscription-troubles`,
    /** Hash: wish → a subscription that was asked for and not heard of. */
    intents: `${prefix}:subscription-intents`,
    /** Hash: `serving {tenant} {secret}`, `replaced {tenant} {secret}`, `trouble {reason}` → how many. */
    counts: `${prefix}:subscription-counts`,
    /** Hash of `FleetState`. */
    state: `${prefix}:subscription-state`,
    progress: `${prefix}:subscription-progress`,
    lease: `${prefix}:subscription-lease`,
    generation: `${prefix}:generation`,
  };
}

type Script = (...args: (string | number)[]) => Promise<number>;

export type FleetRedis = Redis & {
  readonly [name in Exclude<keyof typeof fleetScripts, 'g2kLookAtFleet'>]: Script;
} & {
  g2kLookAtFleet(
    ...args: (string | number)[]
  ): Promise<[state: string[], generation: string | null, due: string[]]>;
};

export function withFleetScripts(connection: Redis): FleetRedis {
  for (const [name, script] of Object.entries(fleetScripts)) {
    if (!(name in connection)) connection.defineCommand(name, script);
  }
  return connection as FleetRedis;
}

/** In pages: a large hash read at once would hold up everybody else. */
export async function readHash(redis: Redis, key: string): Promise<Map<string, string>> {
  const all = new Map<string, string>();
  let cursor = '0';
  do {
    const [next, page] = await redis.hscan(key, cursor, 'COUNT', 1000);
    for (let i = 0; i < page.length; i += 2) all.set(page[i] ?? '', page[i + 1] ?? '');
    cursor = next;
  } while (cursor !== '0');
  return all;
}
