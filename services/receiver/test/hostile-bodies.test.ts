import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLIENT_STATE, change, collection, lifecycle, SUBSCRIPTION, TENANT, USER } from './notifications.ts';
import { post } from './post.ts';
import { serveApp } from './serve-app.ts';

const good = JSON.stringify(change());
const nest = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const withBytes = (...bytes: number[]) =>
  Buffer.concat([
    Buffer.from(`{"value":[${good.slice(0, -1)},"x":"`),
    Buffer.from(bytes),
    Buffer.from('"}]}'),
  ]);

/** Bodies, and what becomes of them: the status, and how many entries are stored. */
const bodies: readonly (readonly [what: string, body: string | Buffer, status: number, stored: number])[] = [
  ['nothing', '', 400, 0],
  ['a space', ' ', 400, 0],
  ['a byte order mark alone', '\ufeff', 400, 0],
  ['no JSON', 'hello', 400, 0],
  ['half of a collection', collection(change()).slice(0, -3), 400, 0],
  ['a collection and more', `${collection(change())}x`, 400, 0],
  ['two collections', collection(change()).repeat(2), 400, 0],
  ['a comment', `/* */${collection(change())}`, 400, 0],
  ['HTML', '<html><script>alert(1)</script></html>', 400, 0],
  ['a form', 'value=1', 400, 0],
  ['null', 'null', 400, 0],
  ['a bare array', `[${good}]`, 400, 0],
  ['a bare item', good, 400, 0],
  ['a value that is an object', `{"value":${good}}`, 400, 0],
  ['a value that is a text', '{"value":"x"}', 400, 0],
  ['a value that is null', '{"value":null}', 400, 0],
  ['a value by way of __proto__', `{"__proto__":{"value":[${good}]}}`, 400, 0],
  ['a nesting of 40,000', `{"value":${nest(40_000)}}`, 400, 0],
  ['a nesting of 40,000 in an item', `{"value":[${good.slice(0, -1)},"x":${nest(40_000)}}]}`, 400, 0],
  ['objects 1,000 deep', `{"value":[${'{"a":'.repeat(1000)}1${'}'.repeat(1000)}]}`, 400, 0],
  ['an invalid UTF-8 byte', withBytes(0xff), 400, 0],
  ['an overlong UTF-8 character', withBytes(0xc0, 0xaf), 400, 0],
  ['a surrogate in UTF-8', withBytes(0xed, 0xa0, 0x80), 400, 0],
  ['UTF-16', Buffer.from(collection(change()), 'utf16le'), 400, 0],
  ['gzip that is not declared', gzipSync(collection(change())), 400, 0],
  ['null bytes', '\0'.repeat(1000), 400, 0],
  ['brackets without end', '['.repeat(1_000_000), 400, 0],
  ['quotes without end', `{"value":["${'x'.repeat(1_000_000)}`, 400, 0],
  ['validation tokens that are no list', `{"value":[${good}],"validationTokens":"x"}`, 400, 0],

  ['a byte order mark', `\ufeff${collection(change())}`, 202, 1],
  ['white space around', ` \r\n\t${collection(change())}\n`, 202, 1],
  ['a duplicate value', `{"value":[],"value":[${good}]}`, 400, 0],
  ['a duplicate clientState', `{"value":[${good.slice(0, -1)},"clientState":"x"}]}`, 400, 0],
  [
    'a duplicate lifecycleEvent',
    `{"value":[${good.slice(0, -1)},"lifecycleEvent":1,"lifecycleEvent":null}]}`,
    400,
    0,
  ],
  ['properties of __proto__', `{"value":[{"__proto__":${good}}]}`, 202, 0],
  [
    'a __proto__ beside the rest',
    `{"value":[${good.slice(0, -1)},"__proto__":{"lifecycleEvent":"x"}}]}`,
    202,
    1,
  ],
  ['a constructor', `{"value":[${good.slice(0, -1)},"constructor":{"prototype":{"a":1}}}]}`, 202, 1],
  ['a lone surrogate by escape', `{"value":[${good.slice(0, -1)},"id":"\\ud800"}]}`, 202, 1],
  [
    'a lone surrogate in the resource',
    collection(change()).replace(`Users/${USER}/Events/e1`, 'users/\\udfff'),
    202,
    1,
  ],
  ['a number beyond all numbers', collection(change()).replace(`"${TENANT}"`, '1e999'), 202, 0],
  ['such a number where nobody looks', `{"value":[${good.slice(0, -1)},"x":1e999,"y":-1e999}]}`, 202, 1],
  ['a number of many digits', `{"value":[${good.slice(0, -1)},"x":${'9'.repeat(10_000)}}]}`, 202, 1],
  ['a null byte by escape', `{"value":[${good.slice(0, -1)},"id":"\\u0000"}]}`, 202, 1],
  ['items that are arrays', collection([change()], [[]], []), 202, 0],
  ['items of every other kind', collection(null, 1, 'x', true, {}), 202, 0],
  ['a text of a megabyte', collection(change({ id: 'x'.repeat(1_000_000) })), 202, 1],
  ['a clientState of a megabyte', collection(change({ clientState: 'x'.repeat(1_000_000) })), 202, 0],
  ['ten thousand properties', collection(Object.assign(change(), manyProperties(10_000))), 202, 1],
  ['null for validation tokens', `{"value":[${good}],"validationTokens":null}`, 202, 1],
  ['unknown properties', collection({ ...change(), next: { year: [1] } }), 202, 1],
];

