// The two forms of an Outlook item's id: the ordinary one, which a move changes, and the immutable one.
import { type ResourcePath, resourcePath } from './resource-path.ts';

/** What real immutable ids begin with. */
const IMMUTABLE_PREFIX = 'AAkALg';

/** Kinds that have immutable ids (Graph page "Get immutable identifiers for Outlook resources"); folders have none. */
const ITEM_WORDS = new Set(['users/events', 'users/messages', 'users/contacts']);

const swapCase = (text: string) =>
  text.replace(/[a-z]/gi, (letter) =>
    letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase(),
  );

export function hasImmutableId(path: ResourcePath): boolean {
  return ITEM_WORDS.has(path.words) && path.segments.at(-1)?.id !== undefined;
}

export class ItemIdForms {
  /** The id an item was made with, by the id it has now; only of those that have moved. */
  readonly #original = new Map<string, string>();
  /** The id an item has now, by its mailbox and the id it was made with. */
  readonly #current = new Map<string, string>();

  toImmutable(ordinaryId: string): string {
    return IMMUTABLE_PREFIX + swapCase(this.#original.get(ordinaryId) ?? ordinaryId);
  }

  /** The ordinary id of now for an immutable one; every other text as it is. */
  toOrdinary(userId: string, id: string): string {
    if (!id.startsWith(IMMUTABLE_PREFIX)) return id;
    const original = swapCase(id.slice(IMMUTABLE_PREFIX.length));
    return this.#current.get(`${userId}/${original}`) ?? original;
  }

  noteMove(userId: string, fromId: string, toId: string): void {
    const original = this.#original.get(fromId) ?? fromId;
    this.#original.delete(fromId);
    this.#original.set(toId, original);
    this.#current.set(`${userId}/${original}`, toId);
  }

  /** The same item's path with its immutable id; paths of other kinds as they are. */
  immutablePath(path: ResourcePath): ResourcePath {
    const last = path.segments.at(-1);
    if (!hasImmutableId(path) || last?.id === undefined) return path;
    return resourcePath([...path.segments.slice(0, -1), { ...last, id: this.toImmutable(last.id) }]);
  }
}
