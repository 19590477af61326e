/**
 * Reads everything that a subscription watches, one page a run, and publishes each resource as it is: what closes a
 * hole, as far as the things that still exist go. It runs when the run's other resources are done, so that no record
 * of an older reading can follow one of its own.
 */
import {
  type Inbox,
  type ResourcePath,
  type ResyncNews,
  resyncEntry,
  type TakenEntry,
  type TakenResource,
} from '@graph2kafka/shared';
import type { ListResources, ResourcePage } from '../graph/list-resources.ts';
import type { MergedItem, View } from './merge-entries.ts';
import type { PublishOutcomes } from './publish-outcomes.ts';

export type ResyncDeps = {
  readonly inbox: Inbox;
  readonly listResources: ListResources;
  readonly publish: PublishOutcomes;
  readonly now: () => number;
};

/** What one page came to; `confirm` is asked before each record. Rejects with a `GraphError` or `PublishError`. */
export async function publishPage(
  { inbox, listResources, publish, now }: ResyncDeps,
  owner: string,
  { entries }: TakenResource,
  view: View & { collection: ResourcePath },
  confirm: () => Promise<void>,
): Promise<number> {
  const entry = entries[0] as TakenEntry;
  const news = entry.news as ResyncNews;
  const page = await listResources(view.collection, news.next);
  for (const item of page.items) {
    await confirm();
    const path = itemPath(view.collection, item.id);
    await publish.outcome(path, asItem(view, entry, news), {
      found: 'state',
      state: item.state,
      how: 'snapshot',
    });
  }
  // Before this page is settled: a run that dies in between reads it again, and loses nothing.
  if (page.next !== undefined) await inbox.append(owner, [nextPage(owner, news, page, now())]);
  return page.items.length;
}

function nextPage(owner: string, { kind: _kind, ...news }: ResyncNews, { next }: ResourcePage, now: number) {
  return resyncEntry(owner, { ...news, ...(next === undefined ? {} : { next }) }, now);
}

function itemPath(collection: ResourcePath, id: string): ResourcePath {
  const last = collection.at(-1);
  return last ? [...collection.slice(0, -1), { word: last.word, id }] : collection;
}

/** Stands for no notification in particular: which ones were missed is not known. */
function asItem(view: View, { firstReceivedAt, lastReceivedAt }: TakenEntry, news: ResyncNews): MergedItem {
  const { tenantId, subscriptionId, reason } = news;
  return {
    view,
    seqs: [],
    count: 0,
    firstReceivedAt,
    lastReceivedAt,
    latest: { kind: 'change', tenantId, subscriptionId, changeType: 'updated', resource: reason },
    created: false,
    intent: 'fetch',
    leavesView: false,
  };
}
