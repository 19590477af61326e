// A Redis of a test's own, to be hurt; its folder goes with it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RedisServer, type RedisServerOptions } from '@graph2kafka/test-harness';

export interface OwnRedis extends AsyncDisposable {
  readonly server: RedisServer;
}

export async function ownRedis(options: Omit<RedisServerOptions, 'dir'> = {}): Promise<OwnRedis> {
  const dir = await mkdtemp(join(tmpdir(), 'receiver-redis-'));
  const removeDir = () => rm(dir, { recursive: true, force: true });
  try {
    const server = await RedisServer.start({ dir, ...options });
    return {
      server,
      [Symbol.asyncDispose]: async () => {
        await server.kill9();
        await removeDir();
      },
    };
  } catch (error) {
    await removeDir();
    throw error;
  }
}
