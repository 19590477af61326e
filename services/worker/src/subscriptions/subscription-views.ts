/** What a subscription id in a notification stands for: the view of its wish, or the default for one that is not ours. */
import { parseResourcePath } from '@graph2kafka/shared';
import type { View } from '../inbox/merge-entries.ts';
import { IMMUTABLE_IDS } from '../resources/outlook-preferences.ts';
import type { KnownSubscription, SubscriptionStore } from './subscription-store.ts';

/** Subscriptions change rarely, and a change of what we know of one (its topic) may wait so long. */
const FRESH_MS = 5000;
/** An id that is not known makes us look again, but not more often than this: it may be none of ours. */
const LOOK_AGAIN_MS = 500;
/** What the runs of a moment meet; a fleet may have ten times as many. */
const MOST_SEEN = 10_000;

/**
 * Asked before each run with the ids that it met; resolves to a look-up that holds for the run. `tenantId`: of what was
 * notified, in lower case.
 */
export type LoadViews = (
  subscriptionIds: Iterable<string>,
  tenantId: string,
) => Promise<(subscriptionId: string) => View>;

type Seen = {
  /** Undefined: not known to us. */
  readonly known: { readonly tenantId: string; readonly view: View } | undefined;
  readonly at: number;
};

/** `topicOf`: where a tenant's news goes of which the subscription is not known. */
export function createSubscriptionViews(
  store: Pick<SubscriptionStore, 'many'>,
  topicOf: (tenantId: string) => string,
  now: () => number,
): LoadViews {
  /** In the order in which they were read. */
  const seen = new Map<string, Seen>();
  const reading = new Map<string, Promise<void>>();

  function isFresh(id: string): boolean {
    const one = seen.get(id);
    return one !== undefined && now() - one.at <= (one.known ? FRESH_MS : LOOK_AGAIN_MS);
  }

  async function read(ids: readonly string[]): Promise<void> {
    const at = now();
    const known = new Map((await store.many(ids)).map((one) => [one.id, one]));
    for (const id of ids) {
      const one = known.get(id);
      seen.delete(id);
      seen.set(id, { known: one && { tenantId: one.tenantId, view: viewOf(one) }, at });
    }
    for (const id of seen.keys()) {
      if (seen.size <= MOST_SEEN) break;
      seen.delete(id);
    }
  }

  /** One question for all that nobody is asking for already. */
  async function refresh(ids: ReadonlySet<string>): Promise<void> {
    const stale = [...ids].filter((id) => !isFresh(id));
    const own = stale.filter((id) => !reading.has(id));
    if (own.length > 0) {
      const asked = read(own).finally(() => {
        for (const id of own) reading.delete(id);
      });
      for (const id of own) reading.set(id, asked);
    }
    await Promise.all(stale.map((id) => reading.get(id)));
  }

  return async (subscriptionIds, tenantId) => {
    const ids = new Set(subscriptionIds);
    await refresh(ids);
    // Not known to us: whether "deleted" means gone is not known either, so Graph is asked.
    const unknown: View = { wish: undefined, topic: topicOf(tenantId), whole: false };
    const views = new Map([...ids].map((id) => [id, seen.get(id)?.known]));
    return (subscriptionId) => {
      const known = views.get(subscriptionId);
      // Another tenant's word says nothing of it, and goes to none of its topics.
      return known?.tenantId === tenantId ? known.view : unknown;
    };
  };
}

function viewOf(known: KnownSubscription): View {
  const { wish, topic, whole, resource, filter, nonce, select, prefer = [], immutableIds } = known;
  const { notificationOnly } = known;
  const preferred = [...(immutableIds ? [IMMUTABLE_IDS] : []), ...prefer];
  const path = parseResourcePath(resource);
  return {
    wish,
    topic,
    whole,
    nonce,
    ...(select && { select }),
    ...(notificationOnly && { notificationOnly }),
    ...(preferred.length > 0 && { prefer: preferred }),
    ...(path.ok && { watched: path.path }),
    ...(filter !== undefined && { filter }),
  };
}
