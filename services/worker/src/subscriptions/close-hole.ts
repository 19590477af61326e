/** After notifications were missed: has what the subscription watches read, in the runs of the owner of that. */
import { type Inbox, ownerOf, parseResourcePath, resyncEntry } from '@graph2kafka/shared';
import type { KnownSubscription } from './subscription-store.ts';

/** Resolves once the reading is in the inbox; the waker sees to it. */
export type CloseHole = (
  subscription: Pick<KnownSubscription, 'id' | 'resource' | 'tenantId'>,
  reason: string,
) => Promise<void>;

export function createCloseHole(inbox: Inbox, now: () => number): CloseHole {
  return async ({ id, resource, tenantId }, reason) => {
    const path = parseResourcePath(resource);
    if (!path.ok) throw new Error(`subscription ${id} watches ${resource}: ${path.reason}`);
    const owner = `${tenantId}/${ownerOf(path.path)}`;
    await inbox.append(owner, [resyncEntry(owner, { tenantId, subscriptionId: id, reason }, now())]);
  };
}
