// Files of the repository by their path from its root.
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

export function readRepositoryFile(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function isInRepository(path: string): boolean {
  return existsSync(join(ROOT, path));
}
