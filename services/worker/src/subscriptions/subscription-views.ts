/** What a subscription id in a notification stands for: the view of its wish, or the default for one that is not ours. */
import { parseResourcePath } from '@graph2kafka/shared';
import type { View } from '../inbox/merge-entries.ts';
import { IMMUTABLE_IDS } from '../resources/outlook-preferences.ts';
import type { KnownSubscription, SubscriptionStore } from './subscription-store.ts';

/** Subscriptions change rarely, and a change of what we know of one (its topic) may wait so long. */
const FRESH_MS = 5000;
/** An id that is not known makes us look again, but not more often than this: it may be none of ours. */
const LOOK_AGAIN_MS = 500;

/**
 * Asked before each run with the ids that it met; resolves to a look-up that holds for the run. `tenantId`: of what was
 * notified, in lower case.
 */
export type LoadViews = (
  subscriptionIds: Iterable<string>,
  tenantId: string,
) => Promise<(subscriptionId: string) => View>;

/** `topicOf`: where a tenant's news goes of which the subscription is not known. */
export function createSubscriptionViews(
  store: SubscriptionStore,
  topicOf: (tenantId: string) => string,
  now: () => number,
): LoadViews {
  let views = new Map<string, { readonly tenantId: string; readonly view: View }>();
  let loadedAt = Number.NEGATIVE_INFINITY;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    const startedAt = now();
    const known = await store.all();
    views = new Map(known.map((one) => [one.id, { tenantId: one.tenantId, view: viewOf(one) }]));
    loadedAt = startedAt;
  }

  return async (subscriptionIds, tenantId) => {
    const age = now() - loadedAt;
    const isNew = age > LOOK_AGAIN_MS && ![...subscriptionIds].every((id) => views.has(id));
    if (age > FRESH_MS || isNew) {
      loading ??= load().finally(() => {
        loading = undefined;
      });
      await loading;
    }
    // Not known to us: whether "deleted" means gone is not known either, so Graph is asked.
    const unknown: View = { wish: undefined, topic: topicOf(tenantId), whole: false };
    return (subscriptionId) => {
      const known = views.get(subscriptionId);
      // Another tenant's word says nothing of it, and goes to none of its topics.
      return known?.tenantId === tenantId ? known.view : unknown;
    };
  };
}

function viewOf(known: KnownSubscription): View {
  const { wish, topic, whole, resource, filter, nonce, select, prefer = [], immutableIds } = known;
  const preferred = [...(immutableIds ? [IMMUTABLE_IDS] : []), ...prefer];
  const path = parseResourcePath(resource);
  return {
    wish,
    topic,
    whole,
    nonce,
    ...(select && { select }),
    ...(preferred.length > 0 && { prefer: preferred }),
    ...(path.ok && { watched: path.path }),
    ...(filter !== undefined && { filter }),
  };
}
