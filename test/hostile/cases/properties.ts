/** Every property that Graph documents, with every wrong kind of value: what the table of answers demands of each. */
import {
  changed,
  collection,
  type Item,
  LITERAL,
  lifecycle,
  rich,
  SUBSCRIPTION,
  signed,
  TENANT,
} from '../graph-posts.ts';
import { deadLettering, dropping, type HostileCase, storing } from '../hostile-case.ts';

type Value = readonly [what: string, json: string];

/** As JSON text, since some of them no program would write. */
const ABSENT: Value = ['absent', ''];
const NULL: Value = ['null', 'null'];
const NOT_TEXT: readonly Value[] = [
  ['true', 'true'],
  ['a number', '1'],
  ['minus zero', '-0'],
  ['a number beyond all numbers', '1e999'],
  ['a number of 400 digits', '9'.repeat(400)],
  ['an array', '["updated"]'],
  ['an empty array', '[]'],
  ['an object', '{"updated":true}'],
  ['an object with __proto__', '{"__proto__":{"toString":1}}'],
];
const ODD_TEXT: readonly Value[] = [
  ['a lone surrogate', '"a\\ud800b"'],
  ['a null character', '"a\\u0000b"'],
  ['a text of 5,000 characters', `"${'x'.repeat(5000)}"`],
];
const EMPTY: Value = ['an empty text', '""'];
const ODD_NAME: readonly Value[] = [
  EMPTY,
  ['a path', '"../../me"'],
  ['markup', '"<script>"'],
  ['a space', '" "'],
];

/** The collection with one property of the item replaced by a JSON text; `path` leads to it. */
function withValue(item: Item, path: readonly string[], json: string): string {
  const copy = structuredClone(item);
  const holder = path.slice(0, -1).reduce<Item>((inner, name) => inner[name] as Item, copy);
  const name = path.at(-1) as string;
  delete holder[name];
  if (json === '') return collection(copy);
  holder[name] = '\u0001here\u0001';
  return collection(copy).replace('"\\u0001here\\u0001"', () => json);
}

function kindOf(item: Item): string {
  if ('lifecycleEvent' in item) return 'lifecycle: ';
  if ('encryptedContent' in item) return 'rich: ';
  return item.clientState === LITERAL ? 'literal clientState: ' : '';
}

type Rule = (name: string, body: string) => HostileCase;

function casesOf(item: Item, path: string, values: readonly Value[], rule: Rule): HostileCase[] {
  return values.map(([what, json]) =>
    rule(`${kindOf(item)}${path} is ${what}`, withValue(item, path.split('/'), json)),
  );
}

const dead =
  (why: RegExp): Rule =>
  (name, body) =>
    deadLettering(name, { body }, why);
const drop: Rule = (name, body) => dropping(name, { body });
const keep: Rule = (name, body) => storing(name, { body });

const undocumented = (path: string) => dead(new RegExp(`^not as documented: .*${path.replaceAll('/', '.')}`));

/** Without it the item says nothing that could be worked. */
const required = [
  ...casesOf(
    changed(),
    'changeType',
    [ABSENT, NULL, EMPTY, ...NOT_TEXT, ...ODD_TEXT],
    undocumented('changeType'),
  ),
  ...casesOf(changed(), 'resource', [ABSENT, NULL, EMPTY, ...NOT_TEXT], undocumented('resource')),
  ...casesOf(
    changed(),
    'subscriptionId',
    [ABSENT, NULL, EMPTY, ...NOT_TEXT, ...ODD_TEXT],
    undocumented('subscriptionId'),
  ),
  ...casesOf(changed(), 'subscriptionId', ODD_NAME.slice(1), dead(/^subscriptionId is no id/)),
];

/** It proves where the item comes from. */
const proof = [
  ...casesOf(changed(), 'clientState', [ABSENT, NULL, EMPTY, ...NOT_TEXT, ...ODD_TEXT], drop),
  ...casesOf(
    changed(),
    'tenantId',
    [ABSENT, NULL, EMPTY, ...NOT_TEXT, ...ODD_TEXT, ...ODD_NAME.slice(1)],
    drop,
  ),
  ...casesOf(
    lifecycle(),
    'clientState',
    [ABSENT, NULL, ['an array of a good one', JSON.stringify([signed('a-nonce')])]],
    drop,
  ),
];

/** A literal clientState is believed whatever the tenant; what names no tenant cannot be worked. */
const literal = casesOf(
  changed({ clientState: LITERAL }),
  'tenantId',
  [ABSENT, NULL, EMPTY, ['a number', '1'], ['an object', '{}']],
  undocumented('tenantId'),
);
const literalNames = casesOf(
  changed({ clientState: LITERAL }),
  'tenantId',
  ODD_NAME.slice(1),
  dead(/^tenantId is no id/),
);

