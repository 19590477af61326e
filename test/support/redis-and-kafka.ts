/**
 * One Redis and one Kafka for the whole run, thrown away after it; REDIS_URL and KAFKA_BROKERS name existing ones
 * instead. Each test keeps to a prefix and topics of its own. Tests that hurt a server start one for themselves.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaBroker, RedisServer } from '@graph2kafka/test-harness';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    readonly redisUrl: string;
    readonly kafkaBrokers: string;
  }
}

export default async function start(project: TestProject): Promise<() => Promise<void>> {
  const { REDIS_URL, KAFKA_BROKERS } = process.env;
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-test-'));
  const say = (text: string) => process.stdout.write(`${text}\n`);
  const redis = REDIS_URL ? undefined : await RedisServer.start({ dir: join(dir, 'redis'), onProgress: say });
  const kafka = KAFKA_BROKERS
    ? undefined
    : await KafkaBroker.start({ dir: join(dir, 'kafka'), onProgress: say });
  project.provide('redisUrl', REDIS_URL ?? redis?.url ?? '');
  project.provide('kafkaBrokers', KAFKA_BROKERS ?? kafka?.brokers ?? '');
  return async () => {
    await Promise.all([redis?.stop(), kafka?.stop()]);
    await rm(dir, { recursive: true, force: true });
  };
}
