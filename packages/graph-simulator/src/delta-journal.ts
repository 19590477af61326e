// Remembers of each scope of a delta query which items changed last, in order, so that a round can begin anywhere.
import { collectionOf, type ResourcePath, resourcePath } from './resource-path.ts';
import type { RemovalReason, ResourceChange, StoredResource } from './resource-store.ts';
import { folderViewOf } from './watched-by.ts';

export interface JournalEntry {
  readonly path: ResourcePath;
  /** Of the item's last change in this scope; counts up over all changes of the tenant. */
  readonly sequence: number;
  /** Epoch milliseconds. */
  readonly at: number;
  /** Set where the item has left the scope: deleted, or moved to another folder. */
  readonly gone?: RemovalReason;
  /** The state before the last change, which a replay can show again. */
  readonly before?: StoredResource;
}

interface Scope {
  /** The item that changed last is at the end. */
  readonly entries: Map<string, JournalEntry>;
  removals: number;
  horizon: number;
}

/** Removals that a scope remembers at least; a mailbox that lives long must not fill the memory with its dead. */
const KEPT_REMOVALS = 5_000;

/** The key of the delta query that tells of the resource: its folder's or calendar's, or else its collection's. */
function scopeOf(resource: StoredResource): string {
  return (folderViewOf(resource) ?? collectionOf(resource.path)).key;
}

export class DeltaJournal {
  readonly #scopes = new Map<string, Scope>();
  #sequence = 0;

  /** The number of the newest change. */
  get sequence(): number {
    return this.#sequence;
  }

  note({ changeType, resource, previous, at, reason = 'deleted' }: ResourceChange): void {
    this.#sequence += 1;
    const entry = { path: resource.path, sequence: this.#sequence, at };
    const scope = scopeOf(resource);
    const isGone = changeType === 'deleted';
    const how = { ...(isGone && { gone: reason }), ...(!isGone && previous && { before: previous }) };
    this.#put(scope, { ...entry, ...how });
    const before = previous === undefined ? scope : scopeOf(previous);
    if (before !== scope) this.#put(before, { ...entry, gone: 'deleted' });
  }

  /** Items of the scope whose last change came after that number, in the order of their last changes. */
  since(scope: string, sequence: number): JournalEntry[] {
    const all = [...(this.#scopes.get(scope)?.entries.values() ?? [])];
    return sequence === 0 ? all : all.filter((entry) => entry.sequence > sequence);
  }

  /** What came before this number is remembered in part only: a round cannot begin there any more. */
  horizon(scope: string): number {
    return this.#scopes.get(scope)?.horizon ?? 0;
  }

  #put(key: string, entry: JournalEntry): void {
    const scope = this.#scopes.get(key) ?? { entries: new Map(), removals: 0, horizon: 0 };
    this.#scopes.set(key, scope);
    const { entries } = scope;
    if (entries.get(entry.path.key)?.gone !== undefined) scope.removals -= 1;
    // Put anew, since a map keeps the place of a key that it has.
    entries.delete(entry.path.key);
    entries.set(entry.path.key, entry);
    if (entry.gone === undefined) return;
    scope.removals += 1;
    if (scope.removals > 2 * KEPT_REMOVALS) forgetRemovals(scope);
  }
}

function forgetRemovals(scope: Scope): void {
  for (const [key, { gone, sequence }] of scope.entries) {
    if (scope.removals <= KEPT_REMOVALS) return;
    if (gone === undefined) continue;
    scope.entries.delete(key);
    scope.removals -= 1;
    scope.horizon = sequence;
  }
}

/** The scope in which a group's members or owners come and go. */
export function membersScope(group: ResourcePath, word: 'members' | 'owners'): string {
  return resourcePath([...group.segments, { word }]).key;
}
