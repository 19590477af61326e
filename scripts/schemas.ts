/** Writes docs/schemas: the JSON Schemas of the records, generated from the product's own source. */
import { mkdir, writeFile } from 'node:fs/promises';
import { recordSchemas } from '../services/worker/src/records/record-schemas.ts';

const folder = new URL('../docs/schemas/', import.meta.url);

await mkdir(folder, { recursive: true });
for (const [name, schema] of recordSchemas()) {
  await writeFile(new URL(`${name}.v1.json`, folder), `${JSON.stringify(schema, undefined, 2)}\n`);
}
