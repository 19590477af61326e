/** A wanted subscription, and when two of them want the same. Pure. */
import { canonicalResource, parseResourcePath } from '@graph2kafka/shared';
import { filterKey, selectKey } from './watched-resource.ts';

/** One subscription that has to exist. */
export type Wish = {
  /** `calendars/{user}`, or the name alone where there are no users; stays the same when Graph's subscription is made anew. */
  readonly key: string;
  readonly tenantId: string;
  /** The path that is watched: `users/{id}/events`. */
  readonly resource: string;
  /** Only these of its changes: `isRead eq false`, not percent-encoded. */
  readonly filter?: string;
  /** As Graph takes it: `created,updated,deleted`. */
  readonly changeType: string;
  readonly topic: string;
  readonly lifeMinutes: number;
  /** No part of a mailbox and no filter: "deleted" means gone. */
  readonly whole: boolean;
  /** Whether notifications carry the resource, encrypted. */
  readonly rich?: boolean;
  /** The properties that records show; absent: all. */
  readonly select?: readonly string[];
  /** Values of the Prefer header of each fetch. */
  readonly prefer?: readonly string[];
  /** Records say what was notified, and nothing is read. */
  readonly notificationOnly?: boolean;
  /** Ids that stay when an item is moved. */
  readonly immutableIds?: boolean;
};

/** The same text for wishes of which Graph makes one subscription only, and no other. */
export function whatIsWanted(wish: Wish): string {
  const { tenantId, resource, filter, rich, select, changeType } = wish;
  const selected = rich ? selectKey(select) : '';
  const changes = changeType.split(',').sort().join();
  return JSON.stringify([tenantId, canonicalOf(resource), filterKey(filter), selected, changes]);
}

/** Whether two texts name the same resource, however they spell it. */
export function sameResource(a: string, b: string): boolean {
  return canonicalOf(a) === canonicalOf(b);
}

/** One that is no path stands for itself. */
function canonicalOf(resource: string): string {
  const parsed = parseResourcePath(resource);
  return parsed.ok ? canonicalResource(parsed.path) : resource;
}
