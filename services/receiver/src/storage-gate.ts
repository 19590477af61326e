/**
 * Whether Redis can be trusted with one more notification: connected, durable as promised, and with memory left for
 * the workers, whose scripts need some too (a Redis at `maxmemory` stops consumption as well: measured).
 */
import {
  durabilityProblems,
  type Logger,
  memoryShare,
  placeProblems,
  type QueueNames,
  type RedisDurability,
} from '@graph2kafka/shared';
import type { Redis } from 'ioredis';

/** Refuse from here on … */
const HIGH_WATER = 0.7;
/** … until it has fallen below this; the gap keeps the answer from flapping. */
const LOW_WATER = 0.6;
const MEMORY_CHECK_MS = 1000;
const DURABILITY_CHECK_MS = 60_000;

export type StorageGate = {
  /** Why nothing may be accepted now; `undefined` when it may. */
  refusal(): string | undefined;
  close(): void;
};

/** `onUnfitAtStart` is told what is wrong with the Redis that was met first: that is for its operator to mend. */
export function createStorageGate(
  redis: Redis,
  names: QueueNames,
  durability: RedisDurability,
  log: Logger,
  onUnfitAtStart: (problems: readonly string[]) => void,
): StorageGate {
  let problems: readonly string[] | undefined;
  let full = false;
  let seen = false;

  async function checkDurability(): Promise<void> {
    const found = [...(await placeProblems(redis, names)), ...(await durabilityProblems(redis, durability))];
    if (found.length > 0 && !seen) onUnfitAtStart(found);
    seen = true;
    if (found.length > 0 && problems?.length !== found.length)
      log.error({ problems: found }, 'redis.not-durable');
    problems = found;
  }

  async function checkMemory(): Promise<void> {
    const share = await memoryShare(redis);
    const nowFull = share >= (full ? LOW_WATER : HIGH_WATER);
    if (nowFull !== full) log.warn({ share, full: nowFull }, 'redis.memory-high-water');
    full = nowFull;
  }

  /** A failed look changes nothing: the connection's state says that Redis is away. */
  const quietly = (check: () => Promise<unknown>) => () => {
    if (redis.status === 'ready')
      check().catch((error: unknown) => log.warn({ err: error }, 'redis.check-failed'));
  };
  // Settings that Redis could not tell when it connected keep the gate shut, so they are asked for again soon.
  const look = () => (problems === undefined ? checkDurability().then(checkMemory) : checkMemory());
  const memoryTimer = setInterval(quietly(look), MEMORY_CHECK_MS);
  const durabilityTimer = setInterval(quietly(checkDurability), DURABILITY_CHECK_MS);
  // A Redis that comes back may be another one, or the same with other settings.
  redis.on('ready', quietly(checkDurability));
  redis.on('ready', quietly(checkMemory));
  redis.on('close', () => {
    problems = undefined;
  });

  return {
    refusal() {
      if (redis.status !== 'ready') return `Redis is not connected (${redis.status})`;
      if (problems === undefined) return 'the settings of Redis are not known yet';
      if (problems.length > 0) return problems[0];
      return full ? `Redis uses ${HIGH_WATER * 100} % of its memory or more` : undefined;
    },
    close() {
      clearInterval(memoryTimer);
      clearInterval(durabilityTimer);
    },
  };
}
