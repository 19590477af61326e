/** The Redis of receiver and worker: there, recent, durable, not full, quick; and whose keys are under the prefix. */
import { connectFailFast, durabilityProblems, OWNER_QUEUE, queueNames } from '@graph2kafka/shared';
import { Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { WorkerConfig } from '../config.ts';
import { networkProblem } from '../network-problem.ts';
import { error, ok, type Problem, type Remark, warning } from './finding.ts';
import { isPrivateAddress } from './private-address.ts';
import { judgeInfo, megabytes, parseInfo, type RedisInfo } from './redis-info.ts';

export const REDIS_SETTINGS = ['REDIS_URL', 'REDIS_PREFIX', 'REDIS_DURABILITY', 'REDIS_REPLICAS'] as const;

type Place = Pick<WorkerConfig, (typeof REDIS_SETTINGS)[number]>;

const CONNECT_WITHIN_MS = 3000;
const PINGS = 50;
/** An append with AOF `always` and a ping take a few; a request of Graph waits for two or three such in a row. */
const SLOW_MS = 25;

export async function checkRedis(place: Place, signal: AbortSignal): Promise<Remark[]> {
  const { host } = new URL(place.REDIS_URL);
  let lastProblem: Error | undefined;
  const redis = connectFailFast(place.REDIS_URL, (problem) => {
    lastProblem = problem;
  });
  signal.addEventListener('abort', () => redis.disconnect());
  try {
    if (!(await isReady(redis))) return [unreached(lastProblem, host)];
    return await look(redis, place, host);
  } catch (thrown) {
    return [unreached(thrown, host)];
  } finally {
    redis.disconnect();
  }
}

async function isReady(redis: Redis): Promise<boolean> {
  if (redis.status === 'ready') return true;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), CONNECT_WITHIN_MS);
  redis.once('ready', () => resolve(true));
  // The first thing that is wrong is what is to be told.
  redis.once('error', () => resolve(false));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
  }
}

/** The address alone: a Redis URL may hold a password, and so may what ioredis says of a command. */
function unreached(thrown: unknown, host: string): Problem {
  const text = thrown instanceof Error ? thrown.message : '';
  const word = /^(WRONGPASS|NOAUTH|NOPERM|LOADING|MASTERDOWN|READONLY)\b/.exec(text)?.[1];
  if (word === 'WRONGPASS' || word === 'NOAUTH') {
    return error(`Redis at ${host} refuses the sign-in (${word})`, 'correct user and password in REDIS_URL');
  }
  if (word === 'NOPERM') {
    return error(
      `Redis at ${host} does not let this user look (${word})`,
      'give the user of REDIS_URL the rights ~* +@all, or at least +@read +@write +@scripting +@connection +info +config|get',
    );
  }
  if (word) return error(`Redis at ${host} is not ready (${word})`, 'wait until it is, and see its log');
  const network = networkProblem(thrown, host);
  if (network) return error(`Redis: ${network.found}`, `${network.cure}, or REDIS_URL`);
  return error(
    `Redis at ${host} does not answer`,
    'correct REDIS_URL: its host, its port, and rediss:// where Redis speaks TLS',
  );
}

async function look(redis: Redis, place: Place, host: string): Promise<Remark[]> {
  const { REDIS_DURABILITY: level, REDIS_REPLICAS: replicas } = place;
  const info = parseInfo(await redis.info());
  const lost = (await durabilityProblems(redis, level)).map((problem) => {
    const at = problem.lastIndexOf(': ');
    return error(problem.slice(0, at), problem.slice(at + 2));
  });
  const slowestMs = await slowestPing(redis);
  const fsync = await fsyncMs(redis);
  const judged = judgeInfo(info, { replicas: level === 'replicated' ? replicas : 0 });
  // The policy would be told twice.
  const others = judged.filter(({ found }) => lost.length === 0 || !found.startsWith('maxmemory-policy'));
  return [
    ok(`${describe(info, host, place)}; 99 % of ${PINGS} pings within ${slowestMs.toFixed(1)} ms`),
    ...lost,
    ...(level === 'declared' ? [declared(info)] : []),
    ...others,
    ...judgePlain(place, host),
    ...judgeLatency(slowestMs, fsync),
    ...(await judgePrefix(redis, place)),
  ];
}

