/**
 * Two kinds of connection to Redis, because two kinds of caller want opposite things when it is away.
 *
 * - `connectFailFast`, for a request that Graph waits for: an answer within the command's time limit or an error;
 *   nothing is queued for later, nothing is sent again by itself, since a write that lands after the 503 would
 *   only be a duplicate. No single option gives that (docs/decisions/0003-fail-fast-redis.md).
 * - `connectPatient`, for workers: commands wait for the connection to come back, as BullMQ needs it
 *   (`maxRetriesPerRequest: null`). It has no command time limit: blocking reads live on it.
 */
import { Redis, type RedisOptions } from 'ioredis';

/** Back within half a second of Redis; ioredis and BullMQ wait up to 20 s by default. */
const retryStrategy = (attempt: number): number => Math.min(50 * attempt, 500);

/**
 * A primary that became a replica: reconnecting finds the new one behind the same name. Redis 6.2 wraps the word where
 * a script wanted to write, and all of our writes are scripts.
 */
const reconnectOnError = (error: Error): boolean => error.message.includes('READONLY');

const common = {
  lazyConnect: true,
  connectTimeout: 1000,
  retryStrategy,
  reconnectOnError,
} satisfies RedisOptions;

/** One command may take this long; the receiver's own deadline of 2 s stands above it. */
const COMMAND_TIMEOUT_MS = 1500;

/** Connects in the background; commands fail at once while there is no connection, and after 1.5 s at the latest. */
export function connectFailFast(url: string, onError: (error: Error) => void): Redis {
  return start(
    new Redis(url, {
      ...common,
      enableOfflineQueue: false,
      maxRetriesPerRequest: 0,
      commandTimeout: COMMAND_TIMEOUT_MS,
      autoResendUnfulfilledCommands: false,
    }),
    onError,
  );
}

/**
 * Connects in the background; commands wait until there is a connection. Those without an answer when one was lost are
 * sent again (ioredis' default): without that, and with no limit of retries, ioredis forgets them, and a run that waits
 * for one would hold its owner for ever.
 */
export function connectPatient(url: string, onError: (error: Error) => void): Redis {
  return start(new Redis(url, { ...common, maxRetriesPerRequest: null }), onError);
}

/** Every error of the connection goes to one place; without a listener ioredis would print it. */
function start(redis: Redis, onError: (error: Error) => void): Redis {
  redis.on('error', onError);
  redis.connect().catch(() => undefined);
  return redis;
}
