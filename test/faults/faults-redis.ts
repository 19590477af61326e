/** What can happen to Redis, or to the connections to it. */
import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArmedCut } from '@graph2kafka/test-harness';
import type { Fault, Harm, Span } from './fault.ts';
import { requestRedis } from './redis-request.ts';
import type { Scenario } from './scenario.ts';

/** Somebody was refused or got an error in the time. */
function feltIn({ simulator, observations }: Scenario, { from, to }: Span): boolean {
  const refused = simulator.changeLog
    .ofKind('delivery')
    .some(({ at, status }) => at >= from && at <= to && status === 503);
  return (
    refused || ['redis.error', 'worker.error'].some((name) => observations.between(name, from, to).length > 0)
  );
}

/** A fault that ends by a single act of healing. */
function harming(scenario: Scenario, heal: () => Promise<unknown>): Harm {
  return { heal: async () => void (await heal()), wasFelt: (span) => feltIn(scenario, span) };
}

function command(scenario: Scenario, ...words: string[]) {
  return requestRedis(scenario.servers.redis.port, ...words);
}

async function usedMemory(scenario: Scenario): Promise<number> {
  const info = String(await command(scenario, 'INFO', 'memory'));
  return Number(/^used_memory:(\d+)/m.exec(info)?.[1]);
}

/** Lets Redis use so much of its memory that `share` of the limit is taken. */
async function limitMemory(scenario: Scenario, share: number): Promise<Harm> {
  const limit = Math.floor((await usedMemory(scenario)) / share);
  await command(scenario, 'CONFIG', 'SET', 'maxmemory', String(limit));
  return harming(scenario, () => command(scenario, 'CONFIG', 'SET', 'maxmemory', '0'));
}

async function setPolicy(scenario: Scenario, policy: string): Promise<void> {
  await command(scenario, 'CONFIG', 'SET', 'maxmemory-policy', policy);
  // The product looks at the settings once a minute, and at each new connection.
  await command(scenario, 'CLIENT', 'KILL', 'TYPE', 'normal');
}

/** A command that was being written when the power went: its beginning lies at the end of the append-only file. */
async function tearAppendOnlyFile(redisDir: string): Promise<void> {
  const dir = join(redisDir, 'appendonlydir');
  const files = await readdir(dir).catch(() => undefined);
  const incremental = files
    ?.filter((name) => name.endsWith('.incr.aof'))
    .sort()
    .at(-1);
  const file = incremental ? join(dir, incremental) : join(redisDir, 'appendonly.aof');
  await appendFile(file, '*3\r\n$3\r\nSET\r\n$4\r\nto');
}

/** Which of the product's requests: told apart by the keys that each names. */
const REQUESTS: Readonly<Record<string, (request: string) => boolean>> = {
  append: (request) => request.includes(':index') && !request.includes(':lease:'),
  begin: (request) => request.includes(':lease:') && request.includes(':due:') && !request.includes(':index'),
  settle: (request) => request.includes(':lease:') && request.includes(':index'),
  job: (request) => request.includes(':owners:'),
};

/** Replies that are cut one after the other, each of another request. */
async function cutReplies({ servers }: Scenario): Promise<Harm> {
  const proxy = servers.redisProxy;
  if (!proxy) throw new Error('replies are cut by a proxy: start the scenario with `proxied`');
  let cuts = 0;
  const armed: ArmedCut[] = Object.values(REQUESTS).map((fits) =>
    proxy.cutNextResponse((bytes) => fits(bytes.toString('latin1'))),
  );
  for (const { done } of armed) {
    done.then(
      () => cuts++,
      () => undefined,
    );
  }
  return {
    async heal() {
      for (const cut of armed) cut.cancel();
    },
    wasFelt: () => cuts > 0,
  };
}

export const redisFaults = {
  'redis-killed': {
    peer: 'redis',
    lastsMs: [300, 4000],
    async inflict(scenario) {
      await scenario.servers.redis.kill9();
      return harming(scenario, () => scenario.servers.redis.restart());
    },
  },
  'redis-frozen': {
    peer: 'redis',
    lastsMs: [4000, 30_000],
    async inflict(scenario) {
      const { redis } = scenario.servers;
      redis.freeze();
      return harming(scenario, async () => redis.thaw());
    },
  },
  'redis-read-only': {
    peer: 'redis',
    lastsMs: [1000, 4000],
    async inflict(scenario) {
      // Nobody listens at port 1: a replica whose primary is away keeps its data and takes no writes.
      await command(scenario, 'REPLICAOF', '127.0.0.1', '1');
      return harming(scenario, () => command(scenario, 'REPLICAOF', 'NO', 'ONE'));
    },
  },
  /** Above the mark from which the receiver refuses, so that the workers can go on. */
  'redis-filling': {
    peer: 'redis',
    lastsMs: [2500, 5000],
    inflict: (scenario) => limitMemory(scenario, 0.85),
  },
  'redis-full': {
    peer: 'redis',
    lastsMs: [1500, 4000],
    inflict: (scenario) => limitMemory(scenario, 1),
  },
  'redis-wrong-policy': {
    peer: 'redis',
    lastsMs: [1500, 4000],
    async inflict(scenario) {
      await setPolicy(scenario, 'allkeys-lru');
      return harming(scenario, () => setPolicy(scenario, 'noeviction'));
    },
  },
  'redis-aof-torn': {
    peer: 'redis',
    lastsMs: [200, 600],
    async inflict(scenario) {
      const { redis, redisDir } = scenario.servers;
      await redis.kill9();
      await tearAppendOnlyFile(redisDir);
      return harming(scenario, () => redis.restart());
    },
  },
  'redis-connections-cut': {
    peer: 'redis',
    lastsMs: [0, 200],
    async inflict({ servers }) {
      const cut = servers.redisProxy?.cutAll() ?? 0;
      return { heal: async () => undefined, wasFelt: () => cut > 0 };
    },
  },
  'redis-replies-cut': { peer: 'redis', lastsMs: [1000, 2500], inflict: cutReplies },
} satisfies Record<string, Fault>;
