/**
 * Wishes that an operator made at the command line (`g2k create --keep`) and that no file holds: in Redis, and from there on
 * kept like those of subscriptions.yaml.
 */
import type { QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import type { WishSource } from '../people/wish-source.ts';
import type { Wish } from './wanted-subscriptions.ts';

/** No entry of subscriptions.yaml can have a name with a space. */
export const KEPT_PREFIX = 'kept by hand ';

export type KeptByHand = {
  add(wish: Wish): Promise<void>;
  /** Whether there was such a one. */
  remove(key: string): Promise<boolean>;
  /** With these beside its own; still the same array while nothing has changed. */
  with(source: WishSource): WishSource;
};

export function createKeptByHand(redis: Redis, { prefix }: QueueNames): KeptByHand {
  const hash = `${prefix}:subscriptions-kept-by-hand`;
  return {
    add: async (wish) => void (await redis.hset(hash, wish.key, JSON.stringify(wish))),
    remove: async (key) => (await redis.hdel(hash, key)) === 1,
    with(source) {
      let last: { own: readonly Wish[]; text: string; all: readonly Wish[] } | undefined;
      return {
        ...source,
        async current() {
          const own = await source.current();
          const kept = (await redis.hvals(hash)).sort();
          const text = kept.join('\n');
          if (kept.length === 0) return own;
          if (last?.own !== own || last.text !== text)
            last = { own, text, all: [...own, ...kept.map((json) => JSON.parse(json) as Wish)] };
          return last.all;
        },
      };
    },
  };
}
