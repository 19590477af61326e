/** `g2k dead-letters list` */
import type { ReadingSettings } from './cli-settings.ts';
import type { Command } from './command-line.ts';
import type { LetterFilter } from './letter-filter.ts';
import { createNewestLetters } from './newest-letters.ts';
import { readLetters } from './read-letters.ts';
import { describeStrangers, nothingMatches } from './scan-letters.ts';
import { jsonOf, tableOf } from './show-letters.ts';
import type { Terminal } from './terminal.ts';

/** Resolves to the exit code. */
export async function listLetters(
  { limit, json }: Pick<Extract<Command, { name: 'list' }>, 'limit' | 'json'>,
  matches: LetterFilter,
  settings: ReadingSettings,
  terminal: Terminal,
  now: number,
): Promise<number> {
  const newest = createNewestLetters(limit);
  const scan = await readLetters(settings, (letter) => {
    if (matches(letter)) newest.add(letter);
  });
  const letters = newest.list();
  for (const line of describeStrangers(scan)) terminal.err(line);
  if (letters.length === 0) {
    terminal.err(nothingMatches(scan));
    return 1;
  }
  for (const line of json ? letters.map(jsonOf) : tableOf(letters, now)) terminal.out(line);
  if (newest.added > letters.length) {
    terminal.err(`the newest ${letters.length} of ${newest.added}; --limit shows more`);
  }
  return 0;
}
