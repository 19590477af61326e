/**
 * Whether Redis keeps what it confirms. A 202 is worth as much as this: with `appendfsync everysec` a kill lost up
 * to 10,678 acknowledged notifications in measurements, without an append-only file up to 179,078.
 */
import type { Redis } from 'ioredis';
import type { QueueNames } from './owner-queue.ts';

export type RedisDurability =
  /** Append-only file written and synced before each answer, nothing evicted: verified. */
  | 'strict'
  /** As many replicas as asked for have confirmed each write (`WAIT`). */
  | 'replicated'
  /** A managed Redis that hides its configuration: its operator's word is taken. */
  | 'declared';

const REQUIRED = [
  ['appendonly', 'yes'],
  ['appendfsync', 'always'],
  // `yes` would suspend the syncing for as long as the file is rewritten.
  ['no-appendfsync-on-rewrite', 'no'],
  ['maxmemory-policy', 'noeviction'],
] as const;

/** Settings of this Redis that break the promise, in words with the cure; empty when all is well. */
export async function durabilityProblems(redis: Redis, level: RedisDurability): Promise<string[]> {
  if (level === 'declared') return [];
  const required = level === 'strict' ? REQUIRED : REQUIRED.filter(([name]) => name === 'maxmemory-policy');
  const problems: string[] = [];
  for (const [name, wanted] of required) {
    const actual = await readSetting(redis, name);
    if (actual === undefined) {
      problems.push(
        `Redis hides its setting ${name} (CONFIG GET is not allowed): set REDIS_DURABILITY=declared to take its operator's word`,
      );
    } else if (actual !== wanted) {
      problems.push(
        `Redis has ${name}=${actual}, REDIS_DURABILITY=${level} needs ${wanted}: redis-cli config set ${name} ${wanted}`,
      );
    }
  }
  return problems;
}

/**
 * Whether this server holds our keys: in a cluster each node has a part of all keys, ours are one part, and no
 * connection of ours follows to another node. In words with the cure; empty when all is well.
 */
export async function placeProblems(redis: Redis, { prefix }: QueueNames): Promise<string[]> {
  try {
    await redis.exists(`${prefix}:probe`);
    return [];
  } catch (error) {
    const [, elsewhere] = (error instanceof Error && /^MOVED \d+ (\S+)/.exec(error.message)) || [];
    if (elsewhere === undefined) throw error;
    return [
      `Redis is a cluster, and the node of REDIS_URL does not hold the keys of REDIS_PREFIX (${elsewhere} does): use a Redis, or an endpoint of it, without cluster mode`,
    ];
  }
}

async function readSetting(redis: Redis, name: string): Promise<string | undefined> {
  try {
    const reply = (await redis.config('GET', name)) as string[];
    return reply[1];
  } catch (error) {
    if (error instanceof Error && /unknown command|NOPERM|not allowed/i.test(error.message)) return undefined;
    throw error;
  }
}

/**
 * Share of its memory that Redis uses: of `maxmemory`, or, where that is not set, of the machine's (Redis does not see
 * the limit of a container). 0 where it tells neither.
 */
export async function memoryShare(redis: Redis): Promise<number> {
  const info = await redis.info('memory');
  const read = (field: string) => Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1] ?? 0);
  const limit = read('maxmemory') || read('total_system_memory');
  return limit === 0 ? 0 : read('used_memory') / limit;
}
