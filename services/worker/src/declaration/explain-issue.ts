/** What the schema finds wrong in `subscriptions.yaml`, in words for whoever wrote it: the field, and what it should be. Pure. */
import type { z } from 'zod';
import { likeness } from '../resources/near-shapes.ts';
import type { Problem } from './declaration-error.ts';
import { declarationJsonSchema } from './declaration-schema.ts';
import type { YamlPath, YamlText } from './yaml-places.ts';

type Issue = z.core.$ZodIssue;

/** Less in common is no likeness: `lifeMinute` and `lifeMinutes` have 0.95. */
const LEAST_LIKENESS = 0.5;

/** One problem for each field, the first that was found, and one for each that does not exist. */
export function explainIssues(issues: readonly Issue[], yaml: YamlText): Problem[] {
  const seen = new Set<string>();
  return issues
    .flatMap((issue) => mostTelling(issue, yaml.value))
    .filter(({ path }) => !seen.has(path.join('/')) && seen.add(path.join('/')))
    .flatMap((issue) => explain(issue, yaml));
}

/** Of a field that may be one of several things, what is wrong with the one that was meant. */
function mostTelling(issue: Issue, value: unknown): Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const given = valueAt(value, issue.path);
  const meant = issue.errors.find((branch) => !branch.some(isOfOtherKind));
  if (!meant || typeof given !== 'object') return [{ ...issue, code: 'custom', message: USERS_FORMS }];
  return meant.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

const USERS_FORMS = 'must be a list of users, all, or { filter: … }';

/** That the thing as a whole is a list and should be a mapping, say. */
function isOfOtherKind({ path, code }: Issue): boolean {
  return path.length === 0 && (code === 'invalid_type' || code === 'invalid_value');
}

function explain(issue: Issue, yaml: YamlText): Problem[] {
  const { path } = issue;
  if (issue.code !== 'unrecognized_keys') {
    return [{ place: yaml.placeOf(path), text: `${fieldName(yaml, path)}: ${reasonOf(issue, yaml.value)}` }];
  }
  const known = fieldsAt(declarationJsonSchema(), path);
  return issue.keys.map((key) => {
    const near = nearest(key, known);
    const meant = near === undefined ? `; the fields are ${known.join(', ')}` : `; did you mean ${near}?`;
    const at = [...path, key];
    return { place: yaml.placeOf(at), text: `${fieldName(yaml, at)}: there is no such field${meant}` };
  });
}

const KINDS: Readonly<Record<string, string>> = {
  string: 'must be text',
  boolean: 'must be true or false',
  number: 'must be a number',
  int: 'must be a whole number',
  array: 'must be a list',
  object: 'must be a mapping of fields to values',
};

function reasonOf(issue: Issue, value: unknown): string {
  if (issue.code !== 'invalid_type') return issue.message;
  const given = valueAt(value, issue.path);
  const isLeftOut = given === undefined && issue.path.length > 0;
  return isLeftOut ? 'is missing' : (KINDS[issue.expected] ?? issue.message);
}

function valueAt(value: unknown, path: YamlPath): unknown {
  return path.reduce<unknown>(
    (inner, step) => (inner as Record<PropertyKey, unknown> | undefined)?.[step],
    value,
  );
}

/** `calendars.changeTypes`, `tenants.contoso.id`; `subscriptions[1].name` where the name cannot be said. */
export function fieldName({ value }: YamlText, path: YamlPath): string {
  const [list, index, ...rest] = path;
  if (list === undefined) return 'the file';
  if (typeof index !== 'number') return String(list);
  const name = valueAt(value, [list, index, 'name']);
  const isNamed = typeof name === 'string' && NAME.test(name) && rest[0] !== 'name';
  const plain = list === 'subscriptions' ? '' : `${String(list)}.`;
  const entry = isNamed ? `${plain}${name}` : `${String(list)}[${index}]`;
  return [entry, ...rest.filter((step) => typeof step !== 'number').map(String)].join('.');
}

const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;

function nearest(key: string, known: readonly string[]): string | undefined {
  const alike = known
    .map((name) => ({ name, likeness: likeness(key.toLowerCase(), name.toLowerCase()) }))
    .toSorted((a, b) => b.likeness - a.likeness)[0];
  return alike && alike.likeness >= LEAST_LIKENESS ? alike.name : undefined;
}

/** The fields that there may be at that place of the file. */
function fieldsAt({ anyOf = [], items, properties = {} }: Fields, path: YamlPath): string[] {
  const [step, ...rest] = path;
  const ofForms = anyOf.flatMap((form) => fieldsAt(form, path));
  if (step === undefined) return [...Object.keys(properties), ...ofForms];
  const inner = typeof step === 'number' ? items : properties[String(step)];
  return [...(inner ? fieldsAt(inner, rest) : []), ...ofForms];
}

/** What is looked at of a JSON Schema. */
type Fields = {
  readonly anyOf?: readonly Fields[];
  readonly items?: Fields;
  readonly properties?: Readonly<Record<string, Fields>>;
};
