// Finds a redis-server: the one on PATH, otherwise one from Maven Central.
import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { LOCAL_FOLDER } from './local-folder.ts';
import { makeFolderOnce } from './make-folder-once.ts';
import { unpackFromArtifact } from './maven-central.ts';
import type { OnProgress } from './progress.ts';
import { programVersion } from './run-program.ts';

// Carries a Redis 6.2 for Linux and macOS, the oldest Redis that the product supports.
const ARTIFACT = 'com.github.codemonstur:embedded-redis:1.4.3';
const BINARY_OF: Readonly<Record<string, string>> = {
  'linux x64': 'redis-server-*-linux-amd64',
  'linux arm64': 'redis-server-*-linux-arm64',
  'darwin x64': 'redis-server-*-darwin-amd64',
  'darwin arm64': 'redis-server-*-darwin-arm64',
};

/** A command that starts a Redis server. @throws when there is none and none can be fetched */
export async function findRedisServer(onProgress: OnProgress = () => {}): Promise<string> {
  const onPath = await programVersion('redis-server');
  return onPath === undefined
    ? fetchRedisServer(join(LOCAL_FOLDER, 'redis-6.2'), onProgress)
    : 'redis-server';
}

/** Whether Maven Central has a redis-server for this kind of machine. */
export function hasRedisBinaryFor(platform: string, architecture: string): boolean {
  return `${platform} ${architecture}` in BINARY_OF;
}

/** The path of a redis-server in `folder`, which is filled by Maven where it does not exist yet (12 MB). */
export async function fetchRedisServer(folder: string, onProgress: OnProgress = () => {}): Promise<string> {
  const pattern = BINARY_OF[`${process.platform} ${process.arch}`];
  if (pattern === undefined) {
    throw new Error(
      `There is no redis-server on PATH, and none to fetch for ${process.platform} ${process.arch}`,
    );
  }
  await makeFolderOnce(folder, async (emptyFolder) => {
    onProgress('Fetching Redis 6.2 from Maven Central (12 MB, this once)');
    await unpackFromArtifact(ARTIFACT, pattern, emptyFolder);
    for (const binary of await readdir(emptyFolder)) await chmod(join(emptyFolder, binary), 0o755);
  });
  const [binary] = await readdir(folder);
  if (binary === undefined)
    throw new Error(`${folder} holds no redis-server: remove it, and it is fetched again`);
  return join(folder, binary);
}
