/**
 * What Graph says of a subscription itself (change-notifications-lifecycle-events): renew it, make it anew, or know
 * that something was missed. A hole is published to the dead letters, so that it can be seen and closed.
 */
import type { Logger, TakenResource } from '@graph2kafka/shared';
import type { PublishOutcomes } from '../inbox/publish-outcomes.ts';
import type { CloseHole } from './close-hole.ts';
import type { SubscriptionStore } from './subscription-store.ts';

export type HandleLifecycle = (taken: TakenResource) => Promise<void>;

export type LifecycleDeps = {
  readonly store: SubscriptionStore;
  readonly publish: PublishOutcomes;
  /** Asks for a reconciliation beside the schedule. */
  readonly requestReconcile: () => Promise<void>;
  readonly closeHole: CloseHole;
  readonly log: Logger;
};

export function createLifecycleProcessor({
  store,
  publish,
  requestReconcile,
  closeHole,
  log,
}: LifecycleDeps): HandleLifecycle {
  async function demand(subscriptionId: string, what: 'renew' | 'recreate'): Promise<void> {
    const known = await store.get(subscriptionId);
    if (!known || known.replacedAt !== undefined) return;
    await store.save({ ...known, demand: what });
    await requestReconcile();
  }

  async function readAgain(subscriptionId: string): Promise<void> {
    const known = await store.get(subscriptionId);
    if (known) await closeHole(known, 'Graph missed notifications');
  }

  return async (taken) => {
    const news = taken.entries.at(-1)?.news;
    if (news?.kind !== 'lifecycle') return;
    const { subscriptionId, lifecycleEvent } = news;
    log.info({ subscription: subscriptionId, lifecycleEvent }, 'lifecycle.received');
    switch (lifecycleEvent) {
      case 'reauthorizationRequired':
        // A renewal reauthorizes as well; Graph warns of doing both within 10 minutes.
        return demand(subscriptionId, 'renew');
      case 'subscriptionRemoved':
        await publish.giveUp(
          taken,
          'resync',
          'the subscription was removed: changes until its replacement are not notified',
        );
        return demand(subscriptionId, 'recreate');
      case 'missed':
        await publish.giveUp(
          taken,
          'resync',
          'Graph could not deliver some notifications of this subscription',
        );
        return readAgain(subscriptionId);
      default:
        // Graph announces that there may be more kinds one day.
        log.warn({ subscription: subscriptionId, lifecycleEvent }, 'lifecycle.unknown');
    }
  };
}
