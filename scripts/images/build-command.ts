/** The images of this repository, and the command that builds one; pure. */

export type ImageName = 'receiver' | 'worker' | 'graph-simulator';

export const DOCKERFILES: Readonly<Record<ImageName, string>> = {
  receiver: 'services/receiver/Dockerfile',
  worker: 'services/worker/Dockerfile',
  'graph-simulator': 'packages/graph-simulator/Dockerfile',
};

export const IMAGE_NAMES = Object.keys(DOCKERFILES) as readonly ImageName[];

export const BUILDERS = ['docker', 'podman', 'buildah'] as const;
export type Builder = (typeof BUILDERS)[number];

export type ImageOptions = {
  readonly builder: Builder;
  /** Where the images will be: `{registry}/{name}:{tag}`. */
  readonly registry: string;
  readonly tag: string;
  /** Build arguments of the Dockerfiles, by name; undefined leaves the default. */
  readonly buildArguments: Readonly<Record<string, string | undefined>>;
  /** A store of pnpm on this machine to take packages from; only buildah can be given one. */
  readonly pnpmStore?: string | undefined;
  /** Whether buildah keeps each step: what the images have in common is then made once. Docker and Podman always do. */
  readonly layers?: boolean;
};

/** `graph2kafka/worker:0.1.0` */
export function imageReference(
  name: ImageName,
  { registry, tag }: Pick<ImageOptions, 'registry' | 'tag'>,
): string {
  return `${registry}/${name}:${tag}`;
}

/** To be run in the repository's root, which is the build context. */
export function buildCommand(name: ImageName, options: ImageOptions): readonly [string, ...string[]] {
  const { builder, buildArguments, pnpmStore, layers = true } = options;
  const given = Object.entries(buildArguments).filter(([, value]) => value !== undefined);
  return [
    builder,
    'build',
    ...(builder === 'buildah' && layers ? ['--layers'] : []),
    ...(pnpmStore === undefined ? [] : ['--volume', `${pnpmStore}:${STORE_IN_BUILD}`]),
    ...given.flatMap(([argument, value]) => ['--build-arg', `${argument}=${value}`]),
    '--file',
    DOCKERFILES[name],
    '--tag',
    imageReference(name, options),
    '.',
  ];
}

/** Where pnpm looks as root, without its version, which it appends. */
const STORE_IN_BUILD = '/root/.local/share/pnpm/store';
