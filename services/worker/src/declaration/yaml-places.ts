/** Reads YAML so that for each part of what it says, its line is known. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isNode,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  visit,
} from 'yaml';
import type { Problem } from './declaration-error.ts';

export type Place = {
  /** From 1. */
  readonly line: number;
  /** Where a line holds several things: `[a, b]`, `{ a: b }`. */
  readonly column?: number;
};

/** Names and indices from the top: `['subscriptions', 0, 'topic']`. */
export type YamlPath = readonly PropertyKey[];

export type YamlText = {
  readonly value: unknown;
  /** Of the field of that name, or the item; where there is none, of what should hold it. */
  placeOf(path: YamlPath): Place;
};

export type ReadYaml =
  | { readonly ok: true; readonly yaml: YamlText }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export function readYaml(text: string): ReadYaml {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const problems = [...findSyntaxError(document, lines), ...findLooseAliases(document, lines)];
  if (problems.length > 0) return { ok: false, problems };
  try {
    const value: unknown = document.toJS();
    return { ok: true, yaml: { value, placeOf: (path) => placeIn(document, lines, path) } };
  } catch (error) {
    // Aliases that grow without end.
    return { ok: false, problems: [{ text: error instanceof Error ? error.message : 'no YAML' }] };
  }
}

/** The first alone: what follows it is mostly its consequence. */
function findSyntaxError({ errors: [error] }: Document, lines: LineCounter): Problem[] {
  return error ? [{ place: at(lines, error.pos[0], true), text: firstLine(error.message) }] : [];
}

/** Without the excerpt, which could hold a secret, and the place, which is said in our own way. */
function firstLine(message: string): string {
  return (message.split('\n')[0] ?? message).replace(/ at line \d+, column \d+:?$/, '');
}

function findLooseAliases(document: Document, lines: LineCounter): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Alias(_key, alias) {
      if (alias.resolve(document)) return;
      problems.push({ place: placeOfNode(alias, lines, true), text: `there is no &${alias.source}` });
    },
  });
  return problems;
}

function placeIn(document: Document, lines: LineCounter, path: YamlPath): Place {
  let node: unknown = document.contents;
  let place = isNode(node) ? placeOfNode(node, lines, false) : { line: 1 };
  for (const step of path) {
    const resolved = isAlias(node) ? node.resolve(document) : node;
    const found = childOf(resolved, step);
    if (!found || !isCollection(resolved)) return place;
    place = placeOfNode(found.at, lines, resolved.flow === true);
    node = found.value;
  }
  return place;
}

/** A field is where its name is, and an item where it begins. */
function childOf(
  node: unknown,
  step: PropertyKey,
): { readonly at: Node; readonly value: unknown } | undefined {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === String(step));
    return pair && isNode(pair.key) ? { at: pair.key, value: pair.value } : undefined;
  }
  const item = isSeq(node) && typeof step === 'number' ? node.items[step] : undefined;
  return isNode(item) ? { at: item, value: item } : undefined;
}

function placeOfNode({ range }: Node, lines: LineCounter, withColumn: boolean): Place {
  return at(lines, range?.[0] ?? 0, withColumn);
}

function at(lines: LineCounter, offset: number, withColumn: boolean): Place {
  const { line, col } = lines.linePos(offset);
  return withColumn ? { line, column: col } : { line };
}
