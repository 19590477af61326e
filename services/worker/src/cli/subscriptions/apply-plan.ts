/** `g2k apply`: the plan carried out by the same reconciliation that workers do, under its lease. */
import { setTimeout as sleep } from 'node:timers/promises';
import { createInbox } from '@graph2kafka/shared';
import { relative, span } from '../../listing/times.ts';
import type { CallPace } from '../../subscriptions/call-pace.ts';
import { LeaseLostError, type WishRecord } from '../../subscriptions/fleet.ts';
import { createReconcile, type ReconcileDeps, type ReconcileReport } from '../../subscriptions/reconcile.ts';
import { reconcileDepsOf } from '../../subscriptions/reconcile-parts.ts';
import { CommandError } from '../command-error.ts';
import type { CommandDeps } from '../execute-command.ts';
import { plainText } from '../plain-text.ts';
import { isColoured } from '../terminal.ts';
import type { AskedFleet } from './asked-fleet.ts';
import { type Following, followProgress } from './follow-progress.ts';
import { type FleetPlan, type Planning, planFleet, preparePlanning } from './plan-fleet.ts';
import { countsLine, listing, remarks } from './plan-subscriptions.ts';
import { CHANGES, changeLine, countsOfChanges, type PlannedChange, writesOf } from './planned-changes.ts';

/** Resolves to the exit code: 1 where something could not be done, or nobody said yes. */
export async function applyPlan(
  opened: AskedFleet,
  isConfirmed: (question: string) => Promise<boolean>,
  deps: CommandDeps,
): Promise<number> {
  const { environment, terminal, now } = deps;
  const planning = await preparePlanning(opened, environment, now);
  const plan = await listing(terminal, (onPage) => planFleet(opened, planning, onPage));
  const coloured = isColoured(terminal, environment);
  for (const line of shortPlan(plan.changes, coloured)) terminal.out(line);
  for (const line of remarks(plan)) terminal.err(line);
  terminal.out(countsLine(plan));
  if (plan.changes.length === 0 && plan.unread.length === 0) return 0;
  if (!(await isConfirmed('Do this? [y/N] '))) {
    terminal.err('nothing was done');
    return 1;
  }
  const stop = new AbortController();
  const offInterrupt = deps.onInterrupt?.(() => stop.abort());
  try {
    const reports = await carryOutAll(opened, planning, plan, deps, stop.signal);
    return await conclude(opened, planning, reports, deps);
  } catch (error) {
    if (!stop.signal.aborted || !(error instanceof LeaseLostError)) throw error;
    terminal.err('stopped; `g2k apply` goes on from here');
    return 1;
  } finally {
    offInterrupt?.();
  }
}

/** Of one kind of change: what is asked about has to be seen at once, and `plan` has all of it. */
const MOST_LINES = 30;

/** Pure. */
export function shortPlan(changes: readonly PlannedChange[], coloured: boolean): string[] {
  const seen = new Map<string, number>();
  const shown = changes.filter(({ change }) => {
    const nth = (seen.get(change) ?? 0) + 1;
    seen.set(change, nth);
    return nth <= MOST_LINES;
  });
  const hidden = CHANGES.flatMap((kind) => {
    const more = (seen.get(kind) ?? 0) - MOST_LINES;
    return more > 0 ? [`    … and ${more} more to ${kind}; \`g2k plan\` has them all`] : [];
  });
  return [...shown.map((change) => changeLine(change, coloured)), ...hidden];
}

/** Longer than a worker that was killed holds the lease. */
const WAIT_FOR_OTHERS_MS = 45_000;
const ASK_EVERY_MS = 250;
/** Rounds in a row in which nothing could be done, for no pause that Graph wanted: a list that it does not give. */
const MOST_FRUITLESS = 3;

/** Goes on as long as Graph wants pauses; what is changed over bit by bit is left to the workers. */
async function carryOutAll(
  opened: AskedFleet,
  planning: Planning,
  plan: FleetPlan,
  { terminal }: CommandDeps,
  stop: AbortSignal,
): Promise<ReconcileReport[]> {
  const { now } = opened.graphClock;
  const following = followProgress(opened.fleet, terminal, { writes: writesOf(plan.changes), now });
  const reconcile = createReconcile(reconcileDeps(opened, planning, following, stop));
  const reports: ReconcileReport[] = [];
  let fruitless = 0;
  let waitUntil = performance.now() + WAIT_FOR_OTHERS_MS;
  try {
    for (let isFirst = true; ; ) {
      if (stop.aborted) throw new LeaseLostError('interrupted');
      const report = await reconcile({ everything: isFirst });
      // The lease is then let go of by ourselves.
      if (!report && stop.aborted) continue;
      if (!report) {
        following.say('a worker is changing subscriptions: waiting for its end');
        if (performance.now() > waitUntil)
          throw new CommandError(
            'another process is changing subscriptions, and does not end: try again later',
          );
        await sleep(ASK_EVERY_MS);
        continue;
      }
      isFirst = false;
      reports.push(report);
      waitUntil = performance.now() + WAIT_FOR_OTHERS_MS;
      const left = await leftOver(opened, planning);
      fruitless = hasDone(report) || report.throttledUntil !== undefined ? 0 : fruitless + 1;
      const soonest = report.throttledUntil ?? Math.min(...left.map(({ dueAt = now() }) => dueAt));
      if (left.length === 0 || fruitless === MOST_FRUITLESS) return reports;
      const pauseMs = Math.max(1000, soonest - now());
      following.say(`a pause of ${span(pauseMs)}, as Graph wants it; ${left.length} are left`, pauseMs);
      await sleep(pauseMs, undefined, { signal: stop }).catch(() => undefined);
    }
  } finally {
    following.end();
  }
}

