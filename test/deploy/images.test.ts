/** The images as they are built: what is in them, and that they carry a change from the simulated Graph into Kafka. */
import { readdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '@graph2kafka/test-harness';
import { beforeAll, describe, expect, inject, it, onTestFinished } from 'vitest';
import {
  buildCommand,
  DOCKERFILES,
  IMAGE_NAMES,
  type ImageName,
  imageReference,
} from '../../scripts/images/build-command.ts';
import { BUILT_FROM } from './support/built-images.ts';
import { Container } from './support/container.ts';
import { startContainers } from './support/containers-pipeline.ts';
import { type ImageConfig, inspectImage, unpackImage } from './support/image-config.ts';

const images = inject('images');
const { missing } = images;
const reference = (name: ImageName) => imageReference(name, images);
const MEGABYTE = 1_000_000;

/** Paths from the root, of plain files alone. */
async function filesBelow(root: string, folder: string): Promise<string[]> {
  const entries = await readdir(join(root, folder), { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length));
}

async function unpack(name: ImageName): Promise<string> {
  const image = await unpackImage(reference(name));
  onTestFinished(() => image[Symbol.asyncDispose]());
  return image.root;
}

async function bytesOf(image: string): Promise<number> {
  const { stdout } = await runProgram('buildah', ['images', '--json', image]);
  const [{ size }] = JSON.parse(stdout) as [{ size: string }];
  const [, amount, unit] = /^([\d.]+) ([MG])B$/.exec(size) ?? [];
  return Number(amount) * (unit === 'G' ? 1000 : 1) * MEGABYTE;
}

async function run(name: ImageName, program: readonly string[], environment = {}): Promise<string> {
  const container = await Container.start({ image: reference(name), command: ['--help'] });
  onTestFinished(() => container.remove());
  await container.process.exited;
  return container.exec(['env', ...Object.entries(environment).map(([k, v]) => `${k}=${v}`), ...program]);
}

describe.skipIf(missing)(`the images${missing ? ` (${missing})` : ''}`, () => {
  beforeAll(() => {
    if (images.failure) throw new Error(images.failure);
  });

  describe.each(IMAGE_NAMES)('of %s', (name) => {
    const configOf = async (): Promise<ImageConfig> => (await inspectImage(reference(name))).OCIv1.config;

    it('is at most 100 MB larger than its base', async () => {
      const added = (await bytesOf(reference(name))) - (await bytesOf(images.base));
      expect(added).toBeGreaterThan(0);
      expect(added).toBeLessThanOrEqual(100 * MEGABYTE);
    });

    it('says in its labels what it was built from', async () => {
      const { Labels } = await configOf();
      const label = (key: string) => Labels[`org.opencontainers.image.${key}`];
      expect(label('version')).toBe(BUILT_FROM.VERSION);
      expect(label('revision')).toBe(BUILT_FROM.REVISION);
      expect(label('source')).toBe(BUILT_FROM.SOURCE);
      expect(label('licenses')).toBe('Apache-2.0');
      expect(label('title')).toBe(`graph2kafka ${name}`);
      expect(label('base.name')).toBe(images.base);
    });

    it('starts Node itself, as the user node', async () => {
      const { User, Entrypoint, Cmd } = await configOf();
      expect(User).toBe('node');
      expect(Entrypoint[0]).toBe('node');
      expect(Entrypoint.at(-1)).toBe('src/main.ts');
      expect(Cmd ?? []).toEqual([]);
    });

    it('holds neither tests nor the sources of other packages, nor what was used to build it', async () => {
      const root = await unpack(name);
      const files = await filesBelow(root, 'app');
      const own = files.filter((file) => !file.startsWith('/app/node_modules/'));
      const sources = own.filter((file) => /\.(ts|md|yaml)$|Dockerfile/.test(file));
      const home = DOCKERFILES[name].replace('/Dockerfile', '');
      const expected = name === 'graph-simulator' ? [home] : [home, 'packages/shared'];
      expect(new Set(sources.map((file) => file.split('/').slice(2, 4).join('/')))).toEqual(
        new Set(expected),
      );
      expect(sources.filter((file) => /\/test\/|Dockerfile|lock\.yaml/.test(file))).toEqual([]);
      expect(files.filter((file) => /\.map$|\.d\.[cm]?ts$/.test(file))).toEqual([]);
      for (const folder of ['root', 'home/node', 'tmp', 'store']) {
        expect(await filesBelow(root, folder).catch(() => [])).not.toContainEqual(
          expect.stringMatching(/npm|pnpm|node-compile-cache/),
        );
      }
      await expect(realpath(join(root, 'usr/local/bin/pnpm'))).rejects.toThrow('ENOENT');
    });

    it('lists in its SBOM every package that is in it', async () => {
      const root = await unpack(name);
      const bom = JSON.parse(await readFile(join(root, 'app/sbom.cdx.json'), 'utf8'));
      expect(bom).toMatchObject({ bomFormat: 'CycloneDX', metadata: { component: { type: 'application' } } });
      const listed = new Set(
        (bom.components as { group?: string; name: string; version: string }[]).map(
          ({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`,
        ),
      );
      // `@azure+identity@4.14.1_supports-color@7.2.0`: what follows an underscore are its peers.
      const installed = (await readdir(join(root, 'app/node_modules/.pnpm')))
        .filter((folder) => folder.includes('@', 1))
        .map((folder) => folder.replace(/^(@[^+]+)\+/, '$1/').replace(/(?<=.@[^_]*)_.*$/, ''));
      expect(installed.length).toBeGreaterThan(20);
      expect(installed.filter((one) => !listed.has(one))).toEqual([]);
      // No package that is needed by tests and tools alone.
      expect([...listed].filter((one) => /^(vitest|knip|typescript|@biomejs)/.test(one))).toEqual([]);
    });

    it('finds its code compiled, also where nothing may be written', async () => {
      const says = await run(
        name,
        ['sh', '-c', `node src/main.ts --help 2>&1; touch /app/written /tmp/written 2>&1; true`],
        { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' },
      );
      expect(says).toMatch(/V8 code cache for ESM \S*src\/main\.ts was accepted/);
      expect(says).not.toMatch(/V8 code cache for .* was (rejected|not found)/);
      expect(says.match(/Read-only file system/g)).toHaveLength(2);
    });
  });

  it('of the worker has the operator’s command, g2k', async () => {
    expect(await run('worker', ['g2k', 'doctor', '--help'])).toContain('Usage: g2k doctor');
  });

  it('are built on the base with the digest that is asked for, and on no other', async () => {
    const { FromImageDigest: digest } = await inspectImage(images.base);
    const build = (NODE_DIGEST: string) => {
      const buildArguments = { ...BUILT_FROM, NODE_DIGEST };
      const options = { builder: 'buildah', registry: images.registry, tag: `${images.tag}-store` } as const;
      const [command, build, ...rest] = buildCommand('graph-simulator', { ...options, buildArguments });
      return runProgram(command, [build ?? '', '--pull-never', '--target', 'store', ...rest]);
    };
    onTestFinished(async () => {
      await runProgram('buildah', [
        'rmi',
        imageReference('graph-simulator', { ...images, tag: `${images.tag}-store` }),
      ]);
    });
    expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
    await expect(build(digest)).resolves.toBeDefined();
    await expect(build(`sha256:${'0'.repeat(64)}`)).rejects.toThrow();
  });

  it('carry a change from Graph into Kafka, and end in order on SIGTERM', async () => {
    const { containers, graph, recordOf } = await startContainers(images);
    const [user] = await graph.users();
    const { id } = await graph.createEvent(user?.id ?? '', 'Out of a container');
    expect(await recordOf(id)).toMatchObject({
      type: 'Microsoft.Graph.EventCreated',
      acquisition: 'fetched',
      data: { subject: 'Out of a container' },
    });
    for (const container of containers) {
      expect(await container.stop(), container.process.lines().slice(-5).join('\n')).toEqual({
        code: 0,
        signal: null,
      });
    }
  });
});
