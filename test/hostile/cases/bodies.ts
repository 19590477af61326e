/** Bodies that are no collection, two collections, or one that a parser could choke on. */
import { changed, collection, type Item, lifecycle, rich, USER } from '../graph-posts.ts';
import { deadLettering, dropping, type HostileCase, refused, storing } from '../hostile-case.ts';

const item = JSON.stringify(changed());
const good = collection(changed());
const open = item.slice(0, -1);
const withText = (json: string) => `{"value":[${open},"more":${json}}]}`;
const nested = (depth: number, [opening, closing] = ['[', ']']) =>
  `${opening?.repeat(depth)}0${closing?.repeat(depth)}`;
const bytes = (...parts: (string | readonly number[])[]) =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const inText = (...given: number[]) => bytes(`{"value":[${open},"more":"`, given, '"}]}');
const forged = (changes: Item = {}) => changed({ clientState: 'v1.guessed.guessed', ...changes });

const notJson: readonly HostileCase[] = (
  [
    ['a space', ' '],
    ['a byte order mark alone', '\ufeff'],
    ['two byte order marks', `\ufeff\ufeff${good}`],
    ['a word', 'hello'],
    ['half of a collection', good.slice(0, good.length / 2)],
    ['all but the last bracket', good.slice(0, -1)],
    ['a bracket too many', `${good}}`],
    ['two collections', good + good],
    ['two collections in lines', `${good}\n${good}`],
    ['a comment', `/**/${good}`],
    ['a comment behind', `${good}//`],
    ['a comma too many', good.replace(']}', ',]}')],
    ['single quotes', good.replaceAll('"', "'")],
    ['names without quotes', good.replace('"value"', 'value')],
    ['NaN', withText('NaN')],
    ['Infinity', withText('Infinity')],
    ['undefined', withText('undefined')],
    ['a number with a leading zero', withText('01')],
    ['a number that begins with a dot', withText('.5')],
    ['a hexadecimal number', withText('0x10')],
    ['a plus sign', withText('+1')],
    ['a text with a line break', withText('"a\nb"')],
    ['a text with a null byte', withText('"a\0b"')],
    ['an escape that there is not', withText('"\\x41"')],
    ['an escape of three digits', withText('"\\u041"')],
    ['a text without end', withText('"')],
    ['HTML', '<html><body>502</body></html>'],
    ['XML', '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]><x>&a;</x>'],
    ['a form', 'value=1&x=2'],
    ['YAML', 'value:\n  - a'],
    ['a JSON text sequence', `\x1e${good}\n`],
    ['null bytes', '\0'.repeat(1000)],
    ['NUL behind the collection', `${good}\0`],
    ['a script that reads JSON as code', `${good};process.exit()`],
    ['what hides JSON from scripts', `)]}',\n${good}`],
  ] as const
).map(([name, body]) => refused(name, { body }, 400, 'not-json'));

const notUtf8: readonly HostileCase[] = (
  [
    ['a lone byte 0xff', [0xff]],
    ['a lone continuation byte', [0x80]],
    ['a character cut short', [0xe6, 0xbc]],
    ['an overlong slash', [0xc0, 0xaf]],
    ['an overlong null', [0xc0, 0x80]],
    ['an overlong quote, which would end the text', [0xc0, 0xa2]],
    ['a slash of three bytes', [0xe0, 0x80, 0xaf]],
    ['a high surrogate in UTF-8', [0xed, 0xa0, 0x80]],
    ['a pair of surrogates in UTF-8', [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]],
    ['beyond Unicode', [0xf5, 0x80, 0x80, 0x80]],
    ['six bytes for one character', [0xfc, 0x80, 0x80, 0x80, 0x80, 0xaf]],
    ['latin-1', [0xfc]],
  ] as const
).map(([name, given]) => refused(name, { body: inText(...given) }, 400, 'not-utf8'));

const otherUtf: readonly HostileCase[] = [
  refused('UTF-16', { body: Buffer.from(good, 'utf16le') }, 400, 'not-json'),
  refused(
    'UTF-16 with its mark',
    { body: bytes([0xff, 0xfe], [...Buffer.from(good, 'utf16le')]) },
    400,
    'not-utf8',
  ),
  refused('UTF-7', { body: good.replaceAll('"', '+ACI-') }, 400, 'not-json'),
];

