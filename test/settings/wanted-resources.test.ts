// docs/operations.md says of each kind of resource what may be wanted: held against the table that the worker goes by.
import { describe, expect, it } from 'vitest';
import { longestLifeMinutes } from '../../services/worker/src/declaration/wish-rules.ts';
import { spellOut } from '../../services/worker/src/resources/near-shapes.ts';
import type { ResourceKind } from '../../services/worker/src/resources/resource-kind.ts';
import { RESOURCE_TABLE } from '../../services/worker/src/resources/resource-table.ts';
import { readRepositoryFile } from './repository-file.ts';

const HEADING = '#### What may be wanted';

const code = (text: string) => `\`${text}\``;
const minutes = (count: number) => count.toLocaleString('en');

function rowOf(kind: ResourceKind): string {
  const cells = [
    kind.name,
    kind.watched.map((shape) => code(spellOut(shape))).join(', '),
    kind.permissions.join(', ') || '–',
    kind.changeTypes.join(', '),
    lifeOf(kind),
    optionsOf(kind).map(code).join(', ') || '–',
  ];
  return `| ${cells.join(' | ')} |`;
}

function lifeOf(kind: ResourceKind): string {
  const plain = minutes(longestLifeMinutes(kind, false));
  return kind.lifeMinutes.rich === undefined
    ? plain
    : `${plain}; rich ${minutes(longestLifeMinutes(kind, true))}`;
}

function optionsOf({ rich, filter, mailbox }: ResourceKind): string[] {
  return [
    ...(rich === 'no' ? [] : ['rich']),
    ...(rich === 'whole' ? [] : ['select']),
    ...(filter ? ['filter'] : []),
    ...(mailbox ? ['body', 'timeZone', 'immutableIds'] : []),
  ];
}

function rowsOfDocument(): string[] {
  const [, after = ''] = readRepositoryFile('docs/operations.md').split(`${HEADING}\n`);
  const [section = ''] = after.split(/^#/m);
  const [head, dashes, ...rows] = section.split('\n').filter((line) => line.startsWith('|'));
  expect(head).toMatch(/^\| Kind \| `resource` \| Permission \| `changeTypes` \| `lifeMinutes` \| Also \|$/);
  expect(dashes).toMatch(/^[|\- ]+$/);
  return rows;
}

describe('docs/operations.md', () => {
  it('has a row for each kind of resource that can be watched, as the worker takes it', () => {
    expect(rowsOfDocument()).toEqual(RESOURCE_TABLE.map(rowOf));
  });
});
