/** The command line: which benchmark, with which numbers. Pure. */
import { parseArgs } from 'node:util';
import type { AckOptions } from './ack.ts';
import type { BesideOutageOptions } from './ack-beside-outage.ts';
import type { AckRichOptions } from './ack-rich.ts';
import type { BacklogOptions } from './backlog.ts';
import type { BatchOptions } from './batch.ts';
import type { FleetRedisOptions } from './fleet/on-redis.ts';
import type { FleetOptions } from './fleet.ts';
import type { HostileOptions } from './hostile-clients.ts';
import type { NeighboursOptions } from './neighbours.ts';
import type { PipelineOptions } from './pipeline.ts';
import type { PriceOptions } from './price-report.ts';
import { BASE_VARIANT, PRICE_VARIANTS, type PriceVariant } from './price-variants.ts';
import type { PublishersOptions } from './publishers.ts';
import type { RichOptions } from './rich.ts';
import type { StartOptions } from './start.ts';
import type { ThrottledOptions } from './throttled.ts';

export type Order = { readonly json: boolean } & (
  | { readonly benchmark: 'ack'; readonly options: AckOptions }
  | { readonly benchmark: 'ackBesideOutage'; readonly options: BesideOutageOptions }
  | { readonly benchmark: 'ackRich'; readonly options: AckRichOptions }
  | { readonly benchmark: 'backlog'; readonly options: BacklogOptions }
  | { readonly benchmark: 'batch'; readonly options: BatchOptions }
  | { readonly benchmark: 'fleet'; readonly options: FleetOptions }
  | { readonly benchmark: 'fleetRedis'; readonly options: FleetRedisOptions }
  | { readonly benchmark: 'hostile'; readonly options: HostileOptions }
  | { readonly benchmark: 'neighbours'; readonly options: NeighboursOptions }
  | { readonly benchmark: 'pipeline'; readonly options: PipelineOptions }
  | { readonly benchmark: 'price'; readonly options: PriceOptions }
  | { readonly benchmark: 'publishers'; readonly options: PublishersOptions }
  | { readonly benchmark: 'rich'; readonly options: RichOptions }
  | { readonly benchmark: 'start'; readonly options: StartOptions }
  | { readonly benchmark: 'throttled'; readonly options: ThrottledOptions }
);

/** The command line is wrong; the text says how, in one sentence. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

export const HELP = `Measures receiver and worker on throw-away servers on this machine. docs/benchmarks.md has results.

  pnpm bench ack                    time to the 202 under a load that does not wait for answers, and its cost
      --rate 50,200,1000            requests per second, one run each
      --seconds 8                   of each run
      --items 1                     notifications per request (1 to 100)
      --owners 20000                mailboxes that they are of
  pnpm bench ack --beside-outage    the same with Graph slow and Kafka stopped, beside the usual
      --rate 50  --seconds 8  --users 10
  pnpm bench ack --rich             the same for notifications with content, beside plain ones as long
      --rate 5                      requests per second
      --seconds 5  --rounds 4       of each, in turn
      --items 100  --owners 20000
  pnpm bench pipeline               from a change in Graph to its record in Kafka
      --rate 50                     changes per second
      --users 20                    calendars
      --seconds 12
  pnpm bench neighbours             what one owner's flood, and what waits, costs others
      --rate 20                     changes per second of the others
      --users 20                    their calendars
      --seconds 10                  of each part, two with the flood and two without
      --events 5000                 that the flood changes 10 times each
  pnpm bench backlog                what the look for overdue owners costs the 202
      --rate 100                    requests per second
      --seconds 8                   of each part, two with a worker that only looks and two without
      --owners 100000               that have news
  pnpm bench batch                  fetches collected into batches beside fetches one by one
      --rate 100                    changes per second
      --users 50                    calendars
      --seconds 6  --rounds 2       of each, in turn
      --events 1500                 of a backlog that is then worked off
  pnpm bench fleet                  subscriptions kept over simulated days, through faults and outages of Graph
      --subscriptions 10000  --days 30
      --seeds 1  --from 1           how many, one after the other, and the first: a slice of a longer run
      --out seeds.jsonl             a line for each; those that are in it already are not done again
      --clocks-off 5                minutes that a process's clock may be wrong
  pnpm bench fleet --plan           the same for the plan and its times alone, in a model of all else: 10 times as fast
  pnpm bench fleet --redis          what the subscriptions cost on Redis, and how long making them takes
      --sizes 1000,10000,100000     subscriptions
      --rounds 30                   ticks of each kind
      --subscriptions 10000         that are made as fast as the quota allows, in simulated time
  pnpm bench hostile                time to the 202 beside clients that flood, drip and hold on
      --rate 50                     posts per second of the well-behaved client
      --seconds 4                   of each part, two beside each attack and two without
  pnpm bench price                  what each safety step costs
      --seconds 0.3  --rounds 6     of each variant, in pairs with what ships, so that what else
                                    the machine does meets both alike
      --clients 32                  requests under way at once
      --items 1  --owners 20000
      --variants a,b                only these, beside what ships:
                                    ${variantLines()}
  pnpm bench publishers             what each Kafka client loses, repeats and delays under faults
      --cuts 12                     answers to writes cut off
      --seconds 5                   that a broker is frozen, and of each measurement of speed
  pnpm bench rich                   what decrypting a notification's content costs, and checking its token
      --rounds 20                   of 20 calls of each, in turn
  pnpm bench start                  how long receiver and worker take to be ready, beside Node's own start
      --rounds 20                   starts of each, in turn
  pnpm bench throttled              what one mailbox that Graph throttles costs others
      --rate 20                     changes per second of the others, and as many of that one
      --users 20                    the others' calendars
      --seconds 10                  of each part, two with the throttling and two without
  for all
      --json                        one line of JSON on standard output
      --help                        this text

Exit code: 0 done, 1 a claim did not hold or something went wrong, 2 the command line is wrong, 130 interrupted.
`;

const OPTIONS = {
  rate: { type: 'string' },
  seconds: { type: 'string' },
  items: { type: 'string' },
  owners: { type: 'string' },
  events: { type: 'string' },
  users: { type: 'string' },
  rounds: { type: 'string' },
  clients: { type: 'string' },
  variants: { type: 'string' },
  cuts: { type: 'string' },
  'beside-outage': { type: 'boolean' },
  rich: { type: 'boolean' },
  subscriptions: { type: 'string' },
  days: { type: 'string' },
  seeds: { type: 'string' },
  from: { type: 'string' },
  'clocks-off': { type: 'string' },
  out: { type: 'string' },
  sizes: { type: 'string' },
  redis: { type: 'boolean' },
  plan: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parse>['values'];

/** What an option says; `text` is undefined where it is not given. Throws an `ArgumentError`. */
type Reader<T> = (name: string, text: string | undefined) => T;

