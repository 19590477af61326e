// Holds every resource with its version; each change bumps the version and is told to one listener.

import type { JsonObject } from './graph-exchange.ts';
import { graphDateTime } from './graph-time.ts';
import type { ItemIds } from './item-ids.ts';
import { type ChangeType, kindOf } from './resource-kinds.ts';
import { collectionOf, parseResourcePath, type ResourcePath } from './resource-path.ts';

/** A body is never altered in place: whoever has read it keeps the state of that moment. */
export interface StoredResource {
  readonly path: ResourcePath;
  readonly body: JsonObject;
  /** 1 for the first state; goes on counting through deletion and restoration. */
  readonly version: number;
  readonly etag: string;
}

/** How many times a subscription's notification of the change is queued: 2 plays Graph's habit of repeating itself. */
export type NotifyTimes = 0 | 1 | 2;

export interface ResourceChange {
  readonly changeType: ChangeType;
  /** The state after the change; after a deletion the last body with the version of the deletion. */
  readonly resource: StoredResource;
  readonly at: number;
  readonly notifyTimes: NotifyTimes;
  /** The state before, if it lived then. */
  readonly previous?: StoredResource;
  /** Where subscribers are told something else than what happened: a soft-deleted user is "updated". */
  readonly announcedAs?: ChangeType;
  /** Of a deletion: 'changed' for what can be restored, as delta queries tell it. */
  readonly reason?: RemovalReason;
  /** Further properties of the notification's resourceData, e.g. "members@delta". */
  readonly details?: JsonObject;
}

export type RemovalReason = 'deleted' | 'changed';

export interface ChangeOptions {
  readonly notifyTimes?: NotifyTimes;
  readonly announcedAs?: ChangeType;
  readonly reason?: RemovalReason;
  readonly details?: JsonObject;
}

/** No resource, or no live one, is at the path. */
export class NoSuchResourceError extends Error {
  override readonly name = 'NoSuchResourceError';
}

export interface ResourceStoreDeps {
  readonly ids: ItemIds;
  readonly now: () => number;
  readonly onChange: (change: ResourceChange) => void;
}

type PathLike = string | ResourcePath;

const asPath = (path: PathLike) => (typeof path === 'string' ? parseResourcePath(path) : path);

/** The etag as a body of that kind shows it; a chat message has a bare property, the others OData's weak form. */
function etagOf(path: ResourcePath, changeKey: string): string {
  return kindOf(path)?.versionForm === 'chatMessage' ? changeKey : `W/"${changeKey}"`;
}

function stamp(path: ResourcePath, body: JsonObject, changeKey: string, nowText: string): JsonObject {
  const id = body.id ?? path.segments.at(-1)?.id;
  const own: JsonObject = id === undefined ? body : { id, ...body };
  const etag = etagOf(path, changeKey);
  switch (kindOf(path)?.versionForm) {
    case 'outlook': {
      const createdDateTime = body.createdDateTime ?? nowText;
      const stamps = { createdDateTime, lastModifiedDateTime: nowText, changeKey };
      const { '@odata.etag': _old, ...rest } = own;
      return { '@odata.etag': etag, ...rest, ...stamps };
    }
    case 'odata': {
      const { '@odata.etag': _old, ...rest } = own;
      const createdDateTime = body.createdDateTime ?? nowText;
      return { '@odata.etag': etag, ...rest, createdDateTime, lastModifiedDateTime: nowText };
    }
    case 'drive': {
      const createdDateTime = body.createdDateTime ?? nowText;
      return { ...own, createdDateTime, eTag: etag, lastModifiedDateTime: nowText };
    }
    case 'chatMessage':
      return { ...own, etag, lastModifiedDateTime: nowText };
    default:
      return own;
  }
}

export class ResourceStore {
  readonly #deps: ResourceStoreDeps;
  readonly #live = new Map<string, StoredResource>();
  /** Versions outlive their resources, so that one that is restored does not count from 1 again. */
  readonly #versions = new Map<string, number>();
  readonly #collections = new Map<string, Map<string, StoredResource>>();

