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

interface Description {
  readonly paths: Record<string, Record<string, { responses: Record<string, unknown> }>>;
  readonly components: { readonly schemas: unknown };
}

let description: Description | undefined;
let definitions: Schema | undefined;

function loadDescription(): Description {
  description ??= parse(readFileSync(DESCRIPTION_FILE, 'utf8')) as Description;
  return description;
}

function loadDefinitions(): Schema {
  definitions ??= toJsonSchema(loadDescription().components.schemas) as Schema;
  return definitions;
}

/** A validator of what a call answers with 200, e.g. ("/$batch", "post"). */
export function answerValidator(path: string, method: string): ValidateFunction {
  const answer = loadDescription().paths[path]?.[method]?.responses['200'] as
    | { content: { 'application/json': { schema: unknown } } }
    | undefined;
  if (answer === undefined) throw new Error(`The description has no ${method} of ${path}.`);
  const ajv = new Ajv2019({ strict: false, allErrors: true });
  formats.default(ajv);
  const schema = toJsonSchema(answer.content['application/json'].schema) as Schema;
  return ajv.compile({ $defs: loadDefinitions(), ...schema });
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
