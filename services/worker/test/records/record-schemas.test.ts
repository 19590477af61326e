/** docs/schemas is what the product's own source says, and Graph's real payloads keep to it. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { DECLARATION_SCHEMA_NAME } from '../../src/declaration/declaration-schema.ts';
import { recordSchemas } from '../../src/records/record-schemas.ts';
import { schemaOfResource } from '../../src/records/resource-schemas.ts';
import { findSchemaBreaks, publishedSchemas } from '../support/published-schemas.ts';

describe('docs/schemas', () => {
  it('holds what `pnpm schemas` writes, and nothing else', () => {
    const made = [...recordSchemas()].map(([name, schema]) => ({ file: `${name}.v1.json`, schema }));
    const byFile = (a: { file: string }, b: { file: string }) => (a.file < b.file ? -1 : 1);
    const ofRecords = publishedSchemas.filter(({ file }) => file !== `${DECLARATION_SCHEMA_NAME}.v1.json`);
    expect(ofRecords.sort(byFile)).toEqual(made.sort(byFile));
  });

  it('has a schema for each type that Graph has, by its name', () => {
    expect(['Event', 'ChatMessage', 'ConversationMember', 'DriveItem'].map(schemaOfResource)).toEqual([
      'event',
      'chat-message',
      'conversation-member',
      'drive-item',
    ]);
    expect(['Approval', 'constructor', '__proto__', ''].map(schemaOfResource)).toEqual(
      Array(4).fill('resource'),
    );
  });
});

const SAMPLES =
  process.env.GRAPH_SAMPLES ?? fileURLToPath(new URL('../../../../../shared/graph-samples', import.meta.url));

function sampleEvents(): { file: string; event: unknown }[] {
  const folder = `${SAMPLES}/events`;
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name.endsWith('.json') && !name.includes('skeleton'))
    .flatMap((file) => {
      const json = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as { value?: unknown[] };
      return (json.value ?? [json]).map((event) => ({ file, event }));
    });
}

describe.skipIf(sampleEvents().length === 0)("Graph's samples of events", () => {
  it.each(sampleEvents())('keep to the schema: $file', ({ event }) => {
    const record = {
      topic: 't',
      key: 'k',
      headers: {},
      value: JSON.stringify({ dataschema: 'urn:graph2kafka:schema:event:v1', data: event }),
    };
    expect(findSchemaBreaks(record).filter((text) => text.includes(':event:'))).toEqual([]);
  });
});
