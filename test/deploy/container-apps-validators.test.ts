// The checks of deploy/validate/container-apps.sh pass, and find what is wrong where something is.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { readRepositoryFile } from '../settings/repository-file.ts';

/** The script's way to say that Python or its packages are not to be had. */
const NO_TOOLS = 77;
/** Python packages are fetched once for a working copy. */
const FIRST_TIME_MS = 180_000;

const SCRIPT = resolve(import.meta.dirname, '../../deploy/validate/container-apps.sh');

function validate(...files: string[]) {
  return spawnSync(SCRIPT, files, { encoding: 'utf8' });
}

/** The file with a part of it replaced. */
function spoiled(name: string, find: string, replacement: string): string {
  const text = readRepositoryFile(`deploy/container-apps/${name}`);
  expect(text).toContain(find);
  const folder = mkdtempSync(join(tmpdir(), 'graph2kafka-bicep-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  writeFileSync(path, text.replace(find, replacement));
  return path;
}

describe('deploy/validate/container-apps.sh', () => {
  let first: ReturnType<typeof validate>;
  beforeAll(() => {
    first = validate();
  }, FIRST_TIME_MS);

  it('finds nothing wrong with deploy/container-apps', ({ skip }) => {
    skip(first.status === NO_TOOLS, `not checked: ${first.stderr}`);
    expect(first).toMatchObject({ status: 0, stderr: '', stdout: '2 files: no problem found\n' });
  });

  it.for([
    {
      what: 'a bracket that is missing',
      name: 'platform.bicep',
      find: "rights: ['Send']",
      replacement: "rights: ['Send'",
      words: 'is not Bicep',
    },
    {
      what: 'a name that nobody declares',
      name: 'apps.bicep',
      find: 'minReplicas: workerMin',
      replacement: 'minReplicas: workerMinimum',
      words: 'workerMinimum is not declared',
    },
    {
      what: 'a parameter that nobody uses',
      name: 'apps.bicep',
      find: 'maxReplicas: workerMax',
      replacement: 'maxReplicas: 5',
      words: 'workerMax is never used',
    },
    {
      what: 'a function that there is not',
      name: 'platform.bicep',
      find: 'uniqueString(',
      replacement: 'uniqString(',
      words: 'there is no function uniqString',
    },
  ])('finds $what', ({ name, find, replacement, words }, { skip }) => {
    skip(first.status === NO_TOOLS, `not checked: ${first.stderr}`);
    const { status, stdout } = validate(spoiled(name, find, replacement));
    expect(status).toBe(1);
    expect(stdout).toContain(words);
  });
});
