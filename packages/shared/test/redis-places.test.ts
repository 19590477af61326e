import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, freePort, makeKafkaCertificates, RedisServer } from '@graph2kafka/test-harness';
import { Redis } from 'ioredis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { connectPatient, createInbox, placeProblems, queueNames } from '../src/index.ts';
import { allDone, entry, OWNER, resourcesOf } from './inbox-on-redis.ts';

const names = queueNames('placed');

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'redis-places-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

async function server(...extraArguments: string[]): Promise<{ server: RedisServer; redis: Redis }> {
  const started = await RedisServer.start({ dir: await folder(), extraArguments });
  onTestFinished(() => started.stop());
  return { server: started, redis: connected(new Redis(started.url)) };
}

function connected(redis: Redis): Redis {
  redis.on('error', () => undefined);
  onTestFinished(() => redis.disconnect());
  return redis;
}

/** A node of a cluster that is ready to be told which keys are its own. */
const node = () => server('--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf');

const stateOf = async (redis: Redis) => (await redis.cluster('INFO')) as string;

describe('a Redis in cluster mode', () => {
  it('serves where it is the only node: all keys of a deployment belong together', async () => {
    const { redis, server: alone } = await node();
    await redis.cluster('ADDSLOTSRANGE', 0, 16_383);
    await eventually(async () => (await stateOf(redis)).includes('cluster_state:ok'));
    expect(await placeProblems(redis, names)).toEqual([]);
    const inbox = createInbox(connected(connectPatient(alone.url, () => undefined)), names);
    await inbox.append(OWNER, [entry('a')]);
    const taken = resourcesOf(await inbox.begin(OWNER, 'run', 60_000, 10));
    expect(await inbox.settle(OWNER, 'run', allDone(taken))).toEqual({ state: 'empty' });
    expect(await inbox.oldestReceivedAt()).toBeUndefined();
  });

  it('is refused where another node holds the keys, with the cure', async () => {
    const [ours, other] = [await node(), await node()];
    await other.redis.cluster('ADDSLOTSRANGE', 0, 16_383);
    await ours.redis.cluster('MEET', '127.0.0.1', other.server.port);
    for (const { redis } of [ours, other]) {
      await eventually(async () => (await stateOf(redis)).includes('cluster_state:ok'), {
        timeoutMs: 20_000,
      });
    }
    expect(await placeProblems(ours.redis, names)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^Redis is a cluster, .*REDIS_PREFIX \\(127\\.0\\.0\\.1:${other.server.port} does\\): use `,
        ),
      ),
    ]);
    expect(await placeProblems(other.redis, names)).toEqual([]);
  });
});

describe('a Redis behind TLS', () => {
  it('is reached with user, password and an authority of its own, and not without any of them', async () => {
    const dir = await folder();
    await makeKafkaCertificates(dir);
    const port = await freePort();
    const { redis } = await server(
      ...['--tls-port', String(port), '--tls-auth-clients', 'no', '--tls-ca-cert-file', join(dir, 'ca.pem')],
      ...['--tls-cert-file', join(dir, 'server.pem'), '--tls-key-file', join(dir, 'server.key')],
    );
    await redis.call('ACL', 'SETUSER', 'g2k', 'on', '>p@ss:word', '~*', '&*', '+@all');
    await redis.call('ACL', 'SETUSER', 'default', 'resetpass', '>of nobody');
    const ca = await readFile(join(dir, 'ca.pem'), 'utf8');
    const errorOf = (url: string, tls: object) =>
      connected(
        new Redis(url, { tls, lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 }),
      )
        .ping()
        .then(
          () => 'none',
          (error: Error) => `${error.message} ${String(error.cause ?? '')}`,
        );
    const right = `rediss://g2k:p%40ss%3Aword@127.0.0.1:${port}`;
    expect(await errorOf(right, { ca })).toBe('none');
    expect(await errorOf(right, {})).not.toBe('none');
    expect(await errorOf(`rediss://g2k:wrong@127.0.0.1:${port}`, { ca })).toMatch(/WRONGPASS/);
    expect(await errorOf(`rediss://127.0.0.1:${port}`, { ca })).toMatch(/NOAUTH/);
  });
});
