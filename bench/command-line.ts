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
      --clocks-off 5                minutes that a process's clock may be wrong
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
  pnpm bench start                  how long a receiver takes to be ready, beside Node's own start
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
  sizes: { type: 'string' },
  redis: { type: 'boolean' },
  json: { type: 'boolean' },
  help: { type: 'boolean' },
} as const;

type Values = ReturnType<typeof parse>['values'];

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
      return { json, benchmark: 'backlog', options: backlogOptions(values) };
    case 'batch':
      return { json, benchmark: 'batch', options: batchOptions(values) };
    case 'fleet':
      return { json, ...fleetOrder(values) };
    case 'hostile':
      return { json, benchmark: 'hostile', options: hostileOptions(values) };
    case 'neighbours':
      return { json, benchmark: 'neighbours', options: neighboursOptions(values) };
    case 'pipeline':
      return { json, benchmark: 'pipeline', options: pipelineOptions(values) };
    case 'price':
      return { json, benchmark: 'price', options: priceOptions(values) };
    case 'publishers':
      return { json, benchmark: 'publishers', options: publishersOptions(values) };
    case 'rich':
      return { json, benchmark: 'rich', options: richOptions(values) };
    case 'start':
      return { json, benchmark: 'start', options: startOptions(values) };
    case 'throttled':
      return { json, benchmark: 'throttled', options: throttledOptions(values) };
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
    return { benchmark: 'ackBesideOutage', options: besideOutageOptions(values) } as const;
  if (values.rich) return { benchmark: 'ackRich', options: ackRichOptions(values) } as const;
  return { benchmark: 'ack', options: ackOptions(values) } as const;
}

function ackOptions(values: Values): AckOptions {
  refuseForeign(values, ['rate', 'seconds', 'items', 'owners']);
  return {
    rates: (values.rate ?? '50,200,1000').split(',').map((rate) => number('rate', rate, 1, 20_000)),
    seconds: number('seconds', values.seconds ?? '8', 1, 3600),
    items: integer('items', values.items ?? '1', 1, 100),
    owners: integer('owners', values.owners ?? '20000', 1, 1_000_000),
  };
}

function besideOutageOptions(values: Values): BesideOutageOptions {
  refuseForeign(values, ['rate', 'seconds', 'users', 'beside-outage']);
  return {
    rate: number('rate', values.rate ?? '50', 1, 1000),
    seconds: number('seconds', values.seconds ?? '8', 1, 3600),
    users: integer('users', values.users ?? '10', 1, 1000),
  };
}

/** A part's bodies, 0.3 MB each, are made before it begins: hence the narrow bounds. */
function ackRichOptions(values: Values): AckRichOptions {
  refuseForeign(values, ['rate', 'seconds', 'rounds', 'items', 'owners', 'rich']);
  return {
    rate: number('rate', values.rate ?? '5', 1, 20),
    seconds: number('seconds', values.seconds ?? '5', 1, 30),
    rounds: integer('rounds', values.rounds ?? '4', 1, 1000),
    items: integer('items', values.items ?? '100', 1, 100),
    owners: integer('owners', values.owners ?? '20000', 1, 1_000_000),
  };
}

function pipelineOptions(values: Values): PipelineOptions {
  refuseForeign(values, ['rate', 'seconds', 'users']);
  return {
    rate: number('rate', values.rate ?? '50', 1, 5000),
    seconds: number('seconds', values.seconds ?? '12', 1, 3600),
    users: integer('users', values.users ?? '20', 1, 1000),
  };
}

function backlogOptions(values: Values): BacklogOptions {
  refuseForeign(values, ['rate', 'seconds', 'owners']);
  return {
    rate: number('rate', values.rate ?? '100', 1, 5000),
    seconds: number('seconds', values.seconds ?? '8', 1, 3600),
    owners: integer('owners', values.owners ?? '100000', 1, 1_000_000),
  };
}

function fleetOrder(values: Values) {
  if (values.redis) return { benchmark: 'fleetRedis', options: fleetRedisOptions(values) } as const;
  return { benchmark: 'fleet', options: fleetOptions(values) } as const;
}

function fleetOptions(values: Values): FleetOptions {
  refuseForeign(values, ['subscriptions', 'days', 'seeds', 'from', 'clocks-off']);
  return {
    subscriptions: integer('subscriptions', values.subscriptions ?? '10000', 1, 100_000),
    days: integer('days', values.days ?? '30', 3, 365),
    seeds: integer('seeds', values.seeds ?? '1', 1, 100_000),
    from: integer('from', values.from ?? '1', 1, 1_000_000),
    clocksOffMinutes: number('clocks-off', values['clocks-off'] ?? '5', 0, 100_000),
  };
}

