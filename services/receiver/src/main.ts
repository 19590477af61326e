/** The receiver: settings, connection, app, listener, shutdown. The only file that touches the process. */
import {
  ConfigError,
  connectFailFast,
  createLogger,
  createShutdown,
  listen,
  parseConfig,
  queueNames,
  untilSignal,
  withoutSecrets,
} from '@graph2kafka/shared';
import { createApp } from './app.ts';
import { type ReceiverConfig, receiverSettings, secretSettings } from './config.ts';
import { closeServer, createLimitedServer } from './http-server.ts';
import { createInboxWriter } from './inbox-writer.ts';
import { createStorageGate } from './storage-gate.ts';

function readConfig(): ReceiverConfig | undefined {
  try {
    return parseConfig(receiverSettings, process.env);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`graph2kafka receiver: ${error.message}\n`);
    return undefined;
  }
}

async function run(config: ReceiverConfig): Promise<void> {
  const log = createLogger('receiver', config.LOG_LEVEL);
  const shutdown = createShutdown(log, config.SHUTDOWN_GRACE_MS);
  const life = untilSignal(shutdown, log);
  log.info({ settings: withoutSecrets(config, secretSettings) }, 'service.starting');
  if (config.REDIS_DURABILITY === 'declared') log.warn('redis.durability-not-verified');
  let stopping = false;

  const names = queueNames(config.REDIS_PREFIX);
  const redis = connectFailFast(config.REDIS_URL, (error) => log.warn({ err: error }, 'redis.error'));
  shutdown.add('redis', () => redis.disconnect());
  const gate = createStorageGate(redis, config.REDIS_DURABILITY, log, (problems) =>
    life.fail('redis.not-durable', new Error(problems.join('; '))),
  );
  shutdown.add('storage gate', () => gate.close());
  const replicas = config.REDIS_DURABILITY === 'replicated' ? config.REDIS_REPLICAS : 0;
  const writer = createInboxWriter(redis, names, { replicas, mostResources: config.OWNER_RESOURCE_LIMIT });
  shutdown.add('inbox writer', () => writer.close());

  const app = createApp({
    log,
    clientStates: { secrets: config.CLIENT_STATE_SECRETS, accepted: config.CLIENT_STATES_ACCEPTED },
    store: writer.store,
    refusal: gate.refusal,
    now: Date.now,
    maxBodyBytes: config.MAX_BODY_BYTES,
    probeStorage: async () => {
      await redis.set(`${names.prefix}:probe`, '1', 'PX', 1000);
    },
    isStopping: () => stopping,
  });
  const server = createLimitedServer(app);
  shutdown.add('listener', () => {
    stopping = true;
    return closeServer(server);
  });
  try {
    const port = await listen(server, { port: config.PORT, setting: 'PORT' });
    log.info({ port }, 'service.listening');
  } catch (error) {
    life.fail('cannot listen', error);
  }
}

const config = readConfig();
if (config) await run(config);
else process.exitCode = 1;
