// `pnpm images`: its arguments, and the command that it gives to a builder.
import { describe, expect, it } from 'vitest';
import { ArgumentError, parseArguments } from '../images/arguments.ts';
import { buildCommand, IMAGE_NAMES } from '../images/build-command.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('the arguments of pnpm images', () => {
  it('mean all images, named for this machine, where none is given', () => {
    expect(parseArguments([])).toMatchObject({
      names: IMAGE_NAMES,
      builder: undefined,
      registry: 'graph2kafka',
      tag: undefined,
      digest: undefined,
    });
  });

  it('name images, a registry, a tag and the digest of the base', () => {
    const words = ['worker', '--registry', 'r.example/g2k', '--tag', '1.2.3', '--digest', DIGEST];
    expect(parseArguments(words)).toMatchObject({
      names: ['worker'],
      registry: 'r.example/g2k',
      tag: '1.2.3',
      digest: DIGEST,
    });
  });

  it.each([
    [['consumer'], 'consumer: there is no such image, but receiver, worker, graph-simulator.'],
    [['--digest', 'latest'], '--digest: must be sha256: and 64 hexadecimal digits.'],
    [['--builder', 'kaniko'], '--builder: can be docker, podman, buildah.'],
    [['--tags', '1'], '--help lists what there is.'],
  ])('%j are refused in one sentence', (words, sentence) => {
    expect(() => parseArguments(words)).toThrow(ArgumentError);
    expect(() => parseArguments(words)).toThrow(sentence);
  });
});

describe('the command that builds an image', () => {
  const options = { registry: 'r.example/g2k', tag: '1.2.3' } as const;

  it('hands on what is known, and leaves the rest to the Dockerfile', () => {
    const buildArguments = { NODE_DIGEST: DIGEST, SOURCE: undefined };
    expect(buildCommand('worker', { ...options, builder: 'docker', buildArguments })).toEqual([
      'docker',
      'build',
      '--build-arg',
      `NODE_DIGEST=${DIGEST}`,
      '--file',
      'services/worker/Dockerfile',
      '--tag',
      'r.example/g2k/worker:1.2.3',
      '.',
    ]);
  });

  it('has buildah keep what the images have in common, and take packages from this machine', () => {
    const command = buildCommand('receiver', {
      ...options,
      builder: 'buildah',
      buildArguments: {},
      pnpmStore: '/srv/store',
    });
    expect(command.slice(0, 5)).toEqual([
      'buildah',
      'build',
      '--layers',
      '--volume',
      '/srv/store:/root/.local/share/pnpm/store',
    ]);
  });
});
