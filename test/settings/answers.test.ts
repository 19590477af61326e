// docs/operations.md says of the receiver's refusals what the code says.
import { describe, expect, it } from 'vitest';
import { REFUSALS } from '../../services/receiver/src/refusals.ts';
import { readRepositoryFile } from './repository-file.ts';

describe('the table of refusals', () => {
  it('has every code with its status and its sentence', () => {
    const [, after = ''] = readRepositoryFile('docs/operations.md').split('\n## Answers of the receiver\n');
    const [section = ''] = after.split(/\n##+ /);
    const [, table = ''] = section.split('| Code | Status | Meaning |\n| --- | --- | --- |\n');
    const rows = Object.entries(REFUSALS).map(
      ([code, { status, error }]) => `| \`${code}\` | ${status} | ${error} |`,
    );
    expect(table.split('\n\n')[0]?.split('\n')).toEqual(rows);
  });
});
