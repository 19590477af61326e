/** Carries out the plan: one look at what is wanted, known and listed, then each action, errors told apart by wish. */
import {
  type ClientStateSecrets,
  createNonce,
  type Logger,
  signClientState,
  verifyClientState,
} from '@graph2kafka/shared';
import { GraphError } from '../graph/graph-error.ts';
import type { EncryptionKeys } from '../rich/encryption-keys.ts';
import type { CloseHole } from './close-hole.ts';
import { type Action, isDue, type ListedSubscription, matches, planRenewal } from './renewal-plan.ts';
import {
  type CertificateInUse,
  certificatesInUse,
  certificatesOf,
  isStillMet,
  type SecretsInUse,
  secretsInUse,
  wereFreed,
} from './rotations.ts';
import { secretFingerprint } from './secret-fingerprint.ts';
import type { FormerCertificate, KnownSubscription, SubscriptionStore } from './subscription-store.ts';
import type { EncryptionCertificate, GraphSubscription, SubscriptionsApi } from './subscriptions-api.ts';
import type { Wish } from './wanted-subscriptions.ts';
import { readWatched, writeWatched } from './watched-resource.ts';

export type ReconcileDeps = {
  readonly api: SubscriptionsApi;
  readonly store: SubscriptionStore;
  readonly log: Logger;
  readonly wishes: readonly Wish[];
  readonly tenantId: string;
  readonly secrets: ClientStateSecrets['secrets'];
  readonly encryption: Pick<EncryptionKeys, 'held' | 'current'>;
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | undefined;
  /** Told of a subscription that was found gone: what changed meanwhile was not notified. */
  readonly noteHole: (subscription: KnownSubscription) => Promise<void>;
  /** Told of a subscription that follows on another one of its wish. */
  readonly closeHole: CloseHole;
  readonly now: () => number;
};

export type ReconcileReport = {
  readonly wanted: number;
  readonly created: number;
  readonly renewed: number;
  readonly adopted: number;
  readonly deleted: number;
  /** Whether Graph's own list was compared. */
  readonly listed: boolean;
  /** A line for each wish that could not be served, and for a list that could not be had. */
  readonly failed: readonly string[];
  /** Subscriptions by the clientState secret that they carry. */
  readonly bySecret: SecretsInUse;
  /** In this reconciliation the last one was forgotten that needed an older secret than the first. */
  readonly oldSecretsFreed: boolean;
  /** Of the keys that are held, those that have one. */
  readonly certificates: readonly CertificateInUse[];
};

/** `askGraph`: compare with Graph's own list too; it finds what was removed behind our back. */
export async function reconcileSubscriptions(
  deps: ReconcileDeps,
  askGraph: boolean,
): Promise<ReconcileReport> {
  const { store, wishes, now, encryption, secrets } = deps;
  const failed: string[] = [];
  // Renewals must not wait for a list that Graph does not give; without it the plan goes by what is known.
  const listed = askGraph
    ? await listOurs(deps).catch((error) => noteNoList(deps, failed, error))
    : undefined;
  const known = await store.all();
  const held = { certificate: encryption.current(), secrets: secrets.map(secretFingerprint) };
  const actions = planRenewal(wishes, known, listed, now(), held);
  const done = await carryOutAll(deps, actions, failed);
  const { create: created, renew: renewed, adopt: adopted, delete: deleted } = done;
  const counts = { wanted: wishes.length, created, renewed, adopted, deleted };
  const after = actions.length > 0 ? await store.all() : known;
  const bySecret = secretsInUse(after, secrets);
  return {
    ...counts,
    listed: listed !== undefined,
    failed,
    bySecret,
    oldSecretsFreed: wereFreed(secretsInUse(known, secrets), bySecret),
    certificates: certificatesOf(encryption.held(), certificatesInUse(after, now())),
  };
}

/**
 * One that fails leaves the others their turn. But after one that was let go for its secret and could not be made anew,
 * no other one is: it serves as it is.
 */
async function carryOutAll(deps: ReconcileDeps, actions: readonly Action[], failed: string[]) {
  const done: Record<Action['do'], number> = {
    create: 0,
    renew: 0,
    amend: 0,
    adopt: 0,
    delete: 0,
    forget: 0,
  };
  let wasHarmed = false;
  for (const action of actions) {
    const isForSecret = action.do === 'create' && action.forSecret === true;
    if (isForSecret && wasHarmed) continue;
    try {
      await carryOut(deps, action);
      done[action.do]++;
    } catch (error) {
      if (isForSecret) wasHarmed = true;
      const wish = 'wish' in action ? action.wish.key : action.subscription.wish;
      failed.push(`${action.do} ${wish}: ${error instanceof Error ? error.message : 'unknown error'}`);
      deps.log.error({ wish, action: action.do, err: error }, 'subscription.action-failed');
    }
  }
  return done;
}

