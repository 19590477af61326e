/**
 * Runs a command beside a Redis and a Kafka that live as long as it does, with REDIS_URL and KAFKA_BROKERS set:
 * `node scripts/with-redis-and-kafka.ts -- vitest run`. Ends with the command's exit code.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaBroker, RedisServer } from '@graph2kafka/test-harness';

type Command = { readonly name: string; readonly args: readonly string[] };
type Servers = { readonly REDIS_URL: string; readonly KAFKA_BROKERS: string };

const USAGE = 'usage: node scripts/with-redis-and-kafka.ts -- <command> [arguments]\n';

/** As shells answer: for a call that cannot be meant, and for a command that is not there. */
const MISUSED = 2;
const NOT_FOUND = 127;
const endedBy = (signal: NodeJS.Signals) => 128 + constants.signals[signal];

async function besideServers(act: (servers: Servers) => Promise<number>): Promise<number> {
  // To standard error: the command's output may be piped on.
  const onProgress = (text: string) => process.stderr.write(`${text}\n`);
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-'));
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(dir, { recursive: true, force: true }));
  const redis = cleanup.use(await RedisServer.start({ dir: join(dir, 'redis'), onProgress }));
  const kafka = cleanup.use(await KafkaBroker.start({ dir: join(dir, 'kafka'), onProgress }));
  return await act({ REDIS_URL: redis.url, KAFKA_BROKERS: kafka.brokers });
}

/** Resolves to its exit code, or to 128 and the number of the signal that ended it. */
async function runCommand({ name, args }: Command, servers: Servers, stopping: AbortSignal): Promise<number> {
  if (stopping.aborted) return endedBy(stopping.reason);
  const child = spawn(name, args, { stdio: 'inherit', env: { ...process.env, ...servers } });
  const passOn = () => stopping.reason === 'SIGTERM' && child.kill('SIGTERM');
  stopping.addEventListener('abort', passOn);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number, null] | [null, NodeJS.Signals];
    return signal === null ? code : endedBy(signal);
  } catch (error) {
    process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return NOT_FOUND;
  }
}

/** Aborts with the name of the first signal. Ctrl-C reaches the command too, which may take its time to end. */
function untilSignal(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopping.abort(signal));
  return stopping.signal;
}

const [name, ...args] = process.argv.slice(process.argv[2] === '--' ? 3 : 2);
if (name === undefined) {
  process.stderr.write(USAGE);
  process.exitCode = MISUSED;
} else {
  const stopping = untilSignal();
  process.exitCode = await besideServers((servers) => runCommand({ name, args }, servers, stopping));
}
