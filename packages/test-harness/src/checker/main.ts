// The delivery checker as a command: reads the change log and the topics, prints the verdict.
import { scanTopic } from '../topic-reader.ts';
import { type CheckerArguments, HELP, parseArguments } from './arguments.ts';
import { DeliveryChecker } from './delivery-invariants.ts';
import { describeVerdict } from './describe-verdict.ts';
import { readChangeLog } from './read-change-log.ts';
import type { Verdict } from './verdict.ts';

const EXIT_FINE = 0;
const EXIT_PROBLEMS = 1;
const EXIT_UNCHECKED = 2;

async function judge(args: CheckerArguments): Promise<Verdict> {
  const checker = new DeliveryChecker({ acknowledgedOnly: args.acknowledgedOnly });
  await readChangeLog(args.changeLog, (line) => checker.addLine(line));
  const { brokers, kafkaLib } = args;
  const source = { brokers, ...(kafkaLib === undefined ? {} : { libDir: kafkaLib }) };
  for (const topic of args.topics) {
    await scanTopic({ ...source, topic }, (record) => checker.addRecord(record, topic));
  }
  if (args.deadLetterTopic !== undefined) {
    await scanTopic({ ...source, topic: args.deadLetterTopic }, (record) => checker.addDeadLetter(record));
  }
  return checker.verdict();
}

async function run(args: CheckerArguments | 'help'): Promise<number> {
  if (args === 'help') {
    process.stdout.write(`${HELP}\n`);
    return EXIT_FINE;
  }
  const verdict = await judge(args);
  process.stdout.write(`${args.json ? JSON.stringify(verdict) : describeVerdict(verdict)}\n`);
  return verdict.ok ? EXIT_FINE : EXIT_PROBLEMS;
}

try {
  process.exitCode = await run(parseArguments(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
  process.exitCode = EXIT_UNCHECKED;
}