function noteNoList({ log }: ReconcileDeps, failed: string[], error: unknown): undefined {
  failed.push(`list: ${error instanceof Error ? error.message : 'unknown error'}`);
  log.error({ err: error }, 'subscription.list-failed');
}

/** The subscriptions that carry a clientState of ours; nobody else's is looked at. */
async function listOurs({ api, tenantId, secrets }: ReconcileDeps): Promise<ListedSubscription[]> {
  const all = await api.list();
  return all.flatMap((subscription) => listedOf(subscription, tenantId, secrets) ?? []);
}

function listedOf(
  subscription: GraphSubscription,
  tenantId: string,
  secrets: ClientStateSecrets['secrets'],
): ListedSubscription | undefined {
  for (const secret of secrets) {
    const ours = { secrets: [secret], accepted: [] };
    const state = verifyClientState(subscription.clientState, tenantId, ours);
    if (state.verified && state.nonce !== undefined)
      return asListed(subscription, state.nonce, secretFingerprint(secret));
  }
  return undefined;
}

function asListed(
  {
    id,
    resource,
    changeType,
    expirationDateTime,
    includeResourceData,
    encryptionCertificateId,
  }: GraphSubscription,
  nonce: string,
  secret: string,
): ListedSubscription {
  return {
    id,
    ...readWatched(resource),
    changeType,
    nonce,
    secret,
    expiresAt: expirationDateTime,
    ...(includeResourceData === true && { rich: true }),
    ...(encryptionCertificateId && { certificateId: encryptionCertificateId }),
  };
}

async function carryOut(deps: ReconcileDeps, action: Action): Promise<void> {
  switch (action.do) {
    case 'create':
      return create(deps, action.wish, action.replaces, action.lost);
    case 'renew':
      return renew(deps, action);
    case 'amend':
      await deps.store.save(action.subscription);
      return deps.log.info({ wish: action.wish.key, id: action.subscription.id }, 'subscription.amended');
    case 'adopt':
      return adopt(deps, action.wish, action.listed);
    case 'delete':
      await deps.api.delete(action.subscription.id);
      return deps.store.save({ ...action.subscription, replacedAt: deps.now() });
    case 'forget':
      return deps.store.remove(action.subscription.id);
  }
}

/**
 * The old one is let go first, since Graph refuses a second one for the same resource and change types. Its hole is noted
 * while it still serves: from then on nobody would look for one.
 */
async function create(
  deps: ReconcileDeps,
  wish: Wish,
  replaces: KnownSubscription | undefined,
  lost: boolean,
): Promise<void> {
  const { api, store, now, secrets } = deps;
  const nonce = createNonce();
  // What is missing for a new one shows before the old one is let go.
  const draft = draftOf(deps, wish, nonce);
  if (replaces) {
    await api.delete(replaces.id);
    if (lost) await deps.noteHole(replaces);
    await store.save({ ...replaces, replacedAt: now() });
  }
  const follows = (await store.all()).some((known) => known.wish === wish.key);
  try {
    const made = asListed(await api.create(draft), nonce, secretFingerprint(secrets[0] ?? ''));
    const certificateId = draft.certificate?.id;
    await keep(deps, wish, { ...made, ...(certificateId && { certificateId }) }, 'subscription.created');
    if (follows) await deps.closeHole(made, 'its subscription was made anew');
  } catch (error) {
    if (!isConflict(error)) throw error;
    await adoptTwin(deps, wish, error);
  }
}

function draftOf(
  { tenantId, secrets, notificationUrl, lifecycleNotificationUrl, encryption, now }: ReconcileDeps,
  { resource, filter, rich, select, changeType, lifeMinutes, immutableIds }: Wish,
  nonce: string,
) {
  const certificate = rich ? encryption.current() : undefined;
  if (rich && !certificate) throw new Error('there is no encryption key with a certificate: ENCRYPTION_KEYS');
  return {
    resource: writeWatched({
      resource,
      ...(filter !== undefined && { filter }),
      ...(rich && select && { select }),
    }),
    changeType,
    notificationUrl,
    lifecycleNotificationUrl,
    clientState: signClientState(secrets, tenantId, nonce),
    expiresAt: now() + lifeMinutes * 60_000,
    ...(immutableIds && { immutableIds }),
    ...(certificate && { certificate }),
  };
}

