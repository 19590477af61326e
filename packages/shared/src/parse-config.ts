/** Environment + schema → settings, or every problem at once, each by its variable's name. */
import { z } from 'zod';

/** What is wrong with the settings, a line each; the program says it and exits with 1. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(
      `${problems.length === 1 ? 'a setting is' : `${problems.length} settings are`} wrong:\n  ${problems.join('\n  ')}`,
    );
    this.problems = problems;
  }
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the settings that `schema` names (its keys are variable names). A variable set to the empty text counts
 * as not set, since compose files and platforms write those. Throws a `ConfigError`.
 */
export function parseConfig<S extends z.ZodType>(schema: S, environment: Environment): Readonly<z.output<S>> {
  const given = Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value !== ''),
  );
  const result = schema.safeParse(given);
  if (!result.success) throw new ConfigError(result.error.issues.map((issue) => describe(issue, given)));
  return Object.freeze(result.data as object) as Readonly<z.output<S>>;
}

/** Names the variable and what is wrong, never the value: it may be a secret. */
function describe(issue: z.core.$ZodIssue, given: Environment): string {
  const variable = issue.path.map(String).join('.') || 'settings';
  return given[variable] === undefined && issue.code === 'invalid_type'
    ? `${variable} is required`
    : `${variable}: ${issue.message}`;
}

/** A whole number from text, within bounds. */
export function integer(minimum: number, maximum: number) {
  return z
    .string()
    .regex(/^\d{1,15}$/, `must be a whole number from ${minimum} to ${maximum}`)
    .transform(Number)
    .refine(
      (value) => value >= minimum && value <= maximum,
      `must be a whole number from ${minimum} to ${maximum}`,
    );
}

/** `true` or `false`. */
export function flag() {
  return z.enum(['true', 'false'], 'must be true or false').transform((value) => value === 'true');
}

/** A comma-separated list without empty parts. */
export function list() {
  return z
    .string()
    .transform((text) => text.split(',').map((part) => part.trim()))
    .refine(
      (parts) => parts.every((part) => part !== ''),
      'must be a comma-separated list without empty parts',
    );
}

/** An absolute URL of one of these protocols (`https:`). */
export function url(...protocols: string[]) {
  return z.string().refine(
    (text) => {
      const parsed = URL.parse(text);
      return parsed !== null && protocols.includes(parsed.protocol);
    },
    `must be a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
  );
}

/** The settings as a start-up log line may show them: values of `secret` ones only as set or not; an empty list is not. */
export function withoutSecrets(
  config: Readonly<Record<string, unknown>>,
  secret: readonly string[],
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config).map(([name, value]) => [name, secret.includes(name) ? isSet(value) : value]),
  );
}

function isSet(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : value !== undefined;
}
