/** The same with Graph: the tenants that are served, and changes under the lease that workers reconcile under. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Environment, platformSecretReader } from '@graph2kafka/shared';
import { type CallPace, createCallPace } from '../../subscriptions/call-pace.ts';
import type { HeldFleet } from '../../subscriptions/fleet.ts';
import { createGraphCalls, type GraphCalls } from '../../subscriptions/graph-calls.ts';
import { createGraphClock, type GraphClock } from '../../subscriptions/graph-clock.ts';
import { endpointsOf } from '../../tenants/clouds.ts';
import { createTenants, type Tenants } from '../../tenants/create-tenants.ts';
import type { Tenant } from '../../tenants/tenant.ts';
import { loadTenantSecrets } from '../../tenants/tenant-secrets.ts';
import { CommandError } from '../command-error.ts';
import { isTenant } from './is-tenant.ts';
import { type KnownFleet, openKnownFleet } from './known-fleet.ts';
import { type AskingSettings, loadAskingSettings } from './subscription-settings.ts';

export type AskedFleet = KnownFleet & {
  readonly settings: AskingSettings;
  readonly tenants: Tenants;
  readonly pace: CallPace;
  readonly graphClock: GraphClock;
  /** Waits for its turn as workers do; `check` throws where it may not be asked. */
  callsOf(tenantId: string, check: () => void): GraphCalls;
  close(): Promise<void>;
};

/** Rejects with a `ConfigError`, a `RedisAwayError` or a `WantedSubscriptionsError`. */
export async function openAskedFleet(environment: Environment, now: () => number): Promise<AskedFleet> {
  const settings = await loadAskingSettings(environment);
  const known = await openKnownFleet(settings, now);
  try {
    const graphClock = createGraphClock(now, () => performance.now());
    const tenants = await openTenants(settings, known, environment, graphClock);
    const pace = createCallPace(known.redis, known.names);
    return {
      ...known,
      settings,
      tenants,
      pace,
      graphClock,
      callsOf(tenantId, check) {
        const { api } = tenantOf(tenants, tenantId);
        return createGraphCalls({ api, tenantId, pace, check, sleep: (ms) => sleep(ms) });
      },
      async close() {
        await tenants.close();
        known.close();
      },
    };
  } catch (error) {
    known.close();
    throw error;
  }
}

async function openTenants(
  settings: AskingSettings,
  { file, log }: KnownFleet,
  environment: Environment,
  graphClock: GraphClock,
): Promise<Tenants> {
  const secrets = await loadTenantSecrets(file.tenants, platformSecretReader(environment));
  const endpoints = endpointsOf(settings);
  const isNamed = settings.AZURE_AUTHORITY_HOST !== undefined || settings.GRAPH_CLOUD !== 'global';
  return createTenants(
    settings,
    { tenants: file.tenants, secrets },
    {
      endpoints,
      authorityHost: isNamed ? endpoints.loginUrl : undefined,
      federation: settings.AZURE_FEDERATION,
      batching: undefined,
      onRequest: () => undefined,
      onDate: graphClock.note,
      log,
    },
  );
}

function tenantOf({ byId }: Tenants, tenantId: string): Tenant {
  const tenant = byId.get(tenantId);
  if (!tenant)
    throw new CommandError(
      `nobody signs in to tenant ${tenantId} here: it is neither AZURE_TENANT_ID nor one of tenants`,
    );
  return tenant;
}

/** The one that is meant by its name or id; the own one without. */
export function chosenTenant({ byId, own }: Tenants, wanted: string | undefined): Tenant {
  if (wanted === undefined) return own;
  const tenant = [...byId.values()].find((one) => isTenant(wanted, one));
  if (!tenant) throw new CommandError(`--tenant: nobody signs in to ${JSON.stringify(wanted)} here`);
  return tenant;
}

/** Longer than a worker that was killed holds it. */
const HOLD_WITHIN_MS = 45_000;
const ASK_EVERY_MS = 250;

/** One process at a time changes subscriptions; rejects with a `CommandError` where it stays another one. */
export async function underLease<T>(
  { fleet }: Pick<KnownFleet, 'fleet'>,
  onWait: () => void,
  act: (held: HeldFleet) => Promise<T>,
  withinMs = HOLD_WITHIN_MS,
): Promise<T> {
  const until = performance.now() + withinMs;
  let held = await fleet.hold();
  if (!held) onWait();
  while (!held) {
    if (performance.now() > until)
      throw new CommandError('another process is changing subscriptions, and does not end: try again later');
    await sleep(ASK_EVERY_MS);
    held = await fleet.hold();
  }
  try {
    return await act(held);
  } finally {
    await held.release();
  }
}
