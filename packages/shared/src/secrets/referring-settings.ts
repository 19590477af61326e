/** Which settings refer to secrets that are kept elsewhere, and what they come to once those were read. */
import { z } from 'zod';
import { ConfigError, type Environment } from '../parse-config.ts';
import type { ReadSecret } from './read-secret.ts';
import { SecretError } from './secret-error.ts';
import { parseReference, ReferenceSpellingError, type SecretReference } from './secret-reference.ts';

/** A setting with references: its parts between commas, each the text itself or a reference. */
export type ReferringSetting = {
  readonly name: string;
  readonly parts: readonly (string | ReferringPart)[];
};

/** `{tenantId}=file:/run/secrets/name`: what stands before the reference stays before the secret. */
type ReferringPart = { readonly before: string; readonly reference: SecretReference };

const BEFORE_REFERENCE = /^[0-9a-f-]{36}=/i;

/** Secrets by the text of their references. */
export type Secrets = ReadonlyMap<string, string>;

/**
 * The settings of a schema that may be references: all of its shape, but for those that say `.meta({ verbatim: true })`,
 * since they have a form of references of their own, or are needed to read any.
 */
export function mayRefer(schema: z.ZodType): string[] {
  if (!(schema instanceof z.ZodObject)) return [];
  const shape: Readonly<Record<string, z.ZodType>> = schema.shape;
  return Object.entries(shape).flatMap(([name, field]) => (field.meta()?.verbatim === true ? [] : [name]));
}

/** Throws a `ConfigError` with a line for each reference that is spelt wrong. */
export function findReferences(environment: Environment, names: readonly string[]): ReferringSetting[] {
  const problems: string[] = [];
  const settings = names.flatMap((name) => {
    try {
      const parts = (environment[name] ?? '').split(',').map((part) => {
        const text = part.trim();
        const [before = ''] = BEFORE_REFERENCE.exec(text) ?? [];
        const reference = parseReference(text.slice(before.length));
        return reference ? { before, reference } : text;
      });
      return parts.some((part) => typeof part === 'object') ? [{ name, parts }] : [];
    } catch (error) {
      if (!(error instanceof ReferenceSpellingError)) throw error;
      problems.push(`${name}: ${error.message}`);
      return [];
    }
  });
  if (problems.length > 0) throw new ConfigError(problems);
  return settings;
}

/** All secrets that the settings refer to; rejects with a `ConfigError` that has a line for each that cannot be had. */
export async function readSecrets(
  settings: readonly ReferringSetting[],
  read: ReadSecret,
): Promise<Map<string, string>> {
  const secrets = new Map<string, string>();
  const problems: string[] = [];
  await Promise.all(
    settings.flatMap(({ name, parts }) =>
      referencesOf(parts).map(async (reference) => {
        try {
          secrets.set(reference.text, await read(reference));
        } catch (error) {
          if (!(error instanceof SecretError)) throw error;
          problems.push(`${name}: ${reference.text} ${error.message}`);
        }
      }),
    ),
  );
  if (problems.length > 0) throw new ConfigError(problems);
  return secrets;
}

export function referencesOf(parts: ReferringSetting['parts']): SecretReference[] {
  return parts.flatMap((part) => (typeof part === 'object' ? [part.reference] : []));
}

/** The value that the setting would have if the secrets stood in it. */
export function settingValue({ parts }: ReferringSetting, secrets: Secrets): string {
  const insert = ({ before, reference }: ReferringPart) => before + (secrets.get(reference.text) ?? '');
  return parts.map((part) => (typeof part === 'string' ? part : insert(part))).join(',');
}