/** Graph says that it exists: ours, made by a request whose answer was lost; another wish's; or somebody else's. */
async function adoptTwin(deps: ReconcileDeps, wish: Wish, conflict: unknown): Promise<void> {
  const twins = (await listOurs(deps)).filter((listed) => matches(listed, wish));
  const serving = new Map(
    (await deps.store.all()).flatMap((one) => (one.replacedAt === undefined ? [[one.id, one.wish]] : [])),
  );
  const twin = twins.find(({ id }) => (serving.get(id) ?? wish.key) === wish.key);
  if (twin && wish.immutableIds) return letGo(deps, twin, conflict);
  if (twin) return keep(deps, wish, twin, 'subscription.adopted');
  const [taken] = twins;
  const whose = taken
    ? `serves ${serving.get(taken.id)}: want it once only`
    : 'does not carry our clientState: delete it, or have its owner do so';
  throw new Error(`a subscription for ${wish.resource} exists that ${whose}`, { cause: conflict });
}

/** Graph does not tell by which ids a subscription names things: where they have to be immutable, it is made anew. */
async function adopt(deps: ReconcileDeps, wish: Wish, listed: ListedSubscription): Promise<void> {
  if (!wish.immutableIds) return keep(deps, wish, listed, 'subscription.adopted');
  await deps.api.delete(listed.id);
  return create(deps, wish, undefined, false);
}

/** Another one is not made at once: Graph may go on for a while to see what was deleted. */
async function letGo({ api }: ReconcileDeps, { id, resource }: ListedSubscription, conflict: unknown) {
  await api.delete(id);
  throw new Error(
    `a subscription for ${resource} existed whose ids may not be immutable: it is deleted, and made anew with the next look`,
    { cause: conflict },
  );
}

function isConflict(error: unknown): boolean {
  return error instanceof GraphError && error.failure.kind === 'rejected' && error.failure.status === 409;
}

type Renewal = Extract<Action, { do: 'renew' }>;

async function renew(deps: ReconcileDeps, { wish, subscription, certificate }: Renewal): Promise<void> {
  try {
    await extend(deps, wish, subscription, certificate);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    if (error.failure.kind === 'notFound') return create(deps, wish, subscription, true);
    // A certificate that Graph does not take must not let the subscription die.
    if (certificate && error.failure.kind === 'rejected' && isDue(subscription, wish, deps.now()))
      await extend(deps, wish, subscription, undefined);
    throw error;
  }
}

async function extend(
  { api, store, now, log }: ReconcileDeps,
  wish: Wish,
  subscription: KnownSubscription,
  certificate: EncryptionCertificate | undefined,
): Promise<void> {
  const { demand: _demand, ...rest } = subscription;
  const until = now() + wish.lifeMinutes * 60_000;
  const { expirationDateTime } = await api.renew(subscription.id, until, certificate);
  await store.save({
    ...rest,
    expiresAt: expirationDateTime,
    ...(certificate && changedOver(subscription, certificate, now())),
  });
  const encrypted = certificate && { certificate: certificate.id };
  log.info(
    { wish: wish.key, id: subscription.id, expires: iso(expirationDateTime), ...encrypted },
    'subscription.renewed',
  );
}

function changedOver(
  { certificateId: old, formerCertificates = [] }: KnownSubscription,
  { id }: EncryptionCertificate,
  now: number,
): { certificateId: string; formerCertificates: readonly FormerCertificate[] } {
  const former = old === undefined ? [] : [{ id: old, until: now }];
  const still = formerCertificates.filter((one) => isStillMet(one, now));
  return { certificateId: id, formerCertificates: [...still, ...former] };
}

async function keep(
  { store, log, now }: ReconcileDeps,
  wish: Wish,
  { id, resource, changeType, certificateId, nonce, secret, expiresAt }: ListedSubscription,
  line: 'subscription.created' | 'subscription.adopted',
): Promise<void> {
  const { key, tenantId, topic, whole, filter, rich, select, prefer, immutableIds } = wish;
  await store.save({
    id,
    wish: key,
    tenantId,
    resource,
    ...(filter !== undefined && { filter }),
    changeType,
    topic,
    whole,
    ...(rich && { rich }),
    ...(select && { select }),
    ...(prefer && { prefer }),
    ...(immutableIds && { immutableIds }),
    ...(certificateId && { certificateId }),
    nonce,
    ...(secret && { secret }),
    servingSince: now(),
    expiresAt,
  });
  log.info({ wish: key, id, expires: iso(expiresAt) }, line);
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
