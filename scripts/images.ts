/** `pnpm images`: builds the images of both services and of the simulator, labelled with what they were built from. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { programVersion, runProgram } from '@graph2kafka/test-harness';
import { ArgumentError, HELP, type ImagesArguments, parseArguments } from './images/arguments.ts';
import { BUILDERS, type Builder, buildCommand, type ImageOptions } from './images/build-command.ts';

const ROOT = resolve(import.meta.dirname, '..');

async function optionsOf(args: ImagesArguments): Promise<ImageOptions> {
  const { version } = JSON.parse(readFileSync(resolve(ROOT, 'package.json'), 'utf8')) as { version: string };
  return {
    builder: args.builder ?? (await firstBuilder()),
    registry: args.registry,
    tag: args.tag ?? 'latest',
    buildArguments: {
      NODE_IMAGE: args.base,
      NODE_DIGEST: args.digest,
      VERSION: version,
      REVISION: await revision(),
      SOURCE: args.source,
    },
  };
}

async function firstBuilder(): Promise<Builder> {
  for (const builder of BUILDERS) if (await programVersion(builder)) return builder;
  throw new ArgumentError('An image needs docker, podman or buildah on PATH.');
}

/** The commit, marked where files differ from it; undefined outside of a repository. */
async function revision(): Promise<string | undefined> {
  try {
    const git = (...args: string[]) => runProgram('git', args, { workingDirectory: ROOT });
    const { stdout: commit } = await git('rev-parse', 'HEAD');
    const { stdout: changes } = await git('status', '--porcelain');
    return changes === '' ? commit.trim() : `${commit.trim()}-changed`;
  } catch {
    return undefined;
  }
}

async function main(args: ImagesArguments): Promise<number> {
  const options = await optionsOf(args);
  for (const name of args.names) {
    const [command, ...rest] = buildCommand(name, options);
    process.stderr.write(`${[command, ...rest].join(' ')}\n`);
    const child = spawn(command, rest, { cwd: ROOT, stdio: 'inherit' });
    const [code] = (await once(child, 'exit')) as [number | null];
    if (code !== 0) return code ?? 1;
  }
  return 0;
}

try {
  const args = parseArguments(process.argv.slice(2));
  if (args === 'help') process.stdout.write(HELP);
  else process.exitCode = await main(args);
} catch (error) {
  if (!(error instanceof ArgumentError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 2;
}
