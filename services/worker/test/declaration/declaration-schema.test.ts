/** docs/schemas/subscriptions.v1.json, by which editors check the file: what the worker takes passes, misspelled fields do not. */
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { declarationJsonSchema } from '../../src/declaration/declaration-schema.ts';

const ROOT = new URL('../../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

const validate = new Ajv2020({ allErrors: true }).compile(declarationJsonSchema());

const entry = (fields: string) =>
  parse(`subscriptions: [{ name: one, resource: users, ${fields} }]`) as unknown;

describe('the published schema', () => {
  it('is what `node scripts/schemas.ts` writes', () => {
    expect(JSON.parse(read('docs/schemas/subscriptions.v1.json'))).toEqual(declarationJsonSchema());
  });

  it('passes the example, which names it for editors in its first line', () => {
    const example = read('subscriptions.example.yaml');
    const [, schema = ''] = example.match(/^# yaml-language-server: \$schema=(\S+)\n/) ?? [];
    expect(JSON.parse(read(schema))).toEqual(declarationJsonSchema());
    expect([validate(parse(example)), validate.errors]).toEqual([true, null]);
  });

  it.each([
    'users: [0a0a0a0a-1111-4222-8333-444444444444, eve@contoso.com]',
    'users: all',
    'users: { filter: accountEnabled eq true }',
    'group: sales@contoso.com',
    'changeTypes: [updated], lifeMinutes: 60, rich: true, select: [subject]',
  ])('passes %s', (fields) => {
    expect(validate(entry(fields))).toBe(true);
  });

  it.each([
    'user: all',
    'users: everybody',
    'users: [eve]',
    'users: { filter: x, top: 5 }',
    'group: sales',
    'changeTypes: [moved]',
    'lifeMinutes: 44',
    'select: [a b]',
  ])('does not pass %s', (fields) => {
    expect(validate(entry(fields))).toBe(false);
  });

  it('describes every field of an entry', () => {
    const { properties } = declarationJsonSchema() as { properties: { subscriptions: { items: unknown } } };
    const { properties: fields } = properties.subscriptions.items as {
      properties: Record<string, { description?: string }>;
    };
    expect(Object.entries(fields).filter(([, { description }]) => !description)).toEqual([]);
  });
});
