/** What Redis and subscriptions.yaml say of the subscriptions; nobody else is asked. */
import { readFile } from 'node:fs/promises';
import { connectPatient, createLogger, type Logger, type QueueNames, queueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import { WantedSubscriptionsError } from '../../declaration/declaration-error.ts';
import {
  nothingWanted,
  parseSubscriptionsFile,
  type SubscriptionsFile,
} from '../../declaration/read-declaration.ts';
import { createWishSource } from '../../people/create-wish-source.ts';
import type { Directory } from '../../people/directory.ts';
import type { WishSource } from '../../people/wish-source.ts';
import type { Fleet, WishRecord } from '../../subscriptions/fleet.ts';
import { fleetKeys, withFleetScripts } from '../../subscriptions/fleet-keys.ts';
import { createKeptByHand, type KeptByHand } from '../../subscriptions/kept-by-hand.ts';
import { createRedisFleet, readAllRecords } from '../../subscriptions/redis-fleet.ts';
import type { Wish } from '../../subscriptions/wanted-subscriptions.ts';
import { untilReady } from '../redis-place.ts';
import type { KnownSettings } from './subscription-settings.ts';

export type KnownFleet = {
  readonly redis: Redis;
  readonly names: QueueNames;
  /** Says nothing: a command tells its own story. */
  readonly log: Logger;
  readonly file: SubscriptionsFile;
  readonly fleet: Fleet;
  readonly records: () => Promise<WishRecord[]>;
  /** Undefined where there is no subscriptions.yaml. */
  readonly wishes: () => Promise<ReadonlyMap<string, Wish> | undefined>;
  /** `directoryOf`: who is asked about people; nobody without it. */
  readonly wishSource: (directoryOf?: (tenantId: string) => Directory | undefined) => WishSource;
  /** Wishes of the command line. */
  readonly kept: KeptByHand;
  close(): void;
};

/** Rejects with a `RedisAwayError` or a `WantedSubscriptionsError`. */
export async function openKnownFleet(settings: KnownSettings, now: () => number): Promise<KnownFleet> {
  const file = await readDeclared(settings);
  const log = createLogger('g2k', 'silent');
  let lastProblem: Error | undefined;
  // A long command outlives a connection.
  const redis = connectPatient(settings.REDIS_URL, (error) => {
    lastProblem = error;
  });
  try {
    await untilReady(redis, settings.REDIS_URL, () => lastProblem);
  } catch (error) {
    redis.disconnect();
    throw error;
  }
  const names = queueNames(settings.REDIS_PREFIX);
  const kept = createKeptByHand(redis, names);
  const wishSource: KnownFleet['wishSource'] = (directoryOf = () => undefined) =>
    kept.with(
      createWishSource({
        entries: file.entries,
        directoryOf,
        redis,
        names,
        everyMs: settings.PEOPLE_EVERY_MS,
        log,
        now,
      }),
    );
  return {
    redis,
    names,
    log,
    file,
    fleet: createRedisFleet(redis, names, now),
    records: () => readAllRecords(withFleetScripts(redis), fleetKeys(names)),
    async wishes() {
      if (settings.SUBSCRIPTIONS_FILE === undefined) return undefined;
      return new Map((await wishSource().current()).map((wish) => [wish.key, wish]));
    },
    wishSource,
    kept,
    close: () => redis.disconnect(),
  };
}

async function readDeclared(settings: KnownSettings): Promise<SubscriptionsFile> {
  const { SUBSCRIPTIONS_FILE: file, KAFKA_TOPIC: topic, AZURE_TENANT_ID: tenantId } = settings;
  if (file === undefined) return nothingWanted;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new WantedSubscriptionsError(file, [
      { text: `cannot be read (${error.code}): correct SUBSCRIPTIONS_FILE` },
    ]);
  });
  return parseSubscriptionsFile(text, file, {
    topic,
    tenantId,
    lifecycleUrl: settings.LIFECYCLE_NOTIFICATION_URL,
  });
}