/** Known, and wrong where it is there at all. */
const optional = [
  ...casesOf(changed(), 'id', [ABSENT, NULL, EMPTY], keep),
  ...casesOf(changed(), 'id', [...NOT_TEXT, ...ODD_TEXT], undocumented('id')),
  ...casesOf(
    changed(),
    'resourceData',
    [ABSENT, NULL, ['an object', '{}'], ['an object with __proto__', '{"__proto__":{"id":1}}']],
    keep,
  ),
  ...casesOf(
    changed(),
    'resourceData',
    [
      ['a text', '"x"'],
      ['a number', '1'],
      ['true', 'true'],
      ['an array', '[]'],
      ['1e999', '1e999'],
    ],
    undocumented('resourceData'),
  ),
  ...['id', '@odata.id', '@odata.type', '@odata.etag'].flatMap((name) => [
    ...casesOf(changed(), `resourceData/${name}`, [ABSENT, NULL], keep),
    ...casesOf(changed(), `resourceData/${name}`, NOT_TEXT, undocumented(`resourceData/${name}`)),
  ]),
  ...['@odata.type', '@odata.etag'].flatMap((name) =>
    casesOf(changed(), `resourceData/${name}`, ODD_TEXT, undocumented(`resourceData/${name}`)),
  ),
];

/** Not looked at: Graph may add to them what it likes. */
const ignored = [
  ...casesOf(
    changed(),
    'subscriptionExpirationDateTime',
    [ABSENT, NULL, EMPTY, ...NOT_TEXT, ...ODD_TEXT],
    keep,
  ),
  ...casesOf(rich(), 'encryptedContent', [NULL, ...NOT_TEXT], keep),
  ...[
    'data',
    'dataKey',
    'dataSignature',
    'encryptionCertificateId',
    'encryptionCertificateThumbprint',
  ].flatMap((name) =>
    casesOf(rich(), `encryptedContent/${name}`, [ABSENT, NULL, ['a number', '1'], ['an object', '{}']], keep),
  ),
  ...casesOf(changed(), 'somethingNew', [NULL, ...NOT_TEXT, ...ODD_TEXT], keep),
];

const lifecycles = [
  ...casesOf(
    lifecycle(),
    'lifecycleEvent',
    [EMPTY, ...NOT_TEXT, ...ODD_TEXT],
    undocumented('lifecycleEvent'),
  ),
  ...casesOf(lifecycle(), 'lifecycleEvent', [ABSENT, NULL], dead(/^not as documented: changeType, resource/)),
  ...casesOf(lifecycle(), 'lifecycleEvent', [['one that nobody knows yet', '"somethingNew"']], keep),
  ...casesOf(
    lifecycle(),
    'subscriptionId',
    [ABSENT, NULL, EMPTY, ...NOT_TEXT],
    undocumented('subscriptionId'),
  ),
  ...casesOf(lifecycle(), 'subscriptionId', ODD_NAME.slice(1), dead(/subscriptionId is no id/)),
  ...casesOf(changed(), 'lifecycleEvent', [NULL, ['missed', '"missed"']], keep),
];

const clientStates = [
  ['of another tenant', signed('a-nonce', '11111111-2222-3333-4444-555555555555')],
  ['of another secret', signed('a-nonce', TENANT, 'another secret of nobody')],
  ['of another version', signed('a-nonce').replace('v1', 'v2')],
  ['without a signature', 'v1.a-nonce'],
  ['with an empty signature', 'v1.a-nonce.'],
  ['with a fourth part', `${signed('a-nonce')}.x`],
  ['in capitals', signed('a-nonce').toUpperCase()],
  ['with a space behind it', `${signed('a-nonce')} `],
  ['with padding', `${signed('a-nonce')}=`],
  ['cut short', signed('a-nonce').slice(0, -1)],
  ['of 129 characters', signed('n'.repeat(82))],
  ['with another nonce', signed('a-nonce').replace('a-nonce', 'b-nonce')],
  ['a literal in capitals', LITERAL.toUpperCase()],
  ['the start of a literal', LITERAL.slice(0, -1)],
].map(([what, clientState]) =>
  dropping(`clientState ${what}`, { body: collection(changed({ clientState })) }),
);

const changeTypes = [
  ...['created', 'Created', 'UPDATED', 'deleted'].map((changeType) =>
    storing(`changeType ${changeType}`, { body: collection(changed({ changeType })) }),
  ),
  ...['renamed', 'created,updated', ' updated', 'updated ', 'Validation: x'].map((changeType) =>
    deadLettering(
      `changeType ${JSON.stringify(changeType)}`,
      { body: collection(changed({ changeType })) },
      /changeType/,
    ),
  ),
  storing('the subscription NA of a test item', { body: collection(changed({ subscriptionId: 'NA' })) }),
  storing('a tenant in capitals', { body: collection(changed({ tenantId: TENANT.toUpperCase() })) }),
  storing('a subscription in capitals', {
    body: collection(lifecycle({ subscriptionId: SUBSCRIPTION.toUpperCase() })),
  }),
];

export const propertyCases: readonly HostileCase[] = [
  ...required,
  ...proof,
  ...literal,
  ...literalNames,
  ...optional,
  ...ignored,
  ...lifecycles,
  ...clientStates,
  ...changeTypes,
];
