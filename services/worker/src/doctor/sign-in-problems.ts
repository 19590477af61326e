/** A login that gave no token, as a finding: whose, and the cure where the tenant is declared. Pure. */
import type { NoToken } from '../graph/no-token.ts';
import { error, type Problem } from './finding.ts';

export type SignInSettings = {
  /** As subscriptions.yaml calls the tenant; undefined: it is that of AZURE_TENANT_ID. */
  readonly name: string | undefined;
  readonly tenantId: string;
  readonly clientId: string;
};

export function signInProblem(
  { found, cure }: NoToken,
  { name, tenantId, clientId }: SignInSettings,
): Problem {
  return error(`no token for app ${clientId} in tenant ${name ?? tenantId}: ${found}`, placed(cure, name));
}

/** Where a further tenant has what the own one has in a setting. */
function placed(cure: string, name: string | undefined): string {
  if (name === undefined) return cure;
  return cure
    .replaceAll('AZURE_CLIENT_SECRET', `the secret that tenants.${name}.clientSecret names`)
    .replaceAll('AZURE_CLIENT_ID', `tenants.${name}.clientId`)
    .replaceAll('AZURE_TENANT_ID', `tenants.${name}.id`);
}
