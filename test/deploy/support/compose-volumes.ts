/** What docker-compose.yml mounts into a service, as folders of this machine. */
import { chown, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ComposeService } from '../../settings/compose-file.ts';
import type { Mount } from './container.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
/** The number of `node` in the images: a new volume takes over the owner of the folder that it is put on. */
const NODE_UID = 1000;

/** `dir` holds the named volumes; they are made where they are missing. */
export async function mountsOf({ volumes = [] }: ComposeService, dir: string): Promise<readonly Mount[]> {
  return Promise.all(
    volumes.map(async (volume) => {
      const [source = '', target = '', mode] =
        typeof volume === 'string'
          ? volume.split(':')
          : [volume.source, volume.target, volume.read_only ? 'ro' : undefined];
      return { source: await onThisMachine(source, dir), target, readOnly: mode === 'ro' };
    }),
  );
}

async function onThisMachine(source: string, dir: string): Promise<string> {
  if (source.startsWith('.')) return resolve(ROOT, source);
  const folder = join(dir, source);
  if (await mkdir(folder, { recursive: true })) await chown(folder, NODE_UID, NODE_UID);
  return folder;
}
