// The Prefer header, as far as reading Outlook items goes.
import { plainText } from './event-body.ts';
import { type GraphRequest, headerText, type JsonObject } from './graph-exchange.ts';

export interface Preferences {
  readonly textBodies: boolean;
  /** What of the header was obeyed, to be repeated in Preference-Applied; empty if nothing was. */
  readonly applied: readonly string[];
}

const TEXT_BODY = /outlook\.body-content-type\s*=\s*"?text"?/i;
/** Ids never change here, so this preference is obeyed by doing nothing. */
const IMMUTABLE_ID = /IdType\s*=\s*"?ImmutableId"?/i;
const PAGE_SIZE = /odata\.maxpagesize\s*=\s*"?\d+"?/i;

export function readPreferences(request: GraphRequest): Preferences {
  const prefer = headerText(request.headers, 'prefer');
  const obeyed = [TEXT_BODY, IMMUTABLE_ID, PAGE_SIZE].map((pattern) => pattern.exec(prefer)?.[0]);
  return { textBodies: TEXT_BODY.test(prefer), applied: obeyed.filter((text) => text !== undefined) };
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
