/** Entries and their people → what is wanted of each. Pure. */
import { type DeclaredEntry, idsInFile, wishFor } from '../declaration/declared-entry.ts';
import { ANY_USER } from '../declaration/wish-rules.ts';
import { type Wish, whatIsWanted } from '../subscriptions/wanted-subscriptions.ts';
import { sourceOf } from './people-source.ts';

/** What is known of a source. */
export type KnownPeople =
  | { readonly kind: 'ids'; readonly ids: readonly string[] }
  /** By name: whom it means; `undefined` for one that means nobody. One that is not there was not looked up yet. */
  | { readonly kind: 'names'; readonly idOf: ReadonlyMap<string, string | undefined> };

export type Expanded = {
  readonly wishes: readonly Wish[];
  /** Names of the entries whose people are not all known. */
  readonly unread: readonly string[];
};

/**
 * `people` by the keys of the sources. Whoever is in several entries that want the same is in the first of them: Graph
 * makes one subscription for them.
 */
export function expandWishes(
  entries: readonly DeclaredEntry[],
  people: ReadonlyMap<string, KnownPeople>,
): Expanded {
  const wishes: Wish[] = [];
  const unread: string[] = [];
  const wanted = new Set<string>();
  for (const entry of entries) {
    const what = whatIsWanted(entry.pattern);
    const { ids, isKnown } = peopleOf(entry, people);
    if (!isKnown) unread.push(entry.name);
    for (const id of ids) {
      const whatOfThis = entry.people ? what.replaceAll(ANY_USER, id) : what;
      if (wanted.has(whatOfThis)) continue;
      wanted.add(whatOfThis);
      wishes.push(entry.people ? wishFor(entry, id) : entry.pattern);
    }
  }
  return { wishes, unread };
}

/** One that stands alone has one of no id. */
function peopleOf(
  entry: DeclaredEntry,
  people: ReadonlyMap<string, KnownPeople>,
): { readonly ids: readonly string[]; readonly isKnown: boolean } {
  const source = sourceOf(entry);
  if (!entry.people || !source) return { ids: entry.people ? (idsInFile(entry) ?? []) : [''], isKnown: true };
  const known = people.get(source.key);
  if (entry.people.kind !== 'users') {
    return known?.kind === 'ids' ? { ids: known.ids, isKnown: true } : { ids: [], isKnown: false };
  }
  const { ids, names } = entry.people;
  const idOf = known?.kind === 'names' ? known.idOf : new Map<string, string>();
  const named = names.flatMap((name) => idOf.get(name) ?? []);
  return { ids: [...ids, ...named], isKnown: names.every((name) => idOf.has(name)) };
}
