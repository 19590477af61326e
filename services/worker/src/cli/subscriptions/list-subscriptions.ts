/** `g2k list` */
import { isGuid } from '@graph2kafka/shared';
import { countsOfRows, fleetRows, matchesRow, type RowTest } from '../../listing/fleet-rows.ts';
import { sourcesOf } from '../../people/people-source.ts';
import { createPeopleStore } from '../../people/people-store.ts';
import { CommandError } from '../command-error.ts';
import type { CommandDeps } from '../execute-command.ts';
import { plainJson } from '../plain-text.ts';
import { isColoured } from '../terminal.ts';
import { isTenant } from './is-tenant.ts';
import type { KnownFleet } from './known-fleet.ts';
import { rowLines } from './row-lines.ts';
import type { KnownSettings } from './subscription-settings.ts';
import type { RowFilter } from './subscription-words.ts';

/** Resolves to the exit code: 1 where nothing matches. */
export async function listSubscriptions(
  { json, ...filter }: RowFilter & { readonly json: boolean },
  settings: KnownSettings,
  known: KnownFleet,
  { environment, terminal, now: clock }: CommandDeps,
): Promise<number> {
  const now = clock();
  const test = await testOf(filter, settings, known);
  const all = fleetRows(await known.records(), await known.wishes(), now);
  const rows = all.filter((row) => matchesRow(row, test, now));
  if (rows.length === 0) {
    terminal.err(all.length === 0 ? 'no subscription is known here' : `none of ${all.length} matches`);
    return 1;
  }
  const coloured = isColoured(terminal, environment);
  const names = tenantNames(settings, known);
  const lines = json
    ? rows.map((row) => plainJson(row))
    : rowLines(rows, { now, names, coloured, ...terminal });
  for (const line of lines) terminal.out(line);
  if (!json) terminal.err(countsOfRows(rows));
  return 0;
}

/** As subscriptions.yaml calls them; the own one has no name. */
function tenantNames({ AZURE_TENANT_ID: own }: KnownSettings, { file }: KnownFleet): Map<string, string> {
  return new Map([[own, '-'], ...file.tenants.map(({ id, name }) => [id, name] as const)]);
}

async function testOf(
  { user, tenant, state, expiresWithinMs }: RowFilter,
  { AZURE_TENANT_ID: own }: KnownSettings,
  known: KnownFleet,
): Promise<RowTest> {
  const tenants = [{ id: own }, ...known.file.tenants];
  const wanted = tenant === undefined ? undefined : tenants.find((one) => isTenant(tenant, one));
  if (tenant !== undefined && !wanted && !isGuid(tenant))
    throw new CommandError(`--tenant: subscriptions.yaml names no ${JSON.stringify(tenant)}; write its id`);
  const tenantId = wanted?.id ?? tenant?.toLowerCase();
  return {
    ...(state !== undefined && { state }),
    ...(expiresWithinMs !== undefined && { expiresWithinMs }),
    ...(tenantId !== undefined && { tenant: tenantId }),
    ...(user !== undefined && { user: await idOfUser(user.toLowerCase(), known) }),
  };
}

/** Names are known as far as subscriptions.yaml has them. */
async function idOfUser(user: string, { redis, names, file }: KnownFleet): Promise<string> {
  if (isGuid(user)) return user;
  const store = createPeopleStore(redis, names);
  for (const source of sourcesOf(file.entries)) {
    if (source.kind !== 'names') continue;
    const id = (await store.loadNames(source)).get(user)?.id;
    if (id !== undefined) return id;
  }
  throw new CommandError(
    `--user: nobody was looked up by the name ${JSON.stringify(user)}; write the object id (Entra: "Object ID")`,
  );
}
