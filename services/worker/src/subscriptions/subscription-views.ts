/** What a subscription id in a notification stands for: the view of its wish, or the default for one that is not ours. */
import { parseResourcePath } from '@graph2kafka/shared';
import type { View } from '../inbox/merge-entries.ts';
import type { KnownSubscription, SubscriptionStore } from './subscription-store.ts';

/** Subscriptions change rarely, and a change of what we know of one (its topic) may wait so long. */
const FRESH_MS = 5000;
/** An id that is not known makes us look again, but not more often than this: it may be none of ours. */
const LOOK_AGAIN_MS = 500;

export type LoadViews = (subscriptionIds: Iterable<string>) => Promise<(subscriptionId: string) => View>;

/** Asked before each run with the ids that it met; resolves to a look-up that holds for the run. */
export function createSubscriptionViews(
  store: SubscriptionStore,
  defaultTopic: string,
  now: () => number,
): LoadViews {
  let views = new Map<string, View>();
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    const startedAt = now();
    const known = await store.all();
    views = new Map(known.map((subscription) => [subscription.id, viewOf(subscription)]));
    loadedAt = startedAt;
  }

  // Not known to us: whether "deleted" means gone is not known either, so Graph is asked.
  const unknown: View = { wish: undefined, topic: defaultTopic, whole: false };

  return async (subscriptionIds) => {
    const age = now() - loadedAt;
    const isNew = age > LOOK_AGAIN_MS && ![...subscriptionIds].every((id) => views.has(id));
    if (age > FRESH_MS || isNew) {
      loading ??= load().finally(() => {
        loading = undefined;
      });
      await loading;
    }
    return (subscriptionId) => views.get(subscriptionId) ?? unknown;
  };
}

function viewOf({ wish, topic, whole, resource, nonce, select }: KnownSubscription): View {
  const path = parseResourcePath(resource);
  return {
    wish,
    topic,
    whole,
    nonce,
    ...(select && { select }),
    ...(path.ok && { watched: path.path }),
    ...(whole && path.ok && { collection: path.path }),
  };
}