const PIPELINE = { rate: number(50, 1, 5000), seconds: number(12, 1, 3600), users: whole(20, 1, 1000) };
const BESIDE_OUTAGE = { rate: number(50, 1, 1000), seconds: number(8, 1, 3600), users: whole(10, 1, 1000) };
const THROTTLED = { rate: number(20, 1, 1000), seconds: number(10, 1, 3600), users: whole(20, 1, 1000) };
// An owner with more than 10,000 at once has them read again, page by page: another path than this one.
const NEIGHBOURS = { ...THROTTLED, events: whole(5000, 2, 10_000) };
const BACKLOG = {
  rate: number(100, 1, 5000),
  seconds: number(8, 1, 3600),
  owners: whole(100_000, 1, 1_000_000),
};
const BATCH = {
  rate: number(100, 1, 1000),
  users: whole(50, 2, 1000),
  seconds: number(6, 1, 3600),
  rounds: whole(2, 1, 100),
  events: whole(1500, 20, 100_000),
};
const HOSTILE = { rate: number(50, 1, 1000), seconds: number(4, 1, 3600) };
const PUBLISHERS = { cuts: whole(12, 1, 1000), seconds: number(5, 1, 600) };
const ROUNDS_ALONE = { rounds: whole(20, 1, 1000) };
const ACK = {
  rate: listOf('50,200,1000', number(50, 1, 20_000)),
  seconds: number(8, 1, 3600),
  items: whole(1, 1, 100),
  owners: whole(20_000, 1, 1_000_000),
};
/** A part's bodies, 0.3 MB each, are made before it begins: hence the narrow bounds. */
const ACK_RICH = {
  rate: number(5, 1, 20),
  seconds: number(5, 1, 30),
  rounds: whole(4, 1, 1000),
  items: whole(100, 1, 100),
  owners: whole(20_000, 1, 1_000_000),
};
const FLEET = {
  subscriptions: whole(10_000, 1, 100_000),
  days: whole(30, 3, 365),
  seeds: whole(1, 1, 100_000),
  from: whole(1, 1, 1_000_000),
  'clocks-off': number(5, 0, 100_000),
  out: (_name: string, text: string | undefined) => text,
};
const FLEET_REDIS = {
  sizes: listOf('1000,10000,100000', whole(1000, 100, 1_000_000)),
  rounds: whole(30, 1, 1000),
  subscriptions: whole(10_000, 100, 100_000),
};
const PRICE = {
  variants: (_name: string, text: string | undefined) => variants(text),
  rounds: whole(6, 1, 1000),
  seconds: number(0.3, 0.1, 3600),
  clients: whole(32, 1, 1000),
  items: whole(1, 1, 100),
  owners: whole(20_000, 1, 1_000_000),
};

