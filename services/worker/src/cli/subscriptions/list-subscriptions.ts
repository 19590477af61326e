/** `g2k list` */
import { isGuid } from '@graph2kafka/shared';
import { sourcesOf } from '../../people/people-source.ts';
import { createPeopleStore } from '../../people/people-store.ts';
import { CommandError } from '../command-error.ts';
import { plainJson } from '../plain-text.ts';
import { tableLines } from '../table-lines.ts';
import type { Terminal } from '../terminal.ts';
import { countsOfRows, type FleetRow, fleetRows, matchesRow, type RowTest } from './fleet-rows.ts';
import { isTenant } from './is-tenant.ts';
import type { KnownFleet } from './known-fleet.ts';
import type { KnownSettings } from './subscription-settings.ts';
import type { RowFilter } from './subscription-words.ts';
import { relative } from './times.ts';

/** Resolves to the exit code: 1 where nothing matches. */
export async function listSubscriptions(
  { json, ...filter }: RowFilter & { readonly json: boolean },
  settings: KnownSettings,
  known: KnownFleet,
  terminal: Terminal,
  now: number,
): Promise<number> {
  const test = await testOf(filter, settings, known);
  const all = fleetRows(await known.records(), await known.wishes(), now);
  const rows = all.filter((row) => matchesRow(row, test, now));
  if (rows.length === 0) {
    terminal.err(all.length === 0 ? 'no subscription is known here' : `none of ${all.length} matches`);
    return 1;
  }
  for (const line of json ? rows.map((row) => plainJson(row)) : table(rows, now)) terminal.out(line);
  if (!json) terminal.err(countsOfRows(rows));
  return 0;
}

const HEAD = ['STATE', 'WISH', 'EXPIRES', 'SUBSCRIPTION', 'WHY'];

function table(rows: readonly FleetRow[], now: number): string[] {
  return tableLines(
    HEAD,
    rows.map(({ state, wish, resource, expires, subscription, reason, detail, nextTry }) => [
      state,
      wish ?? `(${resource})`,
      expires === undefined ? '-' : relative(Date.parse(expires), now),
      subscription ?? '-',
      [
        ...(reason === undefined ? [] : [detail === undefined ? reason : `${reason}: ${detail}`]),
        ...(nextTry === undefined ? [] : [`next try ${relative(Date.parse(nextTry), now)}`]),
      ].join('; '),
    ]),
  );
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
