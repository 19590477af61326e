/**
 * What lies in the inboxes, read by Redis itself and not by the product: each inbox is a hash of packs
 * (MessagePack), a pack's entries hold how often something was said and the news as JSON. Taking removes all of it.
 */
import { requestRedis } from '../faults/redis-request.ts';

export type StoredNews = {
  readonly owner: string;
  readonly resource: string;
  /** Notifications that it stands for. */
  readonly count: number;
  readonly kind: string;
  /** Of what cannot be read. */
  readonly reason: string;
  /** As it is stored. */
  readonly json: string;
};

const TAKE = `
local found, prefix = {}, ARGV[1] .. ':inbox:'
for _, key in ipairs(redis.call('KEYS', ARGV[1] .. ':*')) do
  if string.sub(key, 1, #prefix) == prefix then
    local hash = redis.call('HGETALL', key)
    for i = 1, #hash, 2 do
      if string.sub(hash[i], 1, 1) ~= '#' then
        for _, entry in ipairs(cmsgpack.unpack(hash[i + 1]).e) do
          found[#found + 1] = { string.sub(key, #prefix + 1), hash[i], entry[7], entry[10] }
        end
      end
    end
  end
  redis.call('DEL', key)
end
return found`;

/** `prefix` as in REDIS_PREFIX; nobody else may write meanwhile. */
export async function takeStoredNews(redisUrl: string, prefix: string): Promise<StoredNews[]> {
  const port = Number(new URL(redisUrl).port);
  const found = await requestRedis(port, 'EVAL', TAKE, '0', `{${prefix}-0}`);
  return (found as [string, string, number, string][]).map(([owner, resource, count, latin1]) => {
    const json = Buffer.from(latin1, 'latin1').toString('utf8');
    const { kind, reason = '' } = JSON.parse(json) as { kind: string; reason?: string };
    return { owner, resource, count, kind, reason, json };
  });
}

export function countOf(news: readonly StoredNews[], isWanted: (one: StoredNews) => boolean): number {
  return news.filter(isWanted).reduce((sum, { count }) => sum + count, 0);
}
