/**
 * What the entries of one resource come to: one item per wanted subscription, and what a record of it needs.
 * Pure; the table stands in docs/architecture.md.
 */
import type { News, ResourcePath, TakenEntry } from '@graph2kafka/shared';

/** How a wanted subscription looks at its resources. */
export type View = {
  /** Name of the wanted subscription (`calendars/{user}`); `undefined` for one that is not ours or not known. */
  readonly wish: string | undefined;
  readonly topic: string;
  /** The whole mailbox without a filter: only there does "deleted" mean that the resource is gone. */
  readonly whole: boolean;
  /** What can be read as a list when notifications were missed: `users/{id}/events`; absent where nothing can. */
  readonly collection?: ResourcePath;
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
   */
  readonly intent: 'deleted' | 'fetch' | 'confirmDeletion';
  /** Ends in "deleted" though the view is partial: if it is still there, it left the view. */
  readonly leavesView: boolean;
};

/** Groups by wanted subscription; subscriptions without one stand for themselves. */
export function mergeEntries(
  entries: readonly TakenEntry[],
  viewOf: (subscriptionId: string) => View,
): MergedItem[] {
  const groups = Map.groupBy(
    entries,
    ({ subscriptionId }) => viewOf(subscriptionId).wish ?? `\n${subscriptionId}`,
  );
  return [...groups.values()].map((group) => mergeGroup(group, viewOf));
}

function mergeGroup(group: readonly TakenEntry[], viewOf: (subscriptionId: string) => View): MergedItem {
  const last = group.at(-1) as TakenEntry;
  const view = viewOf(last.subscriptionId);
  const endsDeleted = last.last === 'deleted';
  return {
    view,
    seqs: group.map(({ seq }) => seq),
    count: group.reduce((sum, { count }) => sum + count, 0),
    firstReceivedAt: Math.min(...group.map(({ firstReceivedAt }) => firstReceivedAt)),
    lastReceivedAt: Math.max(...group.map(({ lastReceivedAt }) => lastReceivedAt)),
    latest: last.news as ChangeNews,
    created: group.some((entry) => entry.created),
    intent: endsDeleted ? (view.whole ? 'deleted' : 'confirmDeletion') : 'fetch',
    leavesView: endsDeleted && !view.whole,
  };
}
