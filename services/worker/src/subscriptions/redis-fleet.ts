/** What is known of the subscriptions, in Redis, and the lease under which one process at a time changes it. */
import { randomUUID } from 'node:crypto';
import type { QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import {
  type Fleet,
  type FleetCounts,
  type FleetLook,
  type FleetState,
  type HeldFleet,
  LeaseLostError,
  type Progress,
  type WishRecord,
} from './fleet.ts';
import { type FleetKeys, type FleetRedis, fleetKeys, readHash, withFleetScripts } from './fleet-keys.ts';
import {
  createSubscriptionWrites,
  type KnownSubscription,
  readMany,
  readSubscription,
} from './subscription-store.ts';
import type { TroubleReason } from './troubles.ts';

/** A killed holder keeps others from it for so long. */
const LEASE_MS = 30_000;
const PROLONG_EVERY_MS = LEASE_MS / 3;
/** Before its end nothing more is asked of Graph: a change takes 10 s at most, signing in included (`subscriptions-api.ts`). */
const LEASE_MARGIN_MS = 12_000;
/** Arguments of one call; Lua takes some thousand. */
const SLICE = 1000;

export function createRedisFleet(
  connection: Redis,
  names: QueueNames,
  now: () => number,
  leaseMs = LEASE_MS,
): Fleet {
  const redis = withFleetScripts(connection);
  const keys = fleetKeys(names);
  const reading = createReading(redis, keys);
  return {
    ...reading,
    async hold() {
      const token = randomUUID();
      const askedAt = performance.now();
      const taken = await redis.set(keys.lease, token, 'PX', leaseMs, 'NX');
      if (taken !== 'OK') return undefined;
      const lease = keepLease(redis, keys, token, { askedAt, leaseMs });
      return createHeldFleet({ redis, keys, token, now, lease, reading });
    },
    async progress() {
      const text = await redis.get(keys.progress);
      return text === null ? undefined : (JSON.parse(text) as Progress);
    },
    async next(limit) {
      const wishes = await redis.zrange(keys.due, '0', String(limit - 1));
      return (await readRecords(redis, keys, wishes)).flatMap(({ subscriptions }) => subscriptions);
    },
  };
}

type Reading = Pick<Fleet, 'look' | 'counts'>;

function createReading(redis: FleetRedis, keys: FleetKeys): Reading {
  return {
    async look(at, limit) {
      return readLook(
        await redis.g2kLookAtFleet(keys.state, keys.generation, keys.due, Math.floor(at), limit),
      );
    },
    counts: async () => readCounts(await redis.hgetall(keys.counts)),
  };
}

function readLook([fields, generation, due]: [string[], string | null, string[]]): FleetLook {
  const state: Record<string, unknown> = {};
  for (let i = 0; i < fields.length; i += 2) state[fields[i] ?? ''] = JSON.parse(fields[i + 1] ?? 'null');
  return { state: { ...(state as FleetState), ...(generation !== null && { generation }) }, due };
}

function readCounts(fields: Readonly<Record<string, string>>): FleetCounts {
  const all = Object.entries(fields).map(([name, count]) => [name.split(' '), Number(count)] as const);
  return {
    subscriptions: all.flatMap(([[is, tenantId = '', secret = '-'], count]) =>
      is === 'serving' || is === 'replaced' ? [{ is, tenantId, secret, count }] : [],
    ),
    troubles: Object.fromEntries(
      all.flatMap(([[is, reason = ''], count]) => (is === 'trouble' ? [[reason, count]] : [])),
    ) as Partial<Record<TroubleReason, number>>,
  };
}

type Lease = { isHeld(): boolean; end(): void };

/** Held by the clock that never goes back, from before it was asked for: a process that was stopped knows that it is over. */
function keepLease(
  redis: FleetRedis,
  keys: FleetKeys,
  token: string,
  { askedAt, leaseMs }: { readonly askedAt: number; readonly leaseMs: number },
): Lease {
  const margin = Math.min(LEASE_MARGIN_MS, leaseMs / 3);
  let heldUntil = askedAt + leaseMs - margin;
  async function prolong(): Promise<void> {
    const from = performance.now();
    if ((await redis.g2kProlongLease(keys.lease, token, leaseMs)) === 1) heldUntil = from + leaseMs - margin;
    else end();
  }
  // What Redis does not answer is over when its time is.
  const timer = setInterval(() => prolong().catch(() => undefined), Math.min(PROLONG_EVERY_MS, leaseMs / 3));
  function end(): void {
    clearInterval(timer);
    heldUntil = Number.NEGATIVE_INFINITY;
  }
  return { isHeld: () => performance.now() < heldUntil, end };
}

type HeldDeps = {
  readonly redis: FleetRedis;
  readonly keys: FleetKeys;
  readonly token: string;
  readonly now: () => number;
  readonly lease: Lease;
  readonly reading: Reading;
};

function createHeldFleet({ redis, keys, token, now, lease, reading }: HeldDeps): HeldFleet {
  const check = () => {
    if (!lease.isHeld()) throw new LeaseLostError('another one may reconcile by now');
  };
  const writes = createSubscriptionWrites(redis, keys, token, now);
  const fenced = async (write: () => Promise<unknown>): Promise<void> => {
    check();
    try {
      await write();
    } catch (error) {
      if (error instanceof Error && error.message.startsWith('LEASELOST'))
        throw new LeaseLostError('another one reconciles', { cause: error });
      throw error;
    }
  };
  const setFields = (key: string, anew: boolean, fields: readonly (readonly [string, string])[]) =>
    inSlices(fields, (slice, nth) =>
      fenced(() => redis.g2kSetFields(keys.lease, key, token, anew && nth === 0 ? 1 : 0, ...slice.flat())),
    );
  return {
    ...reading,
    check,
    read: (wishes) => readRecords(redis, keys, wishes),
    async all() {
      const records = await readAllRecords(redis, keys);
      await setFields(keys.byWish, true, indexOf(records));
      await setFields(keys.counts, true, countsOf(records));
      const byId = new Map<string, KnownSubscription>();
      for (const { subscriptions } of records) for (const one of subscriptions) byId.set(one.id, one);
      return { records, byId };
    },
    async find(ids) {
      const found: KnownSubscription[] = [];
      await inSlices(ids, async (slice) => void found.push(...(await readMany(redis, keys, slice))));
      return found;
    },
    countDue: (at) => redis.zcount(keys.due, '-inf', Math.floor(at)),
    save: (subscription) => fenced(() => writes.save(subscription)),
    forget: (id) => fenced(() => writes.remove(id)),
    intend: (wish, intent) =>
      fenced(() => redis.g2kIntend(keys.lease, keys.intents, token, wish, textOf(intent))),
    note: (wish, trouble) =>
      fenced(() =>
        redis.g2kNoteTrouble(keys.lease, keys.troubles, keys.counts, token, wish, textOf(trouble)),
      ),
    async schedule(at) {
      const pairs = [...at].map(([wish, ms]) => [wish, ms === undefined ? '' : Math.floor(ms)] as const);
      await inSlices(pairs, (slice) =>
        fenced(() => redis.g2kScheduleWishes(keys.lease, keys.due, token, ...slice.flat())),
      );
    },
    async setState({ generation, ...changed }) {
      const fields = Object.entries(changed).map(([name, value]) => [name, textOf(value)] as const);
      if (fields.length > 0) await setFields(keys.state, false, fields);
      if (generation !== undefined) await fenced(() => redis.set(keys.generation, generation));
    },
    setProgress: (progress) =>
      fenced(() => (progress ? redis.set(keys.progress, textOf(progress)) : redis.del(keys.progress))),
    async release() {
      lease.end();
      await redis.g2kReleaseLease(keys.lease, token);
    },
  };
}

function textOf(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}

async function inSlices<T>(
  all: readonly T[],
  work: (slice: readonly T[], nth: number) => Promise<void>,
): Promise<void> {
  // An empty hash has to be emptied as well.
  for (let nth = 0; nth === 0 || nth * SLICE < all.length; nth++)
    await work(all.slice(nth * SLICE, (nth + 1) * SLICE), nth);
}

async function readRecords(
  redis: FleetRedis,
  keys: FleetKeys,
  wishes: readonly string[],
): Promise<WishRecord[]> {
  if (wishes.length === 0) return [];
  const [ids, troubles, intents] = await Promise.all([
    redis.hmget(keys.byWish, ...wishes),
    redis.hmget(keys.troubles, ...wishes),
    redis.hmget(keys.intents, ...wishes),
  ]);
  const idsOf = ids.map((text) => (text === null ? [] : (JSON.parse(text) as string[])));
  const known = new Map((await readMany(redis, keys, idsOf.flat())).map((one) => [one.id, one]));
  return wishes.map((wish, nth) => ({
    wish,
    subscriptions: (idsOf[nth] ?? []).flatMap((id) => known.get(id) ?? []),
    ...besides(troubles[nth], intents[nth]),
  }));
}

function besides(trouble: string | null | undefined, intent: string | null | undefined) {
  return {
    ...(trouble && { trouble: JSON.parse(trouble) as NonNullable<WishRecord['trouble']> }),
    ...(intent && { intent: JSON.parse(intent) as NonNullable<WishRecord['intent']> }),
  };
}

/** Some of them, in the order in which they are looked at next; `from` counts from 0. */
export async function readRecordsFrom(
  redis: FleetRedis,
  keys: FleetKeys,
  from: number,
  count: number,
): Promise<WishRecord[]> {
  return readRecords(redis, keys, await redis.zrange(keys.due, String(from), String(from + count - 1)));
}

export async function readAllRecords(redis: FleetRedis, keys: FleetKeys): Promise<WishRecord[]> {
  const [known, demands, troubles, intents, due] = await Promise.all([
    readHash(redis, keys.subscriptions),
    readHash(redis, keys.demands),
    readHash(redis, keys.troubles),
    readHash(redis, keys.intents),
    redis.zrange(keys.due, '0', '-1', 'WITHSCORES'),
  ]);
  const subscriptions = Map.groupBy(
    [...known].map(([id, json]) => readSubscription(json, demands.get(id))),
    ({ wish }) => wish,
  );
  const dueAt = new Map<string, number>();
  for (let i = 0; i < due.length; i += 2) dueAt.set(due[i] ?? '', Number(due[i + 1]));
  const wishes = new Set([subscriptions, troubles, intents, dueAt].flatMap((one) => [...one.keys()]));
  return [...wishes].map((wish) => {
    const at = dueAt.get(wish);
    return {
      wish,
      subscriptions: subscriptions.get(wish) ?? [],
      ...besides(troubles.get(wish), intents.get(wish)),
      ...(at !== undefined && { dueAt: at }),
    };
  });
}

function indexOf(records: readonly WishRecord[]): [string, string][] {
  return records.flatMap(({ wish, subscriptions }) =>
    subscriptions.length === 0 ? [] : [[wish, JSON.stringify(subscriptions.map(({ id }) => id))]],
  );
}

/** As `fleet-scripts.ts` counts them. */
function countsOf(records: readonly WishRecord[]): [string, string][] {
  const counts = new Map<string, number>();
  const add = (name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);
  for (const { subscriptions, trouble } of records) {
    if (trouble) add(`trouble ${trouble.reason}`);
    for (const { replacedAt, tenantId, secret = '-' } of subscriptions)
      add(`${replacedAt === undefined ? 'serving' : 'replaced'} ${tenantId} ${secret}`);
  }
  return [...counts].map(([name, count]) => [name, String(count)]);
}
