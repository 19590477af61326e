/** What `price` compares: the receiver as it ships, and each safety step of it left out or put differently. */
import type { RedisServerOptions } from '@graph2kafka/test-harness';
import type { BuildName } from './builds/builds.ts';

export type PriceVariant = {
  /** For the command line. */
  readonly name: string;
  readonly meaning: string;
  readonly redis: Pick<RedisServerOptions, 'appendfsync' | 'extraArguments'>;
  /** The receiver's REDIS_DURABILITY. */
  readonly durability: 'strict' | 'replicated' | 'declared';
  readonly build?: BuildName;
};

const asShipped = { redis: { appendfsync: 'always' }, durability: 'strict' } as const;

export const BASE_VARIANT: PriceVariant = {
  name: 'shipped',
  meaning: 'as shipped: synced before each answer',
  ...asShipped,
};

export const PRICE_VARIANTS: readonly PriceVariant[] = [
  {
    name: 'replicated',
    meaning: 'synced each second, one replica confirms (WAIT 1)',
    redis: { appendfsync: 'everysec' },
    durability: 'replicated',
  },
  {
    name: 'everysec',
    meaning: 'synced each second',
    redis: { appendfsync: 'everysec' },
    durability: 'declared',
  },
  { name: 'no-sync', meaning: 'written, never synced', redis: { appendfsync: 'no' }, durability: 'declared' },
  {
    name: 'memory',
    meaning: 'no append-only file',
    redis: { extraArguments: ['--appendonly', 'no'] },
    durability: 'declared',
  },
  { name: 'inbox-only', meaning: 'entry stored, no job added', ...asShipped, build: 'inbox-only' },
  { name: 'ack-first', meaning: '202 before Redis has confirmed', ...asShipped, build: 'ack-first' },
  {
    name: 'no-client-state-check',
    meaning: 'clientState taken on trust',
    ...asShipped,
    build: 'no-client-state-check',
  },
  {
    name: 'no-body-check',
    meaning: 'body parsed without a look at its depth',
    ...asShipped,
    build: 'no-body-check',
  },
  {
    name: 'no-protective-headers',
    meaning: "without helmet's headers",
    ...asShipped,
    build: 'no-protective-headers',
  },
];
