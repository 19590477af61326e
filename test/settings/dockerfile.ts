// What a Dockerfile says of the image that runs.
import { posix } from 'node:path';
import { readRepositoryFile } from './repository-file.ts';

export type Image = {
  readonly from: string;
  readonly user: string | undefined;
  /** In exec form; undefined where it goes through a shell. */
  readonly entrypoint: readonly string[] | undefined;
  /** The program's path in the repository, as far as the image keeps its layout under /app. */
  readonly program: string;
  /** Sources of COPY in all stages, from the build context alone. */
  readonly copied: readonly string[];
};

export function readDockerfile(path: string): Image {
  const lines = readRepositoryFile(path).split('\n');
  const lastStage = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));
  const lastOf = (instruction: string) =>
    lastStage.findLast((line) => line.startsWith(`${instruction} `))?.slice(instruction.length + 1);
  const entrypoint = lastOf('ENTRYPOINT');
  const words = entrypoint?.startsWith('[') ? (JSON.parse(entrypoint) as string[]) : undefined;
  return {
    from: lastOf('FROM') ?? '',
    user: lastOf('USER'),
    entrypoint: words,
    program: posix.relative('/app', posix.join(lastOf('WORKDIR') ?? '/', words?.at(-1) ?? '')),
    copied: lines.flatMap(sourcesOfCopy),
  };
}

function sourcesOfCopy(line: string): string[] {
  const [instruction, ...paths] = line.split(' ');
  return instruction === 'COPY' && !paths.some((path) => path.startsWith('--from='))
    ? paths.slice(0, -1)
    : [];
}
