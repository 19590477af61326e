import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { makeFolderOnce } from '../src/make-folder-once.ts';

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'graph2kafka-once-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it('fills the folder once for many callers, and shows nothing but the full one', async () => {
  const parent = await temporaryFolder();
  const folder = join(parent, 'deep', 'wanted');
  let fillings = 0;
  const fill = async (empty: string) => {
    fillings++;
    await writeFile(join(empty, 'a'), '1');
    expect(existsSync(folder)).toBe(false);
    await writeFile(join(empty, 'b'), '2');
  };
  await Promise.all(Array.from({ length: 5 }, () => makeFolderOnce(folder, fill)));
  await makeFolderOnce(folder, fill);
  expect(fillings).toBe(1);
  expect(await readdir(folder)).toEqual(['a', 'b']);
  expect(await readdir(join(parent, 'deep'))).toEqual(['wanted']);
});

it('leaves nothing behind when filling fails, and tries anew the next time', async () => {
  const parent = await temporaryFolder();
  const folder = join(parent, 'wanted');
  const fails = async (empty: string) => {
    await writeFile(join(empty, 'half'), '');
    throw new Error('no network');
  };
  await expect(makeFolderOnce(folder, fails)).rejects.toThrow('no network');
  expect(await readdir(parent)).toEqual([]);
  await makeFolderOnce(folder, (empty) => writeFile(join(empty, 'whole'), ''));
  expect(await readdir(folder)).toEqual(['whole']);
});

it('takes over from a process that died while it filled', async () => {
  const parent = await temporaryFolder();
  const folder = join(parent, 'wanted');
  const dead = spawn('true');
  await once(dead, 'exit');
  await writeFile(`${folder}.lock`, String(dead.pid));
  await makeFolderOnce(folder, (empty) => writeFile(join(empty, 'file'), ''));
  expect(await readdir(parent)).toEqual(['wanted']);
});

it('fills once for several processes', async () => {
  const parent = await temporaryFolder();
  const folder = join(parent, 'wanted');
  const module = new URL('../src/make-folder-once.ts', import.meta.url).href;
  const script = `
    const { appendFile, writeFile } = await import('node:fs/promises');
    const { makeFolderOnce } = await import(${JSON.stringify(module)});
    await makeFolderOnce(${JSON.stringify(folder)}, async (empty) => {
      await appendFile(${JSON.stringify(join(parent, 'fillings'))}, 'x');
      await writeFile(empty + '/file', 'content');
    });
  `;
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: 'inherit' }),
  );
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]));
  expect(codes).toEqual([0, 0, 0, 0]);
  expect(await readFile(join(parent, 'fillings'), 'utf8')).toBe('x');
});
