/** The bytes of a POST → the collection that they hold, or why they hold none. Believes nothing yet. */
import { MOST_TOKENS, notificationCollectionSchema } from '@graph2kafka/shared';
import { DEEPEST, MOST_ITEMS, MOST_VALUES, type RefusalCode } from './refusals.ts';

export type Collection = {
  readonly items: readonly unknown[];
  /** As many as there can be of use; null is Graph's word for one that it could not make. */
  readonly validationTokens: readonly string[];
};

export type ReadCollection =
  | { readonly ok: true; readonly collection: Collection }
  | { readonly ok: false; readonly code: RefusalCode };

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function readCollection(body: Buffer): ReadCollection {
  if (body.length === 0) return refused('body-empty');
  const scan = scanBody(body);
  if (scan.excess !== undefined) return refused(scan.excess);
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(body));
  } catch (error) {
    return refused(error instanceof TypeError ? 'not-utf8' : 'not-json');
  }
  // JSON.parse keeps the last of two equal properties, other readers the first: two meanings are none.
  if (countProperties(json) !== scan.colons) return refused('repeated-property');
  const collection = notificationCollectionSchema.safeParse(json);
  if (!collection.success) return refused('no-collection');
  const items = collection.data.value;
  if (items.length > MOST_ITEMS) return refused('too-many-items');
  const tokens = collection.data.validationTokens ?? [];
  const validationTokens = tokens.filter((token) => token !== null).slice(0, MOST_TOKENS);
  return { ok: true, collection: { items, validationTokens } };
}

function refused(code: RefusalCode): ReadCollection {
  return { ok: false, code };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;
const COMMA = 0x2c;

type Scan = {
  readonly excess?: RefusalCode;
  /** As many as objects have properties, where the body is JSON. */
  readonly colons: number;
};

/** Counts brackets, commas and colons outside of texts; UTF-8's other bytes never look like one. */
function scanBody(body: Buffer): Scan {
  let depth = 0;
  let commas = 0;
  let colons = 0;
  let inText = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (inText) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inText = false;
    } else if (byte === QUOTE) inText = true;
    else if (byte === COLON) colons++;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > DEEPEST) return { excess: 'too-deep', colons };
    } else if (byte === 0x5d || byte === 0x7d) depth--;
    else if (byte === COMMA && ++commas > MOST_VALUES) return { excess: 'too-many-values', colons };
  }
  return { colons };
}

/** Of all objects in it together; it nests no deeper than `DEEPEST`. */
function countProperties(json: unknown): number {
  if (typeof json !== 'object' || json === null) return 0;
  const values = Object.values(json);
  let count = Array.isArray(json) ? 0 : values.length;
  for (const value of values) if (typeof value === 'object') count += countProperties(value);
  return count;
}
