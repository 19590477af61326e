/** Posts of Graph, spoiled in ways that follow from a seed: in their structure, in their text, in their bytes. */
import { gzipSync } from 'node:zlib';
import { seededRandom } from '../faults/seeded-random.ts';
import { changed, collection, type Item, LITERAL, lifecycle, rich, signed } from './graph-posts.ts';

export type Mutation = {
  readonly body: Buffer;
  readonly isGzip: boolean;
  /** The items before. */
  readonly originals: readonly Item[];
  /** What was done, for whoever looks into a failure. */
  readonly how: readonly string[];
};

type Dice = {
  below(n: number): number;
  oneOf<T>(choices: readonly T[]): T;
  chance(share: number): boolean;
};

/** Pieces of text that some reader somewhere has stumbled over. */
const NASTY = [
  '"\\ud800"',
  '"\\udfff\\ud800"',
  '"\\u0000"',
  '1e999',
  '-1e999',
  '-0',
  '5e-324',
  '9007199254740993',
  '{"__proto__":{"a":1}}',
  '{"constructor":{"prototype":{}}}',
  '[[[[]]]]',
  'null',
  'true',
  '""',
  '[]',
  '{}',
  '"../../me"',
  '"https://evil.example/users/1"',
  '"\\\\evil"',
  '"%2e%2e%2f"',
  '"users(\'1\')"',
  '"{tag}"',
  '"\u202e"',
  '"\ufeff"',
  '"\\r\\nX: y"',
  '"<script>"',
  '"\' OR 1=1 --"',
  '"$\u007bjndi:ldap://x}"',
  '"{{7*7}}"',
  '"=cmd()"',
  '"redis.call(\'FLUSHALL\')"',
  '"#seq"',
  '"resync/x"',
  `"${'x'.repeat(300)}"`,
  '01',
  'NaN',
  '+1',
  "'a'",
] as const;

const BYTES = [
  0x00, 0x0a, 0x1f, 0x22, 0x2c, 0x3a, 0x5b, 0x5c, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xed, 0xff,
] as const;
const NAMES = [
  'value',
  'clientState',
  'tenantId',
  'subscriptionId',
  'changeType',
  'resource',
  'resourceData',
  'id',
  '@odata.id',
  '@odata.etag',
  'lifecycleEvent',
  'encryptedContent',
  '__proto__',
  'constructor',
  'length',
  '0',
  '',
] as const;

function diceOf(random: () => number): Dice {
  const below = (n: number) => Math.floor(random() * n);
  return {
    below,
    oneOf: <T>(choices: readonly T[]) => choices[below(choices.length)] as T,
    chance: (share) => random() < share,
  };
}

type Step = readonly [how: string, spoil: (text: string, dice: Dice) => string];

