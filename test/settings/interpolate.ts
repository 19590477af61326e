// Compose's `${…}` in the forms that its specification names (section "Interpolation"), nested ones included.

export type Environment = Readonly<Record<string, string | undefined>>;

/** @throws where a `${NAME:?text}` has no value, as Compose refuses to start */
export function interpolate(text: string, environment: Environment): string {
  const start = text.indexOf('${');
  if (start < 0) return text;
  const end = closingBrace(text, start + 2);
  const value = expand(text.slice(start + 2, end), environment);
  return text.slice(0, start) + value + interpolate(text.slice(end + 1), environment);
}

/** Names of all variables that the text asks for. */
export function variablesIn(text: string): string[] {
  return [...text.matchAll(/\$\{(\w+)/g)].map(([, name]) => name as string);
}

function expand(expression: string, environment: Environment): string {
  const [, name, colon, operator, word] = /^(\w+)(?:(:?)([-+?])(.*))?$/s.exec(expression) ?? [];
  if (name === undefined) throw new Error(`not an interpolation: \${${expression}}`);
  const value = environment[name];
  const isAbsent = value === undefined || (colon === ':' && value === '');
  if (operator === '+') return isAbsent ? '' : interpolate(word ?? '', environment);
  if (!isAbsent || operator === undefined) return value ?? '';
  if (operator === '?') throw new Error(`${name} ${word}`);
  return interpolate(word ?? '', environment);
}

function closingBrace(text: string, from: number): number {
  let depth = 1;
  for (let at = from; at < text.length; at++) {
    if (text.startsWith('${', at)) depth++;
    else if (text[at] === '}' && --depth === 0) return at;
  }
  throw new Error(`no closing brace: ${text}`);
}
