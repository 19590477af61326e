/** Everything that a Redis holds under keys of a pattern, as text: what jobs, their logs and results, inboxes and stores carry. */
import type { connectPatient } from '@graph2kafka/shared';

type Redis = ReturnType<typeof connectPatient>;

export async function dumpRedis(redis: Redis, pattern = '*'): Promise<string> {
  const texts: string[] = [];
  for await (const page of redis.scanStream({ count: 1000, match: pattern })) {
    for (const key of page as string[]) texts.push(`${key} ${await contentOf(redis, key)}`);
  }
  return texts.join('\n');
}

async function contentOf(redis: Redis, key: string): Promise<string> {
  switch (await redis.type(key)) {
    case 'hash':
      return Object.entries(await redis.hgetall(key)).join('\n');
    case 'list':
      return (await redis.lrange(key, 0, -1)).join('\n');
    case 'set':
      return (await redis.smembers(key)).join('\n');
    case 'zset':
      return (await redis.zrange(key, '0', '-1')).join('\n');
    case 'stream':
      return JSON.stringify(await redis.xrange(key, '-', '+'));
    default:
      return (await redis.get(key)) ?? '';
  }
}
