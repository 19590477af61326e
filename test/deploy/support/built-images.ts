/**
 * Builds the images once for all tests of them, before these begin. Without what that needs nothing is built, and the
 * tests say why they are skipped.
 */
import { randomUUID } from 'node:crypto';
import { dirname, resolve } from 'node:path';
import { programVersion, runProgram } from '@graph2kafka/test-harness';
import type { TestProject } from 'vitest/node';
import {
  buildCommand,
  IMAGE_NAMES,
  type ImageOptions,
  imageReference,
} from '../../../scripts/images/build-command.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const BASE = 'docker.io/library/node:24-bookworm-slim';

/** Either the images, as `{registry}/{name}:{tag}`, or what is missing for them, in words. */
export type BuiltImages = {
  readonly registry: string;
  readonly tag: string;
  readonly base: string;
  readonly missing: string | undefined;
  /** The builder's words where it failed. */
  readonly failure: string | undefined;
};

/** What the tests hand to the build, to find it again in the labels. */
export const BUILT_FROM = {
  VERSION: '9.8.7-test',
  REVISION: 'f00dfeed',
  SOURCE: 'https://git.example/graph2kafka',
};

declare module 'vitest' {
  interface ProvidedContext {
    readonly images: BuiltImages;
  }
}

export default async function start(project: TestProject): Promise<() => Promise<void>> {
  const images = { registry: 'localhost/graph2kafka', tag: `test-${randomUUID().slice(0, 8)}`, base: BASE };
  // Of this process and so of all that it starts: the kind of isolation that a machine without user namespaces has.
  process.env.BUILDAH_ISOLATION = 'chroot';
  const missing = await missingForImages();
  if (missing !== undefined) {
    process.stderr.write(`The tests of the images are skipped: ${missing}\n`);
    project.provide('images', { ...images, missing, failure: undefined });
    return async () => undefined;
  }
  const failure = await build(images).then(
    () => undefined,
    (error: Error) => error.message,
  );
  project.provide('images', { ...images, missing, failure });
  return async () => {
    for (const name of IMAGE_NAMES) {
      await runProgram('buildah', ['rmi', '--force', imageReference(name, images)]).catch(() => undefined);
    }
  };
}

async function missingForImages(): Promise<string | undefined> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'they run as root on Linux alone';
  if (!(await programVersion('buildah'))) return 'there is no buildah on PATH';
  if (!(await programVersion('buildah', ['inspect', '--type', 'image', BASE]))) {
    return `${BASE} is not here: \`buildah pull ${BASE}\``;
  }
  return undefined;
}

async function build({ registry, tag }: Pick<ImageOptions, 'registry' | 'tag'>): Promise<void> {
  const pnpmStore = await localStore();
  const { stdout } = await runProgram('buildah', ['info', '--format', '{{.store.GraphDriverName}}']);
  // Any other one copies all files for each step.
  const layers = stdout.trim() === 'overlay';
  const options = {
    builder: 'buildah',
    registry,
    tag,
    buildArguments: BUILT_FROM,
    pnpmStore,
    layers,
  } as const;
  for (const name of IMAGE_NAMES) {
    const [command, ...rest] = buildCommand(name, options);
    await runProgram(command, rest, { workingDirectory: ROOT });
  }
}

/** The packages that `pnpm install` has put on this machine, so that they are not fetched again. */
async function localStore(): Promise<string | undefined> {
  try {
    const { stdout } = await runProgram('npx', ['--yes', 'pnpm@12', 'store', 'path'], {
      workingDirectory: ROOT,
    });
    return dirname(stdout.trim());
  } catch {
    return undefined;
  }
}
