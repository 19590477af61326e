/** Where people come from who are not in the file: one source for all entries that name the same. Pure. */
import { createHash } from 'node:crypto';
import { type DeclaredEntry, idsInFile, type People } from '../declaration/declared-entry.ts';

export type PeopleSource = {
  readonly tenantId: string;
  /** In Redis, and told from those of other tenants. */
  readonly key: string;
  /** For people: `group sales@contoso.com`. */
  readonly label: string;
} & (
  | { readonly kind: 'names'; readonly names: readonly string[] }
  | { readonly kind: 'group'; readonly group: string }
  /** No filter: all users. */
  | { readonly kind: 'users'; readonly filter: string | undefined }
);

export function sourcesOf(entries: readonly DeclaredEntry[]): readonly PeopleSource[] {
  const sources = new Map<string, PeopleSource>();
  for (const entry of entries) {
    const source = sourceOf(entry);
    const known = source && sources.get(source.key);
    if (source) sources.set(source.key, known ? joined(known, source) : source);
  }
  return [...sources.values()];
}

/** `undefined`: the file says all. */
export function sourceOf(entry: DeclaredEntry): PeopleSource | undefined {
  const { tenantId, people } = entry;
  if (!people || idsInFile(entry)) return undefined;
  return { tenantId, key: `${tenantId}:${keyOf(people)}`, ...described(people) };
}

function keyOf(people: People): string {
  switch (people.kind) {
    case 'users':
      return 'names';
    case 'group':
      return `group:${people.group}`;
    case 'filter':
      return `filter:${createHash('sha256').update(people.filter).digest('base64url').slice(0, 22)}`;
    case 'all':
      return 'all';
  }
}

function described(people: People) {
  switch (people.kind) {
    case 'users':
      return { kind: 'names', names: people.names, label: 'users by name' } as const;
    case 'group':
      return { kind: 'group', group: people.group, label: `group ${people.group}` } as const;
    case 'filter':
      return { kind: 'users', filter: people.filter, label: `filter ${people.filter}` } as const;
    case 'all':
      return { kind: 'users', filter: undefined, label: 'all users' } as const;
  }
}

function joined(a: PeopleSource, b: PeopleSource): PeopleSource {
  if (a.kind !== 'names' || b.kind !== 'names') return a;
  return { ...a, names: [...new Set([...a.names, ...b.names])] };
}
