/**
 * Which dead letters are meant: `stage=run,resource=users/…/events/*,reason~timeout,since=2h`. Every term has to hold.
 * Pure.
 *
 *     filter = term *( "," term )
 *     term   = field ( "=" / "!=" / "~" ) value
 *     value  = text without a comma / DQUOTE text DQUOTE, in which \" and \\ stand for " and \
 */
import { canonicalResource, parseResourcePath } from '@graph2kafka/shared';
import type { StoredLetter } from './stored-letter.ts';
import { UsageError } from './usage-error.ts';

export type LetterFilter = (letter: StoredLetter) => boolean;

type Operator = '=' | '!=' | '~';
type Term = { readonly field: string; readonly operator: Operator; readonly value: string };

/** Throws a `UsageError`. Without a filter everything is meant. `now`: epoch milliseconds, for `since=2h`. */
export function parseFilters(filters: readonly string[], now: number): LetterFilter {
  const tests = filters.flatMap(termsOf).map((term) => testOf(term, now));
  return (letter) => tests.every((test) => test(letter));
}

const TERM = /\s*([A-Za-z]+)\s*(!=|=|~)\s*(?:"((?:[^"\\]|\\.)*)"|([^",]*))\s*(?:,|$)/y;

function termsOf(filter: string): Term[] {
  const terms: Term[] = [];
  TERM.lastIndex = 0;
  while (TERM.lastIndex < filter.length) {
    const start = TERM.lastIndex;
    const found = TERM.exec(filter);
    if (!found) throw noTerm(filter.slice(start));
    const [, field = '', operator, quoted, bare = ''] = found;
    const value = quoted === undefined ? bare.trim() : quoted.replaceAll(/\\(.)/g, '$1');
    if (value === '') throw new UsageError(`--filter: ${field} has no value`);
    terms.push({ field, operator: operator as Operator, value });
  }
  if (terms.length === 0) throw noTerm(filter);
  return terms;
}

function noTerm(text: string): UsageError {
  return new UsageError(
    `--filter: ${JSON.stringify(text)} is no term: write field=value, field!=value or field~text, with commas between; a value with a comma or a quote goes in double quotes`,
  );
}

type TextField = (letter: StoredLetter) => readonly (string | undefined)[];

/** Fields of text; one of several names of the same thing is enough. */
const TEXTS: Readonly<Record<string, TextField>> = {
  id: ({ id, at }) => [id, at],
  stage: ({ stage }) => [stage],
  reason: ({ reason }) => [reason],
  resource: ({ resource }) => [resource],
  subscription: ({ subscriptionId, subscription }) => [subscriptionId, subscription],
  tenant: ({ tenantId }) => [tenantId],
};

const STAGES: readonly string[] = ['read', 'verify', 'run', 'publish', 'resync'];
export const FILTER_FIELDS = [...Object.keys(TEXTS), 'replayable', 'since', 'before'] as const;

function testOf(term: Term, now: number): LetterFilter {
  const { field, operator, value } = term;
  const texts = Object.hasOwn(TEXTS, field) ? TEXTS[field] : undefined;
  if (texts) return textTest(term, texts);
  if (field === 'since' || field === 'before') {
    requireEquals(term);
    const time = timeOf(term, now);
    return field === 'since' ? ({ writtenAt }) => writtenAt >= time : ({ writtenAt }) => writtenAt < time;
  }
  if (field === 'replayable') {
    requireEquals(term);
    if (value !== 'true' && value !== 'false') throw new UsageError('--filter: replayable is true or false');
    return ({ replayable }) => replayable === (value === 'true');
  }
  throw new UsageError(
    `--filter: there is no field ${JSON.stringify(field)} (in ${field}${operator}${value}); fields are ${FILTER_FIELDS.join(', ')}`,
  );
}

function requireEquals({ field, operator }: Term): void {
  if (operator !== '=') throw new UsageError(`--filter: ${field} goes with = alone`);
}

function textTest({ field, operator, value }: Term, texts: TextField): LetterFilter {
  if (field === 'stage' && operator !== '~' && !value.includes('*') && !STAGES.includes(value)) {
    throw new UsageError(
      `--filter: there is no stage ${JSON.stringify(value)}; stages are ${STAGES.join(', ')}`,
    );
  }
  const matches =
    operator === '~' ? containing(value) : wildcards(field === 'resource' ? canonical(value) : value);
  const holds: LetterFilter = (letter) => texts(letter).some((text) => text !== undefined && matches(text));
  return operator === '!=' ? (letter) => !holds(letter) : holds;
}

function containing(part: string): (text: string) => boolean {
  const wanted = part.toLowerCase();
  return (text) => text.toLowerCase().includes(wanted);
}

/** `*` stands for any text. */
function wildcards(pattern: string): (text: string) => boolean {
  const parts = pattern.split('*').map((part) => RegExp.escape(part));
  const whole = new RegExp(`^${parts.join('.*')}$`, 's');
  return (text) => whole.test(text);
}

/** A whole path may be written as records and Graph write it (`Users/{id}/Events/{id}`). */
function canonical(value: string): string {
  const parsed = value.includes('*') ? undefined : parseResourcePath(value);
  return parsed?.ok ? canonicalResource(parsed.path) : value;
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A date, or a date and a time with its offset: a time of nowhere would mean another one on another machine. */
const TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d))?$/;

/** So long ago, or a point in time; epoch milliseconds. */
function timeOf({ field, value }: Term, now: number): number {
  const [, count, unit = ''] = /^(\d{1,6})([smhd])$/.exec(value) ?? [];
  if (count !== undefined) return now - Number(count) * (UNIT_MS[unit] ?? 0);
  const time = TIME.test(value) ? Date.parse(value) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  throw new UsageError(
    `--filter: ${field}=${value}: write how long ago (90s, 30m, 2h, 7d) or a time (2026-11-23, 2026-11-23T12:00:00Z)`,
  );
}
