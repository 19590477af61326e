/**
 * Carries out one action of the plan at Graph and notes it. Whatever it is cut off by, at any step, what is noted by then
 * lets the next reconciliation go on: what was asked for is noted before it is asked, what was done after it.
 */
import { type ClientStateSecrets, createNonce, type Logger, signClientState } from '@graph2kafka/shared';
import { GraphError } from '../graph/graph-error.ts';
import type { EncryptionKeys } from '../rich/encryption-keys.ts';
import type { CloseHole } from './close-hole.ts';
import type { HeldFleet, WishRecord } from './fleet.ts';
import type { GraphCalls } from './graph-calls.ts';
import { type Listing, shownOf } from './graph-list.ts';
import type { LearntLives } from './learnt-lives.ts';
import { type Action, type Circumstances, isDue, type ListedSubscription, matches } from './renewal-plan.ts';
import { isStillMet } from './rotations.ts';
import { secretFingerprint } from './secret-fingerprint.ts';
import type { FormerCertificate, KnownSubscription } from './subscription-store.ts';
import type { EncryptionCertificate } from './subscriptions-api.ts';
import { explainTrouble, isConflict, TroubleError } from './troubles.ts';
import type { Wish } from './wanted-subscriptions.ts';
import { writeWatched } from './watched-resource.ts';

/** What is needed for the subscriptions of one tenant. */
export type WorkDeps = {
  readonly tenantId: string;
  readonly secrets: ClientStateSecrets['secrets'];
  readonly notificationUrl: string;
  readonly lifecycleNotificationUrl: string | undefined;
  readonly encryption: Pick<EncryptionKeys, 'current'>;
  /** Told of a subscription that was found gone: what changed meanwhile was not notified. */
  readonly noteHole: (subscription: KnownSubscription) => Promise<void>;
  /** Has what a subscription watches read again. */
  readonly closeHole: CloseHole;
  readonly graph: GraphCalls;
  readonly fleet: HeldFleet;
  readonly lives: LearntLives;
  /** What was known of the wish before. */
  readonly recordOf: (wish: string) => WishRecord | undefined;
  /** Which wishes these subscriptions serve. */
  readonly servedBy: (ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;
  /** Graph's list, also an older one, if it shows what is looked for; undefined where it may not be asked for now. */
  readonly listWith: (shows: (listing: Listing) => boolean) => Promise<Listing | undefined>;
  readonly seen: Circumstances;
  /** Why everything is renewed and read again at the moment, if it is. */
  readonly catchingUp: string | undefined;
  /** Redis was lost lately: a wish that seems to be new may have had a subscription. */
  readonly lostLately: string | undefined;
  readonly log: Logger;
  readonly now: () => number;
};

/** A request that was sent and not answered may still be worked; the handshake alone may take 10 s. */
export const SETTLE_MS = 60_000;
/** A demand that was not met for so long: Graph has paused the delivery. */
const TOKEN_LIFE_MS = 3_600_000;

export async function carryOut(deps: WorkDeps, action: Action): Promise<void> {
  const { fleet, graph, now, log } = deps;
  switch (action.do) {
    case 'create':
      return create(deps, action.wish, action.replaces, action.lost);
    case 'renew':
      return renew(deps, action);
    case 'amend':
      await fleet.save(action.subscription);
      return log.info({ wish: action.wish.key, id: action.subscription.id }, 'subscription.amended');
    case 'close':
      return saveClosing(deps, action.subscription);
    case 'adopt':
      return adopt(deps, action.wish, action.listed, action.asIntended === true);
    case 'delete':
      await graph.delete(action.subscription.id);
      return fleet.save({ ...action.subscription, replacedAt: now() });
    case 'forget':
      return fleet.forget(action.subscription.id);
  }
}

/**
 * The old one is let go first, since Graph refuses a second one for the same resource and change types. Its hole is noted
 * while it still serves: from then on nobody would look for one.
 */
async function create(
  deps: WorkDeps,
  wish: Wish,
  replaces: KnownSubscription | undefined,
  lost: boolean,
): Promise<void> {
  const { fleet, graph, now, secrets } = deps;
  // What is missing for a new one shows before the old one is let go.
  requireCertificate(deps, wish);
  graph.requireRoom(wish);
  if (replaces) {
    await graph.delete(replaces.id);
    if (lost) await deps.noteHole(replaces);
    await fleet.save({ ...replaces, replacedAt: now() });
  }
  const nonce = createNonce();
  let made: { id: string; certificateId?: string } & ReturnType<typeof shownOf>;
  try {
    made = await withLearntLife(deps, wish, () => post(deps, wish, nonce));
  } catch (error) {
    if (isConflict(error)) return adoptTwin(deps, wish, error);
    // What Graph may have made is looked for in its list before it is asked again.
    if (explainTrouble(error).maybeDone !== true) await fleet.intend(wish.key, undefined);
    throw error;
  }
  const follows = (deps.recordOf(wish.key)?.subscriptions.length ?? 0) > 0;
  const hole = follows ? 'its subscription was made anew' : deps.lostLately;
  const secret = secretFingerprint(secrets[0] ?? '');
  await keep(
    deps,
    wish,
    { ...made, nonce, secret },
    { hole, line: 'subscription.created', grantedAt: now() },
  );
}

async function post(deps: WorkDeps, wish: Wish, nonce: string) {
  const { graph, fleet, now, notificationUrl } = deps;
  const draft = draftOf(deps, wish, nonce);
  const made = await graph.create(wish, draft, () =>
    fleet.intend(wish.key, { nonce, settlesAt: now() + SETTLE_MS }),
  );
  const certificateId = draft.certificate?.id;
  return { ...shownOf(made, notificationUrl), ...(certificateId && { certificateId }) };
}

function requireCertificate({ encryption }: WorkDeps, { rich }: Wish): EncryptionCertificate | undefined {
  const certificate = rich ? encryption.current() : undefined;
  if (rich && !certificate)
    throw new TroubleError(
      'no-certificate',
      'there is no encryption key with a certificate: ENCRYPTION_KEYS',
    );
  return certificate;
}

function draftOf(deps: WorkDeps, wish: Wish, nonce: string) {
  const { tenantId, secrets, notificationUrl, lifecycleNotificationUrl, lives, now } = deps;
  const { resource, filter, rich, select, changeType, immutableIds } = wish;
  const certificate = requireCertificate(deps, wish);
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
    expiresAt: now() + lives.of(wish) * 60_000,
    ...(immutableIds && { immutableIds }),
    ...(certificate && { certificate }),
  };
}

