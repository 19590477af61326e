/** Writes docs/schemas: the JSON Schemas of the records and of subscriptions.yaml, generated from the product's own source. */
import { mkdir, writeFile } from 'node:fs/promises';
import {
  DECLARATION_SCHEMA_NAME,
  declarationJsonSchema,
} from '../services/worker/src/declaration/declaration-schema.ts';
import { recordSchemas } from '../services/worker/src/records/record-schemas.ts';

const folder = new URL('../docs/schemas/', import.meta.url);

await mkdir(folder, { recursive: true });
const schemas = recordSchemas().set(DECLARATION_SCHEMA_NAME, declarationJsonSchema());
for (const [name, schema] of schemas) {
  await writeFile(new URL(`${name}.v1.json`, folder), `${JSON.stringify(schema, undefined, 2)}\n`);
}
