/**
 * What is known of people, in Redis: so that a restart does not list 100,000 users again, and a Graph that is away
 * changes nobody. By the key of a source: a set of object ids, or a hash of names, and how far reading it has got.
 */
import { randomUUID } from 'node:crypto';
import type { QueueNames } from '@graph2kafka/shared';
import type { ChainableCommander, Redis } from 'ioredis';
import type { GroupMemory } from './follow-group.ts';
import type { PeopleSource } from './people-source.ts';
import type { NameRecord } from './resolve-names.ts';
import type { Skipped } from './wish-source.ts';

/** Times in epoch milliseconds. */
export type SourceState = {
  /** When Graph last told who is in it. */
  readonly readAt?: number;
  /** When it was last asked in vain. */
  readonly triedAt?: number;
  /** Graph asked for rest until then. */
  readonly notBefore?: number;
  /** Why it was in vain. */
  readonly problem?: string;
  /** So many were missing in the last list, which was not believed. */
  readonly doubted?: number;
  readonly skipped?: readonly Skipped[];
  readonly group?: GroupMemory;
};

export type PeopleChange = {
  readonly state: SourceState;
  readonly joined?: readonly string[];
  readonly left?: readonly string[];
  readonly names?: ReadonlyMap<string, NameRecord>;
  readonly namesGone?: readonly string[];
};

type Source = Pick<PeopleSource, 'key'>;

export type PeopleStore = {
  loadState(source: Source): Promise<SourceState>;
  loadIds(source: Source): Promise<Set<string>>;
  loadNames(source: Source): Promise<Map<string, NameRecord>>;
  /** Another text each time that somebody joined or left; `undefined` where nobody has read it. */
  versions(sources: readonly Source[]): Promise<readonly (string | undefined)[]>;
  /** At once, or not at all. `isNews`: others have to load it again. */
  save(source: Source, change: PeopleChange, isNews: boolean): Promise<void>;
};

/** What nobody wants any more goes by itself. */
const LIFE_SECONDS = 90 * 24 * 3600;
/** Arguments of one command: a set of 100,000 is written in a hundred. */
const IDS_AT_ONCE = 1000;

export function createPeopleStore(redis: Redis, { prefix }: QueueNames): PeopleStore {
  const keysOf = ({ key }: Source) => ({
    version: `${prefix}:people:version:${key}`,
    state: `${prefix}:people:state:${key}`,
    ids: `${prefix}:people:ids:${key}`,
    names: `${prefix}:people:names:${key}`,
  });
  return {
    async loadState(source) {
      const json = await redis.get(keysOf(source).state);
      return json === null ? {} : (JSON.parse(json) as SourceState);
    },
    loadIds: async (source) => new Set(await redis.smembers(keysOf(source).ids)),
    async loadNames(source) {
      const fields = Object.entries(await redis.hgetall(keysOf(source).names));
      return new Map(fields.map(([name, json]) => [name, JSON.parse(json) as NameRecord]));
    },
    async versions(sources) {
      if (sources.length === 0) return [];
      const found = await redis.mget(...sources.map((source) => keysOf(source).version));
      return found.map((version) => version ?? undefined);
    },
    async save(source, change, isNews) {
      const { version, state, ids, names } = keysOf(source);
      const transaction = redis.multi().set(state, JSON.stringify(change.state), 'EX', LIFE_SECONDS);
      writeIds(transaction, ids, change);
      writeNames(transaction, names, change);
      if (isNews) transaction.set(version, randomUUID());
      // Together: a version without its people would say that there is nobody.
      for (const key of [version, ids, names]) transaction.expire(key, LIFE_SECONDS);
      const replies = await transaction.exec();
      const failed = replies?.find(([error]) => error !== null)?.[0];
      if (!replies || failed) throw failed ?? new Error('Redis took none of the transaction');
    },
  };
}

function writeIds(transaction: ChainableCommander, key: string, { joined = [], left = [] }: PeopleChange) {
  for (const some of inLots(joined)) transaction.sadd(key, ...some);
  for (const some of inLots(left)) transaction.srem(key, ...some);
}

function writeNames(
  transaction: ChainableCommander,
  key: string,
  { names = new Map(), namesGone = [] }: PeopleChange,
) {
  for (const [name, record] of names) transaction.hset(key, name, JSON.stringify(record));
  for (const some of inLots(namesGone)) transaction.hdel(key, ...some);
}

function inLots(values: readonly string[]): string[][] {
  return Array.from({ length: Math.ceil(values.length / IDS_AT_ONCE) }, (_, i) =>
    values.slice(i * IDS_AT_ONCE, (i + 1) * IDS_AT_ONCE),
  );
}
