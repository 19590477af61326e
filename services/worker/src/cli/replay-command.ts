/** `g2k dead-letters replay` */
import { AppendError, appendEntries } from './append-entries.ts';
import type { ReadingSettings } from './cli-settings.ts';
import type { LetterFilter } from './letter-filter.ts';
import { plainText } from './plain-text.ts';
import { readLetters } from './read-letters.ts';
import type { RedisPlace } from './redis-place.ts';
import { createReplayPlan, type PlannedEntry, type ReplayPlan } from './replay-plan.ts';
import { counted, describeStrangers, nothingMatches } from './scan-letters.ts';
import type { Terminal } from './terminal.ts';

/** As many as a screen has lines. */
const MOST_NAMED = 20;

/** Without a `place` nothing is done but said. Resolves to the exit code. */
export async function replayLetters(
  matches: LetterFilter,
  settings: ReadingSettings,
  place: RedisPlace | undefined,
  isConfirmed: (question: string) => Promise<boolean>,
  terminal: Terminal,
): Promise<number> {
  const plan = createReplayPlan();
  const scan = await readLetters(settings, (letter) => {
    if (matches(letter)) plan.add(letter);
  });
  for (const line of describeStrangers(scan)) terminal.err(line);
  if (plan.letters === 0) {
    terminal.err(nothingMatches(scan));
    return 1;
  }
  const entries = plan.entries();
  for (const line of describePlan(plan, entries)) terminal.out(line);
  if (entries.length === 0) return 1;
  if (!place) {
    for (const line of nameEntries(entries)) terminal.out(line);
    terminal.out('Nothing was done, as --dry-run wants it.');
    return 0;
  }
  if (!(await isConfirmed(`Have ${counted(entries.length, 'resource')} worked again? [y/N] `))) {
    terminal.err('nothing was done');
    return 1;
  }
  return await append(entries, place, terminal);
}

async function append(
  entries: readonly PlannedEntry[],
  place: RedisPlace,
  terminal: Terminal,
): Promise<number> {
  try {
    const { workers } = await appendEntries(
      place,
      entries.map(({ entry }) => entry),
    );
    terminal.out(
      `${counted(entries.length, 'resource')} replayed: in the inbox, to be read from Graph and published.`,
    );
    if (workers === 0) {
      terminal.err(
        `no worker is connected to this Redis under REDIS_PREFIX=${place.REDIS_PREFIX}: it waits for one`,
      );
    }
    return 0;
  } catch (error) {
    if (!(error instanceof AppendError)) throw error;
    terminal.err(`g2k: ${plainText(error.message)}`);
    terminal.err(
      `${error.appended} of ${counted(entries.length, 'resource')} replayed; what was in doubt may be replayed again`,
    );
    return 1;
  }
}

function describePlan(plan: ReplayPlan, entries: readonly PlannedEntry[]): string[] {
  const standing = entries.reduce((sum, { letters }) => sum + letters, 0);
  const refused = [...plan.refused()].map(
    ([why, count]) =>
      `${counted(count, 'dead letter')} cannot be replayed: ${count === 1 ? 'it' : 'each'} ${plainText(why)}.`,
  );
  const replayed = `${counted(standing, 'dead letter')} can be replayed, of ${counted(entries.length, 'resource')}.`;
  return standing > 0 ? [replayed, ...refused] : refused;
}

function nameEntries(entries: readonly PlannedEntry[]): string[] {
  const named = entries.slice(0, MOST_NAMED).map(({ entry, letters }) => {
    return plainText(
      `  ${entry.resource} (${counted(letters, 'dead letter')}, subscription ${entry.news.subscriptionId})`,
    );
  });
  const more = entries.length - named.length;
  return more > 0 ? [...named, `  and ${more} more`] : named;
}
