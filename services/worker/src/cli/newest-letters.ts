/** The newest few of any number of letters, in bounded memory. */
import type { StoredLetter } from './stored-letter.ts';

export type NewestLetters = {
  add(letter: StoredLetter): void;
  /** Newest last. */
  list(): StoredLetter[];
  /** Letters that were added, kept or not. */
  readonly added: number;
};

export function createNewestLetters(limit: number): NewestLetters {
  let kept: StoredLetter[] = [];
  let added = 0;
  const cut = () => {
    kept = kept.sort(byTime).slice(-limit);
  };
  return {
    add(letter) {
      added++;
      kept.push(letter);
      if (kept.length >= 2 * limit + 100) cut();
    },
    list() {
      cut();
      return [...kept];
    },
    get added() {
      return added;
    },
  };
}

function byTime(one: StoredLetter, other: StoredLetter): number {
  return one.writtenAt - other.writtenAt || one.partition - other.partition || one.offset - other.offset;
}
