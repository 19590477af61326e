/** The arguments of `pnpm demo`. */
import { parseArgs } from 'node:util';

export type DemoArguments = {
  /** How long changes happen; absent: until Ctrl-C. */
  readonly seconds: number | undefined;
  /** Changes per second over all calendars. */
  readonly rate: number;
  readonly users: number;
  readonly json: boolean;
  /** Notifications that the simulated Graph loses, to see that it is noticed. */
  readonly lose: number;
  readonly verbose: boolean;
};

export const HELP = `Streams changes of simulated calendars through receiver, Redis and worker into Kafka, and reads them back.

  --seconds N   stop after N seconds of changes, check, and end; without it: Ctrl-C
  --rate R      changes per second (2)
  --users U     users with a calendar (4)
  --json        records as JSON lines, and the summary as the last one
  --lose N      let the simulated Graph lose N notifications, to see the check fail
  --verbose     show the log of receiver and worker
  --help        this text

REDIS_URL and KAFKA_BROKERS name servers to use instead of throw-away ones.
`;

/** The command line is wrong; the text says how, in one sentence. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

const OPTIONS = {
  seconds: { type: 'string' },
  rate: { type: 'string' },
  users: { type: 'string' },
  json: { type: 'boolean' },
  lose: { type: 'string' },
  verbose: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

/** Throws an `ArgumentError`. */
export function parseArguments(args: readonly string[]): DemoArguments | 'help' {
  const values = parse(args.filter((arg) => arg !== '--'));
  if (values.help) return 'help';
  return {
    seconds: values.seconds === undefined ? undefined : number('seconds', values.seconds, 1, 86_400),
    rate: number('rate', values.rate ?? '2', 0.01, 1000),
    users: number('users', values.users ?? '4', 1, 1000),
    json: values.json ?? false,
    lose: number('lose', values.lose ?? '0', 0, 1000),
    verbose: values.verbose ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false }).values;
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ', 1);
    throw new ArgumentError(`${sentence?.replace(/\.$/, '')}; --help lists what there is.`);
  }
}

function number(name: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= minimum && value <= maximum)) {
    throw new ArgumentError(`--${name} must be a number from ${minimum} to ${maximum}.`);
  }
  return value;
}
