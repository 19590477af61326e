/** Holds records against the files in docs/schemas, as a consumer would: the event, and its data by `dataschema`. */
import { readdirSync, readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import type { KafkaRecord } from '../../src/kafka/record-publisher.ts';

const FOLDER = new URL('../../../../docs/schemas/', import.meta.url);

export const publishedSchemas = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json'))
  .map((file) => {
    const schema = JSON.parse(readFileSync(new URL(file, FOLDER), 'utf8')) as { readonly $id: string };
    return { file, schema };
  });

const ajv = new Ajv2020({ allErrors: true });
formats.default(ajv);
for (const { schema } of publishedSchemas) ajv.addSchema(schema);

function breaksOf(schema: string, value: unknown): string[] {
  const validate = ajv.getSchema(schema);
  if (validate === undefined) return [`no schema ${schema}`];
  if (validate(value)) return [];
  return (validate.errors ?? []).map(({ instancePath, message }) => `${schema} ${instancePath} ${message}`);
}

/** Of a record in structured mode. */
export function findSchemaBreaks({ value }: KafkaRecord): string[] {
  const event = JSON.parse(String(value)) as Record<string, unknown>;
  const around = event.type === 'graph2kafka.DeadLetter' ? 'dead-letter-record' : 'change-record';
  return [
    ...breaksOf(`urn:graph2kafka:schema:${around}:v1`, event),
    ...breaksOf(String(event.dataschema), event.data),
  ];
}
