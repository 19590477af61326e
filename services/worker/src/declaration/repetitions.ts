/**
 * Entries that want what another one wants already: Graph gives an app one subscription for a resource and its changes. Pure.
 * Here as far as the file tells; whom two groups have in common shows later (`people/expand-wishes.ts`).
 */
import { whatIsWanted } from '../subscriptions/wanted-subscriptions.ts';
import type { DeclaredEntry, People } from './declared-entry.ts';
import type { FoundAt } from './read-declaration.ts';
import { ANY_USER } from './wish-rules.ts';

/** `entries` in the order of the file; `undefined` for one that is wrong in itself. */
export function findRepetitions(entries: readonly (DeclaredEntry | undefined)[]): FoundAt[] {
  const names = new Map<string, DeclaredEntry>();
  const wanted = new Map<string, DeclaredEntry>();
  return entries.flatMap((entry, i) => {
    if (!entry) return [];
    const path = ['subscriptions', i];
    if (names.has(entry.name)) return [{ path: [...path, 'name'], reason: `${entry.name} is there twice` }];
    names.set(entry.name, entry);
    return findRepeatedPeople(entry, path, wanted);
  });
}

function findRepeatedPeople(
  entry: DeclaredEntry,
  path: readonly PropertyKey[],
  wanted: Map<string, DeclaredEntry>,
): FoundAt[] {
  const what = whatIsWanted(entry.pattern);
  const found: FoundAt[] = [];
  for (const person of peopleInWords(entry.people)) {
    const key = what.replaceAll(ANY_USER, person);
    const other = wanted.get(key);
    if (other) found.push({ path: [...path, ...fieldOf(entry)], reason: reasonOf(entry, other, person) });
    wanted.set(key, entry);
  }
  return found;
}

function reasonOf(entry: DeclaredEntry, other: DeclaredEntry, person: string): string {
  const who = person === '' ? '' : ` of ${person}`;
  if (entry === other) return `${person} is there twice`;
  return `wants the same changes${who} as ${other.name}: Graph makes one subscription for both`;
}

function fieldOf({ people }: DeclaredEntry): readonly string[] {
  if (!people) return [];
  return [people.kind === 'group' ? 'group' : 'users'];
}

/** Each of them as the file names it; one empty text where nobody is named. */
function peopleInWords(people: People | undefined): readonly string[] {
  switch (people?.kind) {
    case undefined:
      return [''];
    case 'users':
      return [...people.ids, ...people.names];
    case 'group':
      return [`group ${people.group}`];
    case 'filter':
      return [`filter ${people.filter}`];
    case 'all':
      return ['all users'];
  }
}
