/**
 * `pnpm demo`: a change in (simulated) Microsoft Graph becomes a record in Kafka, to be watched. At the end a checker
 * that shares no code with the services compares Graph's record of changes with the topic; exit 1 if anything is lost.
 */
import { followTopic, LOCAL_ADMIN_PASSWORD, missingPrograms, runChecker } from '@graph2kafka/test-harness';
import { ArgumentError, type DemoArguments, HELP, parseArguments } from './demo/arguments.ts';
import { type LocalStack, startLocalStack } from './demo/local-stack.ts';
import { changeTimesOf, describeRecord, renderRecord } from './demo/show-record.ts';
import { renderSummary, summaryOf } from './demo/summary.ts';
import { waitUntilDrained } from './demo/wait-until-drained.ts';

const write = (text: string) => process.stdout.write(`${text}\n`);
/** Beside JSON lines only they go to standard output. */
const tell = (args: DemoArguments) => (text: string) =>
  args.json ? process.stderr.write(`${text}\n`) : write(text);

async function demo(args: DemoArguments, interrupted: AbortSignal): Promise<number> {
  const say = tell(args);
  const { REDIS_URL: redisUrl, KAFKA_BROKERS: brokers } = process.env;
  const missing = await missingPrograms({ redisUrl, kafkaBrokers: brokers });
  if (missing.length > 0) {
    for (const sentence of missing) process.stderr.write(`${sentence}\n`);
    return 1;
  }
  const onLine = (line: string) => process.stderr.write(`${line}\n`);
  const stack = await startLocalStack({
    users: args.users,
    redisUrl,
    brokers,
    onProgress: say,
    ...(args.verbose && { onLine }),
  });
  try {
    await subscribed(stack, args.users, interrupted);
    if (!args.json) write(header(stack));
    return await stream(stack, args, interrupted);
  } finally {
    say('Stopping');
    await stack.close();
  }
}

async function subscribed(
  { simulator, worker }: LocalStack,
  users: number,
  interrupted: AbortSignal,
): Promise<void> {
  await worker.process.waitUntil(() => interrupted.aborted || simulator.subscriptions.size >= users);
}

function header({ settings, worker, receiver, simulator }: LocalStack): string {
  const page = `http://admin:${LOCAL_ADMIN_PASSWORD}@127.0.0.1:${worker.port}`;
  return [
    '',
    `  status     ${page}/`,
    `  queues     ${page}/queues   (Bull Board)`,
    `  metrics    ${worker.url}/metrics`,
    `  Graph      ${simulator.url}   (simulated)`,
    `  receiver   ${receiver.url}`,
    `  Kafka      ${settings.brokers}   topic ${settings.topic}`,
    `  Redis      ${settings.redisUrl}`,
    '',
    'time          change        user                   subject                                       since the change',
  ].join('\n');
}

/** Changes and records until the time is over or Ctrl-C; resolves to the exit code. */
async function stream(stack: LocalStack, args: DemoArguments, interrupted: AbortSignal): Promise<number> {
  const { simulator, settings } = stack;
  const follower = followTopic({ brokers: settings.brokers, topic: settings.topic });
  const showing = showRecords(stack, follower, args);
  if (args.lose > 0) {
    // A deletion has no successor that would cover it.
    simulator.faults.add({
      on: 'delivery',
      drop: true,
      times: args.lose,
      match: ({ changeType }) => changeType === 'deleted',
    });
  }
  simulator.life.start({ changesPerSecond: args.rate, users: args.users });
  await elapsed(args.seconds, interrupted);
  simulator.life.stop();
  await simulator.notifier.idle({ timeoutMs: 30_000 });
  await waitUntilDrained(stack.worker.url);
  const code = await check(stack, args);
  await follower.close();
  await showing;
  return code;
}

async function showRecords(
  stack: LocalStack,
  records: ReturnType<typeof followTopic>,
  args: DemoArguments,
): Promise<void> {
  const names = new Map(stack.simulator.users().map(({ id, displayName }) => [id, displayName]));
  const times = changeTimesOf(stack.simulator);
  const subjects = new Map<string, string>();
  for await (const record of records) {
    const shown = describeRecord(record, names, times, subjects);
    write(args.json ? JSON.stringify(shown) : renderRecord(shown));
  }
}

function elapsed(seconds: number | undefined, interrupted: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (interrupted.aborted) return resolve();
    const timer = seconds === undefined ? undefined : setTimeout(resolve, seconds * 1000);
    interrupted.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Shows what the checker found. */
async function check({ changeLogFile, settings }: LocalStack, args: DemoArguments): Promise<number> {
  const { brokers, topic, deadLetterTopic } = settings;
  const verdict = await runChecker({ changeLogFile, brokers, topic, deadLetterTopic });
  write(args.json ? JSON.stringify(summaryOf(verdict)) : renderSummary(verdict));
  return verdict.ok ? 0 : 1;
}

/** The first Ctrl-C ends the changes, checks and ends; a second one does not wait for the check. */
function untilInterrupted(): AbortSignal {
  const interrupted = new AbortController();
  const interrupt = () => {
    if (interrupted.signal.aborted) process.exit(130);
    interrupted.abort();
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  return interrupted.signal;
}

try {
  const args = parseArguments(process.argv.slice(2));
  if (args === 'help') process.stdout.write(HELP);
  else process.exitCode = await demo(args, untilInterrupted());
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof ArgumentError ? 2 : 1;
}
