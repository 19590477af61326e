/** A receiver and its Redis, each a process, and nothing else: what lies between Graph's POST and the 202. */
import { join } from 'node:path';
import {
  RedisServer,
  type RedisServerOptions,
  type Service,
  type StackSettings,
  startReceiver,
} from '@graph2kafka/test-harness';

export type ReceiverOnRedisOptions = {
  /** Redis keeps its file in a folder of this. */
  readonly dir: string;
  readonly redis?: Omit<RedisServerOptions, 'dir'>;
  /** Of the receiver. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly onProgress?: (text: string) => void;
};

export type ReceiverOnRedis = {
  readonly redis: RedisServer;
  readonly receiver: Service;
};

const READY_WITHIN_MS = 15_000;

/** Resolves when the receiver would store what it is sent. Both end with `cleanup`, the receiver first. */
export async function startReceiverOnRedis(
  { dir, redis: redisOptions, environment, onProgress }: ReceiverOnRedisOptions,
  cleanup: AsyncDisposableStack,
): Promise<ReceiverOnRedis> {
  const progress = onProgress && { onProgress };
  const redis = cleanup.use(
    await RedisServer.start({ dir: join(dir, 'redis'), ...progress, ...redisOptions }),
  );
  const receiver = await startReceiver(settingsFor(redis.url), { NODE_ENV: 'production', ...environment });
  cleanup.defer(async () => void (await receiver.process.stop()));
  await receiver.process.waitUntil(async () => (await fetch(`${receiver.url}/readyz`)).ok, {
    timeoutMs: READY_WITHIN_MS,
  });
  return { redis, receiver };
}

/** A receiver uses no more of them than Redis. */
function settingsFor(redisUrl: string): StackSettings {
  return {
    redisUrl,
    brokers: '',
    redisPrefix: 'bench',
    topic: '',
    deadLetterTopic: '',
    graph: { url: '', caFile: '', tenantId: '', clientId: '', clientSecret: '' },
  };
}
