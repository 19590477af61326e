/**
 * `pnpm faults`: the product under faults for as long as is asked for. Real processes, a schedule that follows from the
 * seed, and at the end of each round a judgement by a checker that shares no code with the services.
 */
import { parseArgs } from 'node:util';
import { missingPrograms } from '@graph2kafka/test-harness';
import { FAULT_KINDS, FAULTS } from '../test/faults/faults.ts';
import { proveBugs } from '../test/faults/prove-bugs.ts';
import { type Round, type RoundOptions, runRound } from '../test/faults/round.ts';
import { describeRound, renderSummary, summarize } from '../test/faults/summary.ts';

const HELP = `Runs the product under faults and judges what came out.

  --minutes N   how long; each round of a minute or two is finished. Default 5
  --seed S      of the first round, the next has S + 1. Default: from the clock
  --only NAME   redis, kafka, graph, receiver, workers: faults of one peer
                stages: processes killed and stopped at every stage of their work
                bugs:   planted bugs, each of which has to be caught
                or the name of a single fault:
                ${FAULT_KINDS.join(', ')}
  --json        one line of JSON per round, and one for the sum

Exit code: 0 every promise was kept, 1 one was broken (the seed is printed), 2 the run was not possible.
`;

const BROKEN = 1;
const IMPOSSIBLE = 2;
/** A round of all faults: long enough for each to come about once. */
const ROUND_MS = 75_000;
/** A round of stages ends by itself when each was struck five times in both ways; about two minutes. */
const STAGES_ROUND_MS = 240_000;

type Arguments = {
  readonly minutes: number;
  readonly seed: number;
  readonly only: string | undefined;
  readonly json: boolean;
};

type Kind = Pick<RoundOptions, 'kinds' | 'stages' | 'spanMs'>;

const write = (text: string) => process.stdout.write(`${text}\n`);
const tell = (text: string) => process.stderr.write(`${text}\n`);

function readArguments(args: readonly string[]): Arguments | 'help' {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: 'string', default: '5' },
      seed: { type: 'string', default: String(Math.floor(Date.now() / 1000) % 1_000_000) },
      only: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
  if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');
  if (!Number.isInteger(seed)) throw new Error('--seed must be a whole number');
  return { minutes, seed, only: values.only, json: values.json };
}

/** Which faults a round has: by its seed, so that a bad one can be made again alone, unless one sort was asked for. */
function kindOfRound(only: string | undefined, seed: number): Kind {
  const stages: Kind = { kinds: [], stages: 'all', spanMs: STAGES_ROUND_MS };
  if (only === 'stages') return stages;
  if (only === undefined)
    return seed % 3 === 1 ? stages : { kinds: FAULT_KINDS, stages: 'some', spanMs: ROUND_MS };
  const kinds = FAULT_KINDS.filter((kind) => kind === only || FAULTS[kind].peer === only);
  if (kinds.length === 0) throw new Error(`--only: there is no fault ${only}; --help names them all`);
  return { kinds, stages: 'none', spanMs: ROUND_MS };
}

async function run({ minutes, seed, only, json }: Arguments, stopping: AbortSignal): Promise<number> {
  const rounds: Round[] = [];
  const endsAt = performance.now() + minutes * 60_000;
  for (let n = 0; !stopping.aborted && (n === 0 || performance.now() < endsAt); n++) {
    const round = await runRound({ seed: seed + n, ...kindOfRound(only, seed + n), stopping });
    rounds.push(round);
    if (json) write(JSON.stringify(roundInBrief(round)));
    tell(describeRound(round));
  }
  const summary = summarize(rounds);
  write(json ? JSON.stringify(summary) : renderSummary(summary));
  return summary.failedSeeds.length === 0 ? 0 : BROKEN;
}

function roundInBrief({ seed, tally, faults, strikes, measured, violations }: Round) {
  return {
    seed,
    tally,
    faults: faults.map(({ kind, felt, span }) => ({ kind, felt, ms: span.to - span.from })),
    strikes: strikes.map(({ service, stage, struck }) => ({ service, stage, struck })),
    measured,
    violations,
  };
}

/** Aborts at the first Ctrl-C: the round is ended and judged. A second one waits for nothing. */
function untilInterrupted(): AbortSignal {
  const stopping = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (stopping.signal.aborted) process.exit(130);
      stopping.abort();
    });
  }
  return stopping.signal;
}

async function main(): Promise<number> {
  const args = readArguments(process.argv.slice(2));
  if (args === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const missing = await missingPrograms({ redisUrl: undefined, kafkaBrokers: undefined });
  if (missing.length > 0) throw new Error(missing.join('\n'));
  const stopping = untilInterrupted();
  return args.only === 'bugs' ? await proveBugs(write, stopping) : await run(args, stopping);
}

try {
  process.exitCode = await main();
} catch (error) {
  tell(error instanceof Error ? error.message : String(error));
  process.exitCode = IMPOSSIBLE;
}