/** Values and names as they stand in the text, so that what no program would write can be written. */
const VALUE = /("(?:[^"\\]|\\.)*"|-?\d+|true|false|null)(?=\s*[,}\]])/g;
const MEMBER = /"(?:[^"\\]|\\.)*":("(?:[^"\\]|\\.)*"|-?\d+|true|false|null),?/g;

function spoilOne(text: string, pattern: RegExp, dice: Dice, replace: (found: string) => string): string {
  const found = [...text.matchAll(pattern)];
  if (found.length === 0) return text;
  const { 0: match, index } = dice.oneOf(found);
  return text.slice(0, index) + replace(match) + text.slice(index + match.length);
}

const inText: readonly Step[] = [
  ['a value replaced', (text, dice) => spoilOne(text, VALUE, dice, () => dice.oneOf(NASTY))],
  ['a value nested', (text, dice) => spoilOne(text, VALUE, dice, (value) => nest(value, 1 + dice.below(60)))],
  ['a value in an object', (text, dice) => spoilOne(text, VALUE, dice, (value) => `{"a":${value}}`)],
  ['a property left out', (text, dice) => spoilOne(text, MEMBER, dice, () => '')],
  [
    'a property twice',
    (text, dice) => spoilOne(text, MEMBER, dice, (member) => `${member.replace(/,?$/, ',')}${member}`),
  ],
  [
    'a property renamed',
    (text, dice) => spoilOne(text, /"[^"\\]*"(?=:)/g, dice, () => JSON.stringify(dice.oneOf(NAMES))),
  ],
  [
    'a property added',
    (text, dice) =>
      spoilOne(text, /\{/g, dice, () => `{${JSON.stringify(dice.oneOf(NAMES))}:${dice.oneOf(NASTY)},`),
  ],
  [
    'a name by escape',
    (text, dice) =>
      spoilOne(
        text,
        /"[a-z]/g,
        dice,
        ([, letter]) => `"\\u${letter?.charCodeAt(0).toString(16).padStart(4, '0')}`,
      ),
  ],
  [
    'an item repeated',
    (text, dice) =>
      text.replace('"value":[', () => `"value":[${`${dice.oneOf(NASTY)},`.repeat(dice.below(30))}`),
  ],
  [
    'case changed',
    (text, dice) =>
      spoilOne(text, /[a-zA-Z]{3,}/g, dice, (word) =>
        dice.chance(0.5) ? word.toUpperCase() : word.toLowerCase(),
      ),
  ],
  ['spaces put in', (text, dice) => spoilOne(text, /[,:[\]{}]/g, dice, (sign) => ` \n\t${sign}\r `)],
  ['nasty text put in', (text, dice) => putIn(text, dice, dice.oneOf(NASTY))],
  [
    'cut in two and turned',
    (text, dice) => {
      const at = dice.below(text.length);
      return text.slice(at) + text.slice(0, at);
    },
  ],
];

function nest(value: string, depth: number): string {
  return '['.repeat(depth) + value + ']'.repeat(depth);
}

function putIn(text: string, dice: Dice, piece: string): string {
  const at = dice.below(text.length + 1);
  return text.slice(0, at) + piece + text.slice(at);
}

type ByteStep = readonly [how: string, spoil: (bytes: Buffer, dice: Dice) => Buffer];

const inBytes: readonly ByteStep[] = [
  ['a bit turned', (bytes, dice) => changeAt(bytes, dice, (byte) => byte ^ (1 << dice.below(8)))],
  ['a byte replaced', (bytes, dice) => changeAt(bytes, dice, () => dice.oneOf(BYTES))],
  [
    'a byte put in',
    (bytes, dice) => splice(bytes, dice.below(bytes.length + 1), 0, Buffer.of(dice.oneOf(BYTES))),
  ],
  ['some bytes left out', (bytes, dice) => splice(bytes, dice.below(bytes.length), 1 + dice.below(20))],
  [
    'some bytes repeated',
    (bytes, dice) => {
      const at = dice.below(bytes.length);
      return splice(bytes, at, 0, bytes.subarray(at, at + 1 + dice.below(200)));
    },
  ],
  ['cut short', (bytes, dice) => bytes.subarray(0, dice.below(bytes.length))],
  ['something behind it', (bytes, dice) => Buffer.concat([bytes, Buffer.of(dice.oneOf(BYTES))])],
];

function changeAt(bytes: Buffer, dice: Dice, change: (byte: number) => number): Buffer {
  const copy = Buffer.from(bytes);
  const at = dice.below(Math.max(1, copy.length));
  if (copy.length > 0) copy[at] = change(copy[at] as number);
  return copy;
}

function splice(bytes: Buffer, at: number, count: number, more: Buffer = Buffer.alloc(0)): Buffer {
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at + count)]);
}

function originalItems(dice: Dice, number: number): Item[] {
  return Array.from({ length: 1 + dice.below(4) }, (_, n) => {
    const event = `e${number}-${n}`;
    switch (dice.below(6)) {
      case 0:
        return lifecycle();
      case 1:
        return rich(changed({}, event));
      case 2:
        return changed({ clientState: LITERAL }, event);
      case 3:
        return changed({ changeType: 'deleted', clientState: signed(`nonce-${number}`) }, event);
      case 4:
        return changed({ clientState: 'v1.guessed.guessed' }, event);
      default:
        return changed({}, event);
    }
  });
}

/** The same for the same seed and number, whatever came before. */
export function mutation(seed: number, number: number): Mutation {
  const dice = diceOf(seededRandom(seed * 1_000_003 + number));
  const originals = originalItems(dice, number);
  const how: string[] = [];
  let text = collection(...originals);
  for (let n = dice.below(4); n > 0; n--) {
    const [name, spoil] = dice.oneOf(inText);
    how.push(name);
    text = spoil(text, dice);
  }
  const isGzip = dice.chance(0.05);
  let body: Buffer = isGzip ? gzipSync(text, { level: 1 }) : Buffer.from(text);
  for (let n = how.length === 0 ? 1 + dice.below(3) : dice.below(2); n > 0; n--) {
    const [name, spoil] = dice.oneOf(inBytes);
    how.push(isGzip ? `${name} in gzip` : name);
    body = spoil(body, dice);
  }
  return { body, isGzip, originals, how };
}
