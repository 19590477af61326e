/** The changes of one resource: what its entries come to, item by item, each fetched or opened, and published. */
import type {
  ContentStore,
  ResourcePath,
  Settlement,
  StoredContent,
  TakenResource,
} from '@graph2kafka/shared';
import type { Verdict } from '../failure-policy.ts';
import { GraphError } from '../graph/graph-error.ts';
import type { Outcome } from '../records/change-record.ts';
import type { DeadLetter } from '../records/dead-letter-record.ts';
import type { ResourceKind } from '../resources/resource-kind.ts';
import type { OpenContent } from '../rich/open-content.ts';
import { applyWait, type JudgeDeps, judgeFailure, verdictOf } from './judge-failure.ts';
import { contentIdOf, isWithin, type MergedItem, mergeEntries, type View } from './merge-entries.ts';
import type { PublishOutcomes } from './publish-outcomes.ts';
import type { RunProgress } from './run-progress.ts';
import type { TenantAccess } from './tenant-access.ts';

export type ChangeWorkDeps = JudgeDeps & {
  readonly contents: ContentStore;
  readonly openContent: OpenContent;
  readonly publish: Pick<PublishOutcomes, 'outcome'>;
};

/** What the work of a run shares. */
export type RunScope = {
  readonly owner: string;
  readonly progress: RunProgress;
  readonly viewOf: (subscriptionId: string) => View;
  readonly giveUp: (taken: TakenResource, stage: DeadLetter['stage'], reason: string) => Promise<void>;
};

type ChangeWork = RunScope & {
  readonly deps: ChangeWorkDeps;
  readonly taken: TakenResource;
  readonly path: ResourcePath;
  readonly kind: ResourceKind;
  readonly tenant: TenantAccess;
};

type Done = 'published' | Settlement['wait'];

/** The first item that has to wait keeps those behind it. */
export async function workChanges(work: ChangeWork): Promise<Settlement> {
  const { resource, entries } = work.taken;
  const { progress } = work;
  const doneSeqs: string[] = [];
  let wait: Settlement['wait'];
  const contents = await work.deps.contents.contents(entries.flatMap((entry) => contentIdOf(entry) ?? []));
  for (const item of mergeEntries(entries, work.viewOf, (id) => contents.has(id))) {
    if (progress.hindrance || wait) break;
    const verdict = await workItem(work, item, contents.get(item.latest.contentId ?? ''));
    if (verdict === 'published') {
      doneSeqs.push(...item.seqs);
      progress.published.push({ resource, item });
    } else wait = verdict;
  }
  return { resource, doneSeqs, ...(wait ? { wait } : {}) };
}

/** Publishes one item; a wait means that it stays in the inbox. */
async function workItem(
  work: ChangeWork,
  item: MergedItem,
  content: StoredContent | undefined,
): Promise<Done> {
  const { path } = work;
  if (!isWithin(path, item.view)) {
    return refuseItem(work, item, 'the resource does not belong to what its subscription watches');
  }
  if (item.intent === 'refuse')
    return refuseItem(
      work,
      item,
      'it has not the clientState of its subscription, and nothing is to be read',
    );
  if (item.intent === 'open' && content) return openItem(work, item, content);
  const found = await lookUp(work, item);
  if ('next' in found) return found.next === 'wait' ? found : undefined;
  return publish(work, item, found);
}

/** The state that came with the notification. */
async function openItem(work: ChangeWork, item: MergedItem, content: StoredContent): Promise<Done> {
  const { deps, taken, path, progress } = work;
  const waitingMs = taken.waitingSince === 0 ? 0 : deps.now() - taken.waitingSince;
  const known = { id: path.at(-1)?.id, receivedAt: item.lastReceivedAt, waitingMs };
  const opened = await deps.openContent(item.latest, content, known);
  if (opened.next === 'wait') {
    progress.tally.waiting++;
    progress.tally.lastError = opened.reason;
    return opened;
  }
  if (opened.next === 'giveUp') return refuseItem(work, item, opened.reason);
  return publish(work, item, { found: 'state', state: opened.state, how: 'rich' });
}

/** What cannot be believed: a dead letter of its entries alone. */
function refuseItem(
  { taken, progress, giveUp }: ChangeWork,
  item: MergedItem,
  reason: string,
): Promise<Done> {
  const entries = taken.entries.filter(({ seq }) => item.seqs.includes(seq));
  return progress.attemptPublish(() => giveUp({ ...taken, entries }, 'verify', reason), item.count);
}

function publish({ deps, path, progress }: ChangeWork, item: MergedItem, outcome: Outcome): Promise<Done> {
  return progress.attemptPublish(async () => {
    const sent = await deps.publish.outcome(path, item, outcome);
    if (outcome.found === 'nothing' || sent === 'dead letter') progress.tally.givenUp++;
  }, item.count);
}

async function lookUp(
  { deps, owner, taken, path, kind, tenant, progress }: ChangeWork,
  item: MergedItem,
): Promise<Outcome | Extract<Verdict, { next: 'wait' | 'delayOwner' }>> {
  if (item.intent === 'deleted') return { found: 'deleted', readAt: undefined };
  if (item.intent === 'tell') return { found: 'unread' };
  const asked = { tenantId: item.latest.tenantId, owner, kind: kind.name };
  const heldUp = await deps.pauses.ofKind(asked);
  if (heldUp) {
    const verdict = verdictOf(heldUp);
    applyWait(progress, verdict, heldUp.reason);
    return verdict;
  }
  const readAt = deps.now();
  const asking = deps.pauses.asking(asked);
  try {
    progress.countFetch(kind);
    const state = await tenant.fetchResource(path, item.view);
    asking.answered();
    return { found: 'state', state };
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    const expected = { deletion: item.intent === 'confirmDeletion', newsAt: item.lastReceivedAt };
    const verdict = await judgeFailure(deps, progress, taken, asking, error, expected);
    if (verdict.next === 'deleted') return { found: 'deleted', readAt };
    if (verdict.next === 'fallback') return { found: 'nothing', reason: verdict.reason };
    return verdict;
  }
}
