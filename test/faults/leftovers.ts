/** What a run has left in Redis once all is quiet: owners with news, and jobs. Read without the product's code. */
import { requestRedis } from './redis-request.ts';

export type Leftovers = {
  /** Owners that still have entries: after the quiet period they are stuck. */
  readonly owners: readonly string[];
  readonly jobs: Readonly<Record<(typeof JOB_STATES)[number], number>>;
};

const JOB_STATES = ['wait', 'active', 'delayed', 'failed'] as const;
/** BullMQ keeps these states as lists, the others as sorted sets. */
const LISTS: ReadonlySet<string> = new Set(['wait', 'active']);

/** @param prefix as the services were given it (REDIS_PREFIX) */
export async function readLeftovers(port: number, prefix: string): Promise<Leftovers> {
  const shard = `{${prefix}-0}`;
  const owners = (await requestRedis(port, 'ZRANGE', `${shard}:index`, '0', '-1')) as string[];
  const counts = await Promise.all(
    JOB_STATES.map(async (state) => {
      const command = LISTS.has(state) ? 'LLEN' : 'ZCARD';
      return [state, Number(await requestRedis(port, command, `${shard}:owners:${state}`))] as const;
    }),
  );
  return { owners, jobs: Object.fromEntries(counts) as Leftovers['jobs'] };
}

/** Nothing to do and nobody about to do anything; `failed` jobs wait for people. */
export function isQuiet({ owners, jobs }: Leftovers): boolean {
  return owners.length === 0 && jobs.wait + jobs.active + jobs.delayed === 0;
}

/** Jobs whose run is gone, its lock with it, and that BullMQ has not yet given to another. */
export async function countOrphans(port: number, prefix: string): Promise<number> {
  const queue = `{${prefix}-0}:owners`;
  const active = (await requestRedis(port, 'LRANGE', `${queue}:active`, '0', '-1')) as string[];
  const locks = await Promise.all(active.map((id) => requestRedis(port, 'EXISTS', `${queue}:${id}:lock`)));
  return locks.filter((isThere) => isThere === 0).length;
}
