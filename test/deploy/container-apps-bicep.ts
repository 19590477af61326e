// The settings that deploy/container-apps/apps.bicep gives to each service, read from its text.
import { readRepositoryFile } from '../settings/repository-file.ts';

/** What the expressions of the file stand for: names, and whole expressions, by their text. */
export type Known = Readonly<Record<string, string | boolean>>;

export const APPS = readRepositoryFile('deploy/container-apps/apps.bicep');

/** `var name = …` to the line that ends it. @throws where there is none */
function variable(name: string): string {
  const [, body] = new RegExp(`^var ${name} = (.*?)(?=^$)`, 'ms').exec(APPS) ?? [];
  if (body === undefined) throw new Error(`apps.bicep has no variable ${name}`);
  return body;
}

/** The object that a variable is, also by `union`, with what is added on a condition. @throws where a line is not understood */
export function objectOf(name: string, known: Known): Record<string, string> {
  const object: Record<string, string> = {};
  for (const line of variable(name).split('\n')) {
    const text = line.trim().replace(/,$/, '');
    const [, shared] = /^(?:union\()?(\w+(?:Settings|Secrets))$/.exec(text) ?? [];
    const [, condition, added, addedValue] = /^(\w+) \? \{ (\w+): (.+) \} : \{\}$/.exec(text) ?? [];
    const [, setting, value] = /^([A-Z]\w*): (.+)$/.exec(text) ?? [];
    if (shared?.startsWith('more')) continue;
    if (shared) Object.assign(object, objectOf(shared, known));
    else if (condition && added && addedValue) {
      if (evaluate(condition, known) === true) object[added] = String(evaluate(addedValue, known));
    } else if (setting && value) object[setting] = String(evaluate(value, known));
    else if (!/^(\/\/.*|union\(|[{})]*)$/.test(text))
      throw new Error(`apps.bicep, ${name}: not understood: ${text}`);
  }
  return object;
}

function evaluate(expression: string, known: Known): string | boolean {
  const [, quoted] = /^'([^']*)'$/.exec(expression) ?? [];
  if (quoted !== undefined) {
    return quoted.replace(/\$\{([^}]+)\}/g, (_, inner: string) => String(evaluate(inner, known)));
  }
  const [, condition, one, other] = /^(\w+) \? (.+) : (.+)$/.exec(expression) ?? [];
  if (condition && one && other) return evaluate(evaluate(condition, known) ? one : other, known);
  const value = known[expression];
  if (value === undefined) throw new Error(`apps.bicep: nothing is known of ${expression}`);
  return value;
}

/** The text of a resource, from its declaration to its end. */
export function resource(name: string): string {
  const [, body] = new RegExp(`^resource ${name} .*?\\{\\n(.*?)^\\}`, 'ms').exec(APPS) ?? [];
  if (body === undefined) throw new Error(`apps.bicep has no resource ${name}`);
  return body;
}

/** All numbers that stand behind a property. */
export function numbersOf(text: string, property: string): number[] {
  return [...text.matchAll(new RegExp(`^ *${property}: (\\d+)$`, 'gm'))].map(([, digits]) => Number(digits));
}
