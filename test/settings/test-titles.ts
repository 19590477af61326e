/** The titles of the tests in a file, read from its source: what vitest would show, without running anything. */
import ts from 'typescript';

/** Between the titles of nested groups and that of the test. */
const INSIDE = ' › ';

/** `group › title` of each test of the file, as they are written: those of `it.each` with their `%s`. */
export function titlesIn(text: string): string[] {
  const source = ts.createSourceFile('file.test.ts', text, ts.ScriptTarget.Latest);
  const titles: string[] = [];
  visit(source, []);
  return titles;

  function visit(node: ts.Node, groups: readonly string[]): void {
    const said = ts.isCallExpression(node) ? titleOf(node) : undefined;
    if (said?.of === 'test') titles.push([...groups, said.title].join(INSIDE));
    const inner = said?.of === 'group' ? [...groups, said.title] : groups;
    ts.forEachChild(node, (child) => visit(child, inner));
  }
}

/** `it('…', …)`, `it.each(…)('…', …)`, `describe.skipIf(…)('…', …)`; a skipped test shows nothing and is none. */
function titleOf({ expression, arguments: [title] }: ts.CallExpression) {
  if (title === undefined || !ts.isStringLiteralLike(title)) return undefined;
  const words = calledAs(expression);
  if (words.includes('skip') || words.includes('todo')) return undefined;
  if (words[0] === 'it' || words[0] === 'test') return { of: 'test', title: title.text } as const;
  return words[0] === 'describe' ? ({ of: 'group', title: title.text } as const) : undefined;
}

/** `it.each(rows)` → it, each. */
function calledAs(node: ts.Expression): string[] {
  if (ts.isIdentifier(node)) return [node.text];
  if (ts.isPropertyAccessExpression(node)) return [...calledAs(node.expression), node.name.text];
  return ts.isCallExpression(node) || ts.isTaggedTemplateExpression(node)
    ? calledAs(ts.isCallExpression(node) ? node.expression : node.tag)
    : [];
}
