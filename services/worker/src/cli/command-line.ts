/** What was typed → the command that is meant, or a `UsageError` that says what to type. Pure. */
import { parseArgs } from 'node:util';
import type { Topic } from './help.ts';
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
    };

const LIMIT = { default: 100, most: 100_000 };

const flag = { type: 'boolean' } as const;
const filter = { type: 'string', multiple: true } as const;
const help = { type: 'boolean', short: 'h' } as const;

export function parseCommandLine(words: readonly string[]): Command {
  const [group, name, ...rest] = words;
  if (group === undefined || group === '--help' || group === '-h' || group === 'help') {
    return { name: 'help', topic: 'g2k' };
  }
  if (group !== 'dead-letters') throw unknown(group, 'dead-letters');
  if (name === undefined || name === '--help' || name === '-h') {
    return { name: 'help', topic: 'dead-letters' };
  }
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

function unknown(word: string, known: string): UsageError {
  return new UsageError(`there is no command ${JSON.stringify(word)}: write ${known}`);
}

function parseList(words: readonly string[]): Command {
  const options = { filter, limit: { type: 'string' }, json: flag, help } as const;
  const { values } = parse(() => parseArgs({ args: [...words], options, strict: true }));
  if (values.help) return { name: 'help', topic: 'list' };
  return {
    name: 'list',
    filters: values.filter ?? [],
    limit: limitOf(values.limit),
    json: values.json ?? false,
  };
}

function parseShow(words: readonly string[]): Command {
  const options = { json: flag, help } as const;
  const { values, positionals } = parse(() =>
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
  const { values } = parse(() => parseArgs({ args: [...words], options, strict: true }));
  if (values.help) return { name: 'help', topic: 'replay' };
  const filters = values.filter ?? [];
  if (filters.length === 0 && !values.all) {
    throw new UsageError('replay wants to know which dead letters: --filter …, or --all');
  }
  if (filters.length > 0 && values.all) throw new UsageError('--all and --filter exclude each other');
  return { name: 'replay', filters, dryRun: values['dry-run'] ?? false, yes: values.yes ?? false };
}

function limitOf(text: string | undefined): number {
  if (text === undefined) return LIMIT.default;
  const limit = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (limit < 1 || limit > LIMIT.most) {
    throw new UsageError(`--limit: must be a whole number from 1 to ${LIMIT.most}`);
  }
  return limit;
}

/** Node's own words for an option that it does not know or that lacks its value are clear; its hints on `--` are not. */
function parse<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    const isUsage =
      error instanceof TypeError && String((error as { code?: unknown }).code).startsWith('ERR_PARSE_ARGS');
    if (!isUsage) throw error;
    throw new UsageError((error.message.split('. ')[0] ?? '').replace(/\.$/, ''), { cause: error });
  }
}
