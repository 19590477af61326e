/**
 * `pnpm hostile`: spoiled posts without end against a receiver as it is shipped, on a Redis of its own; each answer and
 * all that is stored is compared with what a reader that shares no code with the product says.
 */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LOCAL_FOLDER, missingPrograms, RedisServer } from '@graph2kafka/test-harness';
import { runMutations } from '../test/hostile/mutation-run.ts';
import { severeOf, startReceiverUnderTest } from '../test/hostile/receiver-under-test.ts';

const HELP = `Spoils posts of Graph in ways that follow from a seed, and checks what the receiver makes of them.

  --cases N   how many. Default 100000, about four minutes
  --seed S    a case is the same for the same seed and number. Default: from the clock
  --help      this text

Exit code: 0 all was as it must be, 1 something was not (seed and number are printed), 2 the run was not possible.
`;

const LONGEST_P99_MS = 100;
const WRONG = 1;
const IMPOSSIBLE = 2;

const write = (text: string) => process.stdout.write(`${text}\n`);

function readArguments(args: readonly string[]): { seed: number; cases: number } | 'help' {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'),
    options: {
      seed: { type: 'string', default: String(Math.floor(Date.now() / 1000) % 1_000_000) },
      cases: { type: 'string', default: '100000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const [seed, cases] = [Number(values.seed), Number(values.cases)];
  if (!Number.isInteger(seed) || seed < 0) throw new Error('--seed must be a whole number');
  if (!Number.isInteger(cases) || cases < 1) throw new Error('--cases must be a whole number above 0');
  return { seed, cases };
}

async function run(order: { seed: number; cases: number }): Promise<number> {
  const missing = await missingPrograms({ kafkaBrokers: 'none' });
  if (missing.length > 0) throw new Error(missing.join('\n'));
  const dir = join(LOCAL_FOLDER, `hostile-${process.pid}`);
  await using cleanup = new AsyncDisposableStack();
  cleanup.defer(() => rm(dir, { recursive: true, force: true }));
  await mkdir(dir, { recursive: true });
  const redis = cleanup.use(await RedisServer.start({ dir: join(dir, 'redis') }));
  const receiver = cleanup.use(await startReceiverUnderTest(redis.url));
  write(`${order.cases} cases, seed ${order.seed}`);
  const startedAt = performance.now();
  const tally = await runMutations(receiver, order);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  const severe = severeOf(receiver.lines);
  const { p50Ms, p99Ms, maxMs } = await receiver.end();
  const answers = Object.entries(tally.statuses).map(([status, count]) => `${count} × ${status}`);
  write(`${tally.cases} cases in ${seconds} s: ${answers.join(', ')}`);
  write(`${tally.kept} notifications of ours stored, ${tally.intact} of them as Graph sends them`);
  write(`event loop late by p50 ${p50Ms.toFixed(1)}, p99 ${p99Ms.toFixed(1)}, max ${maxMs.toFixed(1)} ms`);
  for (const problem of [...tally.problems, ...severe]) write(`WRONG ${problem}`);
  if (p99Ms >= LONGEST_P99_MS) write(`WRONG the event loop was late by ${LONGEST_P99_MS} ms or more (p99)`);
  return tally.problems.length + severe.length === 0 && p99Ms < LONGEST_P99_MS ? 0 : WRONG;
}

try {
  const order = readArguments(process.argv.slice(2));
  if (order === 'help') process.stdout.write(HELP);
  else process.exitCode = await run(order);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = IMPOSSIBLE;
}
