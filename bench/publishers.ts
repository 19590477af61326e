/** `publishers`: which Kafka client may publish: what each loses, repeats and brings out of order under faults. */
import { join } from 'node:path';
import { freePort, KafkaBroker } from '@graph2kafka/test-harness';
import type { Benchmark, BenchmarkContext } from './benchmark.ts';
import { CANDIDATES, type Candidate } from './publishers/candidates.ts';
import {
  cutAnswers,
  freezeBroker,
  type Ground,
  holdWrite,
  killBroker,
  measureSpeed,
  moveLeaders,
  type Outcome,
  type Speed,
} from './publishers/publisher-faults.ts';
import { short } from './report/numbers.ts';

export type PublishersOptions = {
  /** Answers cut off, one after the other. */
  readonly cuts: number;
  /** That the broker is frozen, and that each measurement of speed takes. */
  readonly seconds: number;
};

type Measured = {
  readonly name: string;
  readonly cut: Outcome;
  readonly late: string;
  readonly killed: Outcome;
  readonly frozen: Outcome;
  readonly moved: Outcome;
  readonly speed: Speed;
};

/** The first two are what KAFKA_CLIENT selects. */
const SHIPPED = 2;

export const publishers: Benchmark<PublishersOptions> = async (options, context) => {
  const ground = await prepare(context);
  const results: Measured[] = [];
  for (const candidate of CANDIDATES) {
    context.interrupted.throwIfAborted();
    results.push(await measure(candidate, ground, options, context.onProgress));
  }
  return {
    benchmark: 'publishers',
    title: `20 writers at once; ${options.cuts} answers cut off, a write held on its way, a broker killed and started, frozen for ${options.seconds} s, one of two killed`,
    header: [
      'lost / repeated / back in time',
      'cut',
      'held',
      'killed',
      'frozen',
      'leader',
      'alone ms',
      'records/s',
    ],
    rows: results.map(rowOf),
    notes: [
      'After the @: milliseconds from the end of the fault to the next acknowledgement. Held: what the topic holds, where it is not "refused".',
      'Alone: median time of one publish with nothing beside it. Records/s: 128 writers, 12 partitions, one broker.',
    ],
    claims: results.slice(0, SHIPPED).map((each) => ({
      text: `${each.name} loses and repeats nothing, and brings nothing out of order`,
      holds: isClean(each),
    })),
    results,
  };
};

async function prepare({ dir, cleanup, onProgress }: BenchmarkContext): Promise<Ground> {
  const proxyPort = await freePort();
  const jvmOptions = ['-Xmx512m'];
  const start = async (name: string, more: { proxyPort?: number; joins?: KafkaBroker }) =>
    cleanup.use(await KafkaBroker.start({ dir: join(dir, name), jvmOptions, onProgress, ...more }));
  const broker = await start('kafka', { proxyPort });
  const first = await start('kafka-1', {});
  const second = await start('kafka-2', { joins: first });
  return { broker, proxyPort, first, second };
}

async function measure(
  candidate: Candidate,
  ground: Ground,
  { cuts, seconds }: PublishersOptions,
  onProgress: (text: string) => void,
): Promise<Measured> {
  const step = <T>(name: string, work: Promise<T>) => {
    onProgress(`${candidate.name}: ${name}`);
    return work;
  };
  return {
    name: candidate.name,
    cut: await step('cut', cutAnswers(candidate, ground, cuts)),
    late: await step('held', holdWrite(candidate, ground)),
    killed: await step('killed', killBroker(candidate, ground)),
    frozen: await step('frozen', freezeBroker(candidate, ground, seconds)),
    moved: await step('leader', moveLeaders(candidate, ground)),
    speed: await step('speed', measureSpeed(candidate, ground, seconds)),
  };
}

function rowOf({ name, cut, late, killed, frozen, moved, speed }: Measured): string[] {
  return [
    name,
    countsOf(cut),
    late,
    countsOf(killed),
    countsOf(frozen),
    countsOf(moved),
    speed.aloneP50Ms.toFixed(2),
    short(speed.recordsPerSecond),
  ];
}

function countsOf(outcome: Outcome): string {
  const { lost, repeated, backInTime } = outcome;
  const counts = `${lost} / ${repeated} / ${backInTime}`;
  if (!('recoveredMs' in outcome) || outcome.recoveredMs === undefined) return counts;
  return `${counts} @${Math.round(outcome.recoveredMs)}`;
}

function isClean({ cut, late, killed, frozen, moved }: Measured): boolean {
  const outcomes = [cut, killed, frozen, moved];
  return late === 'refused' && outcomes.every((each) => each.lost + each.repeated + each.backInTime === 0);
}
