/**
 * What a subscription watches, read page by page in the runs of its owner: since Graph has told of a change but not of
 * which, or since notifications were missed. A run reads one page; where the next one is, is kept in Redis, and moves
 * only when the records of a page are confirmed.
 */
import { parseResourcePath, type Settlement, type TakenEntry, type TakenResource } from '@graph2kafka/shared';
import { GraphError } from '../graph/graph-error.ts';
import { kindOfNotified, kindOfWatched } from '../resources/find-kind.ts';
import { queryKey, type WatchedView } from './delta-plan.ts';
import { beginRound } from './delta-round.ts';
import type { DeltaState } from './delta-state.ts';
import { isWithin, type View } from './merge-entries.ts';
import {
  giveUpEntries,
  lookBefore,
  NOTHING_DONE,
  PageOfRound,
  type PageWork,
  type PageWorkDeps,
  type Worked,
} from './page-of-round.ts';

export type { PageWorkDeps };

/** Whether the resource names a collection of which only a delta query tells what has changed. */
export function isReadByPages({ resource, entries }: TakenResource): boolean {
  if (entries[0]?.news.kind === 'resync') return true;
  if (entries[0]?.news.kind !== 'change') return false;
  const path = parseResourcePath(resource);
  return path.ok && kindOfNotified(path.path)?.fetch === 'delta';
}

/** A page for each wanted subscription that has entries of the resource. */
export async function workPages(work: PageWork): Promise<Settlement> {
  const { taken, viewOf, progress } = work;
  const groups = Map.groupBy(
    taken.entries,
    ({ subscriptionId }) => viewOf(subscriptionId).wish ?? `\n${subscriptionId}`,
  );
  const doneSeqs: string[] = [];
  let wait: Settlement['wait'];
  for (const entries of groups.values()) {
    if (progress.hindrance) break;
    const worked = await workScope(work, entries);
    doneSeqs.push(...worked.doneSeqs);
    if (worked.wait && (wait === undefined || worked.wait.ms < wait.ms)) wait = worked.wait;
  }
  return { resource: taken.resource, doneSeqs, ...(wait && { wait }) };
}

async function workScope(work: PageWork, entries: readonly TakenEntry[]): Promise<Worked> {
  const { deps, taken } = work;
  const last = entries.at(-1) as TakenEntry;
  const early = lookBefore(entries, deps.now());
  if (early > 0) return { doneSeqs: [], wait: { ms: early, countsAsAttempt: false } };
  const view = watchedView(work.viewOf(last.subscriptionId), taken);
  if (!view) return giveUpEntries(work, entries, 'verify', NOT_WITHIN);
  if (view.notificationOnly) return giveUpEntries(work, entries, 'resync', NOT_TO_BE_READ);
  const scope = `${last.news.tenantId}/${view.wish ?? `subscriptions/${last.subscriptionId}`}`;
  const state = onlyOf(view, await deps.delta.load(scope));
  const round = state.round ?? beginRound(view, state.tokens, entries, deps.now());
  const kind = kindOfWatched(view.watched);
  if (!round || !kind) return giveUpEntries(work, entries, 'resync', NOT_READABLE);
  const isBlind = !state.round && state.tokens.size === 0;
  if (isBlind && !(await sayNoRoom(work, entries))) return NOTHING_DONE;
  const page = new PageOfRound({ work, entries, view, kind, scope, state, round });
  try {
    return await page.work();
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return page.afterFailure(error);
  }
}

const NOT_WITHIN = 'the resource does not belong to what its subscription watches';
const NOT_TO_BE_READ = 'notifications may be missing, and nothing is to be read: fetch is false';
const NOT_READABLE = 'what this subscription watches can be read in no way';

/** The path that was notified stands for what is watched where that is not known. */
function watchedView(view: View, { resource }: TakenResource): WatchedView | undefined {
  const path = parseResourcePath(resource);
  if (path.ok && !isWithin(path.path, view)) return undefined;
  const watched = view.watched ?? (path.ok ? path.path : []);
  return { ...view, watched };
}

/** Tokens and rounds of another question are none of this one. */
function onlyOf(view: WatchedView, { tokens, round }: DeltaState): DeltaState {
  const by = queryKey(view);
  return {
    tokens: new Map([...tokens].filter(([, token]) => token.by === by)),
    round: round?.by === by ? round : undefined,
  };
}

/** A reading from the beginning cannot stand for a deletion that found no room in the inbox. */
async function sayNoRoom(work: PageWork, entries: readonly TakenEntry[]): Promise<boolean> {
  if (!entries.some(({ news, deleted }) => news.kind === 'resync' && deleted)) return true;
  const letter = () => work.giveUp(work.taken, 'resync', 'news of deletions found no room in the inbox');
  return (await work.progress.attemptPublish(letter, 0)) !== undefined;
}
