/**
 * One run of an owner, the story of every notification: take what is due, see what it comes to, fetch, publish,
 * settle. What it cannot finish now is left in the inbox with the time of the next try.
 */
import { randomUUID } from 'node:crypto';
import {
  type ContentStore,
  type Inbox,
  type InboxEntry,
  type Logger,
  parseResourcePath,
  type ResourcePath,
  type Settlement,
  type StoredContent,
  type TakenResource,
} from '@graph2kafka/shared';
import pLimit from 'p-limit';
import { decideAfterFailure, type Verdict } from '../failure-policy.ts';
import type { FetchResource } from '../graph/fetch-resource.ts';
import { GraphError } from '../graph/graph-error.ts';
import type { ListResources } from '../graph/list-resources.ts';
import { PublishError } from '../kafka/record-publisher.ts';
import type { Outcome } from '../records/change-record.ts';
import type { DeadLetter } from '../records/dead-letter-record.ts';
import type { OpenContent } from '../rich/open-content.ts';
import type { HandleLifecycle } from '../subscriptions/lifecycle-processor.ts';
import { keepLease, type Lease, LeaseLostError } from './lease.ts';
import { contentIdOf, isWithin, type MergedItem, mergeEntries, type View } from './merge-entries.ts';
import type { PublishOutcomes } from './publish-outcomes.ts';
import { publishPage } from './resync-run.ts';

export type OwnerRunDeps = {
  readonly inbox: Inbox;
  readonly log: Logger;
  readonly fetchResource: FetchResource;
  readonly contents: ContentStore;
  readonly openContent: OpenContent;
  readonly listResources: ListResources;
  readonly publish: PublishOutcomes;
  readonly handleLifecycle: HandleLifecycle;
  /** Names what a subscription is wanted for; asked before each run, since subscriptions come and go. */
  readonly loadViews: (subscriptionIds: Iterable<string>) => Promise<(subscriptionId: string) => View>;
  /** The tenant whose token we have; news of another one cannot be looked up with it. */
  readonly tenantId: string;
  readonly now: () => number;
  readonly random: () => number;
  /** How long a silent run keeps its owner. */
  readonly leaseMs: number;
  /** Resources taken at once. */
  readonly window: number;
};

export type RunReport = {
  readonly next: /** Nothing left, or another run's business. */
    | { readonly step: 'done'; readonly why: 'empty' | 'busy' | 'foreign' }
    /** More is due: to the back of the queue. */
    | { readonly step: 'again' }
    /** The rest waits; the waker comes back for it. */
    | { readonly step: 'later'; readonly inMs: number }
    /** The whole owner has to wait. */
    | { readonly step: 'delay'; readonly ms: number; readonly reason: string; readonly kafkaAway: boolean };
  readonly resources: number;
  readonly notifications: number;
  readonly records: number;
  readonly fetches: number;
  readonly waiting: number;
  readonly givenUp: number;
  /** The last thing that went wrong, in words; absent where nothing did. */
  readonly lastError?: string;
};

/** Graph allows four requests at once for an app and a mailbox (throttling limits, Outlook). */
const REQUESTS_PER_OWNER = 4;

/** While Kafka is away; short, since the intake is paused meanwhile and its return is watched. */
const KAFKA_AWAY_MS = 1000;
/** A topic that is gone or forbidden is for people to mend. */
const KAFKA_REFUSES_MS = 10_000;

/**
 * Runs that took one resource alone and died or failed: after two it is the one to blame. With the three before them, a
 * resource that kills its worker costs five restarts; one could be a deployment, two in a row are none.
 */
const FATAL_LONELY_STARTS = 2;

type Tally = {
  notifications: number;
  records: number;
  fetches: number;
  waiting: number;
  givenUp: number;
  lastError?: string;
};

/** Why the run stops early; the first reason counts. */
type Hindrance = { readonly ms: number; readonly reason: string; readonly kafkaAway: boolean };

