/** Whether the worker can do its work now, from real round trips: an accepted connection alone proves nothing. */
import type { WorkerContext } from '../context.ts';
import { describePause } from '../limits/tenant-pauses.ts';
import { readFleetNumbers } from '../subscriptions/fleet-numbers.ts';
import { type Backlog, MOST_ROWS, type Status } from './status-page.ts';
import { within } from './within.ts';

export type Health = {
  /** After this the start itself is no problem any more. */
  markStarted(): void;
  /** A line for each thing that is not well; empty when ready. */
  findProblems(): Promise<readonly string[]>;
  /** A line for each tenant that Graph refuses: no fault of this worker, which stays ready. */
  findPauses(): Promise<readonly string[]>;
  readStatus(): Promise<Status>;
};

/** Longer than a slow round trip, shorter than a probe's own patience. */
const PROBE_TIMEOUT_MS = 2000;
/** Probes come every few seconds, from several sides; one round trip serves them all. */
const FRESH_MS = 1000;

export function createHealth(
  { config, redis, kafka, inbox, queues, fleet, wanted, pauses }: WorkerContext,
  isStopping: () => boolean = () => false,
): Health {
  let started = false;
  let last: { at: number; problems: Promise<readonly string[]> } | undefined;

  async function probe(): Promise<readonly string[]> {
    const problems = await Promise.all([
      answers('Redis', () => redis.ping()),
      // Who only shows what Redis holds needs no Kafka.
      config.WORKER_ROLE === 'worker' ? answers('Kafka', () => kafka.probe()) : undefined,
    ]);
    return problems.filter((problem) => problem !== undefined);
  }

  async function readBacklog(): Promise<Backlog> {
    const [ownersWithNews, jobs, deadLetters, subscriptions, counts, progress] = await Promise.all([
      inbox.countOwners(),
      queues.owners.getJobCounts('waiting', 'active', 'delayed', 'failed'),
      queues.deadLetters.count(),
      fleet.next(MOST_ROWS),
      fleet.counts(),
      fleet.progress(),
    ]);
    const numbers = readFleetNumbers(counts, config.CLIENT_STATE_SECRETS);
    return { ownersWithNews, jobs, deadLetters, subscriptions, ...numbers, progress };
  }

  async function findProblems(): Promise<readonly string[]> {
    if (isStopping()) return ['stopping'];
    if (!last || performance.now() - last.at > FRESH_MS) last = { at: performance.now(), problems: probe() };
    return [...(started ? [] : ['still starting']), ...(await last.problems)];
  }

  /** While Redis is away nothing is known of them; that it is, is a problem of its own. */
  async function findPauses(): Promise<readonly string[]> {
    const known = await within(PROBE_TIMEOUT_MS, pauses.list()).catch(() => []);
    return known.map(describePause);
  }

  return {
    markStarted: () => {
      started = true;
    },
    findProblems,
    findPauses,
    async readStatus() {
      const [problems, paused] = await Promise.all([findProblems(), findPauses()]);
      return {
        ready: problems.length === 0,
        problems,
        pauses: paused,
        durability: config.REDIS_DURABILITY,
        // Redis may be what is away: the page then says so, and shows no numbers.
        backlog: await within(PROBE_TIMEOUT_MS, readBacklog()).catch(() => undefined),
        wanted: await within(PROBE_TIMEOUT_MS, wanted.current()).then(
          ({ length }) => length,
          () => 0,
        ),
        at: Date.now(),
      };
    },
  };
}

async function answers(name: string, roundTrip: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await within(PROBE_TIMEOUT_MS, roundTrip());
    return undefined;
  } catch (error) {
    return `${name}: ${error instanceof Error ? error.message : 'no answer'}`;
  }
}
