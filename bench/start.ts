/** `pnpm bench start`: from the start of a receiver to its first /readyz of 200, beside Node's own start. */
import { join, resolve } from 'node:path';
import { ChildProcess, freePort, RedisServer } from '@graph2kafka/test-harness';
import type { Benchmark } from './benchmark.ts';
import { readUsage } from './measure/process-usage.ts';
import { orderOfRound, spreadOf } from './measure/rounds.ts';
import { short, times } from './report/numbers.ts';
import type { Report } from './report/report.ts';

export type StartOptions = {
  /** Of each kind, in turn. */
  readonly rounds: number;
};

const RECEIVER = resolve(import.meta.dirname, '../services/receiver/src/main.ts');

/** Platforms that scale to zero let Graph wait meanwhile; it waits 3 s, and 10 s for a handshake. */
const LONGEST_START_MS = 1000;

/** A step of the measurement: finer ones would take the CPU from what is measured. */
const POLL_MS = 10;

type Kind = 'node' | 'receiver' | 'cached';

const NAMES: Readonly<Record<Kind, string>> = {
  node: "node -e '', until it has ended",
  receiver: 'receiver, until /readyz is 200',
  cached: '… with a filled NODE_COMPILE_CACHE',
};

type Start = {
  readonly tookMs: number;
  /** Absent where the system does not tell, and for Node itself, which has ended. */
  readonly cpuMs?: number | undefined;
};

export const start: Benchmark<StartOptions> = async (
  { rounds },
  { dir, cleanup, interrupted, onProgress },
) => {
  const redis = cleanup.use(await RedisServer.start({ dir: join(dir, 'redis'), onProgress }));
  const cache = { NODE_COMPILE_CACHE: join(dir, 'compile-cache') };
  const starts: Record<Kind, Start[]> = { node: [], receiver: [], cached: [] };
  const once: Readonly<Record<Kind, () => Promise<Start>>> = {
    node: startBareNode,
    receiver: () => startReceiver(redis.url),
    cached: () => startReceiver(redis.url, cache),
  };
  await once.cached();
  for (let round = 0; round < rounds; round++) {
    for (const kind of orderOfRound<Kind>(['node', 'receiver', 'cached'], round)) {
      interrupted.throwIfAborted();
      starts[kind].push(await once[kind]());
    }
    onProgress(`round ${round + 1} of ${rounds}`);
  }
  return report(rounds, starts);
};

function report(rounds: number, starts: Readonly<Record<Kind, readonly Start[]>>): Report {
  const medianOf = (kind: Kind) => spreadOf(starts[kind].map(({ tookMs }) => tookMs))?.median;
  const median = medianOf('receiver') ?? Number.POSITIVE_INFINITY;
  return {
    benchmark: 'start',
    title: `${rounds} starts of each, in turn, with Redis up`,
    header: ['', 'min ms', 'median ms', 'max ms', 'of Node', 'CPU ms'],
    rows: (['node', 'receiver', 'cached'] as const).map((kind) => {
      const took = starts[kind].map(({ tookMs }) => tookMs);
      return [
        NAMES[kind],
        short(Math.min(...took)),
        short(medianOf(kind)),
        short(Math.max(...took)),
        times((medianOf(kind) ?? 0) / (medianOf('node') ?? Number.NaN)),
        short(spreadOf(starts[kind].flatMap(({ cpuMs }) => cpuMs ?? []))?.median),
      ];
    }),
    notes: [
      'CPU is user and system time of all threads until it is ready: what the start takes on a free machine.',
    ],
    claims: [
      {
        text: `a receiver is ready within ${LONGEST_START_MS} ms of its start (median)`,
        holds: median <= LONGEST_START_MS,
      },
    ],
    results: { starts },
  };
}

async function startBareNode(): Promise<Start> {
  const startedAt = performance.now();
  const node = await ChildProcess.start({ command: process.execPath, arguments: ['-e', ''] });
  await node.exited;
  return { tookMs: performance.now() - startedAt };
}

async function startReceiver(
  redisUrl: string,
  environment: Readonly<Record<string, string>> = {},
): Promise<Start> {
  const port = await freePort();
  const startedAt = performance.now();
  const receiver = await ChildProcess.start({
    name: 'receiver',
    command: process.execPath,
    arguments: [RECEIVER],
    environment: {
      NODE_ENV: 'production',
      REDIS_URL: redisUrl,
      CLIENT_STATE_SECRETS: 'secret-of-the-benchmark',
      PORT: String(port),
      ...environment,
    },
  });
  try {
    const isReady = async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok;
    await receiver.waitUntil(isReady, { intervalMs: POLL_MS });
    const tookMs = performance.now() - startedAt;
    return { tookMs, cpuMs: (await readUsage(receiver.pid))?.cpuMs };
  } finally {
    await receiver.stop();
  }
}
