/**
 * What the entries of one resource come to: one item per wanted subscription, and what a record of it needs.
 * Pure; the table stands in docs/architecture.md.
 */
import type { News, ResourcePath, TakenEntry } from '@graph2kafka/shared';
import type { FetchOptions } from '../graph/fetch-resource.ts';
import { canNotify } from '../resources/find-kind.ts';

/** How a wanted subscription looks at its resources. */
export type View = FetchOptions & {
  /** Name of the wanted subscription (`calendars/{user}`); `undefined` for one that is not ours or not known. */
  readonly wish: string | undefined;
  readonly topic: string;
  /** The whole mailbox without a filter: only there does "deleted" mean that the resource is gone. */
  readonly whole: boolean;
  /** What was notified is the record, and nothing is read. */
  readonly notificationOnly?: boolean;
  /** Not percent-encoded: only what it lets through is watched. */
  readonly filter?: string;
  /** What the subscription watches; absent where it is not one of ours. */
  readonly watched?: ResourcePath;
  /** Of the clientState of the subscription by whose id it was found; absent where that is not one of ours. */
  readonly nonce?: string;
};

export type ChangeNews = Extract<News, { kind: 'change' }>;

export type MergedItem = {
  readonly view: View;
  readonly seqs: readonly string[];
  /** Notifications that the item stands for. */
  readonly count: number;
  readonly firstReceivedAt: number;
  readonly lastReceivedAt: number;
  /** The last notification; also names the subscription. */
  readonly latest: ChangeNews;
  readonly created: boolean;
  /**
   * `deleted`: certain without a look. `fetch`: Graph's state decides; since something was just made or changed, a 404
   * may be early. `confirmDeletion`: Graph's state decides, and a 404 is what a deletion looks like.
   * `open`: the state came with the notification, encrypted, under its `contentId`. `tell`: what was notified is enough.
   * `refuse`: it would be, but nobody may believe it.
   */
  readonly intent: 'deleted' | 'fetch' | 'confirmDeletion' | 'open' | 'tell' | 'refuse';
  /** Ends in "deleted" though the view is partial: if it is still there, it left the view. */
  readonly leavesView: boolean;
};

/**
 * Groups by wanted subscription; subscriptions without one stand for themselves. `isThere` tells which contents could
 * be had: an entry without its content says no more than that something changed.
 */
export function mergeEntries(
  entries: readonly TakenEntry[],
  viewOf: (subscriptionId: string) => View,
  isThere: (contentId: string) => boolean = () => false,
): MergedItem[] {
  const groups = Map.groupBy(
    entries,
    ({ subscriptionId }) => viewOf(subscriptionId).wish ?? `\n${subscriptionId}`,
  );
  const isOurs = (entry: TakenEntry) => isTrusted(entry, viewOf(entry.subscriptionId));
  return [...groups.values()].flatMap((group) => {
    const last = group.at(-1) as TakenEntry;
    // Nothing that is looked up shows what is to be believed: what may be forged is kept apart.
    if (viewOf(last.subscriptionId).notificationOnly)
      return [group.filter(isOurs), group.filter((entry) => !isOurs(entry))].flatMap((some) =>
        some.length > 0 ? [mergeGroup(some, viewOf)] : [],
      );
    const carriesState = (entry: TakenEntry) => {
      const contentId = contentIdOf(entry);
      const isState = contentId !== undefined && entry.last !== 'deleted' && isThere(contentId);
      return isState && isOurs(entry);
    };
    // From the first entry on that has to be looked up, a look covers all: it is newer than what came with any of them.
    const first = group.findIndex((entry) => !carriesState(entry));
    const carried = first < 0 ? group : group.slice(0, first);
    const rest = first < 0 ? [] : group.slice(first);
    return [
      ...carried.map(
        (entry): MergedItem => ({ ...mergeGroup([entry], viewOf), intent: 'open', leavesView: false }),
      ),
      ...(rest.length > 0 ? [mergeGroup(rest, viewOf)] : []),
    ];
  });
}

/** Whether the subscription can have notified this resource; any can of which it is not known what it watches. */
export function isWithin(path: ResourcePath, { watched }: View): boolean {
  return watched === undefined || canNotify(watched, path);
}

export function contentIdOf({ news }: TakenEntry): string | undefined {
  return news.kind === 'change' ? news.contentId : undefined;
}

/**
 * Whether the clientState was that of this very subscription. One of another may have been seen by somebody: what it
 * says is looked up, and believed in nothing else. So is what a delta query shows, which may be old.
 */
export function isTrusted({ news }: TakenEntry, { nonce }: View): boolean {
  if (news.kind === 'change' && news.by === 'delta') return false;
  return nonce === undefined || news.nonce === nonce;
}

function notificationsIn({ news, count }: TakenEntry): number {
  return news.kind === 'change' && news.by === 'delta' ? count - 1 : count;
}

function mergeGroup(group: readonly TakenEntry[], viewOf: (subscriptionId: string) => View): MergedItem {
  const last = group.at(-1) as TakenEntry;
  const view = viewOf(last.subscriptionId);
  const endsDeleted = last.last === 'deleted';
  const isOurs = isTrusted(last, view);
  const looked = endsDeleted ? 'confirmDeletion' : 'fetch';
  const told = isOurs ? 'tell' : 'refuse';
  return {
    view,
    seqs: group.map(({ seq }) => seq),
    count: group.reduce((sum, entry) => sum + notificationsIn(entry), 0),
    firstReceivedAt: Math.min(...group.map(({ firstReceivedAt }) => firstReceivedAt)),
    lastReceivedAt: Math.max(...group.map(({ lastReceivedAt }) => lastReceivedAt)),
    latest: last.news as ChangeNews,
    created: group.some((entry) => entry.created),
    intent: endsDeleted && view.whole && isOurs ? 'deleted' : view.notificationOnly ? told : looked,
    leavesView: endsDeleted && !view.whole,
  };
}
