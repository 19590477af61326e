/** Wants, what is known and Graph's list, read once, and the plan of the reconciliation over all of it. */
import {
  ConfigError,
  type Environment,
  manyLines,
  platformSecretReader,
  secretsOf,
} from '@graph2kafka/shared';
import type { WishSource } from '../../people/wish-source.ts';
import {
  type EncryptionKeys,
  loadEncryptionKeys,
  noEncryptionKeys,
  requireKeyFor,
} from '../../rich/encryption-keys.ts';
import type { FleetState, WishRecord } from '../../subscriptions/fleet.ts';
import { type Listing, readListing } from '../../subscriptions/graph-list.ts';
import { type Action, type Circumstances, planRenewal } from '../../subscriptions/renewal-plan.ts';
import { secretFingerprint } from '../../subscriptions/secret-fingerprint.ts';
import { urlFingerprint } from '../../subscriptions/url-fingerprint.ts';
import type { Wish } from '../../subscriptions/wanted-subscriptions.ts';
import type { AskedFleet } from './asked-fleet.ts';
import { type PlannedChange, plannedChanges } from './planned-changes.ts';

export type Planning = {
  readonly source: WishSource;
  readonly encryption: EncryptionKeys;
  readonly notificationUrl: string;
};

export type FleetPlan = {
  readonly changes: readonly PlannedChange[];
  readonly wanted: number;
  /** Names of the entries of which it is not known whom they mean. */
  readonly unread: readonly string[];
  readonly records: readonly WishRecord[];
};

/** Rejects with a `ConfigError` where something is not set that subscriptions need. */
export async function preparePlanning(
  { settings, file, tenants, wishSource }: AskedFleet,
  environment: Environment,
  now: () => number,
): Promise<Planning> {
  const { SUBSCRIPTIONS_FILE, NOTIFICATION_URL: notificationUrl } = settings;
  if (SUBSCRIPTIONS_FILE === undefined)
    throw new ConfigError([
      'SUBSCRIPTIONS_FILE: is not set, so nothing is wanted; `g2k export` makes a first one',
    ]);
  if (notificationUrl === undefined)
    throw new ConfigError(['NOTIFICATION_URL: is required: where Graph is to notify']);
  const { ENCRYPTION_KEYS: places, ENCRYPTION_CURRENT_KEY: current } = settings;
  const read = platformSecretReader(environment, manyLines);
  const encryption = places ? await loadEncryptionKeys({ places, current, read, now }) : noEncryptionKeys;
  requireKeyFor(file.samples, encryption);
  return { source: wishSource((id) => tenants.byId.get(id)?.directory), encryption, notificationUrl };
}

/** Told of each page of a list before it is asked for; without it Graph is not asked. */
export type OnPage = (nth: number) => void;

/** With `onPage` by Graph's list: one call for each tenant and page, of which Graph takes 5 in 6 s. */
export async function planFleet(
  opened: AskedFleet,
  { source, encryption, notificationUrl }: Planning,
  onPage?: OnPage,
): Promise<FleetPlan> {
  const { settings, tenants, fleet } = opened;
  const { now } = opened.graphClock;
  const { state } = await fleet.look(now(), 0);
  const listings = new Map<string, Listing>();
  for (const { id: tenantId } of onPage ? tenants.byId.values() : []) {
    const at = now();
    const secrets = secretsOf(settings.CLIENT_STATE_SECRETS, tenantId);
    const all = await opened.callsOf(tenantId, () => undefined).list(onPage);
    listings.set(tenantId, readListing(all, { tenantId, secrets, notificationUrl }, at));
  }
  const wishes = await source.current();
  const unread = source.unread();
  const keys = new Set(wishes.map(({ key }) => key));
  const records = (await opened.records()).filter(({ wish }) => keys.has(wish) || !isUnread(wish, unread));
  const lifecycle = urlFingerprint(settings.LIFECYCLE_NOTIFICATION_URL);
  const actions = [...tenants.byId.keys()].flatMap((tenantId) => {
    const secrets = secretsOf(settings.CLIENT_STATE_SECRETS, tenantId).map(secretFingerprint);
    const held = { certificate: encryption.current(), secrets, lifecycle };
    return planTenant(tenantId, wishes, records, listings.get(tenantId), { held, state, now: now() });
  });
  const troubles = new Map(records.flatMap(({ wish, trouble }) => (trouble ? [[wish, trouble]] : [])));
  return { changes: plannedChanges(actions, troubles, now()), wanted: wishes.length, unread, records };
}

/** Of such a wish it is not known yet whether somebody wants it. */
function isUnread(wish: string, unread: readonly string[]): boolean {
  return unread.some((name) => wish === name || wish.startsWith(`${name}/`));
}

type Present = {
  readonly held: Parameters<typeof planRenewal>[4];
  readonly state: FleetState;
  readonly now: number;
};

function planTenant(
  tenantId: string,
  wishes: readonly Wish[],
  records: readonly WishRecord[],
  listing: Listing | undefined,
  { held, state: { catchUp, setback }, now }: Present,
): Action[] {
  const seen: Circumstances = {
    intents: new Map(records.flatMap(({ wish, intent }) => (intent ? [[wish, intent]] : []))),
    ...(listing && { listedAt: listing.at }),
    ...(catchUp && { catchUpAt: catchUp.at }),
    ...(setback && { setbackUntil: setback.until }),
  };
  const own = wishes.filter((wish) => wish.tenantId === tenantId);
  const known = records.flatMap(({ subscriptions }) =>
    subscriptions.filter((one) => one.tenantId === tenantId),
  );
  return planRenewal(own, known, listing?.ours, now, held, seen);
}