export async function runOwner(deps: OwnerRunDeps, owner: string): Promise<RunReport> {
  const { inbox, leaseMs, window } = deps;
  const token = randomUUID();
  const begun = await inbox.begin(owner, token, leaseMs, window);
  if (begun.state === 'later') return report({ step: 'later', inMs: begun.inMs }, 0, emptyTally());
  if (begun.state !== 'run') return report({ step: 'done', why: begun.state }, 0, emptyTally());
  const lease = keepLease(inbox, owner, token, leaseMs);
  let run: OwnerRun | undefined;
  try {
    run = new OwnerRun(deps, owner, lease, await deps.loadViews(subscriptionIdsOf(begun.resources)));
    const settlements = await run.work(begun.resources);
    const settled = await inbox.settle(owner, token, settlements);
    if (settled.state === 'foreign') throw new LeaseLostError('the owner passed to another run');
    await removeContents(deps, begun.resources, settlements);
    return report(nextStep(settled, run.hindrance), begun.resources.length, run.tally);
  } catch (error) {
    if (error instanceof LeaseLostError) {
      await lookAgain(inbox, owner, run?.published ?? []);
      return report({ step: 'done', why: 'foreign' }, begun.resources.length, emptyTally());
    }
    await lease.release();
    throw error;
  } finally {
    lease.stop();
  }
}

/**
 * A run that finds its owner lost may have published an older state after its heir's newer one: between the last look
 * at the lease and the write to the socket nothing can be checked. Another look, for which the waker brings the owner
 * back, makes the newest state the last word. What was deleted may be there again by now: Graph decides.
 */
async function lookAgain(inbox: Inbox, owner: string, published: readonly Published[]): Promise<void> {
  const entries = published.flatMap(({ resource, item }) => {
    const { latest, firstReceivedAt: receivedAt } = item;
    const changes =
      latest.changeType === 'deleted' ? (['deleted', 'updated'] as const) : (['updated'] as const);
    return changes.map((changeType): InboxEntry => {
      return { owner, resource, receivedAt, news: { ...latest, changeType } };
    });
  });
  if (entries.length > 0) await inbox.append(owner, entries);
}

/** What is settled is no longer needed; what stays by a failure ends by itself. */
async function removeContents(
  { contents, log }: OwnerRunDeps,
  resources: readonly TakenResource[],
  settlements: readonly Settlement[],
): Promise<void> {
  const done = new Map(settlements.map(({ resource, doneSeqs }) => [resource, new Set(doneSeqs)]));
  const ids = resources.flatMap(({ resource, entries }) =>
    entries.flatMap((entry) => (done.get(resource)?.has(entry.seq) ? (contentIdOf(entry) ?? []) : [])),
  );
  await contents.remove(ids).catch((error: unknown) => log.warn({ err: error }, 'content.not-removed'));
}

function nextStep(
  settled: { state: 'empty' } | { state: 'left'; dueInMs: number },
  hindrance: Hindrance | undefined,
): RunReport['next'] {
  if (settled.state === 'empty') return { step: 'done', why: 'empty' };
  if (hindrance) return { step: 'delay', ...hindrance };
  return settled.dueInMs <= 0 ? { step: 'again' } : { step: 'later', inMs: settled.dueInMs };
}

function subscriptionIdsOf(resources: readonly TakenResource[]): Set<string> {
  return new Set(resources.flatMap(({ entries }) => entries.map(({ subscriptionId }) => subscriptionId)));
}

const emptyTally = (): Tally => ({ notifications: 0, records: 0, fetches: 0, waiting: 0, givenUp: 0 });

function report(next: RunReport['next'], resources: number, tally: Tally): RunReport {
  return { next, resources, ...tally };
}

type Published = { readonly resource: string; readonly item: MergedItem };

/** Reads many resources at once, and therefore comes after those that are read one by one. */
function isPage({ entries }: TakenResource): boolean {
  return entries[0]?.news.kind === 'resync';
}

/** The work of one run between begin and settle. */
class OwnerRun {
  hindrance: Hindrance | undefined;
  /** What Kafka has confirmed. */
  readonly published: Published[] = [];
  readonly tally = emptyTally();
  private readonly deps: OwnerRunDeps;
  private readonly owner: string;
  private readonly lease: Lease;
  private readonly viewOf: (subscriptionId: string) => View;

  constructor(deps: OwnerRunDeps, owner: string, lease: Lease, viewOf: (subscriptionId: string) => View) {
    this.deps = deps;
    this.owner = owner;
    this.lease = lease;
    this.viewOf = viewOf;
  }

  /** Resources side by side, the items of one in turn; pages of whole collections when those are done. */
  async work(resources: readonly TakenResource[]): Promise<Settlement[]> {
    const { pages = [], single = [] } = Object.groupBy(resources, (taken) =>
      isPage(taken) ? 'pages' : 'single',
    );
    const limit = pLimit(REQUESTS_PER_OWNER);
    const worked = await Promise.allSettled(single.map((taken) => limit(() => this.workResource(taken))));
    const failed = worked.find((result) => result.status === 'rejected');
    if (failed) throw failed.reason;
    const settlements = worked.map((result) => (result as PromiseFulfilledResult<Settlement>).value);
    for (const taken of pages) settlements.push(await this.workResource(taken));
    return settlements;
  }

