/** docs/records.md names what the published schemas have, and shows nothing that they do not know. */
import { describe, expect, it } from 'vitest';
import { readRepositoryFile } from '../settings/repository-file.ts';

type Schema = { readonly properties: Readonly<Record<string, { readonly enum?: readonly string[] }>> };

const PAGE = readRepositoryFile('docs/records.md');
const readSchema = (name: string) => JSON.parse(readRepositoryFile(`docs/schemas/${name}.v1.json`)) as Schema;
const { data: _, ...attributes } = readSchema('change-record').properties;

/** First cells of the table under a heading, without its head. */
function firstCells(heading: string): (string | undefined)[] {
  const section = PAGE.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  return [...section.matchAll(/^\| `([a-z]+)` \|(?!.*\n\| ---)/gm)].map(([, name]) => name);
}

describe('the page about records', () => {
  it('has every attribute', () => {
    expect(firstCells('Attributes').sort()).toEqual(Object.keys(attributes).sort());
  });

  it('has every way in which data is had', () => {
    expect(firstCells('How the data was had').sort()).toEqual(attributes.acquisition?.enum?.toSorted());
  });

  it('has no stage of a dead letter that there is not', () => {
    const stages = readSchema('dead-letter').properties.stage?.enum ?? [];
    expect(firstCells('Dead letters').length).toBeGreaterThan(3);
    expect(firstCells('Dead letters').filter((stage) => !stages.includes(String(stage)))).toEqual([]);
  });

  it('shows an event of known attributes', () => {
    const [, example = ''] = /```json\n(\{\n {2}"specversion"[\s\S]*?)```/.exec(PAGE) ?? [];
    const { data, ...shown } = JSON.parse(example) as Record<string, unknown>;
    expect(data).toBeDefined();
    expect(Object.keys(shown).filter((name) => !Object.hasOwn(attributes, name))).toEqual([]);
  });

  it('leads to files that are there', () => {
    const paths = [...PAGE.matchAll(/\]\(\.\.\/([a-z/_.-]+\.py)\)/g)].map(([, path = '']) => path);
    expect(paths.length).toBeGreaterThan(1);
    for (const path of paths) expect(readRepositoryFile(path)).toContain('"""');
  });
});
