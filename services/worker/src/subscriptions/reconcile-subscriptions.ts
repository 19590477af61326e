/** Carries out the plan: one look at what is wanted, known and listed, then each action, errors told apart by wish. */
import {
  type ClientStateSecrets,
  createNonce,
  type Logger,
  signClientState,
  verifyClientState,
} from '@graph2kafka/shared';
import { GraphError } from '../graph/graph-error.ts';
import type { CloseHole } from './close-hole.ts';
import { type Action, type ListedSubscription, matches, planRenewal } from './renewal-plan.ts';
import type { KnownSubscription, SubscriptionStore } from './subscription-store.ts';
import type { GraphSubscription, SubscriptionsApi } from './subscriptions-api.ts';
import type { Wish } from './wanted-subscriptions.ts';

export type ReconcileDeps = {
  readonly api: SubscriptionsApi;
  readonly store: SubscriptionStore;
  readonly log: Logger;
  readonly wishes: readonly Wish[];
  readonly tenantId: string;
  readonly secrets: ClientStateSecrets['secrets'];
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
};

/** `askGraph`: compare with Graph's own list too; it finds what was removed behind our back. */
export async function reconcileSubscriptions(
  deps: ReconcileDeps,
  askGraph: boolean,
): Promise<ReconcileReport> {
  const { store, wishes, now } = deps;
  const done: Record<Action['do'], number> = { create: 0, renew: 0, adopt: 0, delete: 0, forget: 0 };
  const failed: string[] = [];
  // Renewals must not wait for a list that Graph does not give; without it the plan goes by what is known.
  const listed = askGraph
    ? await listOurs(deps).catch((error) => noteNoList(deps, failed, error))
    : undefined;
  const actions = planRenewal(wishes, await store.all(), listed, now());
  for (const action of actions) {
    try {
      await carryOut(deps, action);
      done[action.do]++;
    } catch (error) {
      const wish = 'wish' in action ? action.wish.key : action.subscription.wish;
      failed.push(`${action.do} ${wish}: ${error instanceof Error ? error.message : 'unknown error'}`);
      deps.log.error({ wish, action: action.do, err: error }, 'subscription.action-failed');
    }
  }
  const { create: created, renew: renewed, adopt: adopted, delete: deleted } = done;
  return { wanted: wishes.length, created, renewed, adopted, deleted, listed: listed !== undefined, failed };
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
  { id, resource, changeType, clientState, expirationDateTime }: GraphSubscription,
  tenantId: string,
  secrets: ClientStateSecrets['secrets'],
): ListedSubscription | undefined {
  const state = verifyClientState(clientState, tenantId, { secrets, accepted: [] });
  if (!state.verified || state.nonce === undefined) return undefined;
  return { id, resource, changeType, nonce: state.nonce, expiresAt: expirationDateTime };
}

async function carryOut(deps: ReconcileDeps, action: Action): Promise<void> {
  switch (action.do) {
    case 'create':
      return create(deps, action.wish, action.replaces, action.lost);
    case 'renew':
      return renew(deps, action.wish, action.subscription);
    case 'adopt':
      return keep(deps, action.wish, action.listed, 'subscription.adopted');
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
  const { api, store, now, tenantId, secrets } = deps;
  if (replaces) {
    await api.delete(replaces.id);
    if (lost) await deps.noteHole(replaces);
    await store.save({ ...replaces, replacedAt: now() });
  }
  const follows = (await store.all()).some((known) => known.wish === wish.key);
  const nonce = createNonce();
  try {
    const { id, resource, changeType, expirationDateTime } = await api.create({
      resource: wish.resource,
      changeType: wish.changeType,
      notificationUrl: deps.notificationUrl,
      lifecycleNotificationUrl: deps.lifecycleNotificationUrl,
      clientState: signClientState(secrets, tenantId, nonce),
      expiresAt: now() + wish.lifeMinutes * 60_000,
    });
    await keep(
      deps,
      wish,
      { id, resource, changeType, nonce, expiresAt: expirationDateTime },
      'subscription.created',
    );
    if (follows) await deps.closeHole({ id, resource }, 'its subscription was made anew');
  } catch (error) {
    if (!isConflict(error)) throw error;
    await adoptTwin(deps, wish, error);
  }
}

/** Graph says that it exists: ours, made by a request whose answer was lost; another wish's; or somebody else's. */
async function adoptTwin(deps: ReconcileDeps, wish: Wish, conflict: unknown): Promise<void> {
  const twins = (await listOurs(deps)).filter((listed) => matches(listed, wish));
  const serving = new Map(
    (await deps.store.all()).flatMap((one) => (one.replacedAt === undefined ? [[one.id, one.wish]] : [])),
  );
  const twin = twins.find(({ id }) => (serving.get(id) ?? wish.key) === wish.key);
  if (twin) return keep(deps, wish, twin, 'subscription.adopted');
  const [taken] = twins;
  const whose = taken
    ? `serves ${serving.get(taken.id)}: want it once only`
    : 'does not carry our clientState: delete it, or have its owner do so';
  throw new Error(`a subscription for ${wish.resource} exists that ${whose}`, { cause: conflict });
}

function isConflict(error: unknown): boolean {
  return error instanceof GraphError && error.failure.kind === 'rejected' && error.failure.status === 409;
}

async function renew(deps: ReconcileDeps, wish: Wish, subscription: KnownSubscription): Promise<void> {
  const { api, store, now, log } = deps;
  const { demand: _demand, ...rest } = subscription;
  try {
    const { expirationDateTime } = await api.renew(subscription.id, now() + wish.lifeMinutes * 60_000);
    await store.save({ ...rest, expiresAt: expirationDateTime });
    log.info(
      { wish: wish.key, id: subscription.id, expires: iso(expirationDateTime) },
      'subscription.renewed',
    );
  } catch (error) {
    if (!(error instanceof GraphError) || error.failure.kind !== 'notFound') throw error;
    await create(deps, wish, subscription, true);
  }
}

async function keep(
  { store, log }: ReconcileDeps,
  wish: Wish,
  { id, resource, changeType, nonce, expiresAt }: ListedSubscription,
  line: 'subscription.created' | 'subscription.adopted',
): Promise<void> {
  const { key, topic, whole } = wish;
  await store.save({ id, wish: key, resource, changeType, topic, whole, nonce, expiresAt });
  log.info({ wish: key, id, expires: iso(expiresAt) }, line);
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
