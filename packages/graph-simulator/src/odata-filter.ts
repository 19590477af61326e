// Evaluates $filter: comparisons of simple properties, startsWith, endsWith, contains, in, any, and, or, not.
import { GraphError, type JsonObject } from './graph-exchange.ts';
import { type WordTable, wordTable } from './word-table.ts';

export type Filter = (body: JsonObject) => boolean;

type Literal = string | number | boolean | null;

/** Text literals, parentheses and commas, and everything else up to a space or one of them. */
const TOKEN = /\s*('(?:[^']|'')*'|[(),]|[^\s(),']+)/y;

const invalid = (text: string) => new GraphError(400, 'BadRequest', `Invalid filter clause: ${text}`);

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  const pattern = new RegExp(TOKEN);
  const trimmed = text.trim();
  while (pattern.lastIndex < trimmed.length) {
    const found = pattern.exec(trimmed);
    if (found === null) throw invalid(`'${text}' cannot be read.`);
    tokens.push(found[1] as string);
  }
  return tokens;
}

const DATE = /^\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:\d\d)?)?$/i;

/** Dates are compared as moments, since their texts differ in decimals; others without case, as the directory does. */
function comparable(value: unknown): Literal {
  if (typeof value === 'string') return DATE.test(value) ? Date.parse(value) : value.toLowerCase();
  return typeof value === 'number' || typeof value === 'boolean' ? value : null;
}

function literalOf(token: string | undefined): Literal {
  if (token === undefined) throw invalid('a value is missing.');
  if (token.startsWith("'")) return comparable(token.slice(1, -1).replaceAll("''", "'"));
  if (token === 'null') return null;
  if (token === 'true' || token === 'false') return token === 'true';
  const value = DATE.test(token) ? comparable(token) : Number(token);
  if (Number.isNaN(value)) throw invalid(`'${token}' is no value.`);
  return value;
}

/** "start/dateTime" of {start: {dateTime}}, names in any case. */
function propertyOf(body: JsonObject, path: string): unknown {
  return path.split('/').reduce<unknown>((value, name) => {
    const entries = Object.entries((value ?? {}) as JsonObject);
    return entries.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
  }, body);
}

const COMPARISONS: WordTable<(left: Literal, right: Literal) => boolean> = wordTable({
  eq: (left, right) => left === right,
  ne: (left, right) => left !== right,
  gt: (left, right) => left !== null && right !== null && left > right,
  ge: (left, right) => left !== null && right !== null && left >= right,
  lt: (left, right) => left !== null && right !== null && left < right,
  le: (left, right) => left !== null && right !== null && left <= right,
});

const TEXT_FUNCTIONS: WordTable<(text: string, part: string) => boolean> = wordTable({
  startswith: (text, part) => text.startsWith(part),
  endswith: (text, part) => text.endsWith(part),
  contains: (text, part) => text.includes(part),
});

/** One pass over the tokens; a method for each rank of OData's grammar, the loosest first. */
class FilterParser {
  readonly #tokens: string[];

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  parse(): Filter {
    const filter = this.#or();
    const [rest] = this.#tokens;
    if (rest !== undefined) throw invalid(`'${rest}' is unexpected.`);
    return filter;
  }

  #or(): Filter {
    const parts = this.#joined('or', () => this.#and());
    return (body) => parts.some((part) => part(body));
  }

  #and(): Filter {
    const parts = this.#joined('and', () => this.#not());
    return (body) => parts.every((part) => part(body));
  }

  #joined(word: string, next: () => Filter): Filter[] {
    const parts = [next()];
    while (this.#tokens[0]?.toLowerCase() === word) {
      this.#tokens.shift();
      parts.push(next());
    }
    return parts;
  }

  #not(): Filter {
    if (this.#tokens[0]?.toLowerCase() !== 'not') return this.#primary();
    this.#tokens.shift();
    const inner = this.#not();
    return (body) => !inner(body);
  }

  #primary(): Filter {
    const first = this.#tokens.shift();
    if (first === undefined) throw invalid('it is empty or ends too early.');
    if (first === '(') {
      const inner = this.#or();
      this.#expect(')');
      return inner;
    }
    if (this.#tokens[0] !== '(') return this.#comparison(first);
    const collection = /^(.+)\/any$/i.exec(first)?.[1];
    return collection === undefined ? this.#textFunction(first) : this.#any(collection);
  }

  /** "(p:p/id eq 'x')": inside it the variable is a property, whose value is one element of the collection. */
  #any(collection: string): Filter {
    this.#expect('(');
    const [, variable = '', rest = ''] = /^(\w+):(.*)$/.exec(this.#tokens.shift() ?? '') ?? [];
    if (variable === '') throw invalid("'any' needs a variable.");
    if (rest !== '') this.#tokens.unshift(rest);
    const test = this.#or();
    this.#expect(')');
    return (body) => {
      const elements = propertyOf(body, collection);
      return Array.isArray(elements) && elements.some((element) => test({ [variable]: element }));
    };
  }

  #textFunction(name: string): Filter {
    const test = TEXT_FUNCTIONS.get(name.toLowerCase());
    if (test === undefined) {
      throw new GraphError(501, 'notImplemented', `The simulator does not evaluate '${name}' in a filter.`);
    }
    this.#expect('(');
    const property = this.#tokens.shift() ?? '';
    this.#expect(',');
    const part = String(literalOf(this.#tokens.shift()));
    this.#expect(')');
    return (body) => {
      const value = comparable(propertyOf(body, property));
      return typeof value === 'string' && test(value, part);
    };
  }

  #comparison(property: string): Filter {
    const operator = this.#tokens.shift()?.toLowerCase() ?? '';
    if (operator === 'in') return this.#in(property);
    const compare = COMPARISONS.get(operator);
    if (compare === undefined) throw invalid(`'${property}' needs a comparison.`);
    const wanted = literalOf(this.#tokens.shift());
    return (body) => compare(comparable(propertyOf(body, property)), wanted);
  }

  #in(property: string): Filter {
    this.#expect('(');
    const values = [literalOf(this.#tokens.shift())];
    while (this.#tokens[0] === ',') {
      this.#tokens.shift();
      values.push(literalOf(this.#tokens.shift()));
    }
    this.#expect(')');
    return (body) => values.includes(comparable(propertyOf(body, property)));
  }

  #expect(token: string): void {
    const found = this.#tokens.shift();
    if (found !== token)
      throw invalid(`'${token}' is missing${found === undefined ? '' : ` before '${found}'`}.`);
  }
}

/** What the directory evaluates for callers alone that say they know about its lag (Graph page "Advanced query capabilities"). */
const ADVANCED: WordTable<string> = wordTable({ ne: 'NotEqual', not: 'Not', endswith: 'endsWith' });

/** The first operator or function of a filter that needs an advanced query, by the name in Graph's message. */
export function advancedOperator(text: string): string | undefined {
  const names = tokensOf(text).map((token) => ADVANCED.get(token.toLowerCase()));
  return names.find((name) => name !== undefined);
}

/** @throws {GraphError} 400 for a text that is no filter, 501 for functions that are not evaluated */
export function parseFilter(text: string): Filter {
  return new FilterParser(text).parse();
}
