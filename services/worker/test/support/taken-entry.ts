/** Entries and merged items as a run would have them, for the tests of pure parts; each field can be said. */
import type { TakenEntry, TakenResource } from '@graph2kafka/shared';
import type { ChangeNews, MergedItem, View } from '../../src/inbox/merge-entries.ts';

export const TENANT = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';
export const CLIENT = 'b7a1e6d4-93c5-4f28-8e0b-61d2f4a9c3e7';
export const USER = '11111111-2222-4333-8444-555555555555';

/** An Outlook id: case matters, and it holds what a path must encode. */
export const EVENT = `users/${USER}/events/AAMkAGI1=_-x`;

export const wholeMailbox: View = { wish: `calendars/${USER}`, topic: 'graph.events', whole: true };
export const folder: View = { wish: `inbox/${USER}`, topic: 'graph.inbox', whole: false };

export function changeNews(news: Partial<ChangeNews> = {}): ChangeNews {
  return {
    kind: 'change',
    tenantId: TENANT,
    subscriptionId: 'subscription-1',
    changeType: 'updated',
    resource: `Users/${USER}/Events/AAMkAGI1=_-x`,
    ...news,
  };
}

/** One notification of that change type, received at `seq` milliseconds. */
export function entry(
  changeType: 'created' | 'updated' | 'deleted',
  seq: number,
  more: Partial<TakenEntry> = {},
): TakenEntry {
  const subscriptionId = more.subscriptionId ?? 'subscription-1';
  return {
    seq: String(seq),
    subscriptionId,
    created: changeType === 'created',
    deleted: changeType === 'deleted',
    last: changeType,
    count: 1,
    firstReceivedAt: seq,
    lastReceivedAt: seq,
    news: changeNews({ changeType, subscriptionId }),
    ...more,
  };
}

export function taken(entries: readonly TakenEntry[], more: Partial<TakenResource> = {}): TakenResource {
  return { resource: EVENT, attempts: 0, waitingSince: 0, lonelyStarts: 0, entries, ...more };
}

export function mergedItem(more: Partial<MergedItem> = {}): MergedItem {
  return {
    view: wholeMailbox,
    seqs: ['1'],
    count: 1,
    firstReceivedAt: Date.UTC(2026, 10, 23, 12),
    lastReceivedAt: Date.UTC(2026, 10, 23, 12),
    latest: changeNews(),
    created: false,
    intent: 'fetch',
    leavesView: false,
    ...more,
  };
}