function hasDone({ created, renewed, adopted, deleted }: ReconcileReport): boolean {
  return created + renewed + adopted + deleted > 0;
}

/** Wishes that something is to be done for and that have not failed. */
async function leftOver(opened: AskedFleet, planning: Planning): Promise<WishRecord[]> {
  const { changes, records } = await planFleet(opened, planning);
  const todo = new Set(changes.filter(({ later }) => !later).map(({ wish }) => wish));
  return records.filter(({ wish, trouble, intent }) => todo.has(wish) && !trouble && !intent);
}

function reconcileDeps(
  opened: AskedFleet,
  planning: Planning,
  following: Following,
  stop: AbortSignal,
): ReconcileDeps {
  const { settings, tenants, redis, names, log, pace, graphClock, fleet } = opened;
  const { source: wishes, encryption, notificationUrl } = planning;
  const deps = reconcileDepsOf({
    ...{ settings, tenants, fleet, wishes, encryption, notificationUrl, pace, graphClock, log },
    inbox: createInbox(redis, names),
    // What is not in the plan that was shown is left to the workers.
    sweepOrphans: 'off',
  });
  return { ...deps, ...stoppable(followed(pace, following), stop) };
}

/** Before anything is changed Graph's list is compared once more, which takes its time. */
function followed(pace: CallPace, following: Following): CallPace {
  let pages = 0;
  return {
    ...pace,
    turn(tenantId, call, mostMs) {
      following.list(call === 'list' ? ++pages : undefined);
      return pace.turn(tenantId, call, mostMs);
    },
  };
}

/** Once it is to stop, nobody is given a turn any more; who has had one notes what came of it, and the lease goes to others. */
function stoppable(pace: CallPace, stop: AbortSignal): Pick<ReconcileDeps, 'pace' | 'sleep'> {
  const stopped = () => new LeaseLostError('interrupted');
  return {
    pace: {
      ...pace,
      async turn(...asked) {
        if (stop.aborted) throw stopped();
        return pace.turn(...asked);
      },
    },
    async sleep(ms) {
      await sleep(ms, undefined, { signal: stop }).catch((error: unknown) => {
        throw stop.aborted ? stopped() : error;
      });
    },
  };
}

async function conclude(
  opened: AskedFleet,
  planning: Planning,
  reports: readonly ReconcileReport[],
  { terminal, now }: CommandDeps,
): Promise<number> {
  const sum = (name: 'created' | 'renewed' | 'adopted' | 'deleted') =>
    reports.reduce((total, report) => total + report[name], 0);
  terminal.out(
    `Done: ${sum('created')} created, ${sum('renewed')} renewed, ${sum('adopted')} adopted, ${sum('deleted')} deleted.`,
  );
  const { changes, records } = await planFleet(opened, planning);
  const unlisted = reports.at(-1)?.failed.filter((line) => line.startsWith('list: ')) ?? [];
  const failures = [...unlisted.map(plainText), ...failuresOf(changes, records, now())];
  for (const line of failures) terminal.err(line);
  const later = changes.filter((change) => change.later);
  if (later.length > 0) terminal.err(`workers do the rest bit by bit: ${countsOfChanges(later)}`);
  return failures.length === 0 ? 0 : 1;
}

/** A line for each wish that is not as it should be, with the reason. */
function failuresOf(
  changes: readonly PlannedChange[],
  records: readonly WishRecord[],
  now: number,
): string[] {
  const byWish = new Map(records.map((record) => [record.wish, record]));
  return changes.flatMap(({ change, wish, later }) => {
    const { trouble, intent } = byWish.get(wish) ?? {};
    if (later) return [];
    if (trouble)
      return [
        plainText(
          `not done: ${change} ${wish}: ${trouble.reason}: ${trouble.detail}; next try ${relative(trouble.until, now)}`,
        ),
      ];
    return [
      plainText(
        `not done: ${change} ${wish}${intent ? ': its answer was lost, Graph’s list will tell' : ''}`,
      ),
    ];
  });
}
