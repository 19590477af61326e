/** What the table of answers demands for any body at all, found out without the product. */
import { isUtf8 } from 'node:buffer';
import { isDeepStrictEqual } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { type Item, isOurs } from './graph-posts.ts';
import { type JsonObject, readStrictly } from './strict-json.ts';

export type Expected = {
  readonly status: 202 | 400 | 413;
  /** Notifications that must be in Redis afterwards, as news or for the dead letters; of a refused body none. */
  readonly kept: number;
  /** Of them those that are as Graph sends them: for them a dead letter would be wrong. */
  readonly intact: number;
};

const MOST_BYTES = 5_242_880;
const DEEPEST = 32;
const MOST_COMMAS = 100_000;
const MOST_ITEMS = 5000;

const refusal = (status: 400 | 413): Expected => ({ status, kept: 0, intact: 0 });

/** `originals`: the items that the body was made of, before it was spoiled. */
export function expectedAnswer(body: Buffer, isGzip: boolean, originals: readonly Item[]): Expected {
  const plain = isGzip ? inflated(body) : body;
  if (plain === undefined) return refusal(400);
  if (plain === 'too large' || plain.length > MOST_BYTES) return refusal(413);
  const outline = outlineOf(plain);
  if (outline === 'too deep') return refusal(400);
  if (outline === 'too many') return refusal(413);
  if (!isUtf8(plain)) return refusal(400);
  const read = readStrictly(plain.toString('utf8').replace(/^\ufeff/, ''));
  if (read === undefined || read.isAmbiguous) return refusal(400);
  const items = itemsOf(read.value);
  if (items === undefined) return refusal(400);
  if (items.length > MOST_ITEMS) return refusal(413);
  const ours = items.filter(
    (item) => item instanceof Map && isOurs(item.get('clientState'), item.get('tenantId')),
  );
  const plainItems = ours.map(toPlain);
  const intact = plainItems.filter((item) => originals.some((one) => isDeepStrictEqual(one, item)));
  return { status: 202, kept: ours.length, intact: intact.length };
}

function inflated(body: Buffer): Buffer | 'too large' | undefined {
  try {
    return gunzipSync(body, { maxOutputLength: MOST_BYTES });
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 'too large' : undefined;
  }
}

/** What has to be seen before a reader is let at it: the first of the two bounds that is passed. */
function outlineOf(body: Buffer): 'too deep' | 'too many' | 'fine' {
  // One byte for one character, so that bytes that are no text change nothing.
  const outsideOfTexts = body.toString('latin1').replace(/"(?:[^"\\]|\\.)*(?:"|$)/gs, '""');
  let depth = 0;
  let commas = 0;
  for (const character of outsideOfTexts) {
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    else if (character === ',') commas++;
    if (depth > DEEPEST) return 'too deep';
    if (commas > MOST_COMMAS) return 'too many';
  }
  return 'fine';
}

/** The items, where the collection is as Graph documents it: tokens are texts or null. */
function itemsOf(root: unknown): readonly unknown[] | undefined {
  if (!(root instanceof Map)) return undefined;
  const { value, tokens } = { value: root.get('value'), tokens: root.get('validationTokens') ?? [] };
  const areTokens =
    Array.isArray(tokens) && tokens.every((token) => token === null || typeof token === 'string');
  return Array.isArray(value) && areTokens ? value : undefined;
}

function toPlain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toPlain);
  if (!(value instanceof Map)) return value;
  return Object.fromEntries([...(value as JsonObject)].map(([name, inner]) => [name, toPlain(inner)]));
}
