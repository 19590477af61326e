/**
 * How far the delta queries of a wanted subscription have got: the token of each collection, as of the last page whose
 * records are confirmed, and the round that is under way. One hash in Redis for each.
 */
import type { QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import type { DeltaState, Round, SavedToken } from './delta-state.ts';

/** What changes; `null` removes. */
export type DeltaChange = {
  readonly round?: Round | null;
  readonly tokens?: Readonly<Record<string, SavedToken | null>>;
};

export type DeltaStore = {
  /** `scope` is a tenant and a wanted subscription, or one that is not ours. */
  load(scope: string): Promise<DeltaState>;
  save(scope: string, change: DeltaChange): Promise<void>;
};

/** No token of Graph is known to live so long; what is no longer wanted goes by itself. */
const LIFE_SECONDS = 90 * 24 * 3600;

const ROUND = 'round';
const TOKEN = 'token:';

export function createDeltaStore(redis: Redis, names: QueueNames): DeltaStore {
  const keyOf = (scope: string) => `${names.prefix}:delta:${scope}`;
  return {
    async load(scope) {
      const { [ROUND]: round, ...others } = await redis.hgetall(keyOf(scope));
      const tokens = Object.entries(others).flatMap(([field, json]): [string, SavedToken][] =>
        field.startsWith(TOKEN) ? [[field.slice(TOKEN.length), JSON.parse(json) as SavedToken]] : [],
      );
      return {
        tokens: new Map(tokens),
        round: round === undefined ? undefined : (JSON.parse(round) as Round),
      };
    },
    async save(scope, { round, tokens = {} }) {
      const key = keyOf(scope);
      const changes = Object.entries(tokens).map(([folder, token]) => [`${TOKEN}${folder}`, token] as const);
      const all = round === undefined ? changes : [...changes, [ROUND, round] as const];
      const transaction = redis.multi();
      for (const [field, value] of all) {
        if (value === null) transaction.hdel(key, field);
        else transaction.hset(key, field, JSON.stringify(value));
      }
      const replies = await transaction.expire(key, LIFE_SECONDS).exec();
      const failed = replies?.find(([error]) => error !== null)?.[0];
      if (!replies || failed) throw failed ?? new Error('Redis took none of the transaction');
    },
  };
}