function manyProperties(count: number): object {
  return Object.fromEntries(Array.from({ length: count }, (_, n) => [`p${n}`, n]));
}

describe('a body that is', () => {
  it.each(bodies)('%s', async (_what, body, status, stored) => {
    await using it = await serveApp();
    const answer = await post(`${it.url}/events`, body);
    expect(answer.status).toBe(status);
    expect(answer.text).not.toMatch(/<|\bat .*:\d+:\d+|node_modules|SyntaxError|Zod/);
    expect((await it.takeStored()).count).toBe(stored);
    expect(it.logged.of('request.failed')).toEqual([]);
    const next = await post(`${it.url}/events`, collection(change({}, { event: 'next' })));
    expect(next.status).toBe(202);
  });
});

describe('an item whose properties are of the wrong type', () => {
  const wrongTypes = [null, 0, 1.5, true, '', 'text', [], ['a'], {}, { a: 1 }];
  const properties = [
    'subscriptionId',
    'tenantId',
    'clientState',
    'changeType',
    'resource',
    'resourceData',
    'id',
  ];

  it.each([...properties, 'lifecycleEvent', 'subscriptionExpirationDateTime', 'encryptedContent'])(
    'is answered with 202, whatever %s is',
    async (property) => {
      await using it = await serveApp();
      for (const value of wrongTypes) {
        const answer = await post(`${it.url}/events`, collection(change({ [property]: value })));
        expect([value, answer.status]).toEqual([value, 202]);
      }
      const { jobs, owners } = await it.takeStored();
      expect(jobs).toEqual(owners);
      expect(it.logged.of('request.failed')).toEqual([]);
    },
  );

  it('is answered with 202 in any combination, and never breaks anything', async () => {
    await using it = await serveApp();
    const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.string({ unit: 'binary' }));
    const item = fc.record(Object.fromEntries(properties.map((name) => [name, value])), { requiredKeys: [] });
    const verified = item.map((fields) => ({
      ...change(),
      ...fields,
      tenantId: TENANT,
      subscriptionId: SUBSCRIPTION,
      clientState: CLIENT_STATE,
    }));
    const anyItem = fc.oneof(
      item,
      verified,
      verified.map((fields) => ({ ...fields, ...lifecycle() })),
      value,
    );
    await fc.assert(
      fc.asyncProperty(fc.array(anyItem, { maxLength: 5 }), async (items) => {
        expect((await post(`${it.url}/events`, collection(...items))).status).toBe(202);
      }),
      { numRuns: 150 },
    );
    expect(it.logged.of('request.failed')).toEqual([]);
    const stored = await it.takeStored();
    expect(stored.jobs).toEqual(stored.owners);
  });
});
