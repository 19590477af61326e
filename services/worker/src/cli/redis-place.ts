/** The Redis of receiver and worker, as a command reaches it: soon, or not at all. */
import type { Redis } from 'ioredis';

export type RedisPlace = { readonly REDIS_URL: string; readonly REDIS_PREFIX: string };

export class RedisAwayError extends Error {
  override readonly name = 'RedisAwayError';
}

const CONNECT_WITHIN_MS = 3000;

/** `lastProblem`: what the connection said last. Rejects with a `RedisAwayError`. */
export async function untilReady(
  redis: Redis,
  url: string,
  lastProblem: () => Error | undefined,
): Promise<void> {
  if (redis.status === 'ready') return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => {
    // The address alone: a Redis URL may hold a password.
    const why = lastProblem()?.message ?? `no answer within ${CONNECT_WITHIN_MS} ms`;
    const host = URL.parse(url)?.host ?? 'REDIS_URL';
    reject(
      new RedisAwayError(`Redis is not reachable at ${host}: ${why}; cure: start it, or correct REDIS_URL`),
    );
  }, CONNECT_WITHIN_MS);
  redis.once('ready', resolve);
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}
