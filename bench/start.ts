/** `pnpm bench start`: from the start of a service to its first /readyz of 200, beside Node's own start. */
import { join, resolve } from 'node:path';
import { ChildProcess, freePort, KafkaBroker, RedisServer } from '@graph2kafka/test-harness';
import type { Benchmark } from './benchmark.ts';
import { readUsage } from './measure/process-usage.ts';
import { orderOfRound, spreadOf } from './measure/rounds.ts';
import { megabytes, short, times } from './report/numbers.ts';
import type { Report } from './report/report.ts';

export type StartOptions = {
  /** Of each kind, in turn. */
  readonly rounds: number;
};

const SERVICES = resolve(import.meta.dirname, '../services');

/** Platforms that scale to zero let Graph wait meanwhile; it waits 3 s, and 10 s for a handshake. */
const LONGEST_START_MS = { receiver: 1000, worker: 2000 };

/** A step of the measurement: finer ones would take the CPU from what is measured. */
const POLL_MS = 10;

const KINDS = ['node', 'receiver', 'cachedReceiver', 'worker', 'cachedWorker'] as const;
type Kind = (typeof KINDS)[number];

const NAMES: Readonly<Record<Kind, string>> = {
  node: "node -e '', until it has ended",
  receiver: 'receiver, until /readyz is 200',
  cachedReceiver: '… with a filled NODE_COMPILE_CACHE',
  worker: 'worker, until /readyz is 200',
  cachedWorker: '… with a filled NODE_COMPILE_CACHE',
};

type Start = {
  readonly tookMs: number;
  /** Absent where the system does not tell, and for Node itself, which has ended. */
  readonly cpuMs?: number | undefined;
  readonly residentBytes?: number | undefined;
};

type Servers = { readonly redisUrl: string; readonly brokers: string };
type Environment = Readonly<Record<string, string>>;

export const start: Benchmark<StartOptions> = async (
  { rounds },
  { dir, cleanup, interrupted, onProgress },
) => {
  const redis = cleanup.use(await RedisServer.start({ dir: join(dir, 'redis'), onProgress }));
  const kafka = cleanup.use(await KafkaBroker.start({ dir: join(dir, 'kafka'), onProgress }));
  const servers = { redisUrl: redis.url, brokers: kafka.brokers };
  const cache = { NODE_COMPILE_CACHE: join(dir, 'compile-cache') };
  const once: Readonly<Record<Kind, () => Promise<Start>>> = {
    node: startBareNode,
    receiver: () => startReceiver(servers),
    cachedReceiver: () => startReceiver(servers, cache),
    worker: () => startWorker(servers),
    cachedWorker: () => startWorker(servers, cache),
  };
  // They fill the cache and make the topics.
  await once.cachedReceiver();
  await once.cachedWorker();
  const starts: Record<Kind, Start[]> = {
    ...{ node: [], receiver: [], cachedReceiver: [], worker: [], cachedWorker: [] },
  };
  for (let round = 0; round < rounds; round++) {
    for (const kind of orderOfRound<Kind>([...KINDS], round)) {
      interrupted.throwIfAborted();
      starts[kind].push(await once[kind]());
    }
    onProgress(`round ${round + 1} of ${rounds}`);
  }
  return report(rounds, starts);
};

function report(rounds: number, starts: Readonly<Record<Kind, readonly Start[]>>): Report {
  const medianOf = (kind: Kind) => spreadOf(starts[kind].map(({ tookMs }) => tookMs))?.median;
  const claimOf = (service: 'receiver' | 'worker') => ({
    text: `a ${service} is ready within ${LONGEST_START_MS[service]} ms of its start (median)`,
    holds: (medianOf(service) ?? Number.POSITIVE_INFINITY) <= LONGEST_START_MS[service],
  });
  return {
    benchmark: 'start',
    title: `${rounds} starts of each, in turn, with Redis and Kafka up`,
    header: ['', 'min ms', 'median ms', 'max ms', 'of Node', 'CPU ms', 'MB'],
    rows: KINDS.map((kind) => {
      const took = starts[kind].map(({ tookMs }) => tookMs);
      return [
        NAMES[kind],
        short(Math.min(...took)),
        short(medianOf(kind)),
        short(Math.max(...took)),
        times((medianOf(kind) ?? 0) / (medianOf('node') ?? Number.NaN)),
        short(spreadOf(starts[kind].flatMap(({ cpuMs }) => cpuMs ?? []))?.median),
        megabytes(spreadOf(starts[kind].flatMap(({ residentBytes }) => residentBytes ?? []))?.median),
      ];
    }),
    notes: [
      'CPU is user and system time of all threads until it is ready: what the start takes on a free machine.',
      'MB is what is resident in that moment.',
    ],
    claims: [claimOf('receiver'), claimOf('worker')],
    results: { starts },
  };
}

async function startBareNode(): Promise<Start> {
  const startedAt = performance.now();
  const node = await ChildProcess.start({ command: process.execPath, arguments: ['-e', ''] });
  await node.exited;
  return { tookMs: performance.now() - startedAt };
}

async function startReceiver({ redisUrl }: Servers, environment: Environment = {}): Promise<Start> {
  const port = await freePort();
  return startService('receiver', port, {
    REDIS_URL: redisUrl,
    PORT: String(port),
    SHUTDOWN_DELAY_MS: '0',
    ...environment,
  });
}

/** Nothing is wanted, so that Graph is not asked. */
async function startWorker({ redisUrl, brokers }: Servers, environment: Environment = {}): Promise<Start> {
  const port = await freePort();
  return startService('worker', port, {
    REDIS_URL: redisUrl,
    KAFKA_BROKERS: brokers,
    KAFKA_CREATE_TOPICS: 'true',
    AZURE_TENANT_ID: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
    AZURE_CLIENT_ID: 'b7a1e6d4-93c5-4f28-8e0b-61d2f4a9c3e7',
    AZURE_CLIENT_SECRET: 'of nobody',
    ADMIN_PORT: String(port),
    ADMIN_PASSWORD: 'of-the-benchmark',
    ...environment,
  });
}

async function startService(name: string, port: number, environment: Environment): Promise<Start> {
  const startedAt = performance.now();
  const service = await ChildProcess.start({
    name,
    command: process.execPath,
    arguments: ['--disable-warning=TimeoutNegativeWarning', join(SERVICES, name, 'src/main.ts')],
    environment: {
      NODE_ENV: 'production',
      CLIENT_STATE_SECRETS: 'secret-of-the-benchmark',
      ...environment,
    },
  });
  try {
    const isReady = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
    await service.waitUntil(isReady, { intervalMs: POLL_MS });
    const tookMs = performance.now() - startedAt;
    return { tookMs, ...(await readUsage(service.pid)) };
  } finally {
    await service.stop();
  }
}
