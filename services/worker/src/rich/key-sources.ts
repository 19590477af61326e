/** Reads the keys from where they are kept; a place that cannot be read any more leaves what it gave before. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ReadSecret, SecretError } from '@graph2kafka/shared';
import type { KeyPlace } from './key-places.ts';
import type { PrivateKeySource } from './private-keys.ts';

export type KeySources = {
  readonly sources: readonly PrivateKeySource[];
  /** A sentence for each place that could not be read. */
  readonly problems: readonly string[];
};

export type ReadKeySources = (isMeant: (place: KeyPlace) => boolean) => Promise<KeySources>;

const SETTING = 'ENCRYPTION_KEYS';
const ENDING = '.pem';

/** Each call reads the places that are meant anew, and gives what is known of all. `read` takes secrets of many lines. */
export function createKeySources(places: readonly KeyPlace[], read: ReadSecret): ReadKeySources {
  const known = new Map<KeyPlace, readonly PrivateKeySource[]>();
  return async (isMeant) => {
    const problems: string[] = [];
    await Promise.all(
      places.filter(isMeant).map(async (place) => {
        try {
          known.set(place, await sourcesIn(place, read));
        } catch (error) {
          if (!(error instanceof SecretError)) throw error;
          problems.push(`${nameOf(place)} ${error.message}`);
        }
      }),
    );
    return { sources: places.flatMap((place) => known.get(place) ?? []), problems };
  };
}

function nameOf(place: KeyPlace): string {
  if (place.kind === 'reference') return place.reference.text;
  return place.kind === 'folder' ? `file:${place.path}` : place.id;
}

async function sourcesIn(place: KeyPlace, read: ReadSecret): Promise<readonly PrivateKeySource[]> {
  const source = (id: string, text: string) => ({ setting: SETTING, id, text });
  if (place.kind === 'text') return [source(place.id, place.text)];
  if (place.kind === 'reference') {
    const { text: reference } = place.reference;
    return [{ ...source(place.id, await read(place.reference)), reference }];
  }
  const names = await keyFilesIn(place.path);
  return Promise.all(
    names.map(async (name) => {
      const path = join(place.path, name);
      const text = await read({ kind: 'file', text: `file:${path}`, path }).catch((error: unknown) => {
        if (error instanceof SecretError) throw new SecretError(`holds ${name}, which ${error.message}`);
        throw error;
      });
      return source(name.slice(0, -ENDING.length), text);
    }),
  );
}

/** Hidden ones are half-written, or Kubernetes' own. */
async function keyFilesIn(folder: string): Promise<string[]> {
  try {
    const names = await readdir(folder);
    return names.filter((name) => name.endsWith(ENDING) && !name.startsWith('.')).sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new SecretError(`cannot be read (${code ?? 'unknown error'})`, { cause: error });
  }
}
