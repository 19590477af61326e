// The app over real HTTP with a real Redis, put together as main.ts does it.
import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { connectFailFast, type QueueNames, queueNames } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import type { Redis } from 'ioredis';
import { inject } from 'vitest';
import { type AppDeps, createApp } from '../src/app.ts';
import { closeServer, createLimitedServer } from '../src/http-server.ts';
import { createInboxWriter } from '../src/inbox-writer.ts';
import { createLoadBounds } from '../src/load-bounds.ts';
import { createStorageGate } from '../src/storage-gate.ts';
import { type LogLines, logLines } from './log-lines.ts';
import { SECRET } from './notifications.ts';
import { removeKeys, type Stored, takeStored } from './stored.ts';

export interface ServedApp extends AsyncDisposable {
  readonly url: string;
  readonly redis: Redis;
  readonly names: QueueNames;
  readonly logged: LogLines;
  readonly takeStored: () => Promise<Stored>;
}

export async function serveApp(
  deps: Partial<AppDeps> = {},
  redisUrl = inject('redisUrl'),
): Promise<ServedApp> {
  const names = queueNames(`test-${randomUUID()}`);
  const logged = logLines();
  const redis = connectFailFast(redisUrl, () => undefined);
  const gate = createStorageGate(redis, names, 'strict', logged.log, () => undefined);
  const writer = createInboxWriter(redis, names);
  const app = createApp({
    log: logged.log,
    clientStates: { secrets: [SECRET], accepted: ['made elsewhere'] },
    store: writer.store,
    refusal: gate.refusal,
    now: Date.now,
    maxBodyBytes: 5_242_880,
    bounds: createLoadBounds({ maxRequests: 1000, maxBytes: 33_554_432 }),
    probeStorage: async () => {
      await redis.set(`${names.prefix}:probe`, '1', 'PX', 1000);
    },
    isStopping: () => false,
    guards: [],
    trustProxy: false,
    onItems: () => undefined,
    ...deps,
  });
  const server = createLimitedServer(app, 2000);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await eventually(() => gate.refusal() === undefined);
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    redis,
    names,
    logged,
    takeStored: () => takeStored(redisUrl, names),
    [Symbol.asyncDispose]: async () => {
      await closeServer(server);
      await writer.close();
      gate.close();
      if (redis.status === 'ready') await removeKeys(redis, `${names.prefix}:*`);
      redis.disconnect();
    },
  };
}
