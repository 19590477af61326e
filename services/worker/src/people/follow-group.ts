/**
 * The people of a group. Whether anybody came or went, a delta query says in one request; who is in it, and in the groups
 * in it, a list says. A delta query alone would have to add up the comings and goings of each nested group.
 */
import { isGuid } from '@graph2kafka/shared';
import type { Directory, DirectoryList } from './directory.ts';

/** What is remembered between two looks. */
export type GroupMemory = {
  /** Of a group that is named by its address. */
  readonly groupId?: string;
  /** Object ids: the group, and those in it, whose members are followed. */
  readonly groups?: readonly string[];
  /** Where the delta query of these goes on; absent where they have none. */
  readonly link?: string;
  /** Epoch milliseconds. */
  readonly listedAt?: number;
};

export type GroupLook = {
  /** Absent: nothing has changed. */
  readonly list?: DirectoryList;
  readonly memory: GroupMemory;
};

/** The group is not there, or not to be told; whoever is known of it stays. */
export class NoSuchGroupError extends Error {
  override readonly name = 'NoSuchGroupError';
}

/** A delta query may leave something out, and an address may come to mean another group. */
const LIST_EVERY_MS = 24 * 3_600_000;

/** `now` in epoch milliseconds. Rejects with a `GraphError` or a `NoSuchGroupError`. */
export async function lookAtGroup(
  directory: Directory,
  group: string,
  memory: GroupMemory,
  now: number,
): Promise<GroupLook> {
  const isOld = memory.listedAt === undefined || Math.abs(now - memory.listedAt) >= LIST_EVERY_MS;
  if (memory.link !== undefined && !isOld) {
    const { changed, link } = await directory.haveMembersChanged(memory.link);
    if (!changed && link !== undefined) return { memory: { ...memory, link } };
  }
  const groupId = isGuid(group) ? group : await findGroup(directory, group, memory);
  const followed = groupId === memory.groupId && memory.groups ? memory.groups : [groupId];
  // Before the list, so that what changes meanwhile is told at the next look.
  const link = await directory.followMembers(followed);
  const list = await directory.listMembers(groupId);
  const groups = [...new Set([groupId, ...list.groups])];
  const isFollowed = new Set(groups).symmetricDifference(new Set(followed)).size === 0;
  return { list, memory: { groupId, groups, listedAt: now, ...(isFollowed && link && { link }) } };
}

async function findGroup(directory: Directory, mail: string, { groupId }: GroupMemory): Promise<string> {
  const found = await directory.findGroups(mail);
  const [id] = found;
  if (id !== undefined && found.length === 1) return id;
  // It has another address now; the group is the same one.
  if (groupId !== undefined && (found.length === 0 || found.includes(groupId))) return groupId;
  throw new NoSuchGroupError(
    found.length === 0 ? `no group has the address ${mail}` : `several groups have the address ${mail}`,
  );
}
