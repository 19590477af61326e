// Reads the command's arguments.
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { PLANNED_KINDS, type PlanOrder } from './fault-plan.ts';
import type { GraphSimulatorOptions, TenantOptions } from './simulator-options.ts';

export interface SimulatorCommand {
  readonly options: GraphSimulatorOptions;
  /** Changes per second; 0 lets the calendars rest. */
  readonly rate: number;
  readonly caFile: string | undefined;
  /** A file with a script of faults. */
  readonly faultsFile: string | undefined;
  /** Faults to be drawn. */
  readonly chaos: PlanOrder | undefined;
}

/** One sentence for whoever typed the command. */
export class CommandLineError extends Error {
  override readonly name = 'CommandLineError';
}

/** In lines of the help's width, one below the other. */
function wrapped(words: readonly string[]): string {
  return words.join(', ').replace(/(.{1,70}(?:,|$)) ?/g, `\n${' '.repeat(22)}$1`);
}

export const HELP = `Microsoft Graph on this machine: tokens, subscriptions, events and their change notifications.

  --port N            port to listen on; any free one without it
  --host ADDRESS      address to listen on (127.0.0.1)
  --host-name NAME    further name for the certificate; may be repeated
  --tenant-id GUID    tenant that exists
  --client-id GUID    app that exists in it
  --client-secret S   that app's secret
  --tenant ID:CLIENT:SECRET
                      a further tenant with an app of its own, and as many users; may be repeated
  --users N           users with a calendar (5)
  --rate R            changes per second in their calendars; 0 for none (1)
  --seed S            number that users and changes follow from (1)
  --change-log FILE   append every change, delivery and read to FILE, as JSON lines
  --ca-file FILE      write the authority of the certificate to FILE, as PEM
  --graph-latency MS  time that each call of the API takes (0)
  --no-limits         never throttle a call, nor deliver late to an endpoint that was slow
  --faults FILE       inflict the faults that FILE asks for, as JSON (README.md, "Faults")
  --chaos SEED        inflict faults drawn from the number SEED
  --chaos-minutes N   for so long (60)
  --chaos-kinds A,B   of these kinds only (all):${wrapped(PLANNED_KINDS)}
  --validation-token-version V
                      of the tokens that go with resource data: 1.0 or 2.0 (1.0)
  --validation-issuer URL
                      their issuer, with {tenantid} in it (Microsoft's own in the global cloud)
  --login-host NAME   the login authority answers under this name alone, and Graph under all others
  --token-issuer URL  issuer that access tokens show, with {tenantid} in it (this authority)
  --graph-resource URL
                      audience of access tokens, and the only one that is issued for (any)
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
  tenant: { type: 'string', multiple: true },
  users: { type: 'string' },
  rate: { type: 'string' },
  seed: { type: 'string' },
  'change-log': { type: 'string' },
  'ca-file': { type: 'string' },
  'graph-latency': { type: 'string' },
  'no-limits': { type: 'boolean' },
  faults: { type: 'string' },
  chaos: { type: 'string' },
  'chaos-minutes': { type: 'string' },
  'chaos-kinds': { type: 'string' },
  'validation-token-version': { type: 'string' },
  'validation-issuer': { type: 'string' },
  'login-host': { type: 'string' },
  'token-issuer': { type: 'string' },
  'graph-resource': { type: 'string' },
  help: { type: 'boolean' },
} as const;

const number = (schema: z.ZodNumber) =>
  z
    .string()
    .regex(/^-?\d+(\.\d+)?$/, 'must be a number')
    .transform(Number)
    .pipe(schema)
    .optional();

const ISSUER = z
  .string()
  .includes('{tenantid}', { error: 'must have {tenantid} where the id of the tenant goes' });

/** "ID:CLIENT:SECRET", of which the secret may have further colons in it. */
const TENANT = z.string().transform((text, context): TenantOptions => {
  const [, tenantId = '', clientId = '', clientSecret = ''] = /^([^:]*):([^:]*):(.+)$/s.exec(text) ?? [];
  const ids = z.tuple([z.guid(), z.guid()]).safeParse([tenantId, clientId]);
  if (clientSecret !== '' && ids.success) return { tenantId, applications: [{ clientId, clientSecret }] };
  context.addIssue({
    code: 'custom',
    message: 'must be a tenant, a client (both GUIDs) and a secret, as A:B:C',
  });
  return z.NEVER;
});

const VALUES = z.object({
  port: number(z.number().int().min(0).max(65_535)),
  host: z.string().min(1).optional(),
  'host-name': z.array(z.string().min(1)).optional(),
  'tenant-id': z.guid().optional(),
  'client-id': z.guid().optional(),
  'client-secret': z.string().min(1).optional(),
  tenant: z.array(TENANT).optional(),
  users: number(z.number().int().min(1).max(100_000)),
  rate: number(z.number().min(0).max(5_000)),
  seed: number(z.number().int()),
  'change-log': z.string().min(1).optional(),
  'ca-file': z.string().min(1).optional(),
  'graph-latency': number(z.number().min(0).max(600_000)),
  'no-limits': z.boolean().optional(),
  faults: z.string().min(1).optional(),
  chaos: number(z.number().int()),
  'chaos-minutes': number(z.number().positive().max(1_440)),
  'chaos-kinds': z
    .string()
    .transform((list) => list.split(',').map((kind) => kind.trim()))
    .pipe(z.array(z.enum(PLANNED_KINDS, { error: `can be ${PLANNED_KINDS.join(', ')}` })))
    .optional(),
  'validation-token-version': z.enum(['1.0', '2.0']).optional(),
  'validation-issuer': ISSUER.optional(),
  'login-host': z.string().min(1).optional(),
  'token-issuer': ISSUER.optional(),
  'graph-resource': z.url({ protocol: /^https$/, error: 'must be a URL with https' }).optional(),
});

/** For somebody at a breakpoint, whom Graph would take for a slow endpoint. */
const UNLIMITED: GraphSimulatorOptions = {
  requestLimits: false,
  subscriptionThrottling: false,
  delivery: { endpoints: { isRated: false } },
};

const DEFAULT_USERS = 5;
const DEFAULT_RATE = 1;
const DEFAULT_CHAOS_MINUTES = 60;
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

/** @throws {CommandLineError} where the options for it contradict each other, or have nothing to say it of */
function chaosOf(values: z.infer<typeof VALUES>): PlanOrder | undefined {
  const { chaos: seed, faults, 'chaos-minutes': minutes, 'chaos-kinds': kinds } = values;
  if (seed === undefined) {
    const stray =
      minutes !== undefined ? '--chaos-minutes' : kinds !== undefined ? '--chaos-kinds' : undefined;
    if (stray !== undefined) throw new CommandLineError(`${stray}: needs --chaos.`);
    return undefined;
  }
  if (faults !== undefined) throw new CommandLineError('--chaos: cannot be combined with --faults.');
  return { seed, minutes: minutes ?? DEFAULT_CHAOS_MINUTES, kinds };
}

/** @throws {CommandLineError} unknown option, or a value that cannot be meant */
export function parseCommandLine(args: readonly string[]): SimulatorCommand | 'help' {
  const raw = rawValues(args);
  if (raw.help) return 'help';
  const values = checkedValues(raw);
  const users = values.users ?? DEFAULT_USERS;
  return {
    rate: values.rate ?? DEFAULT_RATE,
    caFile: values['ca-file'],
    faultsFile: values.faults,
    chaos: chaosOf(values),
    options: given({
      port: values.port,
      host: values.host,
      hostNames: values['host-name'],
      tenantId: values['tenant-id'],
      clientId: values['client-id'],
      clientSecret: values['client-secret'],
      users,
      tenants: values.tenant?.map((tenant) => ({ ...tenant, users })),
      seed: values.seed,
      changeLogFile: values['change-log'],
      changeLogKeepEntries: KEPT_LOG_ENTRIES,
      graphLatencyMs: values['graph-latency'],
      ...(values['no-limits'] && UNLIMITED),
      validationTokenVersion: values['validation-token-version'],
      validationIssuer: values['validation-issuer'],
      loginHost: values['login-host'],
      accessTokenIssuer: values['token-issuer'],
      graphResource: values['graph-resource'],
    }),
  };
}
