/**
 * Carries out one action of the plan at Graph and notes it. Whatever it is cut off by, at any step, what is noted by then
 * lets the next reconciliation go on: what was asked for is noted before it is asked, what was done after it.
 */
import { GraphError } from '../graph/graph-error.ts';
import { adopt } from './adopt.ts';
import { iso, saveClosing } from './keep.ts';
import { withLearntLife } from './learnt-lives.ts';
import { create } from './make.ts';
import { type Action, isDue, isOfBefore } from './renewal-plan.ts';
import { isStillMet } from './rotations.ts';
import type { FormerCertificate, KnownSubscription } from './subscription-store.ts';
import type { EncryptionCertificate } from './subscriptions-api.ts';
import type { WorkDeps } from './work-deps.ts';

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
      return takeOver(deps, action);
    case 'delete':
      await graph.delete(action.subscription.id);
      return fleet.save({ ...action.subscription, replacedAt: now() });
    case 'forget':
      return fleet.forget(action.subscription.id);
  }
}

/** Graph does not tell by which ids a subscription names things: where they have to be immutable, it is made anew. */
async function takeOver(
  deps: WorkDeps,
  { wish, listed, asIntended }: Extract<Action, { do: 'adopt' }>,
): Promise<void> {
  if (!wish.immutableIds || asIntended) return adopt(deps, wish, listed, asIntended === true);
  await deps.graph.delete(listed.id);
  return create(deps, wish, undefined, false);
}

type Renewal = Extract<Action, { do: 'renew' }>;

/** Graph does not take our address: the subscription lives on with the one that it has. */
export class AddressError extends Error {
  override readonly name = 'AddressError';

  constructor(cause: GraphError) {
    super(`NOTIFICATION_URL was refused: ${cause.message}`, { cause });
  }
}

async function renew(deps: WorkDeps, renewal: Renewal): Promise<void> {
  const { wish, subscription, certificate, redirects } = renewal;
  try {
    await extend(deps, renewal);
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    if (error.failure.kind === 'notFound' || error.failure.kind === 'gone')
      return create(deps, wish, subscription, true);
    if (error.failure.kind !== 'rejected' || !(certificate || redirects)) throw error;
    // What Graph does not take of what is new must not let the subscription die.
    if (isDue(subscription, wish, deps.now(), deps.seen))
      await extend(deps, { do: 'renew', wish, subscription });
    throw redirects ? new AddressError(error) : error;
  }
}

async function extend(
  deps: WorkDeps,
  { wish, subscription, certificate, redirects }: Renewal,
): Promise<void> {
  const { graph, lives, now, log, seen, notificationUrl } = deps;
  const { demand, ...rest } = subscription;
  const { expirationDateTime } = await withLearntLife(deps, wish, () =>
    graph.renew(
      subscription.id,
      now() + lives.of(wish) * 60_000,
      certificate,
      redirects ? notificationUrl : undefined,
    ),
  );
  const waited = deps.recordOf(wish.key)?.trouble?.since ?? now();
  const wasPaused = demand === 'renew' && now() - waited > TOKEN_LIFE_MS;
  const hole = wasPaused
    ? 'Graph’s challenge was not answered in time'
    : isOfBefore(subscription, seen)
      ? deps.catchingUp
      : undefined;
  await saveClosing(deps, {
    ...rest,
    expiresAt: expirationDateTime,
    grantedAt: now(),
    ...(hole !== undefined && { hole }),
    ...(certificate && changedOver(subscription, certificate, now())),
    ...(redirects && { redirectedAt: now() }),
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
