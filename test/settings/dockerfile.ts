// What a Dockerfile says of the image that runs.
import { posix } from 'node:path';
import { interpolate } from './interpolate.ts';
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
  const final = finalStage(lines);
  const lastOf = (instruction: string) =>
    final.findLast((line) => line.startsWith(`${instruction} `))?.slice(instruction.length + 1);
  const entrypoint = lastOf('ENTRYPOINT');
  const words = entrypoint?.startsWith('[') ? (JSON.parse(entrypoint) as string[]) : undefined;
  return {
    from: withDefaults(final[0] ?? '', lines).split(' ')[1] ?? '',
    user: lastOf('USER'),
    entrypoint: words,
    program: posix.relative('/app', posix.join(lastOf('WORKDIR') ?? '/', words?.at(-1) ?? '')),
    copied: lines.flatMap(sourcesOfCopy),
  };
}

/** The lines that make the last stage, from that of the base on: those of the stages that it goes on from as well. */
function finalStage(lines: readonly string[]): readonly string[] {
  const begin = lines.findLastIndex((line) => line.startsWith('FROM '));
  const [, from] = lines[begin]?.split(' ') ?? [];
  const named = lines.findIndex((line) => line.startsWith('FROM ') && line.endsWith(` AS ${from}`));
  if (named < 0) return lines.slice(begin);
  const end = lines.findIndex((line, i) => i > named && line.startsWith('FROM '));
  return [...finalStage(lines.slice(0, end)), ...lines.slice(begin + 1)];
}

/** With what the ARGs in front of all stages are where the build sets none. */
function withDefaults(line: string, lines: readonly string[]): string {
  const front = lines.slice(
    0,
    lines.findIndex((other) => other.startsWith('FROM ')),
  );
  const declared = front.map((other) => /^ARG (\w+)=(.*)$/.exec(other)).filter((found) => found !== null);
  return interpolate(line, Object.fromEntries(declared.map(([, name, value]) => [name, value])));
}

function sourcesOfCopy(line: string): string[] {
  const [instruction, ...paths] = line.split(' ');
  return instruction === 'COPY' && !paths.some((path) => path.startsWith('--from='))
    ? paths.slice(0, -1)
    : [];
}
