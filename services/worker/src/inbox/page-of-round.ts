/** One page of a round, for the entries of one wanted subscription: read, published, confirmed; and what a failure means. */
import { resyncEntry, type Settlement, type TakenEntry, type TakenResource } from '@graph2kafka/shared';
import { GraphError } from '../graph/graph-error.ts';
import type { Page } from '../graph/read-page.ts';
import type { Asking } from '../limits/tenant-pauses.ts';
import type { ResourceKind } from '../resources/resource-kind.ts';
import type { RunScope } from './change-work.ts';
import { oneOf, queryOf, selectOf, type WatchedView } from './delta-plan.ts';
import {
  afterPage,
  afterRefusal,
  coveredBy,
  foldersGone,
  superfluous,
  tokenOf,
  triedOfPage,
  withoutPhase,
} from './delta-round.ts';
import { type DeltaState, type Phase, type Round, type SavedToken, WHOLE } from './delta-state.ts';
import type { DeltaChange, DeltaStore } from './delta-store.ts';
import { applyWait, type JudgeDeps, judgeFailure, verdictOf } from './judge-failure.ts';
import { type Finding, type FoundDeps, lookUpOne, publishFound } from './publish-found.ts';
import type { TenantAccess } from './tenant-access.ts';

export type PageWorkDeps = JudgeDeps & FoundDeps & { readonly delta: DeltaStore };

export type PageWork = RunScope & {
  readonly deps: PageWorkDeps;
  readonly taken: TakenResource;
  readonly tenant: TenantAccess;
};

/** What is read for whom, and how far it is. */
export type PageScope = {
  readonly work: PageWork;
  readonly entries: readonly TakenEntry[];
  readonly view: WatchedView;
  readonly kind: ResourceKind;
  /** Under which the tokens lie. */
  readonly scope: string;
  readonly state: DeltaState;
  readonly round: Round;
};

/** What the entries come to. */
export type Worked = Pick<Settlement, 'doneSeqs' | 'wait'>;

export const NOTHING_DONE: Worked = { doneSeqs: [] };

/** A delta query may lag behind the notification (Graph: delta-query-overview): two more looks. */
const LOOKS_AGAIN_MS = { first: 5000, last: 30_000 };

/** Milliseconds until the first of the later looks; 0 for everything else. */
export function lookBefore([first]: readonly TakenEntry[], now: number): number {
  return first && isLookAgain(first) ? Math.max(0, first.firstReceivedAt + LOOKS_AGAIN_MS.first - now) : 0;
}

function isLookAgain({ news }: TakenEntry): boolean {
  return news.kind === 'resync' && news.again === true;
}

/** A token that was given a moment ago and is refused as well: more is no luck. */
const MOST_REFUSALS = 3;

/** Resources of the owner that wait to be looked up, and for which further pages wait. */
const BACKLOG = { pausesAt: 1000, pauseMs: 2000, overflowsAt: 10_000 };

/** As a dead letter that stands for them. */
export async function giveUpEntries(
  { taken, progress, giveUp }: PageWork,
  entries: readonly TakenEntry[],
  stage: 'verify' | 'resync',
  reason: string,
): Promise<Worked> {
  const done = await progress.attemptPublish(() => giveUp({ ...taken, entries }, stage, reason), 0);
  return done ? { doneSeqs: seqsOf(entries) } : NOTHING_DONE;
}

const seqsOf = (entries: readonly TakenEntry[]) => entries.map(({ seq }) => seq);

export class PageOfRound {
  private readonly at: PageScope;
  private readonly phase: Phase | undefined;
  /** Which the phase begins from. */
  private readonly token: SavedToken | undefined;
  private readonly asking: Asking;
  /** Read from the beginning, not since a token. */
  private readonly full: boolean;

  constructor(at: PageScope) {
    this.at = at;
    this.phase = at.round.phases[0];
    this.token = tokenOf(this.phase, at.state.tokens);
    this.full = at.round.link === undefined ? this.token === undefined : at.round.full === true;
    this.asking = at.work.deps.pauses.asking(this.asked());
  }

  private asked() {
    const { work, entries, kind } = this.at;
    return { tenantId: entries[0]?.news.tenantId ?? '', owner: work.owner, kind: kind.name };
  }

