// Makes validators from the OpenAPI description of Graph that GRAPH_SAMPLES holds.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ValidateFunction } from 'ajv';
import { Ajv2019 } from 'ajv/dist/2019.js';
import formats from 'ajv-formats';
import { parse } from 'yaml';

type Schema = Record<string, unknown>;

const BESIDE_REPOSITORY = fileURLToPath(new URL('../../../../shared/graph-samples', import.meta.url));

export const samplesFolder = process.env.GRAPH_SAMPLES ?? BESIDE_REPOSITORY;
const DESCRIPTION_FILE = join(samplesFolder, 'openapi-subset.yaml');
export const hasSamples = existsSync(DESCRIPTION_FILE);

/** `{type: object, nullable: true}` beside a reference is how Microsoft's generator writes "or null". */
const isOrNull = (schema: Schema) =>
  Object.keys(schema).length === 2 && schema.type === 'object' && schema.nullable === true;

/**
 * OpenAPI 3.0 → JSON Schema: null where nullable says so, and references to $defs. `additionalProperties: object` marks
 * an open type; in an allOf it would refuse the strings that the other branches allow, so it is left to the caller.
 */
function toJsonSchema(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(toJsonSchema);
  if (typeof node !== 'object' || node === null) return node;
  const schema = node as Schema;
  if (isOrNull(schema)) return { type: 'null' };
  const entries = Object.entries(schema)
    .filter(([name]) => name !== 'nullable' && name !== 'additionalProperties' && !name.startsWith('x-'))
    .map(([name, value]) => {
      if (name === '$ref') return [name, String(value).replace('#/components/schemas/', '#/$defs/')];
      if (name === 'type' && schema.nullable === true) return [name, [value, 'null']];
      return [name, toJsonSchema(value)];
    });
  return Object.fromEntries(entries);
}

let definitions: Schema | undefined;

function loadDefinitions(): Schema {
  definitions ??= toJsonSchema(parse(readFileSync(DESCRIPTION_FILE, 'utf8')).components.schemas) as Schema;
  return definitions;
}

/**
 * A validator of one type, e.g. "microsoft.graph.event". Properties that the type does not name are refused, save
 * OData's annotations and those in `extra`.
 */
export function validatorOf(type: string, extra: readonly string[] = []): ValidateFunction {
  const ajv = new Ajv2019({ strict: false, allErrors: true });
  formats.default(ajv);
  return ajv.compile({
    $defs: loadDefinitions(),
    allOf: [{ $ref: `#/$defs/${type}` }],
    properties: Object.fromEntries(extra.map((name) => [name, true])),
    patternProperties: { '^@odata\\.': true },
    unevaluatedProperties: false,
  });
}
