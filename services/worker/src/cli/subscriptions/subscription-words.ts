/** The words of the commands on subscriptions → the command that is meant, or a `UsageError`. Pure. */

import { parseArgs } from 'node:util';
import { LISTED_STATES, type ListedState } from '../../listing/listed-states.ts';
import { parseWords } from '../parse-words.ts';
import { UsageError } from '../usage-error.ts';
import { durationOf, type Until, untilOf } from './times.ts';

export type RowFilter = {
  readonly user?: string;
  readonly state?: ListedState;
  /** Name or id. */
  readonly tenant?: string;
  readonly expiresWithinMs?: number;
};

export type NewByHand = {
  readonly resource: string;
  readonly changeTypes: readonly string[];
  /** Absent: NOTIFICATION_URL. */
  readonly notificationUrl?: string;
  readonly expires: Until;
  readonly clientState?: string;
  readonly tls: TlsVersion;
  readonly tenant?: string;
  /** As a wish that workers keep. */
  readonly keep: boolean;
};

export const TLS_VERSIONS = ['v1_0', 'v1_1', 'v1_2', 'v1_3'] as const;
export type TlsVersion = (typeof TLS_VERSIONS)[number];

export type SubscriptionCommand =
  | ({ readonly name: 'list-subscriptions'; readonly json: boolean } & RowFilter)
  | { readonly name: 'show-subscription'; readonly subject: string; readonly json: boolean }
  | { readonly name: 'renew'; readonly subjects: readonly string[]; readonly expiringWithinMs?: number }
  | { readonly name: 'delete'; readonly subjects: readonly string[]; readonly yes: boolean }
  | ({ readonly name: 'create'; readonly json: boolean } & NewByHand)
  | { readonly name: 'export'; readonly tenant?: string }
  | { readonly name: 'plan'; readonly offline: boolean; readonly json: boolean }
  | { readonly name: 'apply'; readonly yes: boolean };

/** As they are typed: `g2k list`. */
export const SUBSCRIPTION_WORDS = [
  'plan',
  'apply',
  'list',
  'show',
  'renew',
  'delete',
  'create',
  'export',
] as const;
export type SubscriptionWord = (typeof SUBSCRIPTION_WORDS)[number];

export function isSubscriptionWord(word: string): word is SubscriptionWord {
  return SUBSCRIPTION_WORDS.some((known) => known === word);
}

const flag = { type: 'boolean' } as const;
const text = { type: 'string' } as const;
const help = { type: 'boolean', short: 'h' } as const;

/** Undefined where its help is asked for. */
export function parseOfSubscriptions(
  word: SubscriptionWord,
  args: readonly string[],
): SubscriptionCommand | undefined {
  return PARSERS[word]([...args]);
}

const PARSERS: Readonly<Record<SubscriptionWord, (args: string[]) => SubscriptionCommand | undefined>> = {
  plan: parsePlan,
  apply: parseApply,
  list: parseList,
  show: parseShow,
  renew: parseRenew,
  delete: parseDelete,
  create: parseCreate,
  export: parseExport,
};

function parsePlan(args: string[]): SubscriptionCommand | undefined {
  const options = { offline: flag, json: flag, help } as const;
  const { values } = parseWords(() => parseArgs({ args, options }));
  if (values.help) return undefined;
  return { name: 'plan', offline: values.offline ?? false, json: values.json ?? false };
}

function parseApply(args: string[]): SubscriptionCommand | undefined {
  const { values } = parseWords(() => parseArgs({ args, options: { yes: flag, help } }));
  return values.help ? undefined : { name: 'apply', yes: values.yes ?? false };
}

function parseList(args: string[]): SubscriptionCommand | undefined {
  const options = {
    user: text,
    state: text,
    tenant: text,
    'expires-within': text,
    json: flag,
    help,
  } as const;
  const { values } = parseWords(() => parseArgs({ args, options }));
  if (values.help) return undefined;
  const { user, state, tenant, 'expires-within': within } = values;
  return {
    name: 'list-subscriptions',
    json: values.json ?? false,
    ...(user !== undefined && { user }),
    ...(state !== undefined && { state: stateOf(state) }),
    ...(tenant !== undefined && { tenant }),
    ...(within !== undefined && { expiresWithinMs: durationOf('--expires-within', within) }),
  };
}

function stateOf(word: string): ListedState {
  const state = LISTED_STATES.find((known) => known === word);
  if (state === undefined) throw new UsageError(`--state: must be ${LISTED_STATES.join(', ')}`);
  return state;
}

