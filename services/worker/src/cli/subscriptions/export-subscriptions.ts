/** `g2k export` */
import { secretsOf, verifyClientState } from '@graph2kafka/shared';
import type { Tenant } from '../../tenants/tenant.ts';
import { counted } from '../scan-letters.ts';
import type { Terminal } from '../terminal.ts';
import { type AskedFleet, chosenTenant } from './asked-fleet.ts';
import { declarationOfList, type ExportedTenant } from './declaration-of-list.ts';

/** Resolves to the exit code: 1 where there is nothing that subscriptions.yaml could say. */
export async function exportSubscriptions(
  { tenant }: { readonly tenant?: string },
  opened: AskedFleet,
  terminal: Terminal,
): Promise<number> {
  const { tenants, settings } = opened;
  const wanted = tenant === undefined ? [...tenants.byId.values()] : [chosenTenant(tenants, tenant)];
  const all: ExportedTenant[] = [];
  for (const one of wanted) all.push(await readTenant(one, opened));
  const { text, entries, said, unsaid } = declarationOfList(all, {
    notificationUrl: settings.NOTIFICATION_URL,
    hasLifecycleUrl: settings.LIFECYCLE_NOTIFICATION_URL !== undefined,
  });
  terminal.out(text);
  const rest = unsaid === 0 ? '' : `, ${unsaid} more in comments`;
  terminal.err(`${counted(said, 'subscription')} in ${entries} entr${entries === 1 ? 'y' : 'ies'}${rest}`);
  return entries === 0 ? 1 : 0;
}

async function readTenant(tenant: Tenant, { settings, file, callsOf }: AskedFleet): Promise<ExportedTenant> {
  const secrets = secretsOf(settings.CLIENT_STATE_SECRETS, tenant.id);
  const listed = await callsOf(tenant.id, () => undefined).list();
  const declared = file.tenants.find(({ id }) => id === tenant.id);
  return {
    ...(declared && { declared }),
    subscriptions: listed.map((one) => ({
      id: one.id,
      resource: one.resource,
      changeType: one.changeType,
      notificationUrl: one.notificationUrl,
      rich: one.includeResourceData === true,
      expiresAt: one.expirationDateTime,
      isOurs: verifyClientState(one.clientState, tenant.id, { secrets, accepted: [] }).verified,
    })),
  };
}
