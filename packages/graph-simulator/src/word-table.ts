// Looks up words that callers chose: an object would find "constructor" and the like in every table.

export type WordTable<T> = ReadonlyMap<string, T>;

export function wordTable<T>(entries: Readonly<Record<string, T>>): WordTable<T> {
  return new Map(Object.entries(entries));
}