function parseShow(args: string[]): SubscriptionCommand | undefined {
  const options = { json: flag, help } as const;
  const { values, positionals } = parseWords(() => parseArgs({ args, options, allowPositionals: true }));
  if (values.help) return undefined;
  const [subject, ...more] = positionals;
  if (subject === undefined || more.length > 0)
    throw new UsageError('show takes one subscription: its id, or its wish as `g2k list` has it');
  return { name: 'show-subscription', subject, json: values.json ?? false };
}

function parseRenew(args: string[]): SubscriptionCommand | undefined {
  const options = { 'all-expiring-within': text, help } as const;
  const { values, positionals } = parseWords(() => parseArgs({ args, options, allowPositionals: true }));
  if (values.help) return undefined;
  const within = values['all-expiring-within'];
  if ((within === undefined) === (positionals.length === 0))
    throw new UsageError('renew wants to know which: ids or wishes, or --all-expiring-within 24h');
  return {
    name: 'renew',
    subjects: positionals,
    ...(within !== undefined && { expiringWithinMs: durationOf('--all-expiring-within', within) }),
  };
}

function parseDelete(args: string[]): SubscriptionCommand | undefined {
  const options = { yes: flag, help } as const;
  const { values, positionals } = parseWords(() => parseArgs({ args, options, allowPositionals: true }));
  if (values.help) return undefined;
  if (positionals.length === 0) throw new UsageError('delete wants to know which: ids or wishes');
  return { name: 'delete', subjects: positionals, yes: values.yes ?? false };
}

const CREATE = {
  resource: text,
  'change-type': text,
  'notification-url': text,
  expires: text,
  'client-state': text,
  tls: text,
  tenant: text,
  keep: flag,
  json: flag,
  help,
} as const;

function parseCreate(args: string[]): SubscriptionCommand | undefined {
  const { values } = parseWords(() => parseArgs({ args, options: CREATE }));
  if (values.help) return undefined;
  const { resource, expires, tenant } = values;
  const changeType = values['change-type'];
  if (resource === undefined || changeType === undefined || expires === undefined)
    throw new UsageError('create needs --resource, --change-type and --expires');
  const notificationUrl = values['notification-url'];
  const clientState = values['client-state'];
  if (notificationUrl !== undefined && !URL.canParse(notificationUrl))
    throw new UsageError('--notification-url: must be a URL');
  return {
    name: 'create',
    json: values.json ?? false,
    resource: resource.replace(/^\//, ''),
    changeTypes: changeTypesOf(changeType),
    expires: untilOf('--expires', expires),
    tls: tlsOf(values.tls ?? 'v1_2'),
    keep: keepOf(values),
    ...(notificationUrl !== undefined && { notificationUrl }),
    ...(clientState !== undefined && { clientState: clientStateOf(clientState) }),
    ...(tenant !== undefined && { tenant }),
  };
}

function changeTypesOf(list: string): string[] {
  const types = list.split(',').map((one) => one.trim());
  const known = ['created', 'updated', 'deleted'];
  if (types.some((one) => !known.includes(one)))
    throw new UsageError(
      '--change-type: must be created, updated, deleted, or some of them with commas between',
    );
  return [...new Set(types)];
}

/** The value is in no message: it is a secret. */
function clientStateOf(value: string): string {
  if (value.length >= 1 && value.length <= 128) return value;
  throw new UsageError('--client-state: must have 1 to 128 characters');
}

/** What workers make, they make in their own way. */
function keepOf({
  keep = false,
  ...others
}: Readonly<Record<string, string | boolean | undefined>>): boolean {
  const refused = ['notification-url', 'client-state', 'tls'].find((name) => others[name] !== undefined);
  if (keep && refused !== undefined)
    throw new UsageError(`--keep and --${refused} exclude each other: what workers keep has ours`);
  return keep === true;
}

function tlsOf(value: string): TlsVersion {
  const version = TLS_VERSIONS.find((known) => known === value);
  if (version === undefined) throw new UsageError(`--tls: must be ${TLS_VERSIONS.join(', ')}`);
  return version;
}

function parseExport(args: string[]): SubscriptionCommand | undefined {
  const { values } = parseWords(() => parseArgs({ args, options: { tenant: text, help } }));
  if (values.help) return undefined;
  return { name: 'export', ...(values.tenant !== undefined && { tenant: values.tenant }) };
}