  private async workResource(taken: TakenResource): Promise<Settlement> {
    const news = taken.entries[0]?.news;
    if (taken.lonelyStarts > FATAL_LONELY_STARTS) {
      return this.workWhole(taken, () => this.giveUp(taken, 'run', 'every run that took it died or failed'));
    }
    if (news?.kind === 'unreadable')
      return this.workWhole(taken, () => this.giveUp(taken, 'read', news.reason));
    if (news?.tenantId !== this.deps.tenantId) {
      return this.workWhole(taken, () =>
        this.giveUp(taken, 'verify', 'the notification is of a tenant that is not ours'),
      );
    }
    if (news.kind === 'lifecycle') return this.workWhole(taken, () => this.deps.handleLifecycle(taken));
    if (news.kind === 'resync') return this.workPage(taken);
    const path = parseResourcePath(taken.resource);
    // The receiver wrote it from a parsed path, so this is a fault of ours or of Redis: better seen than lost.
    if (!path.ok) return this.workWhole(taken, () => this.giveUp(taken, 'read', path.reason));
    return this.workChanges(taken, path.path);
  }

  /** What the entries come to, item by item; the first that has to wait keeps those behind it. */
  private async workChanges(taken: TakenResource, path: ResourcePath): Promise<Settlement> {
    const { resource, entries } = taken;
    const doneSeqs: string[] = [];
    let wait: Settlement['wait'];
    const contents = await this.deps.contents.contents(entries.flatMap((entry) => contentIdOf(entry) ?? []));
    for (const item of mergeEntries(entries, this.viewOf, (id) => contents.has(id))) {
      if (this.hindrance || wait) break;
      const verdict = await this.workItem(taken, item, path, contents.get(item.latest.contentId ?? ''));
      if (verdict === 'published') {
        doneSeqs.push(...item.seqs);
        this.published.push({ resource, item });
      } else wait = verdict;
    }
    return { resource, doneSeqs, ...(wait ? { wait } : {}) };
  }

  /** Publishes one item; a wait means that it stays in the inbox. */
  private async workItem(
    taken: TakenResource,
    item: MergedItem,
    path: ResourcePath,
    content: StoredContent | undefined,
  ): Promise<'published' | Settlement['wait']> {
    if (!isWithin(path, item.view)) {
      return this.refuseItem(taken, item, 'the resource does not belong to what its subscription watches');
    }
    if (item.intent === 'open' && content) return this.openItem(taken, item, path, content);
    const found = await this.lookUp(taken, item, path);
    if ('next' in found) return found.next === 'wait' ? found : undefined;
    if (found.found === 'nothing') this.tally.givenUp++;
    return this.attemptPublish(() => this.deps.publish.outcome(path, item, found), item.count);
  }

  /** The state that came with the notification. */
  private async openItem(
    taken: TakenResource,
    item: MergedItem,
    path: ResourcePath,
    content: StoredContent,
  ): Promise<'published' | Settlement['wait']> {
    const waitingMs = taken.waitingSince === 0 ? 0 : this.deps.now() - taken.waitingSince;
    const known = { id: path.at(-1)?.id, receivedAt: item.lastReceivedAt, waitingMs };
    const opened = await this.deps.openContent(item.latest, content, known);
    if (opened.next === 'wait') {
      this.tally.waiting++;
      this.tally.lastError = opened.reason;
      return opened;
    }
    if (opened.next === 'giveUp') return this.refuseItem(taken, item, opened.reason);
    const outcome: Outcome = { found: 'state', state: opened.state, how: 'rich' };
    return this.attemptPublish(() => this.deps.publish.outcome(path, item, outcome), item.count);
  }

  /** What cannot be believed: a dead letter of its entries alone. */
  private refuseItem(
    taken: TakenResource,
    item: MergedItem,
    reason: string,
  ): Promise<'published' | undefined> {
    const entries = taken.entries.filter(({ seq }) => item.seqs.includes(seq));
    return this.attemptPublish(() => this.giveUp({ ...taken, entries }, 'verify', reason), item.count);
  }

