/** The worker: settings, parts, pages, work, shutdown. The only file that touches the process. */
import { readFile } from 'node:fs/promises';
import {
  ConfigError,
  createLogger,
  createShutdown,
  type LiveConfig,
  loadConfig,
  manyLines,
  platformSecretReader,
  type Shutdown,
  untilSignal,
  withoutSecrets,
} from '@graph2kafka/shared';
import { createAdminApp, startAdminServer } from './admin/admin-server.ts';
import { createFleetPage } from './admin/create-fleet-page.ts';
import { createHealth, type Health } from './admin/health.ts';
import {
  hiddenSettings,
  settingsAtStart,
  type WorkerConfig,
  withPlatformPort,
  workerSettings,
} from './config.ts';
import { createContext, type WorkerContext } from './context.ts';
import { WantedSubscriptionsError } from './declaration/declaration-error.ts';
import {
  nothingWanted,
  parseSubscriptionsFile,
  type SubscriptionsFile,
} from './declaration/read-declaration.ts';
import {
  type EncryptionKeys,
  loadEncryptionKeys,
  noEncryptionKeys,
  requireKeyFor,
} from './rich/encryption-keys.ts';
import { startWork } from './start-work.ts';
import type { Tenant } from './tenants/tenant.ts';
import { loadTenantSecrets, type TenantSecrets } from './tenants/tenant-secrets.ts';

type Settings = {
  readonly live: LiveConfig<WorkerConfig>;
  readonly wanted: SubscriptionsFile;
  readonly tenantSecrets: TenantSecrets;
  readonly encryption: EncryptionKeys;
};

async function readSettings(): Promise<Settings | undefined> {
  try {
    const live = await loadLiveConfig();
    const wanted = await readSubscriptionsFile(live.config);
    // Who only shows what is there signs in nowhere and opens nothing.
    const works = live.config.WORKER_ROLE === 'worker';
    const encryption = works ? await readEncryptionKeys(live.config) : noEncryptionKeys;
    if (works) requireKeyFor(wanted.samples, encryption);
    const tenantSecrets = await loadTenantSecrets(
      works ? wanted.tenants : [],
      platformSecretReader(process.env),
    );
    return { live, wanted, tenantSecrets, encryption };
  } catch (error) {
    if (!(error instanceof ConfigError || error instanceof WantedSubscriptionsError)) throw error;
    process.stderr.write(`graph2kafka worker: ${error.message}\n`);
    return undefined;
  }
}

function loadLiveConfig(): Promise<LiveConfig<WorkerConfig>> {
  return loadConfig({
    schema: workerSettings,
    environment: withPlatformPort(process.env),
    atStartOnly: settingsAtStart,
    read: platformSecretReader(process.env),
  });
}

async function readEncryptionKeys(config: WorkerConfig): Promise<EncryptionKeys> {
  const { ENCRYPTION_KEYS: places, ENCRYPTION_CURRENT_KEY: current } = config;
  if (places === undefined) return noEncryptionKeys;
  const read = platformSecretReader(process.env, manyLines);
  return loadEncryptionKeys({ places, current, read, now: Date.now });
}

async function readSubscriptionsFile(config: WorkerConfig): Promise<SubscriptionsFile> {
  const { SUBSCRIPTIONS_FILE: file, KAFKA_TOPIC: topic, AZURE_TENANT_ID: tenantId } = config;
  const { LIFECYCLE_NOTIFICATION_URL: lifecycleUrl } = config;
  if (file === undefined) return nothingWanted;
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new WantedSubscriptionsError(file, [
      { text: `cannot be read (${error.code}): correct SUBSCRIPTIONS_FILE` },
    ]);
  });
  return parseSubscriptionsFile(text, file, { topic, tenantId, lifecycleUrl });
}

async function run({ live, wanted, tenantSecrets, encryption }: Settings): Promise<void> {
  const { config } = live;
  const { tenants, entries } = wanted;
  const log = createLogger('worker', config.LOG_LEVEL, undefined, config.GOOGLE_CLOUD_PROJECT);
  const shutdown = createShutdown(log, config.SHUTDOWN_GRACE_MS);
  const life = untilSignal(shutdown, log);
  log.info(
    {
      settings: withoutSecrets(config, [...hiddenSettings, ...live.referring]),
      wanted_entries: entries.length,
      tenants: [config.AZURE_TENANT_ID, ...tenants.map(({ id }) => id)],
    },
    'service.starting',
  );
  const context = createContext(config, wanted, log, shutdown, encryption, {
    tenants,
    secrets: tenantSecrets,
  });
  const health = createHealth(context, () => shutdown.isRunning);
  watchSecrets({ live, wanted, tenantSecrets, encryption }, context, shutdown);
  const stopping = new AbortController();
  shutdown.add('start', () => stopping.abort());
  try {
    await showPages(context, health, shutdown);
    if (config.WORKER_ROLE === 'worker') await startWork(context, shutdown, stopping.signal);
    health.markStarted();
  } catch (error) {
    if (!stopping.signal.aborted) life.fail('cannot start', error);
  }
}

function watchSecrets(
  { live, tenantSecrets, encryption }: Settings,
  context: WorkerContext,
  shutdown: Shutdown,
): void {
  const { log, tenants } = context;
  const secrets = live.watch(log, {
    onChange: (settings) => {
      if (settings.includes('AZURE_CLIENT_SECRET')) renewCredential(context, tenants.own);
    },
  });
  shutdown.add('secrets', () => secrets.close());
  const others = tenantSecrets.watch(log, {
    onChange: (names) => {
      for (const tenant of tenants.withSecrets(names)) renewCredential(context, tenant);
    },
  });
  shutdown.add('secrets of tenants', () => others.close());
  const keys = encryption.watch(log);
  shutdown.add('encryption keys', () => keys.close());
}

async function showPages(context: WorkerContext, health: Health, shutdown: Shutdown): Promise<void> {
  const { config, metrics, queues, log } = context;
  const { ADMIN_HOST: host, ADMIN_PORT: wantedPort } = config;
  if (wantedPort === 'off') return;
  const login = {
    user: config.ADMIN_USER,
    get password() {
      return config.ADMIN_PASSWORD;
    },
  };
  const app = createAdminApp({
    registry: metrics.registry,
    queues: Object.values(queues),
    queuesReadOnly: config.ADMIN_READ_ONLY,
    readStatus: health.readStatus,
    renderFleet: createFleetPage(context, Date.now),
    findProblems: health.findProblems,
    findPauses: health.findPauses,
    login: config.ADMIN_PASSWORD === undefined ? undefined : login,
    log,
  });
  const { port, close } = await startAdminServer(app, host, wantedPort);
  shutdown.add('admin server', close);
  log.info({ port, pages: config.ADMIN_PASSWORD !== undefined }, 'admin.listening');
}

function renewCredential({ pauses, log }: WorkerContext, { id, tokens }: Tenant): void {
  tokens.renewCredential();
  pauses.credentialReplaced(id).catch((error: unknown) => log.warn({ err: error }, 'pauses.not-read'));
}

const settings = await readSettings();
if (settings) await run(settings);
else process.exitCode = 1;
