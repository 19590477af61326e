// The Prefer header: what of it is obeyed, and how an item looks by it.
import { plainText } from './event-body.ts';
import { GraphError, type GraphRequest, headerText, type JsonObject } from './graph-exchange.ts';
import { type DateTimeTimeZone, inTimeZone, isTimeZone } from './time-zones.ts';

export interface Preferences {
  readonly textBodies: boolean;
  readonly immutableIds: boolean;
  /** Of events' start and end; Graph answers in UTC without it. */
  readonly timeZone: string;
  /** What of the header was obeyed, to be repeated in Preference-Applied; empty if nothing was. */
  readonly applied: readonly string[];
}

const TEXT_BODY = /outlook\.body-content-type\s*=\s*"?text"?/i;
const IMMUTABLE_ID = /IdType\s*=\s*"?ImmutableId"?/i;
const PAGE_SIZE = /odata\.maxpagesize\s*=\s*"?(\d+)"?/i;
const TIME_ZONE = /outlook\.timezone\s*=\s*(?:"([^"]*)"|([^\s,;]+))/i;

function preferredTimeZone(prefer: string): string {
  const [, quoted, bare] = TIME_ZONE.exec(prefer) ?? [];
  const timeZone = quoted ?? bare ?? 'UTC';
  if (isTimeZone(timeZone)) return timeZone;
  const text = `A valid TimeZone value must be specified. The following TimeZone value is not supported: '${timeZone}'.`;
  throw new GraphError(400, 'TimeZoneNotSupportedException', text);
}

/** Subscriptions ask for it as well: their notifications then name items by immutable ids. */
export function prefersImmutableIds(headers: GraphRequest['headers']): boolean {
  return IMMUTABLE_ID.test(headerText(headers, 'prefer'));
}

/** Items of a page by the header's odata.maxpagesize. */
export function preferredPageSize(headers: GraphRequest['headers']): number | undefined {
  const size = PAGE_SIZE.exec(headerText(headers, 'prefer'))?.[1];
  return size === undefined ? undefined : Number(size);
}

/** @throws {GraphError} 400 for a time zone that nobody knows */
export function readPreferences({ headers }: Pick<GraphRequest, 'headers'>): Preferences {
  const prefer = headerText(headers, 'prefer');
  const obeyed = [TEXT_BODY, IMMUTABLE_ID, PAGE_SIZE, TIME_ZONE].map((pattern) => pattern.exec(prefer)?.[0]);
  return {
    textBodies: TEXT_BODY.test(prefer),
    immutableIds: prefersImmutableIds(headers),
    timeZone: preferredTimeZone(prefer),
    applied: obeyed.filter((text) => text !== undefined),
  };
}

export function appliedHeader({ applied }: Preferences): Record<string, string> {
  return applied.length === 0 ? {} : { 'preference-applied': applied.join(', ') };
}

/** The body of an item as text, where that is preferred; otherwise the item as it is. */
export function preferText(item: JsonObject, { textBodies }: Preferences): JsonObject {
  const body = item.body as JsonObject | null | undefined;
  if (!textBodies || body?.contentType !== 'html') return item;
  return { ...item, body: { contentType: 'text', content: plainText(String(body.content)) } };
}

const isTime = (value: unknown): value is DateTimeTimeZone => {
  const { dateTime, timeZone } = (value ?? {}) as Partial<DateTimeTimeZone>;
  return typeof dateTime === 'string' && typeof timeZone === 'string';
};

/** Start and end in the zone that is preferred. */
export function preferTimeZone(item: JsonObject, { timeZone }: Preferences): JsonObject {
  const times = ['start', 'end'].flatMap((name) => {
    const time = item[name];
    return isTime(time) ? [[name, inTimeZone(time, timeZone)]] : [];
  });
  return times.length === 0 ? item : { ...item, ...Object.fromEntries(times) };
}
