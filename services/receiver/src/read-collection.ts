/** The bytes of a POST → the collection that they hold, or why they hold none. Believes nothing yet. */
import { notificationCollectionSchema } from '@graph2kafka/shared';

export type Collection = {
  readonly items: readonly unknown[];
};

export type ReadCollection = { readonly ok: true; readonly collection: Collection } | Refusal;

type Refusal = { readonly ok: false; readonly status: 400 | 413; readonly reason: string };

/** Notifications nest three levels deep; a parser survives 40,000, what comes after it may not. */
const DEEPEST = 32;

/** Each item costs a look and a hash, and nobody else is answered meanwhile: 10,000 forged ones take 0.1 s. */
const MOST_ITEMS = 10_000;

/** Twice what so many notifications hold; five million small ones would fit into 10 MB, and take 3 s. */
const MOST_VALUES = 30 * MOST_ITEMS;

const utf8 = new TextDecoder('utf-8', { fatal: true });

export function readCollection(body: unknown): ReadCollection {
  if (!Buffer.isBuffer(body) || body.length === 0) return refuse(400, 'the body is empty');
  const excess = findExcess(body);
  if (excess) return excess;
  let json: unknown;
  try {
    json = JSON.parse(utf8.decode(body));
  } catch (error) {
    return refuse(400, error instanceof TypeError ? 'the body is not UTF-8' : 'the body is not JSON');
  }
  const collection = notificationCollectionSchema.safeParse(json);
  if (!collection.success) return refuse(400, 'the body holds no array "value" of notifications');
  const items = collection.data.value;
  if (items.length > MOST_ITEMS) return refuse(413, `the body holds more than ${MOST_ITEMS} items`);
  return { ok: true, collection: { items } };
}

function refuse(status: Refusal['status'], reason: string): Refusal {
  return { ok: false, status, reason };
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** Counts open brackets and commas outside of strings; UTF-8's other bytes never look like one. */
function findExcess(body: Buffer): Refusal | undefined {
  let depth = 0;
  let commas = 0;
  let inString = false;
  for (let i = 0; i < body.length; i++) {
    const byte = body[i];
    if (inString) {
      if (byte === BACKSLASH) i++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if (byte === 0x5b || byte === 0x7b) {
      if (++depth > DEEPEST) return refuse(400, `the body nests deeper than ${DEEPEST} levels`);
    } else if (byte === 0x5d || byte === 0x7d) depth--;
    else if (byte === 0x2c && ++commas > MOST_VALUES)
      return refuse(413, `the body holds more than ${MOST_VALUES} values`);
  }
  return undefined;
}
