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
  untilSignal,
  withoutSecrets,
} from '@graph2kafka/shared';
import { createAdminApp, startAdminServer } from './admin/admin-server.ts';
import { createHealth } from './admin/health.ts';
import { hiddenSettings, secretSettings, type WorkerConfig, workerSettings } from './config.ts';
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
    const encryption = await readEncryptionKeys(live.config);
    const wanted = await readSubscriptionsFile(live.config);
    requireKeyFor(wanted.samples, encryption);
    const tenantSecrets = await loadTenantSecrets(wanted.tenants, platformSecretReader(process.env));
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
    environment: process.env,
    secrets: secretSettings,
    atStartOnly: ['REDIS_URL', 'KAFKA_SSL_KEY', 'KAFKA_SCHEMA_REGISTRY_PASSWORD'],
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

async function run({ live: { config, watch }, wanted, tenantSecrets, encryption }: Settings): Promise<void> {
  const { tenants, entries } = wanted;
  const log = createLogger('worker', config.LOG_LEVEL);
  const shutdown = createShutdown(log, config.SHUTDOWN_GRACE_MS);
  const life = untilSignal(shutdown, log);
  log.info(
    {
      settings: withoutSecrets(config, hiddenSettings),
      wanted_entries: entries.length,
      tenants: [config.AZURE_TENANT_ID, ...tenants.map(({ id }) => id)],
    },
    'service.starting',
  );
  const declared = { tenants, secrets: tenantSecrets };
  const context = createContext(config, wanted, log, shutdown, encryption, declared);
  const health = createHealth(context);
  const secrets = watch(log, {
    onChange: (settings) => {
      if (settings.includes('AZURE_CLIENT_SECRET')) renewCredential(context, context.tenants.own);
    },
  });
  shutdown.add('secrets', () => secrets.close());
  const others = tenantSecrets.watch(log, {
    onChange: (names) => {
      for (const tenant of context.tenants.withSecrets(names)) renewCredential(context, tenant);
    },
  });
  shutdown.add('secrets of tenants', () => others.close());
  const keys = encryption.watch(log);
  shutdown.add('encryption keys', () => keys.close());
  const login = {
    user: config.ADMIN_USER,
    get password() {
      return config.ADMIN_PASSWORD;
    },
  };
  const app = createAdminApp({
    registry: context.metrics.registry,
    queues: Object.values(context.queues),
    readStatus: health.readStatus,
    findProblems: health.findProblems,
    findPauses: health.findPauses,
    login: config.ADMIN_PASSWORD === undefined ? undefined : login,
    log,
  });
  const stopping = new AbortController();
  shutdown.add('start', () => stopping.abort());
  try {
    const admin = await startAdminServer(app, config.ADMIN_HOST, config.ADMIN_PORT);
    shutdown.add('admin server', () => admin.close());
    log.info({ port: admin.port, pages: config.ADMIN_PASSWORD !== undefined }, 'admin.listening');
    await startWork(context, shutdown, stopping.signal);
    health.markStarted();
  } catch (error) {
    if (!stopping.signal.aborted) life.fail('cannot start', error);
  }
}

function renewCredential({ pauses, log }: WorkerContext, { id, tokens }: Tenant): void {
  tokens.renewCredential();
  pauses.credentialReplaced(id).catch((error: unknown) => log.warn({ err: error }, 'pauses.not-read'));
}

const settings = await readSettings();
if (settings) await run(settings);
else process.exitCode = 1;
