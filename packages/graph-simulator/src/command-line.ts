// Reads the command's arguments.
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { GraphSimulatorOptions } from './simulator-options.ts';

export interface SimulatorCommand {
  readonly options: GraphSimulatorOptions;
  /** Changes per second; 0 lets the calendars rest. */
  readonly rate: number;
  readonly caFile: string | undefined;
}

/** One sentence for whoever typed the command. */
export class CommandLineError extends Error {
  override readonly name = 'CommandLineError';
}

export const HELP = `Microsoft Graph on this machine: tokens, subscriptions, events and their change notifications.

  --port N            port to listen on; any free one without it
  --host ADDRESS      address to listen on (127.0.0.1)
  --host-name NAME    further name for the certificate; may be repeated
  --tenant-id GUID    tenant that exists
  --client-id GUID    app that exists in it
  --client-secret S   that app's secret
  --users N           users with a calendar (5)
  --rate R            changes per second in their calendars; 0 for none (1)
  --seed S            number that users and changes follow from (1)
  --change-log FILE   append every change, delivery and read to FILE, as JSON lines
  --ca-file FILE      write the authority of the certificate to FILE, as PEM
  --graph-latency MS  time that each call of the API takes (0)
  --help              this text

Graph is at URL/v1.0, the login authority at URL; docs of the control calls (URL/simulator) are in README.md.
`;

const OPTIONS = {
  port: { type: 'string' },
  host: { type: 'string' },
  'host-name': { type: 'string', multiple: true },
  'tenant-id': { type: 'string' },
  'client-id': { type: 'string' },
  'client-secret': { type: 'string' },
  users: { type: 'string' },
  rate: { type: 'string' },
  seed: { type: 'string' },
  'change-log': { type: 'string' },
  'ca-file': { type: 'string' },
  'graph-latency': { type: 'string' },
  help: { type: 'boolean' },
} as const;

const number = (schema: z.ZodNumber) =>
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .pipe(schema)
    .optional();

const VALUES = z.object({
  port: number(z.number().int().min(0).max(65_535)),
  host: z.string().min(1).optional(),
  'host-name': z.array(z.string().min(1)).optional(),
  'tenant-id': z.guid().optional(),
  'client-id': z.guid().optional(),
  'client-secret': z.string().min(1).optional(),
  users: number(z.number().int().min(1).max(100_000)),
  rate: number(z.number().min(0).max(5_000)),
  seed: number(z.number().int()),
  'change-log': z.string().min(1).optional(),
  'ca-file': z.string().min(1).optional(),
  'graph-latency': number(z.number().min(0).max(600_000)),
});

const DEFAULT_USERS = 5;
const DEFAULT_RATE = 1;
/** Nobody can ask a running command for its log in memory, so little of it is kept. */
const KEPT_LOG_ENTRIES = 1_000;

function rawValues(args: readonly string[]): { readonly help?: boolean } {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: false }).values;
  } catch (cause) {
    // Node's text goes on with advice on positional arguments, of which there are none.
    const [sentence = ''] = (cause as Error).message.split('. ', 1);
    throw new CommandLineError(`${sentence.replace(/\.$/, '')}; --help lists what there is.`, { cause });
  }
}

/** Leaves out what was not given, so that the simulator's own defaults hold. */
function given<T extends object>(values: T): { [K in keyof T]?: NonNullable<T[K]> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]?: NonNullable<T[K]> };
}

function checkedValues(raw: object): z.infer<typeof VALUES> {
  const { success, data, error } = VALUES.safeParse(raw);
  if (success) return data;
  const [issue] = error.issues;
  throw new CommandLineError(`--${String(issue?.path[0])}: ${issue?.message}.`);
}

/** @throws {CommandLineError} unknown option, or a value that cannot be meant */
export function parseCommandLine(args: readonly string[]): SimulatorCommand | 'help' {
  const raw = rawValues(args);
  if (raw.help) return 'help';
  const values = checkedValues(raw);
  return {
    rate: values.rate ?? DEFAULT_RATE,
    caFile: values['ca-file'],
    options: given({
      port: values.port,
      host: values.host,
      hostNames: values['host-name'],
      tenantId: values['tenant-id'],
      clientId: values['client-id'],
      clientSecret: values['client-secret'],
      users: values.users ?? DEFAULT_USERS,
      seed: values.seed,
      changeLogFile: values['change-log'],
      changeLogKeepEntries: KEPT_LOG_ENTRIES,
      graphLatencyMs: values['graph-latency'],
    }),
  };
}