  /** Rejects with a `GraphError`. */
  async work(): Promise<Worked> {
    const { deps, progress, taken } = this.at.work;
    const heldUp = await deps.pauses.ofKind(this.asked());
    if (heldUp) {
      const verdict = verdictOf(heldUp);
      applyWait(progress, verdict, heldUp.reason);
      return verdict.next === 'wait' ? { doneSeqs: [], wait: verdict } : NOTHING_DONE;
    }
    const page = await this.read();
    let backlog = 0;
    const done = await progress.attemptPublish(async () => {
      const found = await this.publish(page);
      backlog = found.backlog;
      progress.tally.records += found.records - 1;
    }, 0);
    if (!done) return NOTHING_DONE;
    // Some of it may have found no room: the page is read again.
    if (backlog >= BACKLOG.overflowsAt) return pausing(NOTHING_DONE);
    const { view, round, state } = this.at;
    const next = afterPage(view, round, page, state.tokens, taken, deps.now());
    await this.save(next.change);
    const worked = next.round ? this.onTheWay() : await this.atTheEnd();
    return backlog >= BACKLOG.pausesAt ? pausing(worked) : worked;
  }

  private async read(): Promise<Page> {
    const { work, view, kind, round } = this.at;
    const { phase, token } = this;
    if (!phase || phase.do === 'one') return { items: [] };
    const query = queryOf(view, phase, token?.windowAt ?? round.startedAt);
    const link = round.link ?? token?.link;
    // What lies in Redis and leads elsewhere is as good as refused.
    if (link !== undefined && !work.tenant.readPage.isLinkOf(query, link))
      throw new GraphError({ kind: 'gone' });
    const select = selectOf(view, phase);
    work.progress.countFetch(kind);
    const page = await work.tenant.readPage(query, link, {
      ...(select && { select }),
      ...(view.prefer && { prefer: view.prefer }),
      failures: triedOfPage(round, work.taken).attempts,
    });
    this.asking.answered();
    return page;
  }

  private async publish(page: Page): Promise<{ records: number; backlog: number }> {
    const { phase } = this;
    if (phase?.do === 'one') await lookUpOne(this.finding(), oneOf(this.at.view));
    if (phase?.do === 'folders' && page.next === undefined) return this.sayFoldersGone(page);
    const isShown = phase?.do === 'list' || (phase?.do === 'walk' && !phase.prime);
    return isShown ? publishFound(this.finding(), page) : { records: 0, backlog: 0 };
  }

  private finding(): Finding {
    const { work, view, entries, round } = this.at;
    const { news } = entries.at(-1) as TakenEntry;
    return { ...work, view, news, receivedAt: round.receivedAt, full: this.full };
  }

  /** Which messages went with a folder nobody tells. */
  private async sayFoldersGone(page: Page): Promise<{ records: number; backlog: number }> {
    const { work, view, round, state, entries } = this.at;
    const next = afterPage(view, round, page, state.tokens, work.taken, work.deps.now());
    const folders = next.round?.phases.flatMap((phase) => (phase.do === 'walk' ? phase.folder : [])) ?? [];
    const gone = foldersGone(state.tokens, folders).length;
    if (gone === 0) return { records: 0, backlog: 0 };
    const reason = `${gone} folders are gone: what was in them is not known`;
    await work.giveUp({ ...work.taken, entries }, 'resync', reason);
    return { records: 1, backlog: 0 };
  }

  private onTheWay(): Worked {
    const { entries, round } = this.at;
    const keep = entries[0] && isLookAgain(entries[0]) ? 'last' : 'first';
    return { doneSeqs: seqsOf(superfluous(round, entries, keep)) };
  }

  /** Those that it covers are done; what was notified is looked for again, since the answer may have been too old. */
  private async atTheEnd(): Promise<Worked> {
    const { work, round, entries } = this.at;
    const { deps, progress } = work;
    const covered = coveredBy(round, entries);
    const notified = covered.filter(({ news }) => news.kind === 'change');
    if (notified[0]) await this.lookAgain(notified[0]);
    progress.tally.notifications += notified.reduce((sum, { count }) => sum + count, 0);
    const [young] = covered.filter((entry) => isLookAgain(entry) && this.lastLookIn(entry) > 0);
    if (!young) return { doneSeqs: seqsOf(covered) };
    const old = covered.filter((entry) => this.lastLookIn(entry) === 0);
    return {
      doneSeqs: seqsOf(old),
      wait: { ms: this.lastLookIn(young, deps.now()), countsAsAttempt: false },
    };
  }

