// Users and groups as the directory changes them: soft deletion, restoring, deletion for good, membership.
import type { JsonObject } from './graph-exchange.ts';
import { graphDateTime } from './graph-time.ts';
import { type ResourcePath, resourcePath } from './resource-path.ts';
import { NoSuchResourceError, type ResourceStore, type StoredResource } from './resource-store.ts';

export type MemberWord = 'members' | 'owners';

export interface DirectoryObjects {
  /** As DELETE does: restorable; told as "updated". @param path "users/{id}" or "groups/{id}" */
  softDelete(path: string | ResourcePath): StoredResource;
  /** @throws {NoSuchResourceError} where nothing of that id was soft-deleted */
  restore(id: string): StoredResource;
  /** For good; told as "deleted". */
  purge(id: string): StoredResource;
  /** @param memberId of a user or of a group */
  addMember(groupId: string, memberId: string, word?: MemberWord): void;
  removeMember(groupId: string, memberId: string, word?: MemberWord): void;
  /** The users and groups that are members, and with `transitive` the members of those groups too, each once. */
  members(groupId: string, word: MemberWord, transitive: boolean): StoredResource[];
}

export interface DirectoryObjectsDeps {
  readonly resources: ResourceStore;
  readonly now: () => number;
}

const groupPath = (id: string) => resourcePath([{ word: 'groups', id }]);
const memberPath = (groupId: string, word: MemberWord, id: string) =>
  resourcePath([
    { word: 'groups', id: groupId },
    { word, id },
  ]);
const binPath = (id: string) => resourcePath([{ word: 'directory' }, { word: 'deleteditems', id }]);

function requireStored(resources: ResourceStore, path: ResourcePath): StoredResource {
  const found = resources.get(path);
  if (found === undefined) throw new NoSuchResourceError(`There is no resource at ${path.key}.`);
  return found;
}

const ODATA_TYPES: Readonly<Record<string, string>> = {
  users: '#microsoft.graph.user',
  groups: '#microsoft.graph.group',
};

function throwAway(
  resources: ResourceStore,
  asked: string | ResourcePath,
  deletedDateTime: string,
): StoredResource {
  const found = resources.get(asked);
  if (found === undefined) throw new NoSuchResourceError('There is no such user or group.');
  const gone = resources.remove(found.path, { announcedAs: 'updated', reason: 'changed' });
  const id = found.path.segments[0]?.id ?? '';
  const body = { '@odata.type': ODATA_TYPES[found.path.words], ...found.body, deletedDateTime };
  resources.create(binPath(id), body, { notifyTimes: 0 });
  return gone;
}

function takeFromBin(resources: ResourceStore, id: string): { path: ResourcePath; body: JsonObject } {
  const bin = requireStored(resources, binPath(id));
  resources.remove(bin.path, { notifyTimes: 0 });
  const { '@odata.type': odataType, deletedDateTime: _when, ...body } = bin.body;
  const word = odataType === ODATA_TYPES.groups ? 'groups' : 'users';
  return { path: resourcePath([{ word, id }]), body };
}

function objectOf(resources: ResourceStore, id: string): StoredResource | undefined {
  return resources.get(resourcePath([{ word: 'users', id }])) ?? resources.get(groupPath(id));
}

export function createDirectoryObjects({ resources, now }: DirectoryObjectsDeps): DirectoryObjects {
  const tellGroup = (groupId: string, word: MemberWord, member: JsonObject) => {
    const details = { [`${word}@delta`]: [member] };
    resources.update(groupPath(groupId), {}, { details });
  };
  const direct = (groupId: string, word: MemberWord) =>
    resources
      .list(resourcePath([{ word: 'groups', id: groupId }, { word }]))
      .flatMap(({ path }) => objectOf(resources, path.segments.at(-1)?.id ?? '') ?? []);
  const walk = (groupId: string, word: MemberWord, seen: Map<string, StoredResource>) => {
    for (const member of direct(groupId, word)) {
      if (seen.has(member.path.key)) continue;
      seen.set(member.path.key, member);
      if (member.path.words === 'groups') walk(member.path.segments[0]?.id ?? '', word, seen);
    }
    return [...seen.values()];
  };
  return {
    softDelete: (asked) => throwAway(resources, asked, graphDateTime(now())),
    restore: (id) => {
      const { path, body } = takeFromBin(resources, id);
      return resources.create(path, body);
    },
    purge: (id) => {
      const { path, body } = takeFromBin(resources, id);
      return resources.purge(path, body);
    },
    addMember: (groupId, memberId, word = 'members') => {
      const member = objectOf(resources, memberId);
      if (member === undefined) throw new NoSuchResourceError(`There is no user or group ${memberId}.`);
      requireStored(resources, groupPath(groupId));
      const body = { '@odata.type': ODATA_TYPES[member.path.words] };
      resources.create(memberPath(groupId, word, memberId), body, { notifyTimes: 0 });
      tellGroup(groupId, word, { id: memberId });
    },
    removeMember: (groupId, memberId, word = 'members') => {
      resources.remove(memberPath(groupId, word, memberId), { notifyTimes: 0 });
      tellGroup(groupId, word, { id: memberId, '@removed': 'deleted' });
    },
    members: (groupId, word, transitive) =>
      transitive ? walk(groupId, word, new Map()) : direct(groupId, word),
  };
}
