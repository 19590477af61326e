/** docs/protocol.md says which rules of Graph are kept, where, and which test shows it: all of it is there, none is left out. */
import { globSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { namedSources, PUBLISHERS } from './named-sources.ts';
import { type Row, readRows, readTargets } from './protocol-page.ts';
import { isInRepository, readRepositoryFile } from './repository-file.ts';
import { titlesIn } from './test-titles.ts';

const PAGE = readRepositoryFile('docs/protocol.md');
const ROWS = readRows(PAGE);
const TARGETS = readTargets(PAGE);

/** What a name in brackets stands for, from the root of the repository. */
const pathOf = (name: string) => join('docs', TARGETS.get(name) ?? '');

const filesOf = ({ files, tests }: Row) => [...files, ...tests.map(({ file }) => file)];

describe('the page about what Graph demands', () => {
  it('has rows of four cells: rule, source, files, tests', () => {
    expect(ROWS.length).toBeGreaterThan(60);
    expect(ROWS.flatMap(({ rule, odd }) => odd.map((text) => `${rule}: ${text}`))).toEqual([]);
    const incomplete = ROWS.filter(({ rule, files, tests }) => !rule.endsWith('.') || !files[0] || !tests[0]);
    expect(incomplete).toEqual([]);
  });

  it('says no rule twice', () => {
    const rules = ROWS.map(({ rule }) => rule.toLowerCase());
    expect(rules.filter((rule, i) => rules.indexOf(rule) !== i)).toEqual([]);
  });

  it('names files that are there', () => {
    const named = [...new Set(ROWS.flatMap(filesOf))];
    expect(named.filter((name) => basename(pathOf(name)) !== name || !isInRepository(pathOf(name)))).toEqual(
      [],
    );
  });

  it('names tests that are there', () => {
    const named = ROWS.flatMap(({ tests }) => tests);
    const byFile = Map.groupBy(named, ({ file }) => file);
    const missing = [...byFile].flatMap(([file, tests]) => {
      const titles = new Set(isInRepository(pathOf(file)) ? titlesIn(readRepositoryFile(pathOf(file))) : []);
      return tests.filter(({ title }) => !titles.has(title));
    });
    expect(missing).toEqual([]);
  });

  it('leads to pages of Graph and Entra, by their names', () => {
    const pages = [...new Set(ROWS.flatMap((row) => row.pages))];
    const right = pages.filter((page) =>
      Object.values(PUBLISHERS).some((address) => TARGETS.get(page) === `${address}${page}`),
    );
    expect(right).toEqual(pages);
  });

  it('names nothing below its tables that is in none of them', () => {
    const named = new Set(ROWS.flatMap((row) => [...row.pages, ...filesOf(row)]));
    expect([...TARGETS.keys()].filter((name) => !named.has(name))).toEqual([]);
  });
});

describe('the sources of the services', () => {
  const files = globSync(['services/*/src/**/*.ts', 'packages/shared/src/**/*.ts'], {
    cwd: resolve(import.meta.dirname, '../..'),
  });
  const found = files.map((file) => ({ file, ...namedSources(readRepositoryFile(file)) }));

  it('name each page of Graph as the others do', () => {
    expect(found.flatMap(({ file, otherwise }) => otherwise.map((text) => `${file}: ${text}`))).toEqual([]);
  });

  it('name no page that has no row for them', () => {
    const told = new Set(
      ROWS.flatMap(({ pages, files }) =>
        files.flatMap((name) => pages.map((page) => `${pathOf(name)}: ${page}`)),
      ),
    );
    const named = found.flatMap(({ file, pages }) => pages.map((page) => `${file}: ${page}`));
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((one) => !told.has(one))).toEqual([]);
  });
});

describe('a page in a comment', () => {
  it.each([
    ['alone', '/** Ten (Graph: json-batching). */', ['json-batching']],
    ['with others', '// (Graph: api/event-get, paging)', ['api/event-get', 'paging']],
    [
      'with a section',
      '/* four (Graph: throttling-limits, "JSON batching, limits") */',
      ['throttling-limits'],
    ],
    [
      'on two lines',
      '/**\n * So it is (Graph:\n * api/resources/event,\n * paging).\n */',
      ['api/resources/event', 'paging'],
    ],
    ['behind words', '  // lost; Graph: errors)', ['errors']],
    ['of Entra', '/** (Entra: authentication-national-cloud) */', ['authentication-national-cloud']],
  ])('is found %s', (_how, source, pages) => {
    expect(namedSources(source)).toEqual({ pages, otherwise: [] });
  });

  it.each([
    'Graph page "JSON batching"',
    '(Graph: JSON batching)',
    '(change-notifications-delivery-webhooks)',
    '(throttling limits, Outlook)',
    'learn.microsoft.com/graph/paging',
  ])('is named in another form by %s', (text) => {
    expect(namedSources(`/** So it is: ${text}. */`)).toEqual({
      pages: [],
      otherwise: [`/** So it is: ${text}. */`],
    });
  });

  it('is not looked for outside of comments', () => {
    expect(namedSources("const text = '(Graph: json-batching)';")).toEqual({ pages: [], otherwise: [] });
  });
});

describe('the titles in a file of tests', () => {
  it.each([
    ['a test', "it('is', () => {})", ['is']],
    ['a test in groups', "describe('a', () => { describe('b', () => { it('is', fn); }); })", ['a › b › is']],
    [
      'a test of many cases',
      "describe.each(ways)('in %s', () => { it.each([[1]])('is %i', fn); })",
      ['in %s › is %i'],
    ],
    [
      'a test that depends',
      "describe.skipIf(none)('a', () => { it('is', { timeout: 1 }, fn); })",
      ['a › is'],
    ],
    ['a test that is left out', "it.skip('is', fn); it.todo('will be')", []],
    ['a text', "const text = 'it(\"is\", fn)'; // it('is not', fn)", []],
  ])('are those of %s', (_what, source, titles) => {
    expect(titlesIn(source)).toEqual(titles);
  });
});

describe('a row', () => {
  const row = (...cells: string[]) => readRows(`| Rule | Source |\n| --- | --- |\n| ${cells.join(' | ')} |`);

  it('is read in its parts', () => {
    expect(
      row(
        'It is.',
        '[paging], [errors]; seen in the field',
        '[a.ts], [b.ts]',
        '[a.test.ts] a › is<br>[b.test.ts] b',
      ),
    ).toEqual([
      {
        rule: 'It is.',
        pages: ['paging', 'errors'],
        files: ['a.ts', 'b.ts'],
        tests: [
          { file: 'a.test.ts', title: 'a › is' },
          { file: 'b.test.ts', title: 'b' },
        ],
        odd: [],
      },
    ]);
  });

  it.each([
    ['no source', row('It is.', '', '[a.ts]', '[a.test.ts] a')],
    ['a source without brackets', row('It is.', 'paging', '[a.ts]', '[a.test.ts] a')],
    ['a test without its file', row('It is.', '[paging]', '[a.ts]', 'a › is')],
    ['a fifth cell', row('It is.', '[paging]', '[a.ts]', '[a.test.ts] a', 'b')],
  ])('with %s is odd', (_what, [read]) => {
    expect(read?.odd).toHaveLength(1);
  });
});
