/** Goes through the dead-letter topic once, and keeps count of what is no dead letter. */
import type { StoredRecord } from '../kafka/read-topic.ts';
import { plainText } from './plain-text.ts';
import { readLetter, type StoredLetter } from './stored-letter.ts';

export type Scan = {
  readonly letters: number;
  readonly tombstones: number;
  readonly strangers: number;
  /** The first few of them, each with its place and what it is. */
  readonly namedStrangers: readonly string[];
};

/** So many are enough to find their producer. */
const MOST_NAMED = 5;

export async function scanLetters(
  records: AsyncIterable<StoredRecord>,
  onLetter: (letter: StoredLetter) => void,
): Promise<Scan> {
  let [letters, tombstones, strangers] = [0, 0, 0];
  const namedStrangers: string[] = [];
  for await (const record of records) {
    const read = readLetter(record);
    if (read.is === 'letter') {
      letters++;
      onLetter(read.letter);
    } else if (read.is === 'tombstone') tombstones++;
    else {
      strangers++;
      const { partition, offset } = record;
      if (namedStrangers.length < MOST_NAMED)
        namedStrangers.push(`${partition}:${offset}, ${plainText(read.why)}`);
    }
  }
  return { letters, tombstones, strangers, namedStrangers };
}

/** A line about each kind of record that is no dead letter; none in ordinary life. */
export function describeStrangers({ strangers, tombstones, namedStrangers }: Scan): string[] {
  const more = strangers - namedStrangers.length;
  const named = [...namedStrangers, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
  return [
    ...(strangers > 0
      ? [`${counted(strangers, 'record')} of the topic ${isOrAre(strangers)} no dead letter: ${named}`]
      : []),
    ...(tombstones > 0 ? [`${counted(tombstones, 'record')} without a value`] : []),
  ];
}

/** Why there is nothing to show or to do. */
export function nothingMatches({ letters }: Scan): string {
  if (letters === 0) return 'there are no dead letters';
  return letters === 1 ? 'the one dead letter does not match' : `none of ${letters} dead letters matches`;
}

/** `1 record`, `3 records` */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function isOrAre(count: number): string {
  return count === 1 ? 'is' : 'are';
}
