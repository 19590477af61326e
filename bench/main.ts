/** `pnpm bench <name>`: runs a benchmark on servers that end with it, also on Ctrl-C, and prints what it found. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_FOLDER, missingPrograms } from '@graph2kafka/test-harness';
import { ack } from './ack.ts';
import { ackBesideOutage } from './ack-beside-outage.ts';
import { ackRich } from './ack-rich.ts';
import { backlog } from './backlog.ts';
import { batch } from './batch.ts';
import { type BenchmarkContext, now } from './benchmark.ts';
import { ArgumentError, HELP, type Order, parseCommandLine } from './command-line.ts';
import { fleetRedis } from './fleet/on-redis.ts';
import { fleet } from './fleet.ts';
import { hostile } from './hostile-clients.ts';
import { describeMachine } from './measure/machine.ts';
import { neighbours } from './neighbours.ts';
import { pipeline } from './pipeline.ts';
import { price } from './price.ts';
import { publishers } from './publishers.ts';
import { type Report, renderJson, renderReport } from './report/report.ts';
import { rich } from './rich.ts';
import { start } from './start.ts';
import { throttled } from './throttled.ts';

const EXIT_DONE = 0;
const EXIT_FAILED = 1;
const EXIT_MISUSED = 2;
const EXIT_INTERRUPTED = 130;

function runOrder(order: Order, context: BenchmarkContext): Promise<Report> {
  switch (order.benchmark) {
    case 'ack':
      return ack(order.options, context);
    case 'ackBesideOutage':
      return ackBesideOutage(order.options, context);
    case 'ackRich':
      return ackRich(order.options, context);
    case 'backlog':
      return backlog(order.options, context);
    case 'batch':
      return batch(order.options, context);
    case 'fleet':
      return fleet(order.options, context);
    case 'fleetRedis':
      return fleetRedis(order.options, context);
    case 'hostile':
      return hostile(order.options, context);
    case 'neighbours':
      return neighbours(order.options, context);
    case 'pipeline':
      return pipeline(order.options, context);
    case 'price':
      return price(order.options, context);
    case 'publishers':
      return publishers(order.options, context);
    case 'rich':
      return rich(order.options, context);
    case 'start':
      return start(order.options, context);
    case 'throttled':
      return throttled(order.options, context);
  }
}

const WITHOUT_KAFKA: readonly string[] = 'ack ackRich fleet fleetRedis hostile price rich'.split(' ');

/** Resolves to the exit code. */
async function bench(order: Order, interrupted: AbortSignal): Promise<number> {
  const needsKafka = !WITHOUT_KAFKA.includes(order.benchmark);
  // A name of any broker stands for "no Kafka is to be started".
  const missing = await missingPrograms({ kafkaBrokers: needsKafka ? undefined : 'none' });
  if (missing.length > 0) throw new Error(missing.join('\n'));
  const startedAt = Date.now();
  // Beside the repository's other throw-away data, since /tmp may be memory, where a sync costs nothing.
  const dir = join(LOCAL_FOLDER, `bench-${process.pid}`);
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(dir, { recursive: true, force: true }));
  await mkdir(dir, { recursive: true });
  const machine = await describeMachine(dir, now);
  const onProgress = (text: string) => void process.stderr.write(`${text}\n`);
  const report = await runOrder(order, { dir, cleanup, interrupted, onProgress });
  interrupted.throwIfAborted();
  process.stdout.write(order.json ? renderJson(report, machine, startedAt) : renderReport(report, machine));
  return report.claims.every(({ holds }) => holds) ? EXIT_DONE : EXIT_FAILED;
}

/** Aborts on the first Ctrl-C or SIGTERM; ending in order takes a few seconds, and further ones do not hurry it. */
function untilInterrupted(): AbortSignal {
  const interruption = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (!interruption.signal.aborted) process.stderr.write('ending what was started\n');
      interruption.abort();
    });
  }
  return interruption.signal;
}

function exitCodeFor(error: unknown, interrupted: AbortSignal): number {
  if (interrupted.aborted) return EXIT_INTERRUPTED;
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  return error instanceof ArgumentError ? EXIT_MISUSED : EXIT_FAILED;
}

async function main(): Promise<number> {
  const interrupted = untilInterrupted();
  try {
    const order = parseCommandLine(process.argv.slice(2));
    if (order !== 'help') return await bench(order, interrupted);
    process.stdout.write(HELP);
    return EXIT_DONE;
  } catch (error) {
    return exitCodeFor(error, interrupted);
  }
}

// Waits that an interruption gave up on may still hold timers; what they waited for has ended.
process.exit(await main());
