/** The change log of a run whose beginning served to warm up. */
import { readFile, writeFile } from 'node:fs/promises';

/**
 * Lines of a change log, those of changes before `since` (epoch ms) marked as wanted by nobody: the checker then leaves
 * them out of its latencies, but still knows the versions that later records are held against. Pure.
 */
export function withoutEarlierWishes(lines: readonly string[], since: number): string[] {
  return lines.map((line) => {
    const entry = JSON.parse(line) as { kind: string; at: number };
    const isEarlier = entry.kind === 'change' && entry.at < since;
    return isEarlier ? JSON.stringify({ ...entry, subscribed: false }) : line;
  });
}

/** Writes it beside the whole log; resolves to its path. */
export async function measuredPartOf(changeLogFile: string, since: number): Promise<string> {
  const lines = (await readFile(changeLogFile, 'utf8')).split('\n').filter((line) => line !== '');
  const file = `${changeLogFile}.measured`;
  await writeFile(file, `${withoutEarlierWishes(lines, since).join('\n')}\n`);
  return file;
}