  constructor(deps: ResourceStoreDeps) {
    this.#deps = deps;
  }

  get(path: PathLike): StoredResource | undefined {
    return this.#live.get(asPath(path).key);
  }

  /** Live items of a collection in the order of their creation. */
  list(collection: PathLike): StoredResource[] {
    return [...(this.#collections.get(asPath(collection).key)?.values() ?? [])];
  }

  /** How many live items a collection has. */
  count(collection: PathLike): number {
    return this.#collections.get(asPath(collection).key)?.size ?? 0;
  }

  hasCollection(collection: ResourcePath): boolean {
    return this.#collections.has(collection.key);
  }

  get size(): number {
    return this.#live.size;
  }

  /** Puts a resource as if it had always been there: logged, but nobody is notified. */
  seed(path: PathLike, body: JsonObject): StoredResource {
    return this.create(path, body, { notifyTimes: 0 });
  }

  /** Creates (or restores) the item at the path; an item that lives there is replaced. */
  create(path: PathLike, body: JsonObject, options: ChangeOptions = {}): StoredResource {
    return this.#write('created', asPath(path), body, options);
  }

  /**
   * Replaces the named top-level properties.
   * @throws {NoSuchResourceError}
   */
  update(path: PathLike, patch: JsonObject, options: ChangeOptions = {}): StoredResource {
    const current = this.#require(asPath(path));
    return this.#write('updated', current.path, { ...current.body, ...patch }, options);
  }

  /** @throws {NoSuchResourceError} */
  remove(path: PathLike, options: ChangeOptions = {}): StoredResource {
    const current = this.#require(asPath(path));
    const { version, changeKey } = this.#nextVersion(current.path.key);
    const resource = { ...current, version, etag: etagOf(current.path, changeKey) };
    this.#live.delete(current.path.key);
    this.#collections.get(collectionOf(current.path).key)?.delete(current.path.key);
    this.#tell('deleted', resource, options, current);
    return resource;
  }

  /** Tells of the deletion for good of something that was soft-deleted before. */
  purge(path: PathLike, body: JsonObject): StoredResource {
    const gone = asPath(path);
    const { version, changeKey } = this.#nextVersion(gone.key);
    const resource = { path: gone, body, version, etag: etagOf(gone, changeKey) };
    this.#tell('deleted', resource, {});
    return resource;
  }

  #require(path: ResourcePath): StoredResource {
    const current = this.#live.get(path.key);
    if (current === undefined) throw new NoSuchResourceError(`There is no resource at ${path.key}.`);
    return current;
  }

  #nextVersion(key: string): { version: number; changeKey: string } {
    const version = (this.#versions.get(key) ?? 0) + 1;
    this.#versions.set(key, version);
    return { version, changeKey: this.#deps.ids.changeKey() };
  }

  #write(
    changeType: ChangeType,
    path: ResourcePath,
    body: JsonObject,
    options: ChangeOptions,
  ): StoredResource {
    const { version, changeKey } = this.#nextVersion(path.key);
    const stamped = stamp(path, body, changeKey, graphDateTime(this.#deps.now()));
    const resource: StoredResource = { path, body: stamped, version, etag: etagOf(path, changeKey) };
    const previous = this.#live.get(path.key);
    this.#live.set(path.key, resource);
    this.#collection(collectionOf(path).key).set(path.key, resource);
    this.#tell(changeType, resource, options, previous);
    return resource;
  }

  #collection(key: string): Map<string, StoredResource> {
    const known = this.#collections.get(key);
    if (known !== undefined) return known;
    const made = new Map<string, StoredResource>();
    this.#collections.set(key, made);
    return made;
  }

  #tell(
    changeType: ChangeType,
    resource: StoredResource,
    { notifyTimes = 1, ...more }: ChangeOptions,
    previous?: StoredResource,
  ): void {
    const at = this.#deps.now();
    this.#deps.onChange({ changeType, resource, at, notifyTimes, ...more, ...(previous && { previous }) });
  }
}
