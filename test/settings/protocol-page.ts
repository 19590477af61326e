/** Reads docs/protocol.md: a row for each rule of Graph, and what the names in brackets stand for. */

/** Of a row, names in brackets as they stand there; of a test, the file that it is in and its title within that. */
export type Row = {
  readonly rule: string;
  readonly pages: readonly string[];
  readonly files: readonly string[];
  readonly tests: readonly { readonly file: string; readonly title: string }[];
  /** What is not of the form of its cell. */
  readonly odd: readonly string[];
};

export function readRows(page: string): Row[] {
  const lines = page.split('\n').filter((line) => /^\| (?!---|Rule )/.test(line));
  return lines.map((line) => rowOf(line.split('|').slice(1, -1)));
}

function rowOf(cells: readonly string[]): Row {
  const [rule = '', source = '', where = '', shownBy = '', ...more] = cells.map((cell) => cell.trim());
  const tests = shownBy.split('<br>').map((text) => /^\[([^\]]+)\] (.+)$/.exec(text) ?? text);
  return {
    rule,
    pages: namesIn(source),
    files: namesIn(where),
    tests: tests.flatMap((test) =>
      typeof test === 'string' ? [] : [{ file: test[1] ?? '', title: test[2] ?? '' }],
    ),
    odd: [
      ...more,
      ...tests.filter((test) => typeof test === 'string'),
      ...(source === '' ? ['no source'] : []),
      ...[source.replace(/(; |^)seen in the field$/, ''), where]
        .map((cell) => cell.replaceAll(/\[[^\]]+\](, |$)/g, ''))
        .filter((rest) => rest !== ''),
    ],
  };
}

function namesIn(cell: string): string[] {
  return [...cell.matchAll(/\[([^\]]+)\]/g)].map(([, name = '']) => name);
}

/** `[name]: target`, below the tables. */
export function readTargets(page: string): ReadonlyMap<string, string> {
  return new Map(
    [...page.matchAll(/^\[([^\]]+)\]: (\S+)$/gm)].map(([, name = '', target = '']) => [name, target]),
  );
}
