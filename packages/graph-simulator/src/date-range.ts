// The window of a calendar view: which events lie in it.
import { GraphError, type JsonObject } from './graph-exchange.ts';
import { parseDateTimeOffset } from './graph-time.ts';
import { type DateTimeTimeZone, epochMsOf } from './time-zones.ts';

function bound(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? undefined;
  if (text === undefined) {
    const sentence =
      'This request requires a time window specified by the query string parameters StartDateTime and EndDateTime.';
    throw new GraphError(400, 'ErrorInvalidParameter', sentence);
  }
  // Graph reads a time without an offset as UTC.
  const epochMs = parseDateTimeOffset(text.replace(' ', '+')) ?? Date.parse(`${text}Z`);
  if (Number.isNaN(epochMs)) throw new GraphError(400, 'ErrorInvalidParameter', `'${text}' is no ${name}.`);
  return epochMs;
}

const caseless = (query: URLSearchParams) =>
  new URLSearchParams([...query].map(([name, value]): [string, string] => [name.toLowerCase(), value]));

export class DateRange {
  readonly #startMs: number;
  readonly #endMs: number;

  constructor(startMs: number, endMs: number) {
    this.#startMs = startMs;
    this.#endMs = endMs;
  }

  /** @throws {GraphError} 400 where startDateTime or endDateTime is absent or no time */
  static of(query: URLSearchParams): DateRange {
    const names = caseless(query);
    return new DateRange(bound(names, 'startdatetime'), bound(names, 'enddatetime'));
  }

  /** True for an event that overlaps the window; one without readable times is in none. */
  holds({ start, end }: JsonObject): boolean {
    const startMs = start === undefined ? undefined : epochMsOf(start as DateTimeTimeZone);
    const endMs = end === undefined ? startMs : epochMsOf(end as DateTimeTimeZone);
    if (startMs === undefined || endMs === undefined) return false;
    return startMs < this.#endMs && endMs > this.#startMs;
  }
}
