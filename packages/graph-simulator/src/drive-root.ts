// The root folder of a drive: every drive has one, whether anything was put into it or not.
import { createHash } from 'node:crypto';
import type { JsonObject } from './graph-exchange.ts';

export function driveRootId(driveId: string): string {
  return `01${createHash('sha256').update(driveId).digest('hex').slice(0, 32).toUpperCase()}`;
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
