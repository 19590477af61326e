/** Makes a subscription at Graph, where need be in the place of another one. */
import { createNonce, signClientState } from '@graph2kafka/shared';
import { adoptTwin } from './adopt.ts';
import { shownOf } from './graph-list.ts';
import { keep } from './keep.ts';
import { withLearntLife } from './learnt-lives.ts';
import { secretFingerprint } from './secret-fingerprint.ts';
import type { KnownSubscription } from './subscription-store.ts';
import type { EncryptionCertificate } from './subscriptions-api.ts';
import { explainTrouble, isConflict, TroubleError } from './troubles.ts';
import { urlFingerprint } from './url-fingerprint.ts';
import type { Wish } from './wanted-subscriptions.ts';
import { writeWatched } from './watched-resource.ts';
import { SETTLE_MS, type WorkDeps } from './work-deps.ts';

/**
 * The old one is let go first, since Graph refuses a second one for the same resource and change types. Its hole is noted
 * while it still serves: from then on nobody would look for one.
 */
export async function create(
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
  const { graph, fleet, now } = deps;
  const draft = draftOf(deps, wish, nonce);
  const made = await graph.create(wish, draft, () =>
    fleet.intend(wish.key, { nonce, settlesAt: now() + SETTLE_MS }),
  );
  const certificateId = draft.certificate?.id;
  // As it was asked for: Graph may not repeat it.
  const lifecycle = urlFingerprint(draft.lifecycleNotificationUrl);
  return { ...shownOf(made, deps), lifecycle, ...(certificateId && { certificateId }) };
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
