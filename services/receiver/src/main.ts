/** The receiver: settings, connection, app, listener, shutdown. The only file that touches the process. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  type ClientStateSecrets,
  ConfigError,
  connectFailFast,
  createLogger,
  createShutdown,
  type LiveConfig,
  type Logger,
  listen,
  loadConfig,
  platformSecretReader,
  queueNames,
  type Shutdown,
  untilSignal,
  withoutSecrets,
} from '@graph2kafka/shared';
import { createAckGuard } from './ack-guard.ts';
import { createApp } from './app.ts';
import { type ReceiverConfig, receiverSettings, secretSettings, settingsAtStart } from './config.ts';
import { closeServer, createLimitedServer } from './http-server.ts';
import { createInboxWriter } from './inbox-writer.ts';
import { createLoadBounds } from './load-bounds.ts';
import { type MetricsServer, startMetricsServer } from './metrics-server.ts';
import { observeAnswers } from './observe-answers.ts';
import { createReceiverMetrics, type ReceiverMetrics } from './receiver-metrics.ts';
import { onlyFrom, parseTrustProxy } from './source-networks.ts';
import { createStallWatch } from './stall-watch.ts';
import { createStorageGate, type StorageGate } from './storage-gate.ts';

async function readConfig(): Promise<LiveConfig<ReceiverConfig> | undefined> {
  try {
    return await loadConfig({
      schema: receiverSettings,
      environment: process.env,
      atStartOnly: settingsAtStart,
      read: platformSecretReader(process.env),
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`graph2kafka receiver: ${error.message}\n`);
    return undefined;
  }
}

async function run({ config, referring, watch }: LiveConfig<ReceiverConfig>): Promise<void> {
  const log = createLogger('receiver', config.LOG_LEVEL, undefined, config.GOOGLE_CLOUD_PROJECT);
  const shutdown = createShutdown(log, config.SHUTDOWN_GRACE_MS);
  const life = untilSignal(shutdown, log);
  log.info({ settings: withoutSecrets(config, [...secretSettings, ...referring]) }, 'service.starting');
  if (config.REDIS_DURABILITY === 'declared') log.warn('redis.durability-not-verified');
  const secrets = watch(log);
  shutdown.add('secrets', () => secrets.close());

  const names = queueNames(config.REDIS_PREFIX);
  const redis = connectFailFast(config.REDIS_URL, (error) => log.warn({ err: error }, 'redis.error'));
  shutdown.add('redis', () => redis.disconnect());
  const gate = createStorageGate(redis, names, config.REDIS_DURABILITY, log, (problems) =>
    life.fail('redis.not-durable', new Error(problems.join('; '))),
  );
  shutdown.add('storage gate', () => gate.close());
  const replicas = config.REDIS_DURABILITY === 'replicated' ? config.REDIS_REPLICAS : 0;
  const writer = createInboxWriter(redis, names, { replicas, mostResources: config.OWNER_RESOURCE_LIMIT });
  shutdown.add('inbox writer', () => writer.close());

  const { observe, metrics } = watchAnswers(gate, log, shutdown);
  const networks = config.ALLOWED_SOURCE_NETWORKS;
  const app = createApp({
    log,
    clientStates: clientStatesOf(config),
    guards: networks.length > 0 ? [observe, onlyFrom(networks)] : [observe],
    trustProxy: parseTrustProxy(config.TRUST_PROXY) ?? false,
    onItems: metrics.countItems,
    store: writer.store,
    refusal: gate.refusal,
    now: Date.now,
    maxBodyBytes: config.MAX_BODY_BYTES,
    bounds: createLoadBounds({
      maxRequests: config.MAX_REQUESTS_IN_FLIGHT,
      maxBytes: Math.max(config.MAX_BYTES_IN_FLIGHT, config.MAX_BODY_BYTES),
    }),
    probeStorage: async () => {
      await redis.set(`${names.prefix}:probe`, '1', 'PX', 1000);
    },
    isStopping: () => shutdown.isRunning,
  });
  const server = createLimitedServer(app, config.MAX_CONNECTIONS);
  // Shown to the end of the last answer: the drain is what people look at.
  let shown: Promise<MetricsServer | undefined> | undefined;
  shutdown.add('metrics listener', async () => (await shown?.catch(() => undefined))?.close());
  shutdown.add('listener', () => closeServer(server));
  shutdown.add('load balancers', (reason) => letBalancersLearn(reason, config));
  try {
    shown = showMetrics(metrics, config, log);
    await shown;
    const port = await listen(server, { port: config.PORT, setting: 'PORT' });
    log.info({ port }, 'service.listening');
  } catch (error) {
    life.fail('cannot listen', error);
  }
}

/** Whoever ends it by hand, or an error, waits for nothing. */
async function letBalancersLearn(
  reason: string,
  { SHUTDOWN_DELAY_MS: delayMs, SHUTDOWN_GRACE_MS: graceMs }: ReceiverConfig,
): Promise<void> {
  if (reason === 'SIGTERM') await pause(Math.min(delayMs, graceMs / 2));
}

/** Its time and status go to the metrics and to the guard. */
function watchAnswers(gate: StorageGate, log: Logger, shutdown: Shutdown) {
  const now = () => performance.now();
  const acks = createAckGuard(log, now);
  shutdown.add('ack guard', () => acks.close());
  const stalls = createStallWatch(now);
  shutdown.add('stall watch', () => stalls.close());
  const metrics = createReceiverMetrics({ acks, refusal: gate.refusal });
  const observe = observeAnswers({
    now,
    stalls,
    onArrival: metrics.countArrival,
    onEnd(answered) {
      metrics.countAnswer(answered);
      acks.note(answered.durationMs);
    },
  });
  return { observe, metrics };
}

/** Read anew for each notification: the secrets may be replaced. */
function clientStatesOf(config: ReceiverConfig): ClientStateSecrets {
  return {
    get secrets() {
      return config.CLIENT_STATE_SECRETS;
    },
    get accepted() {
      return config.CLIENT_STATES_ACCEPTED;
    },
  };
}

async function showMetrics(
  { registry }: ReceiverMetrics,
  { METRICS_PORT: port, METRICS_HOST: host }: ReceiverConfig,
  log: Logger,
): Promise<MetricsServer | undefined> {
  if (port === undefined) return undefined;
  const server = await startMetricsServer(registry, { host, port }, log);
  log.info({ port: server.port }, 'metrics.listening');
  return server;
}

const live = await readConfig();
if (live) await run(live);
else process.exitCode = 1;
