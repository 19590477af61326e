/** What the documents show of subscriptions.yaml can be read, passes the editors' schema, and shows every field. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { declarationJsonSchema, declarationSchema } from '../../src/declaration/declaration-schema.ts';
import { parseSubscriptionsFile } from '../../src/declaration/read-declaration.ts';

const ROOT = new URL('../../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const validate = new Ajv2020().compile(declarationJsonSchema());
const defaults = {
  tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
  topic: 'graph.events',
  lifecycleUrl: 'https://receiver.example/lifecycle',
};

/** Blocks of YAML, without the indentation that a list around them has. */
const blocksOf = (path: string) =>
  [...read(path).matchAll(/^( *)```yaml\n(.*?)^ *```/gms)]
    .map(([, indent = '', text = '']) => text.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
    .filter((text) => /^(subscriptions|tenants):/m.test(text));

/** The entries that the example holds as comments. */
function furtherEntries(): string {
  const [, rest = ''] = read('subscriptions.example.yaml').split('Further entries');
  const lines = rest.split('\n').slice(1);
  return `subscriptions:\n${lines.map((line) => line.replace(/^ {2}# /, '  ')).join('\n')}`;
}

const EXAMPLES = [
  ...['README.md', 'docs/operations.md'].flatMap((path) =>
    blocksOf(path).map((text, nth) => [`${path}, block ${nth + 1}`, text] as const),
  ),
  ['subscriptions.example.yaml', read('subscriptions.example.yaml')] as const,
  ['subscriptions.example.yaml, further entries', furtherEntries()] as const,
];

describe('an example of subscriptions.yaml', () => {
  it.each(EXAMPLES)('in %s can be read', (_where, text) => {
    expect(parseSubscriptionsFile(text, 'f', defaults).entries.length).toBeGreaterThan(0);
    expect([validate(parse(text)), validate.errors]).toEqual([true, null]);
  });

  it('is there for every field, calendar, mail folder, and way to say whose', () => {
    const entries = EXAMPLES.flatMap(([, text]) => declarationSchema.parse(parse(text)).subscriptions);
    const { properties } = declarationJsonSchema() as unknown as {
      properties: { subscriptions: { items: { properties: Record<string, unknown> } } };
    };
    const fields = Object.keys(properties.subscriptions.items.properties);
    const shown = new Set(entries.flatMap((entry) => Object.keys(entry)));
    expect(fields.filter((field) => !shown.has(field))).toEqual([]);
    const users = entries.map((entry) => (Array.isArray(entry.users) ? 'list' : typeof entry.users));
    expect(users).toEqual(expect.arrayContaining(['list', 'object', 'string', 'undefined']));
    const resources = entries.map(({ resource }) => resource).join();
    for (const path of ['/calendars/', '/mailFolders/', '/drive/root', 'groups/'])
      expect(resources).toContain(path);
  });
});