  private async lookUp(
    taken: TakenResource,
    item: MergedItem,
    path: Parameters<FetchResource>[0],
  ): Promise<Outcome | Extract<Verdict, { next: 'wait' | 'delayOwner' }>> {
    if (item.intent === 'deleted') return { found: 'deleted', readAt: undefined };
    const readAt = this.deps.now();
    try {
      this.tally.fetches++;
      return { found: 'state', state: await this.deps.fetchResource(path, item.view.select) };
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      const verdict = this.judge(taken, error, item.intent === 'confirmDeletion');
      if (verdict.next === 'deleted') return { found: 'deleted', readAt };
      if (verdict.next === 'fallback') return { found: 'nothing', reason: verdict.reason };
      return verdict;
    }
  }

  /** What follows from Graph's refusal, for this resource and, where it is the owner's, for the whole run. */
  private judge(taken: TakenResource, error: GraphError, deletionExpected: boolean): Verdict {
    const { now, random, log } = this.deps;
    const waitingMs = taken.waitingSince === 0 ? 0 : now() - taken.waitingSince;
    const tried = { attempts: taken.attempts, waitingMs, deletionExpected };
    const verdict = decideAfterFailure(error.failure, tried, random());
    this.tally.lastError = error.message;
    const level = error.failure.kind === 'unauthorized' ? 'error' : 'info';
    log[level]({ resource: taken.resource, err: error, verdict }, 'resource.not-fetched');
    if (verdict.next === 'wait') this.tally.waiting++;
    if (verdict.next === 'delayOwner') {
      this.hinder({ ms: verdict.ms, reason: error.message, kafkaAway: false });
    }
    return verdict;
  }

  /** One page of a whole collection; the pages after it are entries of later runs. */
  private async workPage(taken: TakenResource): Promise<Settlement> {
    const { resource, entries } = taken;
    const view = this.viewOf(entries[0]?.subscriptionId ?? '');
    const { collection } = view;
    if (!collection) {
      return this.workWhole(taken, () =>
        this.giveUp(taken, 'resync', 'what this subscription watches cannot be listed'),
      );
    }
    const read = () =>
      publishPage(this.deps, this.owner, taken, { ...view, collection }, () => this.lease.confirm());
    try {
      const done = await this.attemptPublish(async () => {
        // A reading of what exists cannot stand for a deletion that found no room.
        if (entries[0]?.deleted)
          await this.giveUp(taken, 'resync', 'news of deletions found no room in the inbox');
        this.tally.fetches++;
        this.tally.records += (await read()) - 1;
      }, 0);
      return { resource, doneSeqs: done === 'published' ? entries.slice(0, 1).map(({ seq }) => seq) : [] };
    } catch (error) {
      if (!(error instanceof GraphError)) throw error;
      return this.afterUnreadPage(taken, error);
    }
  }

  private afterUnreadPage(taken: TakenResource, error: GraphError): Settlement | Promise<Settlement> {
    const verdict = this.judge(taken, error, false);
    if (verdict.next === 'wait') return { resource: taken.resource, doneSeqs: [], wait: verdict };
    if (verdict.next === 'delayOwner') return { resource: taken.resource, doneSeqs: [] };
    return this.workWhole(taken, () => this.giveUp(taken, 'resync', error.message));
  }

  /** All entries of the resource are done by one act. */
  private async workWhole(taken: TakenResource, act: () => Promise<unknown>): Promise<Settlement> {
    const { resource, entries } = taken;
    const done = await this.attemptPublish(
      act,
      entries.reduce((sum, { count }) => sum + count, 0),
    );
    return { resource, doneSeqs: done === 'published' ? entries.map(({ seq }) => seq) : [] };
  }

  private giveUp(taken: TakenResource, stage: DeadLetter['stage'], reason: string): Promise<void> {
    this.tally.givenUp++;
    const { wish } = this.viewOf(taken.entries.at(-1)?.subscriptionId ?? '');
    return this.deps.publish.giveUp(taken, stage, reason, wish);
  }

  /** Publishes while the owner is ours; Kafka's absence holds back the whole owner and costs no attempt. */
  private async attemptPublish(
    publish: () => Promise<unknown>,
    notifications: number,
  ): Promise<'published' | undefined> {
    if (this.hindrance) return undefined;
    await this.lease.confirm();
    try {
      await publish();
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      const kafkaAway = error.problem === 'unavailable';
      this.hinder({ ms: kafkaAway ? KAFKA_AWAY_MS : KAFKA_REFUSES_MS, reason: error.message, kafkaAway });
      this.tally.lastError = error.message;
      this.deps.log.warn({ err: error }, 'record.not-published');
      return undefined;
    }
    this.tally.records++;
    this.tally.notifications += notifications;
    return 'published';
  }

  private hinder(hindrance: Hindrance): void {
    this.hindrance ??= hindrance;
  }
}
