/** The reader of subscriptions.yaml against the schema that editors check by: neither takes a form that the other refuses. */
import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { declarationJsonSchema, declarationSchema } from '../../src/declaration/declaration-schema.ts';
import { parseSubscriptionsFile } from '../../src/declaration/read-declaration.ts';

const validate = new Ajv2020({ allErrors: true }).compile(declarationJsonSchema());
const GUID = '0A0a0a0a-1111-4222-8333-444444444444';

/** Right and wrong values for each field, so that most files differ from a right one in a thing or two. */
const texts = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    'a',
    'a-b',
    'A',
    '-a',
    'a@b.example',
    GUID,
    `${GUID} `,
    `{${GUID}}`,
    '$filter=x',
    'a\nb',
  ),
  fc.constantFrom(
    'file:',
    'file:/x',
    'azurekeyvault://vault/secret',
    'azurekeyvault://vault',
    'https://x',
    'a.b',
    '?x',
  ),
  fc.constantFrom(
    'file:///x',
    'file:////x',
    'file://x',
    'file:x',
    'azurekeyvault://vault.VAULT.azure.net/s/1',
  ),
  fc.constantFrom(
    'azurekeyvault://vault.evil.net/s',
    'azurekeyvault://vault/s/1/2',
    'gcpsecretmanager://pp/s/1',
  ),
  fc.constantFrom('gcpsecretmanager://p/s/1', 'gcpsecretmanager://p/s', 'é', ' x', '\u0085x', 'x'.repeat(41)),
  fc.string({ unit: 'binary', maxLength: 6 }),
);
const numbers = fc.constantFrom(0, 44, 45, 60, 44.5, 45.5, -1, 1e20, Number.MAX_SAFE_INTEGER, 1e15);
const anything = fc.oneof(
  texts,
  numbers,
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom(
    [],
    {},
    [[]],
    { filter: 'x' },
    { filter: 'x', top: 1 },
    { filter: 1 },
    ['a'],
    ['created'],
    [GUID],
  ),
  fc.array(texts, { maxLength: 3 }),
);
const right: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  name: fc.constantFrom('one', 'two'),
  tenant: fc.constant('contoso'),
  resource: fc.constant('users/{user}/events'),
  users: fc.constantFrom<unknown>('all', [GUID], ['eve@contoso.com'], { filter: 'a eq b' }),
  group: fc.constantFrom('sales@contoso.com', GUID),
  changeTypes: fc.constantFrom(['created'], ['updated', 'deleted']),
  topic: fc.constantFrom('t', 'x.{tenant}'),
  lifeMinutes: fc.constantFrom(45, 600),
  filter: fc.constantFrom('isRead eq false', ' a'),
  rich: fc.boolean(),
  fetch: fc.boolean(),
  select: fc.constantFrom(['subject'], ['a', 'b']),
  body: fc.constantFrom('text', 'html'),
  timeZone: fc.constant('Europe/Berlin'),
  immutableIds: fc.boolean(),
};
const rightTenant: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  name: fc.constant('contoso'),
  id: fc.constant(GUID),
  clientId: fc.constant(GUID),
  clientSecret: fc.constantFrom('file:/x', 'azurekeyvault://vault/secret'),
  topic: fc.constant('t'),
  deadLetterTopic: fc.constant('t'),
};

/** Mostly right; now and then a field has anything, is left out, or is one that does not exist. */
function mostlyRight(fields: Readonly<Record<string, fc.Arbitrary<unknown>>>): fc.Arbitrary<unknown> {
  const chosen = Object.entries(fields).map(([name, one]) =>
    fc
      .oneof({ weight: 12, arbitrary: one }, { weight: 1, arbitrary: anything }, fc.constant(undefined))
      .map((value) => (value === undefined ? {} : { [name]: value })),
  );
  const stray = fc.oneof({ weight: 20, arbitrary: fc.constant({}) }, fc.constant({ stray: 1 }));
  return fc.tuple(...chosen, stray).map((parts) => Object.assign({}, ...parts) as unknown);
}

const files = fc.oneof(
  {
    weight: 30,
    arbitrary: fc
      .tuple(
        fc.array(mostlyRight(rightTenant), { maxLength: 1 }),
        fc.array(mostlyRight(right), { maxLength: 2 }),
      )
      .map(([tenants, subscriptions]) => ({ ...(tenants.length > 0 && { tenants }), subscriptions })),
  },
  anything,
);

describe('what the reader takes', () => {
  it('is what the schema takes, whatever the file holds', () => {
    let taken = 0;
    fc.assert(
      fc.property(files, (file) => {
        const read = declarationSchema.safeParse(file);
        if (read.success) taken++;
        expect({ taken: validate(file), why: validate.errors?.[0] ?? read.error?.issues[0] }).toMatchObject({
          taken: read.success,
        });
      }),
      { numRuns: 5000 },
    );
    expect(taken).toBeGreaterThan(200);
  });

  it('names the line and the field of all that the schema refuses', () => {
    const defaults = { tenantId: GUID.toLowerCase(), topic: 't', lifecycleUrl: 'x' };
    let refused = 0;
    fc.assert(
      fc.property(files, (file) => {
        if (validate(file)) return;
        const text = stringify(file);
        // YAML has no word for a few of these, and then says something else.
        if (validate(parse(text))) return;
        refused++;
        const act = () => parseSubscriptionsFile(text, 'f.yaml', defaults);
        expect(act).toThrow(/mistakes? in what is wanted:(\n {2}f\.yaml:\d+(:\d+)?: [^\n]+: [^\n]+)+$/);
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(200);
  });
});