/** Throws an `ArgumentError`. */
export function parseCommandLine(args: readonly string[]): Order | 'help' {
  const { values, positionals } = parse(args.filter((arg) => arg !== '--'));
  if (values.help || args.length === 0) return 'help';
  const { json = false } = values;
  const [name, ...more] = positionals;
  if (more.length > 0) throw new ArgumentError('Name one benchmark; --help lists what there is.');
  switch (name) {
    case 'ack':
      return { json, ...ackOrder(values) };
    case 'backlog':
      return { json, benchmark: name, options: read(values, BACKLOG) };
    case 'batch':
      return { json, benchmark: name, options: read(values, BATCH) };
    case 'fleet':
      return { json, ...fleetOrder(values) };
    case 'hostile':
      return { json, benchmark: name, options: read(values, HOSTILE) };
    case 'neighbours':
      return { json, benchmark: name, options: read(values, NEIGHBOURS) };
    case 'pipeline':
      return { json, benchmark: name, options: read(values, PIPELINE) };
    case 'price':
      return { json, benchmark: name, options: { base: BASE_VARIANT, ...read(values, PRICE) } };
    case 'publishers':
      return { json, benchmark: name, options: read(values, PUBLISHERS) };
    case 'rich':
    case 'start':
      return { json, benchmark: name, options: read(values, ROUNDS_ALONE) };
    case 'throttled':
      return { json, benchmark: name, options: read(values, THROTTLED) };
    default:
      throw new ArgumentError(
        `There is no benchmark ${name ?? 'without a name'}; --help lists what there is.`,
      );
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    const [sentence] = (error as Error).message.split('. ', 1);
    throw new ArgumentError(`${sentence?.replace(/\.$/, '')}; --help lists what there is.`);
  }
}

function ackOrder(values: Values) {
  if (values['beside-outage'])
    return {
      benchmark: 'ackBesideOutage',
      options: read(values, BESIDE_OUTAGE, 'beside-outage'),
    } as const;
  if (values.rich) return { benchmark: 'ackRich', options: read(values, ACK_RICH, 'rich') } as const;
  const { rate: rates, ...options } = read(values, ACK);
  return { benchmark: 'ack', options: { rates, ...options } } as const;
}

function fleetOrder(values: Values) {
  if (values.redis) return { benchmark: 'fleetRedis', options: read(values, FLEET_REDIS, 'redis') } as const;
  const { 'clocks-off': clocksOffMinutes, ...options } = read(values, FLEET, 'plan');
  const isPlanAlone = values.plan === true;
  return { benchmark: 'fleet', options: { ...options, clocksOffMinutes, isPlanAlone } } as const;
}

type Read<R> = { readonly [Name in keyof R]: R[Name] extends Reader<infer T> ? T : never };

/** An option of another benchmark would be ignored, and its user misled. */
function read<R extends Readonly<Record<string, Reader<unknown>>>>(
  values: Values,
  readers: R,
  flag?: keyof Values,
): Read<R> {
  const own = new Set(['json', 'help', flag, ...Object.keys(readers)]);
  const foreign = Object.keys(values).find((name) => !own.has(name));
  if (foreign !== undefined)
    throw new ArgumentError(`--${foreign} is no option of this benchmark; --help tells more.`);
  const given: Readonly<Record<string, string | boolean | undefined>> = values;
  const entries = Object.entries(readers).map(([name, reader]) => {
    const text = given[name];
    return [name, reader(name, typeof text === 'string' ? text : undefined)] as const;
  });
  return Object.fromEntries(entries) as Read<R>;
}

function number(standard: number, minimum: number, maximum: number): Reader<number> {
  return (name, text) => {
    const value = text === undefined ? standard : Number(text);
    if (text?.trim() === '' || !(value >= minimum && value <= maximum)) {
      throw new ArgumentError(`--${name} must be a number from ${minimum} to ${maximum}.`);
    }
    return value;
  };
}

function whole(standard: number, minimum: number, maximum: number): Reader<number> {
  const inBounds = number(standard, minimum, maximum);
  return (name, text) => {
    const value = inBounds(name, text);
    if (!Number.isInteger(value)) throw new ArgumentError(`--${name} must be a whole number.`);
    return value;
  };
}

function listOf<T>(standard: string, each: Reader<T>): Reader<T[]> {
  return (name, text = standard) => text.split(',').map((one) => each(name, one));
}

function variants(text: string | undefined): PriceVariant[] {
  const names = text?.split(',') ?? PRICE_VARIANTS.map(({ name }) => name);
  const unknown = names.find((name) => !PRICE_VARIANTS.some((variant) => variant.name === name));
  if (unknown !== undefined)
    throw new ArgumentError(`There is no variant ${unknown}; --help lists what there is.`);
  return PRICE_VARIANTS.filter(({ name }) => names.includes(name));
}

function variantLines(): string {
  const width = Math.max(...PRICE_VARIANTS.map(({ name }) => name.length));
  return PRICE_VARIANTS.map(({ name, meaning }) => `${name.padEnd(width)}  ${meaning}`).join(
    `\n${' '.repeat(36)}`,
  );
}
