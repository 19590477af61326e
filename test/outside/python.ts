/** Python with the packages that consumers use, in a virtual environment of this repository's own. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LOCAL_FOLDER, makeFolderOnce, programVersion, runProgram } from '@graph2kafka/test-harness';

const REQUIREMENTS = join(import.meta.dirname, 'requirements.txt');

/** Whether this machine can make the environment; where not, the tests say that they were skipped. */
export async function hasPython(): Promise<boolean> {
  return (await programVersion('python3', ['-c', 'import ensurepip, venv; print("both")'])) !== undefined;
}

/** What the script writes, a value for each line of JSON. */
export async function runPython(script: string, ...args: string[]): Promise<unknown[]> {
  const python = await ensurePython();
  // -B: no compiled files beside the scripts.
  const { stdout } = await runProgram(python, ['-B', join(import.meta.dirname, script), ...args], {
    timeoutMs: 60_000,
  });
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

/** The interpreter of the environment, which is made where it is not there yet: 10 s to a minute. */
export async function ensurePython(): Promise<string> {
  const version = (await programVersion('python3')) ?? '';
  const parts = createHash('sha256').update(version).update(readFileSync(REQUIREMENTS)).digest('hex');
  const folder = join(LOCAL_FOLDER, `python-${parts.slice(0, 12)}`);
  await makeFolderOnce(folder, async (emptyFolder) => {
    await runProgram('python3', ['-m', 'venv', emptyFolder]);
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', REQUIREMENTS];
    await runProgram(join(emptyFolder, 'bin', 'python'), pip);
  });
  return join(folder, 'bin', 'python');
}