function describe({ version, usedBytes, maxBytes }: RedisInfo, host: string, place: Place): string {
  const tls = place.REDIS_URL.startsWith('rediss:') ? 'with TLS' : 'without TLS';
  const memory = maxBytes > 0 ? `${megabytes(usedBytes)} of ${megabytes(maxBytes)}` : megabytes(usedBytes);
  return `Redis ${version} at ${host} ${tls}, REDIS_DURABILITY=${place.REDIS_DURABILITY}, ${memory} used`;
}

function declared({ appendOnly }: RedisInfo): Problem {
  const aof = appendOnly
    ? 'it has an append-only file; how often it is synced is not known'
    : 'no append-only file';
  return warning(
    `REDIS_DURABILITY=declared: what stands behind a 202 is not verified (${aof})`,
    'set REDIS_DURABILITY=strict where Redis shows its configuration, else have its operator vouch for it',
  );
}

function judgePlain({ REDIS_URL: text }: Place, host: string): Problem[] {
  const { protocol, hostname } = new URL(text);
  const isNear = !hostname.includes('.') || isPrivateAddress(hostname.replace(/^\[|\]$/g, ''));
  if (protocol === 'rediss:' || isNear) return [];
  return [
    warning(
      `the way to Redis at ${host} is not encrypted`,
      'use rediss:// where that way leaves a network of yours',
    ),
  ];
}

/** 99 of 100 are no slower; with 50 that is the slowest. */
async function slowestPing(redis: Redis): Promise<number> {
  let slowest = 0;
  for (let n = 0; n < PINGS; n++) {
    const begun = performance.now();
    await redis.ping();
    slowest = Math.max(slowest, performance.now() - begun);
  }
  return slowest;
}

/** The slowest sync of the append-only file that Redis has noted; it does where latency-monitor-threshold is set. */
async function fsyncMs(redis: Redis): Promise<number | undefined> {
  const events = await redis.call('LATENCY', 'LATEST').catch(() => []);
  const found = (Array.isArray(events) ? events : []).find(
    (event: unknown) => Array.isArray(event) && event[0] === 'aof-fsync-always',
  );
  return found === undefined ? undefined : Number(found[3]);
}

/** Both in milliseconds; `fsync` is undefined where Redis has noted none. Pure. */
export function judgeLatency(pingMs: number, fsync: number | undefined): Problem[] {
  const ping = warning(
    `the slowest of ${PINGS} pings took ${pingMs.toFixed(0)} ms`,
    'put Redis near to receiver and worker, and see what else its machine does',
  );
  const sync = warning(
    `a sync of the append-only file took ${fsync} ms`,
    'give Redis a disk of its own, and a quick one: every 202 waits for it',
  );
  return [...(pingMs > SLOW_MS ? [ping] : []), ...(fsync !== undefined && fsync > 1000 ? [sync] : [])];
}

/** BullMQ notes its version under the prefix; another major one may keep its jobs in another form. It is not to note ours. */
async function judgePrefix(redis: Redis, { REDIS_PREFIX }: Place): Promise<Problem[]> {
  const { prefix } = queueNames(REDIS_PREFIX);
  const queue = new Queue(OWNER_QUEUE, {
    connection: redis,
    prefix,
    skipMetasUpdate: true,
    skipVersionCheck: true,
  });
  queue.on('error', () => undefined);
  try {
    const [there, ours] = [await queue.getVersion(), queue.metaValues.version];
    const major = (version: unknown) => /^bullmq:(\d+)/.exec(String(version))?.[1];
    if (there === null || major(there) === undefined || major(there) === major(ours)) return [];
    return [
      warning(
        `the keys under REDIS_PREFIX=${REDIS_PREFIX} were written by ${there}, this version has ${String(ours)}`,
        'run receivers and workers of one version, or set another REDIS_PREFIX',
      ),
    ];
  } finally {
    await queue.close();
  }
}
