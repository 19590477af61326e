/** All tenants that this worker serves: the one of AZURE_TENANT_ID, and those that subscriptions.yaml declares. */
import type { WorkerConfig } from '../config.ts';
import type { DeclaredTenant } from './declared-tenants.ts';
import { createTenant, type Tenant, type TenantDeps, type TenantSettings } from './tenant.ts';
import { secretName, type TenantSecrets } from './tenant-secrets.ts';

export type DeclaredTenants = {
  readonly tenants: readonly DeclaredTenant[];
  readonly secrets: Pick<TenantSecrets, 'config'>;
};

/** A deployment of one tenant. */
export const noDeclaredTenants: DeclaredTenants = { tenants: [], secrets: { config: {} } };

/** What is taken of the settings. */
export type TenantsConfig = Pick<
  WorkerConfig,
  'AZURE_TENANT_ID' | 'AZURE_CLIENT_ID' | 'AZURE_CLIENT_SECRET' | 'KAFKA_TOPIC' | 'KAFKA_DEAD_LETTER_TOPIC'
>;

export type Tenants = {
  /** By id; the own one is the first. */
  readonly byId: ReadonlyMap<string, Tenant>;
  /** The one of AZURE_TENANT_ID. */
  readonly own: Tenant;
  /** Whose client secrets have these names. */
  withSecrets(names: readonly string[]): readonly Tenant[];
  close(): Promise<void>;
};

export function createTenants(config: TenantsConfig, declared: DeclaredTenants, deps: TenantDeps): Tenants {
  const own = createTenant(ownSettings(config), deps);
  const others = declared.tenants.map((tenant) =>
    createTenant(settingsOf(tenant, config, declared.secrets.config), deps),
  );
  const all = [own, ...others];
  return {
    byId: new Map(all.map((tenant) => [tenant.id, tenant])),
    own,
    withSecrets: (names) => others.filter(({ name = '' }) => names.includes(secretName({ name }))),
    close: async () => void (await Promise.all(all.map((tenant) => tenant.close()))),
  };
}

function ownSettings(config: TenantsConfig): TenantSettings {
  return {
    id: config.AZURE_TENANT_ID,
    clientId: config.AZURE_CLIENT_ID,
    clientSecret: () => config.AZURE_CLIENT_SECRET,
    topic: config.KAFKA_TOPIC,
    deadLetterTopic: config.KAFKA_DEAD_LETTER_TOPIC,
  };
}

function settingsOf(
  { name, id, clientId, topic, deadLetterTopic }: DeclaredTenant,
  config: TenantsConfig,
  secrets: Readonly<Record<string, string>>,
): TenantSettings {
  return {
    name,
    id,
    clientId,
    clientSecret: () => secrets[secretName({ name })],
    topic: topic ?? config.KAFKA_TOPIC,
    deadLetterTopic: deadLetterTopic ?? config.KAFKA_DEAD_LETTER_TOPIC,
  };
}
