/** Finds what is known of the resource that a path names. Pure. */
import type { ResourcePath } from '@graph2kafka/shared';
import { isFolder, type PathShape, type ResourceKind, shapeOf } from './resource-kind.ts';
import { RESOURCE_TABLE } from './resource-table.ts';

const byShape = (shapesOf: (kind: ResourceKind) => readonly PathShape[]) =>
  new Map(RESOURCE_TABLE.flatMap((kind) => shapesOf(kind).map((shape) => [shape, kind])));

const BY_WATCHED = byShape(({ watched }) => watched);
const BY_NOTIFIED = byShape(({ notified }) => notified);
const BY_FOUND = byShape(({ found = [] }) => found);

/** Of what a subscription to this path tells; undefined where Graph has no change notifications for it. */
export function kindOfWatched(path: ResourcePath): ResourceKind | undefined {
  return BY_WATCHED.get(shapeOf(path));
}

/** Of what a notification names by this path; undefined where none names such a thing. */
export function kindOfNotified(path: ResourcePath): ResourceKind | undefined {
  return BY_NOTIFIED.get(shapeOf(path));
}

/** Of what a record can be; undefined for everything else. */
export function kindOfItem(path: ResourcePath): ResourceKind | undefined {
  return BY_FOUND.get(shapeOf(path)) ?? kindOfNotified(path);
}

/**
 * Whether a subscription to `watched` can have notified `named`: it is of that kind, and of the same mailbox, group, chat,
 * team, channel, as far as both say which. Whoever has seen the clientState of one subscription could otherwise have
 * any resource of the tenant read into its topic.
 */
export function canNotify(watched: ResourcePath, named: ResourcePath): boolean {
  const kind = kindOfWatched(watched);
  if (!kind || kindOfItem(named) !== kind) return false;
  // A user's chats are not named by the user; everything else is named below what is watched.
  if (watched[0]?.word !== named[0]?.word) return watched[0]?.word === 'users' && named[0]?.word === 'chats';
  const split = watched.findIndex(({ word }, i) => word !== named[i]?.word);
  const common = split < 0 ? watched : watched.slice(0, split);
  return common.every((segment, i) => {
    return segment.id === undefined || isFolder(segment) || segment.id === named[i]?.id;
  });
}

/** Whether "deleted" means that the resource is gone, and not only that it left the folder that is watched. */
export function isWhole(watched: ResourcePath): boolean {
  return !watched.some((segment) => segment.id !== undefined && isFolder(segment));
}

/** Whether what is watched is a list whose members are what is notified: `chats`, but not `chats/getAllMessages`. */
export function isCollection(watched: ResourcePath): boolean {
  return kindOfWatched(watched)?.notified.includes(`${shapeOf(watched)}/{id}`) === true;
}
