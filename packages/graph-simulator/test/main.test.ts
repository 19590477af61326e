import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Agent, fetch } from 'undici';
import { describe, expect, it, onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

function run(args: string[]): ChildProcess {
  const child = spawn(process.execPath, [MAIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function firstLine(child: ChildProcess, stream: 'stdout' | 'stderr'): Promise<string> {
  const input = child[stream];
  if (input === null) throw new Error('The child has no such stream.');
  const [line] = await once(createInterface({ input }), 'line');
  return String(line);
}

describe('the command', () => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'says when it is ready, serves, and ends with 0 on %s',
    async (signal) => {
      const folder = await mkdtemp(join(tmpdir(), 'graph-simulator-'));
      onTestFinished(() => rm(folder, { recursive: true }));
      const caFile = join(folder, 'ca.pem');
      const changeLog = join(folder, 'changes.jsonl');
      const child = run(['--ca-file', caFile, '--change-log', changeLog, '--rate', '100', '--users', '2']);
      const [word, url] = (await firstLine(child, 'stdout')).split(' ');
      expect(word).toBe('ready');
      const dispatcher = new Agent({ connect: { ca: await readFile(caFile, 'utf8') } });
      onTestFinished(() => dispatcher.close());
      const changes = async () => {
        const answer = await fetch(`${url}/simulator/state`, { dispatcher });
        return ((await answer.json()) as { changes: number }).changes;
      };
      await expect.poll(changes, { timeout: 5_000 }).toBeGreaterThan(10);
      child.kill(signal);
      expect(await once(child, 'exit')).toEqual([0, null]);
      const last = (await readFile(changeLog, 'utf8')).trim().split('\n').at(-1) ?? '';
      expect(JSON.parse(last)).toMatchObject({ kind: 'change' });
    },
  );

  it('inflicts the faults of a file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'graph-simulator-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const [caFile, faultsFile] = [join(folder, 'ca.pem'), join(folder, 'faults.json')];
    await writeFile(faultsFile, JSON.stringify({ faults: [{ path: '/simulated', status: 418 }] }));
    const child = run(['--ca-file', caFile, '--faults', faultsFile, '--rate', '0']);
    const [, url] = (await firstLine(child, 'stdout')).split(' ');
    const dispatcher = new Agent({ connect: { ca: await readFile(caFile, 'utf8') } });
    onTestFinished(() => dispatcher.close());
    const ask = async () => (await fetch(`${url}/simulated`, { dispatcher })).status;
    expect([await ask(), await ask()]).toEqual([418, 404]);
  });

  it.each([
    ['{"faults": [{"status": 5}]}', /^--faults: .*faults\.json: faults\[0\]\.status: /],
    ['{"faults"', /^--faults: .*faults\.json: .*JSON/],
    [undefined, /^--faults: .*faults\.json: ENOENT/],
  ])('ends with 2 and one sentence on the faults %s', async (text, sentence) => {
    const folder = await mkdtemp(join(tmpdir(), 'graph-simulator-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const faultsFile = join(folder, 'faults.json');
    if (text !== undefined) await writeFile(faultsFile, text);
    const child = run(['--faults', faultsFile]);
    const ended = once(child, 'exit');
    expect(await firstLine(child, 'stderr')).toMatch(sentence);
    expect(await ended).toEqual([2, null]);
  });

  it('ends with 2 and one sentence on an unknown flag', async () => {
    const child = run(['--colour', 'red']);
    const ended = once(child, 'exit');
    expect(await firstLine(child, 'stderr')).toContain("Unknown option '--colour'");
    expect(await ended).toEqual([2, null]);
  });

  it('ends with 1 where the file for its authority cannot be written', async () => {
    const child = run(['--ca-file', join(tmpdir(), 'no', 'such', 'folder', 'ca.pem')]);
    const ended = once(child, 'exit');
    expect(await firstLine(child, 'stderr')).toContain('ENOENT');
    expect(await ended).toEqual([1, null]);
  });
});
