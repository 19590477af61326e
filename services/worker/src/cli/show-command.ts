/** `g2k dead-letters show` */
import type { ReadingSettings } from './cli-settings.ts';
import type { Command } from './command-line.ts';
import { readLetters } from './read-letters.ts';
import { describeStrangers } from './scan-letters.ts';
import { detailsOf, jsonOf } from './show-letters.ts';
import type { StoredLetter } from './stored-letter.ts';
import type { Terminal } from './terminal.ts';

/** Resolves to the exit code. */
export async function showLetter(
  { letter: wanted, json }: Pick<Extract<Command, { name: 'show' }>, 'letter' | 'json'>,
  settings: ReadingSettings,
  terminal: Terminal,
): Promise<number> {
  const found: { last?: StoredLetter; readonly places: string[] } = { places: [] };
  const only = placeOf(wanted);
  const scan = await readLetters(
    settings,
    (letter) => {
      if (!only && letter.id !== wanted) return;
      found.last = letter;
      found.places.push(letter.at);
    },
    only ? { only } : {},
  );
  if (only) for (const line of describeStrangers(scan)) terminal.err(line);
  if (!found.last) {
    terminal.err(`there is no dead letter ${JSON.stringify(wanted)} in ${settings.KAFKA_DEAD_LETTER_TOPIC}`);
    return 1;
  }
  for (const line of json ? [jsonOf(found.last)] : detailsOf(found.last)) terminal.out(line);
  const others = found.places.slice(0, -1);
  if (others.length > 0) terminal.err(`the same dead letter is also at ${others.slice(0, 20).join(', ')}`);
  return 0;
}

/** `3:1042` */
function placeOf(text: string): { partition: number; offset: number } | undefined {
  const [, partition, offset] = /^(\d{1,9}):(\d{1,15})$/.exec(text) ?? [];
  return partition === undefined || offset === undefined
    ? undefined
    : { partition: Number(partition), offset: Number(offset) };
}
