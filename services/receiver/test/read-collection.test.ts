import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readCollection } from '../src/read-collection.ts';
import { REFUSALS } from '../src/refusals.ts';

const read = (text: string) => readCollection(Buffer.from(text));
const nested = (depth: number) => `{"value":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;

describe('readCollection', () => {
  it.each([
    ['{"value":[]}', []],
    ['{"value":[1,null,"x",{"a":[]}]}', [1, null, 'x', { a: [] }]],
    [' \n{"value" : [ {} ] }\n', [{}]],
    ['\ufeff{"value":[{}]}', [{}]],
    ['{"value":[1],"validationTokens":["jwt",null],"other":{"a":1}}', [1]],
    ['{"value":[1],"validationTokens":null}', [1]],
    ['{"value":["ü 漢 😀 \\ud83d\\ude00"]}', ['ü 漢 😀 😀']],
    ['{"value":["[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]}', ['['.repeat(44)]],
    ['{"value":["\\"[{\\\\"]}', ['"[{\\']],
  ])('reads %j', (text, items) => {
    expect(read(text)).toMatchObject({ ok: true, collection: { items } });
  });

  it('refuses an empty body', () => {
    expect(read('')).toEqual({ ok: false, code: 'body-empty' });
  });

  it.each([
    'x',
    '{',
    '{"value":[}',
    '{"value":[],}',
    "{'value':[]}",
    '{"value":[NaN]}',
    '"',
    '\\',
    '[',
    ']',
    '{"a":"\n"}',
  ])('says that %j is not JSON', (text) => {
    expect(read(text)).toEqual({ ok: false, code: 'not-json' });
  });

  it.each([
    'null',
    '[]',
    '1',
    '"x"',
    'true',
    '{}',
    '{"value":null}',
    '{"value":{}}',
    '{"Value":[]}',
    '{"value":"[]"}',
  ])('finds no array of notifications in %j', (text) => {
    expect(read(text)).toEqual({ ok: false, code: 'no-collection' });
  });

  it.each([
    ['a lone continuation byte', [0x80]],
    ['a cut character', [0xe6, 0xbc]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['latin-1', [0xfc]],
    ['beyond Unicode', [0xf5, 0x80, 0x80, 0x80]],
  ])('says that %s is not UTF-8', (_what, bytes) => {
    const body = Buffer.concat([Buffer.from('{"value":["'), Buffer.from(bytes), Buffer.from('"]}')]);
    expect(readCollection(body)).toEqual({ ok: false, code: 'not-utf8' });
  });

  it.each(['utf16le', 'ucs2'] as const)('does not read %s', (encoding) => {
    expect(readCollection(Buffer.from('{"value":[]}', encoding)).ok).toBe(false);
  });

  it('reads good bodies after bad ones', () => {
    const cut = Buffer.from([0x22, 0xe6, 0xbc]);
    for (let n = 0; n < 3; n++) {
      expect(readCollection(cut).ok).toBe(false);
      expect(read('{"value":["漢"]}')).toMatchObject({ ok: true, collection: { items: ['漢'] } });
    }
  });

  it('reads what nests 32 deep, and not what nests deeper', () => {
    expect(read(nested(32)).ok).toBe(true);
    expect(read(nested(33))).toEqual({ ok: false, code: 'too-deep' });
    expect(read(nested(40_000)).ok).toBe(false);
    expect(read('['.repeat(5_000_000)).ok).toBe(false);
    expect(read(`${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}`).ok).toBe(false);
  });

  it('takes brackets for depth only outside of texts, also behind escaped quotes', () => {
    const brackets = '['.repeat(40);
    for (const text of [brackets, `\\"${brackets}`, `\\\\\\"${brackets}`, `\\u0022${brackets}`]) {
      expect(read(`{"value":["${text}"]}`)).toMatchObject({ ok: true });
    }
    for (const text of ['', '\\\\', '\\"', '\\\\\\"\\\\']) {
      expect(read(`{"value":["${text}",${brackets}`)).toEqual({ ok: false, code: 'too-deep' });
    }
  });

  it('reads 5,000 items, and not one more', () => {
    const items = (count: number) => read(`{"value":[${Array(count).fill('{}').join()}]}`);
    expect(items(5000)).toMatchObject({ ok: true });
    expect(items(5001)).toEqual({ ok: false, code: 'too-many-items' });
  });

  it.each([
    ['five million numbers', `{"value":[${'0,'.repeat(5_000_000)}0]}`],
    ['five million numbers in one item', `{"value":[[${'0,'.repeat(5_000_000)}0]]}`],
    ['three million empty objects', `{"value":[${'{},'.repeat(3_300_000)}{}]}`],
    ['a million properties', `{"value":[{${'"a":1,'.repeat(1_000_000)}"a":1}]}`],
  ])('refuses %s before they cost anybody else an answer', (_what, text) => {
    const body = Buffer.from(text);
    const startedAt = performance.now();
    expect(readCollection(body)).toEqual({ ok: false, code: 'too-many-values' });
    expect(performance.now() - startedAt).toBeLessThan(1000);
  });

  it.each([
    ['twice "value"', '{"value":[],"value":[{}]}'],
    ['an unknown property twice', '{"value":[],"x":1,"x":1}'],
    ['a property of an item twice', '{"value":[{"clientState":"a","clientState":"b"}]}'],
    [
      'a property of an item twice, once by escape',
      '{"value":[{"clientState":"a","client\\u0053tate":"b"}]}',
    ],
    ['a property of a resource twice', '{"value":[{"resourceData":{"id":"a","id":"b"}}]}'],
    ['__proto__ twice', '{"value":[{"__proto__":{},"__proto__":{}}]}'],
    ['a property of an array element twice', '{"value":[[[{"a":1,"a":1}]]]}'],
  ])('refuses %s, which has two meanings', (_what, text) => {
    expect(read(text)).toEqual({ ok: false, code: 'repeated-property' });
  });

  it('takes equal properties of different objects, and colons in texts, for what they are', () => {
    expect(read('{"value":[{"a":{"a":":"},"b":":\\":"},{"a":[{"a":1},{"a":1}]}],"a":{}}')).toMatchObject({
      ok: true,
    });
  });

  it('gives no property to anybody by way of __proto__', () => {
    const result = read('{"__proto__":{"value":[1]},"constructor":{"prototype":{"polluted":true}}}');
    expect(result.ok).toBe(false);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
    expect(read('{"value":[{"__proto__":{"polluted":true}}]}').ok).toBe(true);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('answers whatever bytes come', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const result = readCollection(Buffer.from(bytes));
        expect(result.ok || result.code in REFUSALS).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  it('reads the items of every collection that JSON can carry', () => {
    const jsonItems = fc.array(fc.jsonValue({ maxDepth: 5 }));
    fc.assert(
      fc.property(jsonItems, (items) => {
        const result = read(JSON.stringify({ value: items }));
        expect(result).toEqual({
          ok: true,
          collection: { items: JSON.parse(JSON.stringify(items)), validationTokens: [] },
        });
      }),
    );
  });

  it.each([
    ['["a",null,"b"]', ['a', 'b']],
    ['null', []],
    [
      JSON.stringify(Array.from({ length: 10_000 }, (_, n) => `${n}`)),
      Array.from({ length: 20 }, (_, n) => `${n}`),
    ],
  ])('reads the tokens that can be of use, twenty at most (%#)', (tokens, wanted) => {
    expect(read(`{"value":[],"validationTokens":${tokens}}`)).toEqual({
      ok: true,
      collection: { items: [], validationTokens: wanted },
    });
  });
});