/** Once more where Graph says how long it may live. */
async function withLearntLife<T>({ lives }: WorkDeps, wish: Wish, ask: () => Promise<T>): Promise<T> {
  const asked = lives.of(wish);
  try {
    return await ask();
  } catch (error) {
    const { lifeMinutes } = explainTrouble(error);
    if (lifeMinutes === undefined || !(await lives.learn(wish, lifeMinutes, asked))) throw error;
    return ask();
  }
}

/** Graph says that it exists: ours, made by a request whose answer was lost; another wish's; or somebody else's. */
async function adoptTwin(deps: WorkDeps, wish: Wish, conflict: unknown): Promise<void> {
  const { fleet } = deps;
  const isTwin = (one: Seen) => matches(one, wish);
  const listing = await deps.listWith(({ ours, others }) => ours.some(isTwin) || others.some(isTwin));
  if (!listing)
    throw new TroubleError('in-doubt', 'a subscription exists that Graph’s list has to name', {
      cause: conflict,
    });
  const twins = listing.ours.filter(isTwin);
  const serving = await deps.servedBy(twins.map(({ id }) => id));
  const twin = twins.find(
    ({ id, elsewhere }) => elsewhere === undefined && (serving.get(id) ?? wish.key) === wish.key,
  );
  const intended = deps.recordOf(wish.key)?.intent?.nonce;
  if (twin && wish.immutableIds && twin.nonce !== intended) return letGo(deps, wish, twin, conflict);
  if (twin) return adopt(deps, { ...wish, immutableIds: false }, twin, twin.nonce === intended, wish);
  await fleet.intend(wish.key, undefined);
  const taken = twins[0] ?? listing.others.find(isTwin);
  throw new TroubleError(
    'taken',
    `a subscription for ${wish.resource} exists that ${whoseIs(taken, serving)}`,
    { cause: conflict },
  );
}

type Seen = Omit<ListedSubscription, 'nonce' | 'secret'>;

function whoseIs(taken: Seen | undefined, serving: ReadonlyMap<string, string>): string {
  if (!taken) return 'this app may not see: another app, or a quota that Graph answers as a conflict';
  const wish = serving.get(taken.id);
  if (wish !== undefined) return `serves ${wish}: want it once only`;
  if (taken.elsewhere !== undefined)
    return `notifies ${taken.elsewhere} (${taken.id}): delete it, or have its owner do so`;
  return `does not carry our clientState (${taken.id}): delete it, or have its owner do so`;
}