const noCollection: readonly HostileCase[] = (
  [
    ['null', 'null'],
    ['true', 'true'],
    ['a number', '1e999'],
    ['a text', '"value"'],
    ['an empty array', '[]'],
    ['an array of items', `[${item}]`],
    ['an item alone', item],
    ['an empty object', '{}'],
    ['a value that is null', '{"value":null}'],
    ['a value that is an object', `{"value":${item}}`],
    ['a value like an array', `{"value":{"0":${item},"length":1}}`],
    ['a value that is a text', '{"value":"[]"}'],
    ['a value that is a number', '{"value":1}'],
    ['Value in capitals', `{"Value":[${item}]}`],
    ['values', `{"values":[${item}]}`],
    ['a value with a space in its name', `{"value ":[${item}]}`],
    ['a value by way of __proto__', `{"__proto__":{"value":[${item}]}}`],
    ['a value by way of constructor', `{"constructor":{"prototype":{"value":[${item}]}}}`],
    ['a collection in a collection', `{"value":{"value":[${item}]}}`],
    ['validation tokens that are a text', `{"value":[${item}],"validationTokens":"jwt"}`],
    ['validation tokens that are numbers', `{"value":[${item}],"validationTokens":[1]}`],
    ['validation tokens that are an object', `{"value":[${item}],"validationTokens":{}}`],
  ] as const
).map(([name, body]) => refused(name, { body }, 400, 'no-collection'));

const repeated: readonly HostileCase[] = (
  [
    ['value twice, the good one last', `{"value":[],"value":[${item}]}`],
    ['value twice, the good one first', `{"value":[${item}],"value":[]}`],
    ['value twice, once by escape', `{"value":[${item}],"v\\u0061lue":[]}`],
    ['clientState twice, the good one first', `{"value":[${open},"clientState":"x"}]}`],
    ['clientState twice, the good one last', `{"value":[{"clientState":"x",${item.slice(1)}]}`],
    ['resource twice', `{"value":[${open},"resource":"users/other/events/e"}]}`],
    ['tenantId twice', `{"value":[${open},"tenantId":"other"}]}`],
    ['subscriptionId twice and equal', `{"value":[{"subscriptionId":"a","subscriptionId":"a"}]}`],
    ['changeType twice', `{"value":[${open},"changeType":"deleted"}]}`],
    ['lifecycleEvent twice', `{"value":[${open},"lifecycleEvent":"missed","lifecycleEvent":null}]}`],
    ['@odata.id twice', good.replace('"@odata.id"', '"@odata.id":"users/other/events/e","@odata.id"')],
    ['an unknown property twice', `{"value":[${open},"x":1,"x":1}]}`],
    ['__proto__ twice', `{"value":[${open},"__proto__":1,"__proto__":2}]}`],
    ['validationTokens twice', `{"value":[${item}],"validationTokens":[],"validationTokens":null}`],
  ] as const
).map(([name, body]) => refused(name, { body }, 400, 'repeated-property'));

const deep: readonly HostileCase[] = [
  ...[33, 1000, 40_000, 1_000_000].map((depth) =>
    refused(`${depth} arrays in each other`, { body: `{"value":[${nested(depth - 2)}]}` }, 400, 'too-deep'),
  ),
  refused(
    '40,000 objects in each other',
    { body: withText(nested(40_000, ['{"a":', '}'])) },
    400,
    'too-deep',
  ),
  refused('brackets without end', { body: '['.repeat(2_000_000) }, 400, 'too-deep'),
  refused('braces without end', { body: '{"a":'.repeat(500_000) }, 400, 'too-deep'),
  refused('closing brackets first', { body: ']'.repeat(40_000) }, 400, 'not-json'),
  storing('29 arrays in a property of an item', { body: withText(nested(29)) }),
  storing('brackets in a text', { body: withText(`"${'[{'.repeat(20_000)}"`) }),
  storing('brackets behind an escaped quote', { body: withText(`"\\"${'['.repeat(40)}"`) }),
];

const many: readonly HostileCase[] = [
  storing(
    '1,000 items',
    { body: collection(...Array.from({ length: 1000 }, (_, n) => changed({}, `e${n}`))) },
    1000,
  ),
  storing('1,000 times the same item', { body: collection(...Array(1000).fill(changed())) }, 1000),
  refused('5,001 items', { body: collection(...Array(5001).fill(0)) }, 413, 'too-many-items'),
  dropping('5,000 items that are forged', {
    body: collection(...Array(5000).fill(forged({ resource: 'x', resourceData: null }))),
  }),
  dropping('5,000 items that are nothing', { body: collection(...Array(5000).fill(null)) }),
  refused('a million numbers', { body: `{"value":[${'0,'.repeat(1_000_000)}0]}` }, 413, 'too-many-values'),
  refused(
    'a million properties',
    { body: `{"value":[{${'"a":1,'.repeat(800_000)}"a":1}]}` },
    413,
    'too-many-values',
  ),
  storing('20,000 properties', {
    body: collection(changed(Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`p${n}`, n])))),
  }),
  storing('20,000 validation tokens', {
    body: JSON.stringify({ value: [rich()], validationTokens: Array(20_000).fill('e30.e30.x') }),
  }),
  storing('a validation token of a megabyte', {
    body: JSON.stringify({ value: [rich()], validationTokens: ['x'.repeat(1_000_000)] }),
  }),
  storing('a text of four megabytes', { body: withText(`"${'x'.repeat(4_000_000)}"`) }),
  storing('a text of 600,000 escapes', { body: withText(`"${'\\u0041'.repeat(600_000)}"`) }),
  storing('a number of a million digits', { body: withText('9'.repeat(1_000_000)) }),
  storing('a property with a name of a megabyte', {
    body: `{"value":[${open},"${'x'.repeat(1_000_000)}":1}]}`,
  }),
];

