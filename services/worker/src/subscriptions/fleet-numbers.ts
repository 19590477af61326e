/** What a page and the metrics say of the subscriptions, from counts alone. Pure. */
import { secretsOf } from '@graph2kafka/shared';
import type { FleetCounts } from './fleet.ts';
import { type SecretsInUse, secretsInUseOf } from './rotations.ts';

export type FleetNumbers = {
  /** Subscriptions that serve a wish. */
  readonly serving: number;
  readonly bySecret: SecretsInUse;
  /** Wishes that are not served, or not as they should be, by reason. */
  readonly troubles: FleetCounts['troubles'];
};

/** `secrets`: CLIENT_STATE_SECRETS. */
export function readFleetNumbers(counts: FleetCounts, secrets: readonly string[]): FleetNumbers {
  const tenantIds = [...new Set(counts.subscriptions.map(({ tenantId }) => tenantId))];
  const tenants = tenantIds.map((tenantId) => ({ tenantId, secrets: secretsOf(secrets, tenantId) }));
  const serving = counts.subscriptions.filter(({ is }) => is === 'serving');
  return {
    serving: serving.reduce((sum, { count }) => sum + count, 0),
    bySecret: secretsInUseOf(counts, tenants),
    troubles: counts.troubles,
  };
}
