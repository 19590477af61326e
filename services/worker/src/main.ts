/** The worker: settings, parts, pages, work, shutdown. The only file that touches the process. */
import { readFile } from 'node:fs/promises';
import {
  ConfigError,
  createLogger,
  createShutdown,
  parseConfig,
  untilSignal,
  withoutSecrets,
} from '@graph2kafka/shared';
import { createAdminApp, startAdminServer } from './admin/admin-server.ts';
import { createHealth } from './admin/health.ts';
import { secretSettings, type WorkerConfig, workerSettings } from './config.ts';
import { createContext } from './context.ts';
import { startWork } from './start-work.ts';
import {
  parseWantedSubscriptions,
  WantedSubscriptionsError,
  type Wish,
} from './subscriptions/wanted-subscriptions.ts';

type Settings = { readonly config: WorkerConfig; readonly wishes: readonly Wish[] };

async function readSettings(): Promise<Settings | undefined> {
  try {
    const config = parseConfig(workerSettings, process.env);
    return { config, wishes: await readWishes(config) };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof WantedSubscriptionsError)) throw error;
    process.stderr.write(`graph2kafka worker: ${error.message}\n`);
    return undefined;
  }
}

async function readWishes({ SUBSCRIPTIONS_FILE: file, KAFKA_TOPIC }: WorkerConfig): Promise<Wish[]> {
  if (file === undefined) return [];
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new WantedSubscriptionsError(file, [`cannot be read (${error.code}): correct SUBSCRIPTIONS_FILE`]);
  });
  return parseWantedSubscriptions(text, file, KAFKA_TOPIC);
}

async function run({ config, wishes }: Settings): Promise<void> {
  const log = createLogger('worker', config.LOG_LEVEL);
  const shutdown = createShutdown(log, config.SHUTDOWN_GRACE_MS);
  const life = untilSignal(shutdown, log);
  log.info(
    { settings: withoutSecrets(config, secretSettings), wanted_subscriptions: wishes.length },
    'service.starting',
  );
  const context = createContext(config, wishes, log, shutdown);
  const health = createHealth(context);
  const login = config.ADMIN_PASSWORD
    ? { user: config.ADMIN_USER, password: config.ADMIN_PASSWORD }
    : undefined;
  const app = createAdminApp({
    registry: context.metrics.registry,
    queues: Object.values(context.queues),
    readStatus: health.readStatus,
    findProblems: health.findProblems,
    login,
    log,
  });
  const stopping = new AbortController();
  shutdown.add('start', () => stopping.abort());
  try {
    const admin = await startAdminServer(app, config.ADMIN_HOST, config.ADMIN_PORT);
    shutdown.add('admin server', () => admin.close());
    log.info({ port: admin.port, pages: login !== undefined }, 'admin.listening');
    await startWork(context, shutdown, stopping.signal);
    health.markStarted();
  } catch (error) {
    if (!stopping.signal.aborted) life.fail('cannot start', error);
  }
}

const settings = await readSettings();
if (settings) await run(settings);
else process.exitCode = 1;
