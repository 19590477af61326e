// A drive that is there without having been made, and the root folder that every drive has.
import { createHash } from 'node:crypto';
import type { JsonObject } from './graph-exchange.ts';

export function driveRootId(driveId: string): string {
  return `01${createHash('sha256').update(driveId).digest('hex').slice(0, 32).toUpperCase()}`;
}

/** A drive of somebody who has none yet: the same id for the same owner, in the form of OneDrive's. */
export function newDrive(facet: 'user' | 'group', owner: JsonObject): { id: string; body: JsonObject } {
  const id = `b!${createHash('sha512').update(`${facet}/${owner.id}`).digest('base64url').slice(0, 64)}`;
  const identity = { id: owner.id, displayName: owner.displayName };
  const driveType = facet === 'user' ? 'business' : 'documentLibrary';
  return { id, body: { id, name: 'Documents', driveType, owner: { [facet]: identity } } };
}

export function driveRootBody(driveId: string, childCount: number): JsonObject {
  return {
    id: driveRootId(driveId),
    name: 'root',
    root: {},
    folder: { childCount },
    parentReference: { driveId, driveType: 'business' },
  };
}
