/**
 * One run of an owner, the story of every notification: take what is due, see what it comes to, fetch, publish,
 * settle. What it cannot finish now is left in the inbox with the time of the next try.
 */
import { randomUUID } from 'node:crypto';
import {
  type Inbox,
  type InboxEntry,
  parseResourcePath,
  type Settlement,
  type TakenResource,
} from '@graph2kafka/shared';
import pLimit from 'p-limit';
import type { MailboxRequests } from '../limits/mailbox-requests.ts';
import type { DeadLetter } from '../records/dead-letter-record.ts';
import { kindOfItem } from '../resources/find-kind.ts';
import type { HandleLifecycle } from '../subscriptions/lifecycle-processor.ts';
import type { LoadViews } from '../subscriptions/subscription-views.ts';
import { type ChangeWorkDeps, type RunScope, workChanges } from './change-work.ts';
import { keepLease, LeaseLostError } from './lease.ts';
import { contentIdOf, type View } from './merge-entries.ts';
import { isReadByPages, type PageWorkDeps, workPages } from './page-work.ts';
import type { PublishOutcomes } from './publish-outcomes.ts';
import { emptyTally, type Hindrance, type Published, RunProgress, type Tally } from './run-progress.ts';
import type { Tenants } from './tenant-access.ts';

export type OwnerRunDeps = ChangeWorkDeps &
  PageWorkDeps & {
    readonly publish: PublishOutcomes;
    readonly handleLifecycle: HandleLifecycle;
    /** Names what a subscription is wanted for; asked before each run, since subscriptions come and go. */
    readonly loadViews: LoadViews;
    readonly tenants: Tenants;
    readonly mailboxRequests: MailboxRequests;
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
} & Readonly<Tally>;

/** Graph allows four requests at once for an app and a mailbox (Graph: throttling-limits, "Outlook service limits"). */
const REQUESTS_PER_OWNER = 4;

/**
 * Runs that took one resource alone and died or failed: after two it is the one to blame. With the three before them, a
 * resource that kills its worker costs five restarts; one could be a deployment, two in a row are none.
 */
const FATAL_LONELY_STARTS = 2;

export async function runOwner(deps: OwnerRunDeps, owner: string): Promise<RunReport> {
  const { inbox, leaseMs, window, mailboxRequests } = deps;
  const paused = await pauseOf(deps, owner);
  if (paused) return report({ step: 'delay', ...paused, kafkaAway: false }, 0, emptyTally());
  const token = randomUUID();
  const [begun, roomInMs] = await Promise.all([
    inbox.begin(owner, token, leaseMs, window),
    mailboxRequests.waitFor(owner),
  ]);
  if (begun.state === 'later') return report({ step: 'later', inMs: begun.inMs }, 0, emptyTally());
  if (begun.state !== 'run') return report({ step: 'done', why: begun.state }, 0, emptyTally());
  const lease = keepLease(inbox, owner, token, leaseMs);
  const progress = new RunProgress(lease, deps.log);
  // Then nothing is asked for, and the owner is given back as it was.
  if (roomInMs > 0) progress.hinder({ ms: roomInMs, reason: MAILBOX_LIMIT, kafkaAway: false });
  try {
    const viewOf = await deps.loadViews(subscriptionIdsOf(begun.resources), owner.split('/', 1)[0] ?? '');
    const run = new OwnerRun(deps, owner, progress, viewOf);
    const settlements = await run.work(begun.resources);
    const settled = await inbox.settle(owner, token, settlements);
    if (settled.state === 'foreign') throw new LeaseLostError('the owner passed to another run');
    await removeContents(deps, begun.resources, settlements);
    return report(nextStep(settled, progress.hindrance), begun.resources.length, progress.tally);
  } catch (error) {
    if (error instanceof LeaseLostError) {
      await lookAgain(inbox, owner, progress.published);
      return report({ step: 'done', why: 'foreign' }, begun.resources.length, emptyTally());
    }
    await lease.release();
    throw error;
  } finally {
    lease.stop();
    mailboxRequests.count(owner, progress.mailboxRequests);
  }
}

const MAILBOX_LIMIT = 'Graph was asked for this mailbox nearly 10,000 times within 10 minutes';

/** News of a subscription's own life is worked without a look at Graph. */
async function pauseOf({ pauses }: OwnerRunDeps, owner: string) {
  const [tenantId = '', kind] = owner.split('/');
  return kind === 'subscriptions' ? undefined : pauses.ofTenant(tenantId, owner);
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

function report(next: RunReport['next'], resources: number, tally: Tally): RunReport {
  return { next, resources, ...tally };
}

/** The work of one run between begin and settle. */
class OwnerRun {
  private readonly deps: OwnerRunDeps;
  private readonly scope: RunScope;

  constructor(
    deps: OwnerRunDeps,
    owner: string,
    progress: RunProgress,
    viewOf: (subscriptionId: string) => View,
  ) {
    this.deps = deps;
    this.scope = { owner, progress, viewOf, giveUp: this.giveUp.bind(this) };
  }

  /** Resources side by side, the items of one in turn; pages of whole collections when those are done. */
  async work(resources: readonly TakenResource[]): Promise<Settlement[]> {
    const { pages = [], single = [] } = Object.groupBy(resources, (taken) =>
      isReadByPages(taken) ? 'pages' : 'single',
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
    const { deps, scope } = this;
    const news = taken.entries[0]?.news;
    if (taken.lonelyStarts > FATAL_LONELY_STARTS)
      return this.refuse(taken, 'run', 'every run that took it died or failed');
    if (news?.kind === 'unreadable') return this.refuse(taken, 'read', news.reason);
    const tenant = deps.tenants.get(news?.tenantId ?? '');
    if (!news || !tenant)
      return this.refuse(taken, 'verify', 'the notification is of a tenant that is not ours');
    if (news.kind === 'lifecycle') return this.workWhole(taken, () => deps.handleLifecycle(taken));
    if (isReadByPages(taken)) return workPages({ ...scope, deps, taken, tenant });
    const path = parseResourcePath(taken.resource);
    // The receiver wrote it from a parsed path, so this is a fault of ours or of Redis: better seen than lost.
    if (!path.ok) return this.refuse(taken, 'read', path.reason);
    const kind = kindOfItem(path.path);
    if (!kind) return this.refuse(taken, 'read', 'no kind of resource that Graph notifies of');
    return workChanges({ ...scope, deps, taken, tenant, kind, path: path.path });
  }

  private refuse(taken: TakenResource, stage: DeadLetter['stage'], reason: string): Promise<Settlement> {
    return this.workWhole(taken, () => this.giveUp(taken, stage, reason));
  }

  /** All entries of the resource are done by one act. */
  private async workWhole(taken: TakenResource, act: () => Promise<unknown>): Promise<Settlement> {
    const { resource, entries } = taken;
    const notifications = entries.reduce((sum, { count }) => sum + count, 0);
    const done = await this.scope.progress.attemptPublish(act, notifications);
    return { resource, doneSeqs: done === 'published' ? entries.map(({ seq }) => seq) : [] };
  }

  private async giveUp(taken: TakenResource, stage: DeadLetter['stage'], reason: string): Promise<void> {
    const { wish } = this.scope.viewOf(taken.entries.at(-1)?.subscriptionId ?? '');
    await this.deps.publish.giveUp(taken, stage, reason, wish);
    this.scope.progress.tally.givenUp++;
  }
}
