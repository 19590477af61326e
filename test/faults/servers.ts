/** Redis and Kafka of a scenario, its own where it hurts them, each behind a proxy where connections are to be hurt. */
import { join } from 'node:path';
import { freePort, KafkaBroker, RedisServer, TcpProxy } from '@graph2kafka/test-harness';

export type ServersOptions = {
  readonly dir: string;
  /** An existing Kafka, which is left alone. */
  readonly brokers: string | undefined;
  readonly proxied: boolean;
};

export type Servers = {
  readonly redis: RedisServer;
  readonly redisDir: string;
  readonly redisProxy: TcpProxy | undefined;
  /** As the services reach it. */
  readonly redisUrl: string;
  readonly kafka: KafkaBroker | undefined;
  readonly kafkaProxy: TcpProxy | undefined;
  /** The direct way, for readers. */
  readonly brokers: string;
  /** As the services reach it. */
  readonly serviceBrokers: string;
};

export async function startServers(
  { dir, brokers, proxied }: ServersOptions,
  cleanup: AsyncDisposableStack,
): Promise<Servers> {
  const redisDir = join(dir, 'redis');
  const redis = cleanup.use(await RedisServer.start({ dir: redisDir }));
  const redisProxy = proxied
    ? cleanup.use(await TcpProxy.start({ target: { port: redis.port } }))
    : undefined;
  const redisUrl = redisProxy ? `redis://127.0.0.1:${redisProxy.port}` : redis.url;
  const ours = { redis, redisDir, redisProxy, redisUrl };
  if (brokers !== undefined) {
    return { ...ours, kafka: undefined, kafkaProxy: undefined, brokers, serviceBrokers: brokers };
  }
  const { kafka, kafkaProxy } = await startKafka(join(dir, 'kafka'), proxied, cleanup);
  const serviceBrokers = kafkaProxy ? `127.0.0.1:${kafkaProxy.port}` : kafka.brokers;
  return { ...ours, kafka, kafkaProxy, brokers: kafka.brokers, serviceBrokers };
}

async function startKafka(dir: string, proxied: boolean, cleanup: AsyncDisposableStack) {
  if (!proxied) return { kafka: cleanup.use(await KafkaBroker.start({ dir })), kafkaProxy: undefined };
  const port = await freePort();
  const kafka = cleanup.use(await KafkaBroker.start({ dir, proxyPort: port }));
  const kafkaProxy = cleanup.use(
    await TcpProxy.start({ port, target: { port: kafka.portBehindProxy as number } }),
  );
  return { kafka, kafkaProxy };
}
