/** The arguments of `pnpm images`. */
import { parseArgs } from 'node:util';
import { BUILDERS, type Builder, IMAGE_NAMES, type ImageName } from './build-command.ts';

export type ImagesArguments = {
  readonly names: readonly ImageName[];
  readonly builder: Builder | undefined;
  readonly registry: string;
  readonly tag: string | undefined;
  readonly base: string | undefined;
  readonly digest: string | undefined;
  readonly source: string | undefined;
};

export const HELP = `Builds the images, with their version and commit as labels: pnpm images [receiver] [worker] [graph-simulator]

  --registry R   where they will be pushed to: R/worker:TAG (graph2kafka)
  --tag TAG      (latest)
  --base IMAGE   Node's image instead of docker.io/library/node:24-bookworm-slim, e.g. of a mirror
  --digest D     its digest, sha256:…: builds on this one and on no other
  --source URL   where the source is, for the label
  --builder B    docker, podman or buildah; without it the first of them that is on PATH
  --help         this text
`;

/** The command line is wrong; the text says how, in one sentence. */
export class ArgumentError extends Error {
  override readonly name = 'ArgumentError';
}

const OPTIONS = {
  registry: { type: 'string', default: 'graph2kafka' },
  tag: { type: 'string' },
  base: { type: 'string' },
  digest: { type: 'string' },
  source: { type: 'string' },
  builder: { type: 'string' },
  help: { type: 'boolean' },
} as const;

/** @throws {ArgumentError} */
export function parseArguments(args: readonly string[]): ImagesArguments | 'help' {
  const { values, positionals } = parse(args.filter((arg) => arg !== '--'));
  if (values.help) return 'help';
  const { registry, tag, base, digest, source } = values;
  if (digest !== undefined && !/^sha256:[0-9a-f]{64}$/.test(digest)) {
    throw new ArgumentError('--digest: must be sha256: and 64 hexadecimal digits.');
  }
  return {
    names: positionals.length === 0 ? IMAGE_NAMES : positionals.map(imageName),
    builder: values.builder === undefined ? undefined : builder(values.builder),
    registry,
    tag,
    base,
    digest,
    source,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (cause) {
    const [sentence = ''] = (cause as Error).message.split('. ', 1);
    throw new ArgumentError(`${sentence.replace(/\.$/, '')}; --help lists what there is.`, { cause });
  }
}

function imageName(text: string): ImageName {
  const found = IMAGE_NAMES.find((name) => name === text);
  if (found === undefined)
    throw new ArgumentError(`${text}: there is no such image, but ${IMAGE_NAMES.join(', ')}.`);
  return found;
}

function builder(text: string): Builder {
  const found = BUILDERS.find((name) => name === text);
  if (found === undefined) throw new ArgumentError(`--builder: can be ${BUILDERS.join(', ')}.`);
  return found;
}
