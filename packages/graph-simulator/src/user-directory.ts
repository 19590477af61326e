// Knows the users: by id, by principal name, and with the tenant behind an at sign.
import type { JsonObject } from './graph-exchange.ts';
import { type ResourcePath, resourcePath } from './resource-path.ts';
import type { ResourceStore } from './resource-store.ts';

export interface DirectoryUser {
  readonly id: string;
  readonly displayName: string;
  readonly givenName: string;
  readonly surname: string;
  readonly userPrincipalName: string;
  readonly mail: string;
}

const text = (body: JsonObject, name: string) => String(body[name] ?? '');

function userOf(body: JsonObject): DirectoryUser {
  return {
    id: text(body, 'id'),
    displayName: text(body, 'displayName'),
    givenName: text(body, 'givenName'),
    surname: text(body, 'surname'),
    userPrincipalName: text(body, 'userPrincipalName'),
    mail: text(body, 'mail'),
  };
}

export class UserDirectory {
  readonly #resources: ResourceStore;
  readonly #idByName = new Map<string, string>();

  constructor(resources: ResourceStore) {
    this.#resources = resources;
  }

  users(): DirectoryUser[] {
    return this.#resources.list('users').map(({ body }) => userOf(body));
  }

  get size(): number {
    return this.#resources.count('users');
  }

  find(id: string): DirectoryUser | undefined {
    const stored = this.#resources.get(resourcePath([{ word: 'users', id }]));
    return stored && userOf(stored.body);
  }

  /** To be told of each written user, so that a name is found without a search through all. */
  learn(body: JsonObject): void {
    const name = text(body, 'userPrincipalName').toLowerCase();
    if (name !== '') this.#idByName.set(name, text(body, 'id'));
  }

  /** The same path with a principal name replaced by its id; unknown ones stay. */
  resolve(path: ResourcePath): ResourcePath {
    const [first, ...rest] = path.segments;
    if (first?.word !== 'users' || first.id === undefined) return path;
    const id = this.#idByName.get(first.id.toLowerCase());
    return id === undefined ? path : resourcePath([{ word: 'users', id }, ...rest], path.operation);
  }
}
