/**
 * After notifications were missed: has everything that the subscription watches read again. What was deleted in the
 * meantime is not found that way; the dead letter of the hole says so.
 */
import { type Inbox, ownerOf, parseResourcePath, resyncEntry } from '@graph2kafka/shared';
import type { KnownSubscription } from './subscription-store.ts';

/** Resolves once the reading is in the inbox of the owner of what is watched; the waker sees to it. */
export type CloseHole = (
  subscription: Pick<KnownSubscription, 'id' | 'resource'>,
  reason: string,
) => Promise<void>;

export function createCloseHole(inbox: Inbox, tenantId: string, now: () => number): CloseHole {
  return async ({ id, resource }, reason) => {
    const path = parseResourcePath(resource);
    if (!path.ok) throw new Error(`subscription ${id} watches ${resource}: ${path.reason}`);
    const owner = `${tenantId}/${ownerOf(path.path)}`;
    await inbox.append(owner, [resyncEntry(owner, { tenantId, subscriptionId: id, reason }, now())]);
  };
}
