/**
 * What becomes of the items that a page has shown: a record of each, or an entry in the inbox of its owner, whose run
 * looks it up.
 *
 * A delta query may show an older state than the one that a look-up has found and published since (Graph:
 * delta-query-overview, "Replays"), and replicas lag. So what has changed since a token is looked up, wherever an
 * item can be, and a removal is believed only where the item is not found: it may have left a folder, or a window of
 * time. What is read from the beginning is published as it is, and so is what is in drives and lists: nothing else tells of it.
 */
import {
  canonicalResource,
  type Inbox,
  type InboxEntry,
  ownerOf,
  type ResourcePath,
  type TakenResource,
} from '@graph2kafka/shared';
import type { FoundItem, Page } from '../graph/read-page.ts';
import { kindOfWatched } from '../resources/find-kind.ts';
import { itemPath, type WatchedView } from './delta-plan.ts';
import type { ChangeNews, MergedItem } from './merge-entries.ts';
import type { PublishOutcomes } from './publish-outcomes.ts';
import type { RunProgress } from './run-progress.ts';

export type FoundDeps = {
  readonly inbox: Inbox;
  readonly publish: Pick<PublishOutcomes, 'outcome' | 'giveUp'>;
};

export type Finding = {
  readonly deps: FoundDeps;
  readonly progress: RunProgress;
  readonly owner: string;
  readonly taken: TakenResource;
  readonly view: WatchedView;
  /** Of the subscription that has brought it about. */
  readonly news: Pick<ChangeNews, 'tenantId' | 'subscriptionId'>;
  readonly receivedAt: number;
  /** Read from the beginning, not since a token. */
  readonly full: boolean;
};

export type FoundCounts = {
  readonly records: number;
  /** Resources that the owner has news of by now; 0 where none was handed over to it. */
  readonly backlog: number;
};

/** Rejects with a `PublishError` or a `LeaseLostError`. */
export async function publishFound(finding: Finding, { items }: Pick<Page, 'items'>): Promise<FoundCounts> {
  const { progress, owner } = finding;
  const entries: InboxEntry[] = [];
  let records = 0;
  for (const item of items.map((one) => masterOf(one))) {
    const path = itemPath(finding.view, item.id);
    if (path && isLookedUp(finding, item, path)) entries.push(handOver(finding, path, item.removed));
    else {
      await progress.confirmOwner();
      await (path ? publishItem(finding, path, item) : refuseItem(finding));
      records++;
    }
  }
  if (entries.length > 0) await progress.confirmOwner();
  const lengths = await append(finding.deps.inbox, entries);
  return { records, backlog: lengths.get(owner) ?? 0 };
}

/** A resource that is to be looked up by the run of its owner, whoever that is. */
export async function lookUpOne(finding: Finding, path: ResourcePath): Promise<void> {
  await append(finding.deps.inbox, [handOver(finding, path, false)]);
}

async function append(inbox: Inbox, entries: readonly InboxEntry[]): Promise<Map<string, number>> {
  const byOwner = Map.groupBy(entries, ({ owner }) => owner);
  const lengths = await Promise.all(
    [...byOwner].map(async ([owner, some]) => [owner, await inbox.append(owner, some)] as const),
  );
  return new Map(lengths);
}

/** Of a series Graph notifies the master, and views of a calendar show each of its occurrences. */
function masterOf(item: FoundItem): FoundItem {
  const { type, seriesMasterId } = item.state.data;
  const isOccurrence = type === 'occurrence' && typeof seriesMasterId === 'string' && seriesMasterId !== '';
  return isOccurrence ? { ...item, id: seriesMasterId } : item;
}

function isLookedUp(
  { owner, view, full, news }: Finding,
  { removed }: FoundItem,
  path: ResourcePath,
): boolean {
  // Records of one resource come from runs of one owner, or their order is lost.
  if (`${news.tenantId}/${ownerOf(path)}` !== owner) return true;
  return kindOfWatched(view.watched)?.fetch === 'item' && (!full || removed);
}

function handOver({ news, receivedAt }: Finding, path: ResourcePath, removed: boolean): InboxEntry {
  return {
    owner: `${news.tenantId}/${ownerOf(path)}`,
    resource: canonicalResource(path),
    receivedAt,
    news: foundNews(news, path, removed),
  };
}

function foundNews(
  { tenantId, subscriptionId }: Finding['news'],
  path: ResourcePath,
  removed: boolean,
): ChangeNews {
  const changeType = removed ? 'deleted' : 'updated';
  const resource = canonicalResource(path);
  return { kind: 'change', tenantId, subscriptionId, changeType, resource, by: 'delta' };
}

async function publishItem(
  finding: Finding,
  path: ResourcePath,
  { removed, state }: FoundItem,
): Promise<void> {
  const { deps, progress, view, news, receivedAt, full } = finding;
  const item: MergedItem = {
    view,
    seqs: [],
    count: 0,
    firstReceivedAt: receivedAt,
    lastReceivedAt: receivedAt,
    latest: foundNews(news, path, removed),
    created: false,
    intent: 'fetch',
    leavesView: false,
  };
  const sent = await deps.publish.outcome(
    path,
    item,
    removed
      ? { found: 'deleted', readAt: state.readAt }
      : { found: 'state', state: selected(view, state), how: full ? 'snapshot' : 'delta' },
  );
  if (sent === 'dead letter') progress.tally.givenUp++;
  progress.published.push({ resource: canonicalResource(path), item });
}

/** No more than the view shows, whether the query took its `$select` or not. */
function selected({ select }: WatchedView, state: FoundItem['state']): FoundItem['state'] {
  if (!select) return state;
  const names = new Set(['id', ...select.map((name) => name.toLowerCase())]);
  const shown = Object.entries(state.data).filter(
    ([name]) => names.has(name.toLowerCase()) || name.startsWith('@odata.'),
  );
  return { ...state, data: Object.fromEntries(shown) };
}

async function refuseItem({ deps, progress, taken, view }: Finding): Promise<void> {
  await deps.publish.giveUp(taken, 'read', 'an item of the page has an id that no path can hold', view.wish);
  progress.tally.givenUp++;
}