const odd: readonly HostileCase[] = [
  dropping('an empty collection', { body: '{"value":[]}' }),
  storing('a byte order mark', { body: `\ufeff${good}` }),
  storing('white space around', { body: ` \r\n\t${good}\n ` }),
  storing('null for validation tokens', { body: `{"value":[${item}],"validationTokens":null}` }),
  storing('null among validation tokens', { body: `{"value":[${item}],"validationTokens":[null]}` }),
  storing('value by escape', { body: `{"\\u0076alue":[${item}]}` }),
  storing('unknown properties beside value', {
    body: `{"@odata.context":"x","value":[${item}],"more":[{}]}`,
  }),
  storing('__proto__ beside value', { body: `{"__proto__":{"value":[]},"value":[${item}]}` }),
  storing('__proto__ in an item', { body: `{"value":[${open},"__proto__":{"lifecycleEvent":"missed"}}]}` }),
  storing('constructor in an item', { body: `{"value":[${open},"constructor":{"prototype":{"a":1}}}]}` }),
  storing('toString in an item', { body: `{"value":[${open},"toString":1,"hasOwnProperty":1,"then":1}]}` }),
  dropping('an item by way of __proto__', { body: `{"value":[{"__proto__":${item}}]}` }),
  dropping('items that are no objects', { body: '{"value":[null,1,"x",true,1e999,-0]}' }),
  dropping('items that are arrays', { body: `{"value":[[${item}],[[]],[]]}` }),
  dropping('items that are collections', { body: `{"value":[${good}]}` }),
  storing('a good item among nonsense', { body: collection(null, [], 'x', forged(), changed(), {}) }),
  storing('a lone surrogate where nobody looks', { body: withText('"\\udfff"') }),
  storing('numbers beyond all numbers where nobody looks', { body: withText('[1e999,-1e999,5e-324,-0]') }),
  storing('change and lifecycle in one', { body: collection(changed(), lifecycle()) }, 2),
  storing('a lifecycle notification with a resource', {
    body: collection(lifecycle({ resource: 1, changeType: [] })),
  }),
  deadLettering(
    'as many that cannot be read',
    { body: collection(...Array.from({ length: 3 }, () => changed({ resource: 5 }))) },
    /resource/,
    3,
  ),
];

const noPath = [
  'https://graph.microsoft.com/v1.0/users/1/events/2',
  'https://evil.example/users/1',
  '//evil.example/users/1',
  '\\\\evil.example\\users\\1',
  '../me',
  'users/../../me',
  'users/1/../../groups/2',
  'users/%2e%2e/groups/1',
  'users/1/events/2?$select=body',
  'users/1/events/2#x',
  'users/1/events/2\r\nHost: evil.example',
  'users/1/events/\u0000',
  'users//events/2',
  'users/1/events//',
  'javascript:alert(1)',
  'file:///etc/passwd',
  '$batch',
  'users/1/unknownWords/2',
  'users/1/events',
  "users('1')/events('2')/attachments('3')",
  "users(')/events('2')",
  "users('1'/events('2')",
  'users/\ud800/events/1',
  'x'.repeat(3000),
] as const;

/** A path alone, so that nothing else says which resource it is; a mere collection is one that can be read. */
const resources = noPath.map((resource) => {
  const post = { body: collection(changed({ resource, resourceData: null })) };
  const name = `resource ${JSON.stringify(resource).slice(0, 60)}`;
  return resource === 'users/1/events' ? storing(name, post) : deadLettering(name, post, /^resource: /);
});

const owners: readonly HostileCase[] = [
  deadLettering(
    'two owners in one item',
    { body: collection(changed({ resourceData: { '@odata.id': 'users/other/events/e' } })) },
    /different owners/,
  ),
  storing('@odata.id of another host beside a good resource', {
    body: collection(changed({ resourceData: { '@odata.id': 'https://evil.example/users/1', id: 'e' } })),
  }),
  storing('an id that climbs', {
    body: collection(changed({ resource: `users/${USER}/events`, resourceData: { id: '../../groups/1' } })),
  }),
];

export const bodyCases: readonly HostileCase[] = [
  ...notJson,
  ...notUtf8,
  ...otherUtf,
  ...noCollection,
  ...repeated,
  ...deep,
  ...many,
  ...odd,
  ...resources,
  ...owners,
];
