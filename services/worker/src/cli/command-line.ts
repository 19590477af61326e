/** What was typed → the command that is meant, or a `UsageError` that says what to type. Pure. */
import { parseArgs } from 'node:util';
import type { Topic } from './help.ts';
import { parseWords } from './parse-words.ts';
import {
  isSubscriptionWord,
  parseOfSubscriptions,
  SUBSCRIPTION_WORDS,
  type SubscriptionCommand,
} from './subscriptions/subscription-words.ts';
import { UsageError } from './usage-error.ts';

export type Command =
  | { readonly name: 'help'; readonly topic: Topic }
  | {
      readonly name: 'list';
      readonly filters: readonly string[];
      readonly limit: number;
      readonly json: boolean;
    }
  | { readonly name: 'show'; readonly letter: string; readonly json: boolean }
  | {
      readonly name: 'replay';
      readonly filters: readonly string[];
      readonly dryRun: boolean;
      readonly yes: boolean;
    }
  | { readonly name: 'doctor'; readonly json: boolean }
  | SubscriptionCommand
  | { readonly name: 'list-certificates'; readonly json: boolean }
  | {
      readonly name: 'rotate';
      /** Where to put the new key; undefined: the folder of ENCRYPTION_KEYS. */
      readonly folder: string | undefined;
      readonly startsInMinutes: number;
      readonly days: number;
      readonly bits: 2048 | 4096;
      readonly dryRun: boolean;
    };

const LIMIT = { name: '--limit', default: 100, least: 1, most: 100_000 };
/** All workers have to hold the key before; those that read Key Vault look every 5 minutes. */
const STARTS_IN = { name: '--starts-in', default: 10, least: 0, most: 10_080 };
const DAYS = { name: '--days', default: 365, least: 1, most: 3650 };

const flag = { type: 'boolean' } as const;
const filter = { type: 'string', multiple: true } as const;
const help = { type: 'boolean', short: 'h' } as const;

export function parseCommandLine(words: readonly string[]): Command {
  const [group, name, ...rest] = words;
  if (group === undefined || group === '--help' || group === '-h' || group === 'help') {
    return { name: 'help', topic: 'g2k' };
  }
  if (group === 'doctor') return parseDoctor(words.slice(1));
  if (isSubscriptionWord(group)) {
    return parseOfSubscriptions(group, words.slice(1)) ?? { name: 'help', topic: `g2k ${group}` };
  }
  if (group !== 'dead-letters' && group !== 'certificates') {
    throw unknown(group, `${SUBSCRIPTION_WORDS.join(', ')}, dead-letters, certificates or doctor`);
  }
  if (name === undefined || name === '--help' || name === '-h') return { name: 'help', topic: group };
  return group === 'dead-letters' ? parseOfLetters(name, rest) : parseOfCertificates(name, rest);
}

function parseDoctor(words: readonly string[]): Command {
  const options = { json: flag, help } as const;
  const { values } = parseWords(() => parseArgs({ args: [...words], options, strict: true }));
  if (values.help) return { name: 'help', topic: 'doctor' };
  return { name: 'doctor', json: values.json ?? false };
}

function parseOfLetters(name: string, rest: readonly string[]): Command {
  switch (name) {
    case 'list':
      return parseList(rest);
    case 'show':
      return parseShow(rest);
    case 'replay':
      return parseReplay(rest);
    default:
      throw unknown(name, 'list, show or replay');
  }
}

function parseOfCertificates(name: string, rest: readonly string[]): Command {
  switch (name) {
    case 'list':
      return parseListCertificates(rest);
    case 'rotate':
      return parseRotate(rest);
    default:
      throw unknown(name, 'list or rotate');
  }
}

function unknown(word: string, known: string): UsageError {
  return new UsageError(`there is no command ${JSON.stringify(word)}: write ${known}`);
}

function parseList(words: readonly string[]): Command {
  const options = { filter, limit: { type: 'string' }, json: flag, help } as const;
  const { values } = parseWords(() => parseArgs({ args: [...words], options, strict: true }));
  if (values.help) return { name: 'help', topic: 'list' };
  return {
    name: 'list',
    filters: values.filter ?? [],
    limit: numberOf(values.limit, LIMIT),
    json: values.json ?? false,
  };
}

function parseShow(words: readonly string[]): Command {
  const options = { json: flag, help } as const;
  const { values, positionals } = parseWords(() =>
    parseArgs({ args: withIdsLast(words), options, strict: true, allowPositionals: true }),
  );
  if (values.help) return { name: 'help', topic: 'show' };
  const [letter, ...more] = positionals;
  if (letter === undefined || more.length > 0) {
    throw new UsageError('show takes one dead letter: its id, or partition:offset as `list` has it');
  }
  return { name: 'show', letter, json: values.json ?? false };
}

/** An id may begin with a dash, and is no option for that. */
function withIdsLast(words: readonly string[]): string[] {
  if (words.includes('--')) return [...words];
  const { ids = [], others = [] } = Object.groupBy(words, (word) =>
    LETTER_ID.test(word) ? 'ids' : 'others',
  );
  return [...others, '--', ...ids];
}

/** SHA-256 in base64url. */
const LETTER_ID = /^[A-Za-z0-9_-]{43}$/;

function parseReplay(words: readonly string[]): Command {
  const options = { filter, all: flag, 'dry-run': flag, yes: flag, help } as const;
  const { values } = parseWords(() => parseArgs({ args: [...words], options, strict: true }));
  if (values.help) return { name: 'help', topic: 'replay' };
  const filters = values.filter ?? [];
  if (filters.length === 0 && !values.all) {
    throw new UsageError('replay wants to know which dead letters: --filter …, or --all');
  }
  if (filters.length > 0 && values.all) throw new UsageError('--all and --filter exclude each other');
  return { name: 'replay', filters, dryRun: values['dry-run'] ?? false, yes: values.yes ?? false };
}

function parseListCertificates(words: readonly string[]): Command {
  const options = { json: flag, help } as const;
  const { values } = parseWords(() => parseArgs({ args: [...words], options, strict: true }));
  if (values.help) return { name: 'help', topic: 'list-certificates' };
  return { name: 'list-certificates', json: values.json ?? false };
}

function parseRotate(words: readonly string[]): Command {
  const text = { type: 'string' } as const;
  const options = { out: text, 'starts-in': text, days: text, bits: text, 'dry-run': flag, help } as const;
  const { values } = parseWords(() => parseArgs({ args: [...words], options, strict: true }));
  if (values.help) return { name: 'help', topic: 'rotate' };
  const bits = values.bits ?? '2048';
  if (bits !== '2048' && bits !== '4096') throw new UsageError('--bits: must be 2048 or 4096');
  return {
    name: 'rotate',
    folder: values.out,
    startsInMinutes: numberOf(values['starts-in'], STARTS_IN),
    days: numberOf(values.days, DAYS),
    bits: bits === '4096' ? 4096 : 2048,
    dryRun: values['dry-run'] ?? false,
  };
}

type Bounds = {
  readonly name: string;
  readonly default: number;
  readonly least: number;
  readonly most: number;
};

function numberOf(text: string | undefined, { name, default: byDefault, least, most }: Bounds): number {
  if (text === undefined) return byDefault;
  const number = /^\d{1,6}$/.test(text) ? Number(text) : -1;
  if (number < least || number > most) {
    throw new UsageError(`${name}: must be a whole number from ${least} to ${most}`);
  }
  return number;
}
