/** The client secrets of the tenants that subscriptions.yaml declares, read from where it says that they are kept. */
import { type LiveConfig, loadConfig, type ReadSecret } from '@graph2kafka/shared';
import { z } from 'zod';
import type { DeclaredTenant } from './declared-tenants.ts';

/** By `tenants.{name}.clientSecret`; tenants without one are not there. */
export type TenantSecrets = LiveConfig<Record<string, string>>;

export function secretName({ name }: Pick<DeclaredTenant, 'name'>): string {
  return `tenants.${name}.clientSecret`;
}

/** Rejects with a `ConfigError` that names the tenant and the reference of each secret that cannot be had. */
export function loadTenantSecrets(
  tenants: readonly DeclaredTenant[],
  read: ReadSecret,
): Promise<TenantSecrets> {
  const references = tenants.flatMap((tenant) =>
    tenant.clientSecret === undefined ? [] : [[secretName(tenant), tenant.clientSecret] as const],
  );
  const environment = Object.fromEntries(references);
  return loadConfig({
    schema: z.record(z.string(), z.string()),
    environment,
    secrets: Object.keys(environment),
    read,
  });
}
