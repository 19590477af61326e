/** `g2k` as a process of its own, alone, in a pipe of a shell, or in a terminal. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url));
const G2K = `'${process.execPath}' '${MAIN}'`;

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

/** util-linux's `script`, which gives a command a terminal; other systems have another one of that name. */
export const hasTerminal = spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout?.includes(
  'util-linux',
);

/** `caCertificate`: PEM, of the simulated Graph. */
export async function commandProcess(environment: Readonly<Record<string, string>>, caCertificate: string) {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-process-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const authority = join(dir, 'authority.pem');
  await writeFile(authority, caCertificate);
  const { PATH = '' } = process.env;
  const env = { ...environment, PATH, NODE_EXTRA_CA_CERTS: authority };

  async function run(
    file: string,
    args: readonly string[],
    more: Record<string, string> = {},
  ): Promise<Ended> {
    const child = spawn(file, args, { env: { ...env, ...more }, stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
    const [out, err, code] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
    return { out, err, code };
  }

  return {
    run: (...words: string[]) => run(process.execPath, [MAIN, ...words]),
    /** `g2k` in the line is the command; bash's exit code is that of the first in the pipe that failed. */
    shell: (line: string) => run('bash', ['-o', 'pipefail', '-c', line.replaceAll('g2k ', `${G2K} `)]),
    /** Both streams together, as they look; keys are typed by `input`. */
    terminal: (
      line: string,
      columns: number,
      { input = '', ...more }: { input?: string } & Record<string, string> = {},
    ) => {
      const inside = `stty cols ${columns}; ${line.replaceAll('g2k ', `${G2K} `)}`;
      const typed = input === '' ? 'sleep 0' : `printf '${input}'`;
      return run('bash', ['-c', `${typed} | script -qec "${inside}" /dev/null`], { TERM: 'xterm', ...more });
    },
  };
}
