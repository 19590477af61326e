/**
 * What Graph says of a subscription itself (Graph: change-notifications-lifecycle-events): renew it, make it anew, or
 * know that something was missed. A hole is published to the dead letters, so that it can be seen and closed.
 */
import type { Logger, TakenResource } from '@graph2kafka/shared';
import type { PublishOutcomes } from '../inbox/publish-outcomes.ts';
import type { CloseHole } from './close-hole.ts';
import type { Demand } from './subscription-demands.ts';
import type { KnownSubscription, SubscriptionStore } from './subscription-store.ts';

export type HandleLifecycle = (taken: TakenResource) => Promise<void>;

export type LifecycleDeps = {
  readonly store: Pick<SubscriptionStore, 'get' | 'demand'>;
  readonly publish: Pick<PublishOutcomes, 'giveUp'>;
  /** Asks for a reconciliation beside the schedule. */
  readonly requestReconcile: () => Promise<void>;
  readonly closeHole: CloseHole;
  /** Counts what Graph has said, by `lifecycleEvent`; kinds that are not known are one. */
  readonly count: (event: LifecycleEvent) => void;
  readonly log: Logger;
};

export const LIFECYCLE_EVENTS = [
  'reauthorizationRequired',
  'subscriptionRemoved',
  'missed',
  'unknown',
] as const;

export type LifecycleEvent = (typeof LIFECYCLE_EVENTS)[number];

const HOLES = {
  subscriptionRemoved: 'the subscription was removed: changes until its replacement are not notified',
  missed: 'Graph could not deliver some notifications of this subscription',
};

export function createLifecycleProcessor(deps: LifecycleDeps): HandleLifecycle {
  const { store, publish, requestReconcile, closeHole, count, log } = deps;

  async function demand({ id }: KnownSubscription, what: Demand): Promise<void> {
    if (await store.demand(id, what)) await requestReconcile();
    else log.debug({ subscription: id }, 'lifecycle.renewed-already');
  }

  /** What serves a wish; of everything else only the hole is shown. */
  async function act(known: KnownSubscription, event: LifecycleEvent): Promise<void> {
    // A renewal reauthorizes as well; Graph warns of doing both within 10 minutes.
    if (event === 'reauthorizationRequired') return demand(known, 'renew');
    if (event === 'subscriptionRemoved') return demand(known, 'recreate');
    if (event === 'missed') return closeHole(known, 'Graph missed notifications');
  }

  return async (taken) => {
    const news = taken.entries.at(-1)?.news;
    if (news?.kind !== 'lifecycle') return;
    const { subscriptionId, lifecycleEvent } = news;
    const said = { subscription: subscriptionId, lifecycleEvent };
    const known = await store.get(subscriptionId);
    if (known && !isBelieved(taken, known)) {
      log.warn(said, 'lifecycle.not-believed');
      return;
    }
    log.info(said, 'lifecycle.received');
    const event = LIFECYCLE_EVENTS.find((one) => one === lifecycleEvent) ?? 'unknown';
    count(event);
    // Graph announces that there may be more kinds one day.
    if (event === 'unknown') log.warn(said, 'lifecycle.unknown');
    if (event === 'missed' || event === 'subscriptionRemoved')
      await publish.giveUp(taken, 'resync', HOLES[event], known?.wish);
    if (known && known.replacedAt === undefined) return act(known, event);
    log.info({ ...said, why: known ? 'replaced' : 'not ours' }, 'lifecycle.not-served');
  };
}

/** Whether one of them carried the clientState of this very subscription. */
function isBelieved({ entries }: TakenResource, { nonce }: KnownSubscription): boolean {
  return entries.some(({ news }) => news.kind === 'lifecycle' && news.nonce === nonce);
}