  /** Milliseconds from the beginning of this round until an entry has its last look. */
  private lastLookIn(entry: TakenEntry, from = this.at.round.startedAt): number {
    return Math.max(0, entry.firstReceivedAt + LOOKS_AGAIN_MS.last - from);
  }

  private async lookAgain({ news: { tenantId, subscriptionId } }: TakenEntry): Promise<void> {
    const { owner, deps } = this.at.work;
    const reason = 'a delta query can lag behind its notification';
    const news = { tenantId, subscriptionId, reason, again: true } as const;
    await deps.inbox.append(owner, [resyncEntry(owner, news, deps.now())]);
  }

  /** The lease is looked at once more: who has lost the owner must not move the token of the one who has it. */
  private async save(change: DeltaChange): Promise<void> {
    await this.at.work.progress.confirmOwner();
    await this.at.work.deps.delta.save(this.at.scope, change);
  }

  async afterFailure(error: GraphError): Promise<Worked> {
    const { work, round } = this.at;
    const { deps, progress, taken } = work;
    const hasToken = round.link !== undefined || this.token !== undefined;
    if (hasToken && isRefusalOfToken(error)) return this.beginAnew(error);
    // The folder was deleted between the list of folders and now; the next list will tell.
    const isOfFolder = this.phase?.do === 'walk' && this.phase.folder !== WHOLE;
    if (error.failure.kind === 'notFound' && isOfFolder) return this.leavePhase();
    const tried = triedOfPage(round, taken);
    const verdict = await judgeFailure(deps, progress, tried, this.asking, error, { deletion: false });
    if (verdict.next === 'wait') return { doneSeqs: [], wait: verdict };
    if (verdict.next === 'delayOwner') return NOTHING_DONE;
    // Then there will be no token, but what there is can be listed.
    const isForToken = this.phase?.do === 'walk' && this.phase.prime;
    return isForToken ? this.leavePhase() : this.giveUp(error.message);
  }

  private async leavePhase(): Promise<Worked> {
    const next = withoutPhase(this.at.round);
    await this.save(next.change);
    return next.round ? this.onTheWay() : this.atTheEnd();
  }

  private async giveUp(reason: string): Promise<Worked> {
    const worked = await giveUpEntries(this.at.work, this.at.entries, 'resync', reason);
    if (worked.doneSeqs.length > 0) await this.save({ round: null });
    return worked;
  }

  /** What was removed since the token was given is not found from the beginning: the dead letter says so. */
  private async beginAnew(error: GraphError): Promise<Worked> {
    const { token } = this;
    const { work, view, round, scope, entries } = this.at;
    const { deps, progress, taken, giveUp } = work;
    if (round.refusals >= MOST_REFUSALS)
      return this.giveUp(`its tokens are refused again and again: ${error.message}`);
    deps.log.warn({ scope, err: error, since: token && iso(token.at) }, 'delta.token-refused');
    if (token) {
      const reason = `Graph refuses the delta token of ${iso(token.at)}: what was deleted since is not found`;
      const letter = () => giveUp({ ...taken, entries }, 'resync', reason);
      if (!(await progress.attemptPublish(letter, 0))) return NOTHING_DONE;
    }
    await this.save(afterRefusal(view, round, deps.now()).change);
    return this.onTheWay();
  }
}

function pausing({ doneSeqs }: Worked): Worked {
  return { doneSeqs, wait: { ms: BACKLOG.pauseMs, countsAsAttempt: false } };
}

/** 410, and 40x with codes such as syncStateNotFound and resyncRequired; a request without a token tells whether it is that. */
function isRefusalOfToken({ failure: { kind } }: GraphError): boolean {
  return kind === 'gone' || kind === 'notFound' || kind === 'rejected';
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