function fleetRedisOptions(values: Values): FleetRedisOptions {
  refuseForeign(values, ['sizes', 'rounds', 'subscriptions', 'redis']);
  return {
    sizes: (values.sizes ?? '1000,10000,100000')
      .split(',')
      .map((size) => integer('sizes', size, 100, 1_000_000)),
    rounds: integer('rounds', values.rounds ?? '30', 1, 1000),
    subscriptions: integer('subscriptions', values.subscriptions ?? '10000', 100, 100_000),
  };
}

function hostileOptions(values: Values): HostileOptions {
  refuseForeign(values, ['rate', 'seconds']);
  return {
    rate: number('rate', values.rate ?? '50', 1, 1000),
    seconds: number('seconds', values.seconds ?? '4', 1, 3600),
  };
}

function batchOptions(values: Values): BatchOptions {
  refuseForeign(values, ['rate', 'users', 'seconds', 'rounds', 'events']);
  return {
    rate: number('rate', values.rate ?? '100', 1, 1000),
    users: integer('users', values.users ?? '50', 2, 1000),
    seconds: number('seconds', values.seconds ?? '6', 1, 3600),
    rounds: integer('rounds', values.rounds ?? '2', 1, 100),
    events: integer('events', values.events ?? '1500', 20, 100_000),
  };
}

function throttledOptions(values: Values): ThrottledOptions {
  refuseForeign(values, ['rate', 'seconds', 'users']);
  return {
    rate: number('rate', values.rate ?? '20', 1, 1000),
    seconds: number('seconds', values.seconds ?? '10', 1, 3600),
    users: integer('users', values.users ?? '20', 1, 1000),
  };
}

function neighboursOptions(values: Values): NeighboursOptions {
  refuseForeign(values, ['rate', 'seconds', 'users', 'events']);
  return {
    rate: number('rate', values.rate ?? '20', 1, 1000),
    seconds: number('seconds', values.seconds ?? '10', 1, 3600),
    users: integer('users', values.users ?? '20', 1, 1000),
    // An owner with more than 10,000 at once has them read again, page by page: another path than this one.
    events: integer('events', values.events ?? '5000', 2, 10_000),
  };
}

function priceOptions(values: Values): PriceOptions {
  refuseForeign(values, ['seconds', 'rounds', 'clients', 'items', 'owners', 'variants']);
  return {
    base: BASE_VARIANT,
    variants: variants(values.variants),
    rounds: integer('rounds', values.rounds ?? '6', 1, 1000),
    seconds: number('seconds', values.seconds ?? '0.3', 0.1, 3600),
    clients: integer('clients', values.clients ?? '32', 1, 1000),
    items: integer('items', values.items ?? '1', 1, 100),
    owners: integer('owners', values.owners ?? '20000', 1, 1_000_000),
  };
}

function publishersOptions(values: Values): PublishersOptions {
  refuseForeign(values, ['cuts', 'seconds']);
  return {
    cuts: integer('cuts', values.cuts ?? '12', 1, 1000),
    seconds: number('seconds', values.seconds ?? '5', 1, 600),
  };
}

function richOptions(values: Values): RichOptions {
  refuseForeign(values, ['rounds']);
  return { rounds: integer('rounds', values.rounds ?? '20', 1, 1000) };
}

function startOptions(values: Values): StartOptions {
  refuseForeign(values, ['rounds']);
  return { rounds: integer('rounds', values.rounds ?? '20', 1, 1000) };
}

function variants(text: string | undefined): PriceVariant[] {
  const names = text?.split(',') ?? PRICE_VARIANTS.map(({ name }) => name);
  const unknown = names.find((name) => !PRICE_VARIANTS.some((variant) => variant.name === name));
  if (unknown !== undefined)
    throw new ArgumentError(`There is no variant ${unknown}; --help lists what there is.`);
  return PRICE_VARIANTS.filter(({ name }) => names.includes(name));
}

/** An option of another benchmark would be ignored, and its user misled. */
function refuseForeign(values: Values, own: readonly (keyof Values)[]): void {
  const foreign = (Object.keys(values) as (keyof Values)[]).find(
    (name) => name !== 'json' && name !== 'help' && !own.includes(name),
  );
  if (foreign !== undefined)
    throw new ArgumentError(`--${foreign} is no option of this benchmark; --help tells more.`);
}

function number(name: string, text: string, minimum: number, maximum: number): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= minimum && value <= maximum)) {
    throw new ArgumentError(`--${name} must be a number from ${minimum} to ${maximum}.`);
  }
  return value;
}

function integer(name: string, text: string, minimum: number, maximum: number): number {
  const value = number(name, text, minimum, maximum);
  if (!Number.isInteger(value)) throw new ArgumentError(`--${name} must be a whole number.`);
  return value;
}

function variantLines(): string {
  const width = Math.max(...PRICE_VARIANTS.map(({ name }) => name.length));
  return PRICE_VARIANTS.map(({ name, meaning }) => `${name.padEnd(width)}  ${meaning}`).join(
    `\n${' '.repeat(36)}`,
  );
}