/** Graph does not tell by which ids a subscription names things: where they have to be immutable, it is made anew. */
async function adopt(
  deps: WorkDeps,
  wish: Wish,
  listed: ListedSubscription,
  asIntended: boolean,
  shown: Wish = wish,
): Promise<void> {
  if (wish.immutableIds && !asIntended) {
    await deps.graph.delete(listed.id);
    return create(deps, wish, undefined, false);
  }
  const isFirst = (deps.recordOf(wish.key)?.subscriptions.length ?? 0) === 0;
  // While everything is caught up with, its renewal, which is next, has it read.
  const isKnown = (asIntended && isFirst) || deps.catchingUp !== undefined;
  const hole = isKnown ? undefined : 'its subscription was lost sight of';
  await keep(deps, shown, listed, { hole, line: 'subscription.adopted' });
}

/** Another one is not made at once: Graph may go on for a while to see what was deleted. */
async function letGo(
  { graph, fleet }: WorkDeps,
  { key, resource }: Wish,
  { id }: ListedSubscription,
  conflict: unknown,
) {
  await graph.delete(id);
  await fleet.intend(key, undefined);
  throw new TroubleError(
    'in-doubt',
    `a subscription for ${resource} existed whose ids may not be immutable: it is deleted, and made anew with the next look`,
    { cause: conflict },
  );
}

type Renewal = Extract<Action, { do: 'renew' }>;

async function renew(deps: WorkDeps, { wish, subscription, certificate }: Renewal): Promise<void> {
  try {
    await extend(deps, wish, subscription, certificate);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    if (error.failure.kind === 'notFound' || error.failure.kind === 'gone')
      return create(deps, wish, subscription, true);
    // A certificate that Graph does not take must not let the subscription die.
    if (certificate && error.failure.kind === 'rejected' && isDue(subscription, wish, deps.now(), deps.seen))
      await extend(deps, wish, subscription, undefined);
    throw error;
  }
}

async function extend(
  deps: WorkDeps,
  wish: Wish,
  subscription: KnownSubscription,
  certificate: EncryptionCertificate | undefined,
): Promise<void> {
  const { graph, lives, now, log, seen } = deps;
  const { demand, ...rest } = subscription;
  const { expirationDateTime } = await withLearntLife(deps, wish, () =>
    graph.renew(subscription.id, now() + lives.of(wish) * 60_000, certificate),
  );
  const waited = deps.recordOf(wish.key)?.trouble?.since ?? now();
  const wasPaused = demand === 'renew' && now() - waited > TOKEN_LIFE_MS;
  const isCaughtUp = seen.catchUpAt !== undefined && (subscription.grantedAt ?? 0) < seen.catchUpAt;
  const hole = wasPaused
    ? 'Graph’s challenge was not answered in time'
    : isCaughtUp
      ? deps.catchingUp
      : undefined;
  await saveClosing(deps, {
    ...rest,
    expiresAt: expirationDateTime,
    grantedAt: now(),
    ...(hole !== undefined && { hole }),
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

type Keeping = {
  /** What has to be read again, and why. */
  readonly hole: string | undefined;
  readonly line: 'subscription.created' | 'subscription.adopted';
  readonly grantedAt?: number;
};

async function keep(
  deps: WorkDeps,
  wish: Wish,
  { id, resource, changeType, certificateId, nonce, secret, expiresAt }: ListedSubscription,
  { hole, line, grantedAt }: Keeping,
): Promise<void> {
  const { key, tenantId, topic, whole, filter, rich, select, prefer, immutableIds } = wish;
  await saveClosing(deps, {
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
    servingSince: deps.now(),
    expiresAt,
    ...(grantedAt !== undefined && { grantedAt }),
    ...(hole !== undefined && { hole }),
  });
  deps.log.info({ wish: key, id, expires: iso(expiresAt) }, line);
}

/** The hole is noted with it, and taken off once its reading was asked for: cut off between, it is found again. */
async function saveClosing({ fleet, closeHole }: WorkDeps, subscription: KnownSubscription): Promise<void> {
  await fleet.save(subscription);
  const { hole, ...whole } = subscription;
  if (hole === undefined) return;
  await closeHole(whole, hole);
  await fleet.save(whole);
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
