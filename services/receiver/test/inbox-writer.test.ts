import { randomUUID } from 'node:crypto';
import { connectFailFast, createContentStore, type InboxEntry, queueNames } from '@graph2kafka/shared';
import { eventually, freePort, type RedisServer, type RedisServerOptions } from '@graph2kafka/test-harness';
import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { createInboxWriter, type InboxWriter } from '../src/inbox-writer.ts';
import { SUBSCRIPTION, TENANT } from './notifications.ts';
import { ownRedis } from './own-redis.ts';
import { takeStored } from './stored.ts';

interface EntryOptions {
  readonly user?: string;
  readonly event?: string;
  readonly subscription?: string;
}

function entry({ user = 'u', event = 'e', subscription = SUBSCRIPTION }: EntryOptions = {}): InboxEntry {
  const resource = `users/${user}/events/${event}`;
  return {
    owner: `${TENANT}/users/${user}`,
    resource,
    receivedAt: 1,
    news: { kind: 'change', tenantId: TENANT, subscriptionId: subscription, changeType: 'updated', resource },
  };
}

interface WriterOptions {
  readonly replicas?: number;
  readonly mostResources?: number;
  readonly beforeWriter?: (redis: Redis) => void;
}

/** A writer on a connection of its own to that Redis, and another connection to look at what it does. */
function writerAt(url: string, { beforeWriter = () => {}, ...options }: WriterOptions = {}) {
  const names = queueNames(`test-${randomUUID()}`);
  const redis = connectFailFast(url, () => undefined);
  beforeWriter(redis);
  const writer = createInboxWriter(redis, names, options);
  const look = new Redis(url, { lazyConnect: true });
  look.on('error', () => undefined);
  return {
    names,
    redis,
    writer,
    look,
    takeStored: () => takeStored(url, names),
    close: async () => {
      await writer.close();
      redis.disconnect();
      look.disconnect();
    },
  };
}

async function connected(options: WriterOptions & Omit<RedisServerOptions, 'dir'> = {}) {
  const own = await ownRedis(options);
  const it = writerAt(own.server.url, options);
  await eventually(() => it.redis.status === 'ready');
  return {
    ...it,
    server: own.server,
    [Symbol.asyncDispose]: async () => {
      await it.close();
      await own[Symbol.asyncDispose]();
    },
  };
}

/** How often Redis ran a script. */
async function scriptCalls(redis: Redis): Promise<number> {
  const stats = await redis.info('commandstats');
  return [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)].reduce(
    (sum, [, calls]) => sum + Number(calls),
    0,
  );
}

const outcomes = async (stores: readonly Promise<void>[]) =>
  (await Promise.allSettled(stores)).map(({ status }) => status);

const storesAgain = (writer: InboxWriter, timeoutMs = 5000) =>
  eventually(() => writer.store([entry({ user: 'again' })]), { timeoutMs });

describe('store', () => {
  it('has stored entries and a job per owner when it resolves', async () => {
    await using it = await connected();
    await it.writer.store([entry(), entry({ event: 'e2' }), entry({ user: 'v' })]);
    const stored = await it.takeStored();
    expect(stored.owners).toEqual([`${TENANT}/users/u`, `${TENANT}/users/v`]);
    expect(stored.jobs).toEqual(stored.owners);
    expect(stored.resources.map(({ resource }) => resource).toSorted()).toEqual([
      'users/u/events/e',
      'users/u/events/e2',
      'users/v/events/e',
    ]);
  });

  it('has nothing to do for no entries, even without Redis', async () => {
    const it = writerAt(`redis://127.0.0.1:${await freePort()}`);
    await it.writer.store([]);
    await it.close();
  });

  it('shares writes among requests that come at once', async () => {
    await using it = await connected();
    await it.writer.store([entry()]);
    const before = await scriptCalls(it.look);
    await Promise.all(Array.from({ length: 200 }, (_, n) => it.writer.store([entry({ event: `e${n}` })])));
    // Two commits: the first request's, and that of all who came while it was under way; each appends and adds a job.
    expect((await scriptCalls(it.look)) - before).toBe(4);
    expect((await it.takeStored()).count).toBe(201);
  });

  it('bounds what an owner may have news of', async () => {
    await using it = await connected({ mostResources: 1 });
    await it.writer.store([entry({ event: 'e1' }), entry({ event: 'e2' })]);
    expect((await it.takeStored()).resources.map(({ resource }) => resource).toSorted()).toEqual([
      `resync/${SUBSCRIPTION}`,
      'users/u/events/e1',
    ]);
  });

  it('keeps the order of an owner over requests and commits', async () => {
    await using it = await connected();
    const subscriptions = Array.from({ length: 100 }, (_, n) => `subscription-${n}`);
    const stores = subscriptions.map((subscription) => it.writer.store([entry({ subscription })]));
    await Promise.all(stores);
    const [resource] = (await it.takeStored()).resources;
    expect(resource?.entries.map(({ subscriptionId }) => subscriptionId)).toEqual(subscriptions);
  });

  it('stores a request that is larger than a commit, and those behind it', async () => {
    await using it = await connected();
    const many = Array.from({ length: 10_000 }, (_, n) => entry({ user: `u${n % 3}`, event: `e${n}` }));
    await Promise.all([
      it.writer.store([entry()]),
      it.writer.store(many),
      it.writer.store([entry({ user: 'z' })]),
    ]);
    const stored = await it.takeStored();
    expect(stored.count).toBe(10_002);
    expect(stored.jobs).toEqual(stored.owners);
  });

  it('fails everybody who shared a write of which any part failed, and nobody after them', async () => {
    await using it = await connected();
    await it.writer.store([entry()]);
    await it.look.set(`${it.names.prefix}:inbox:${TENANT}/users/broken`, 'not an inbox');
    const first = it.writer.store([entry({ event: 'first' })]);
    const shared = ['broken', 'u', 'v'].map((user) => it.writer.store([entry({ user, event: 'shared' })]));
    expect(await outcomes([first, ...shared])).toEqual(['fulfilled', 'rejected', 'rejected', 'rejected']);
    await it.writer.store([entry({ event: 'after' })]);
  });

  it('fails when the entries are stored and the job is not', async () => {
    await using it = await connected();
    await it.look.set(`${it.names.prefix}:owners:wait`, 'not a list');
    await expect(it.writer.store([entry()])).rejects.toThrow('WRONGTYPE');
  });

  it('fails all or stores all when Redis is full', async () => {
    await using it = await connected();
    await it.writer.store([entry()]);
    await it.look.config('SET', 'maxmemory', '1');
    const stores = Array.from({ length: 20 }, (_, n) => it.writer.store([entry({ event: `e${n}` })]));
    expect(new Set(await outcomes(stores))).toEqual(new Set(['rejected']));
    await expect(it.writer.store([entry()])).rejects.toThrow('OOM');
    await it.look.config('SET', 'maxmemory', '0');
    await it.writer.store([entry()]);
  });

  it('fails at once while Redis is down, and stores again when it is back', async () => {
    await using it = await connected();
    await it.writer.store([entry()]);
    await it.server.kill9();
    await eventually(() => it.redis.status !== 'ready');
    const startedAt = performance.now();
    await expect(it.writer.store([entry()])).rejects.toThrow('Redis is not connected');
    expect(performance.now() - startedAt).toBeLessThan(500);
    await it.server.restart();
    await storesAgain(it.writer, 2500);
  });

  it('fails everything under way when Redis is killed', async () => {
    await using it = await connected();
    await it.writer.store([entry()]);
    it.server.freeze();
    const ends = outcomes(Array.from({ length: 50 }, (_, n) => it.writer.store([entry({ event: `e${n}` })])));
    await it.server.kill9();
    expect(new Set(await ends)).toEqual(new Set(['rejected']));
    await it.server.restart();
    await storesAgain(it.writer);
  });

  it('fails within two seconds while Redis is frozen, and stores again when it thaws', async () => {
    await using it = await connected();
    await it.writer.store([entry()]);
    it.server.freeze();
    const startedAt = performance.now();
    await expect(it.writer.store([entry()])).rejects.toThrow('timed out');
    expect(performance.now() - startedAt).toBeLessThan(2500);
    it.server.thaw();
    await storesAgain(it.writer, 2500);
  });

  it('writes nothing more of a request that has waited for longer than its answer may take', async () => {
    await using it = await connected();
    await it.writer.store([entry()]);
    it.server.freeze();
    // Each fills a commit, and each commit fails after 1.5 s: the third one's turn comes after 3 s.
    const large = (name: string) => Array.from({ length: 1000 }, (_, n) => entry({ event: `${name}${n}` }));
    const ends = outcomes(['a', 'b', 'c'].map((name) => it.writer.store(large(name))));
    expect(await ends).toEqual(['rejected', 'rejected', 'rejected']);
    it.server.thaw();
    await storesAgain(it.writer);
    const events = (await it.takeStored()).resources.map(({ resource }) => resource.split('/').at(-1));
    expect(events.filter((event) => event?.startsWith('c')).length).toBe(0);
  });

  it('stores once Redis is there that was not there at the start', async () => {
    const port = await freePort();
    const it = writerAt(`redis://127.0.0.1:${port}`);
    await expect(it.writer.store([entry()])).rejects.toThrow('Redis is not connected');
    await using _redis = await ownRedis({ port });
    await storesAgain(it.writer);
    await it.close();
  });

  it('recovers when Redis froze at the very moment of connecting', async () => {
    await using own = await ownRedis();
    const freezeAtReady = (redis: Redis) => void redis.once('ready', () => own.server.freeze());
    const it = writerAt(own.server.url, { beforeWriter: freezeAtReady });
    await eventually(() => it.redis.status === 'ready');
    await expect(it.writer.store([entry()])).rejects.toThrow();
    own.server.thaw();
    await storesAgain(it.writer);
    await it.close();
  });

  it('survives that Redis forgets its scripts', async () => {
    await using it = await connected();
    await it.writer.store([entry()]);
    await it.look.script('FLUSH');
    await Promise.all([it.writer.store([entry()]), it.writer.store([entry({ user: 'v' })])]);
    const stored = await it.takeStored();
    expect([stored.count, stored.jobs]).toEqual([3, stored.owners]);
  });
});

describe('store with replicas', () => {
  async function withReplica() {
    const primary = await ownRedis({ extraArguments: ['--repl-diskless-sync-delay', '0'] });
    const replica = await ownRedis({
      extraArguments: ['--replicaof', '127.0.0.1', String(primary.server.port)],
    });
    const it = writerAt(primary.server.url, { replicas: 1 });
    await eventually(async () => (await it.look.info('replication')).includes('state=online'), {
      timeoutMs: 20_000,
    });
    return {
      ...it,
      primary: primary.server,
      replica: replica.server as RedisServer,
      [Symbol.asyncDispose]: async () => {
        await it.close();
        await replica[Symbol.asyncDispose]();
        await primary[Symbol.asyncDispose]();
      },
    };
  }

  it('resolves only when a replica holds the entries too', async () => {
    await using it = await withReplica();
    await eventually(() => it.redis.status === 'ready');
    await it.writer.store([entry()]);
    expect((await takeStoredReadOnly(it.replica.url, it.names.prefix)).sort()).toEqual([`${TENANT}/users/u`]);
  });

  it('fails within two seconds when no replica confirms, and stores again when one does', async () => {
    await using it = await withReplica();
    await eventually(() => it.redis.status === 'ready');
    await it.writer.store([entry()]);
    it.replica.freeze();
    const startedAt = performance.now();
    await expect(it.writer.store([entry()])).rejects.toThrow('0 of 1 replicas confirmed');
    expect(performance.now() - startedAt).toBeLessThan(2500);
    it.replica.thaw();
    await storesAgain(it.writer, 10_000);
  });
});

async function takeStoredReadOnly(url: string, prefix: string): Promise<string[]> {
  const redis = new Redis(url);
  const owners = await redis.zrange(`${prefix}:index`, '0', '-1');
  redis.disconnect();
  return owners;
}

describe('close', () => {
  it('ends twice, with Redis up, down, or never there', async () => {
    await using own = await ownRedis();
    const up = writerAt(own.server.url);
    const never = writerAt(`redis://127.0.0.1:${await freePort()}`);
    await eventually(() => up.redis.status === 'ready');
    await up.writer.store([entry()]);
    await own.server.stop();
    for (const it of [up, never]) {
      await it.writer.close();
      await it.writer.close();
      await it.close();
    }
  });
});

describe('entries that carry a resource', () => {
  const content = {
    data: 'ZGF0YQ==',
    dataKey: 'a2V5',
    dataSignature: 'c2ln',
    encryptionCertificateId: 'certificate-1',
  };
  const contentIdsOf = (stored: { resources: readonly { entries: readonly { news: object }[] }[] }) =>
    stored.resources.flatMap(({ entries }) =>
      entries.map(({ news }) => (news as { contentId?: string }).contentId),
    );

  it('are stored with their content and the tokens of their POST, which they name', async () => {
    await using it = await connected();
    await it.writer.store(
      [{ ...entry({ event: 'a' }), content }, entry({ event: 'b' }), { ...entry({ event: 'c' }), content }],
      ['token-1', 'token-2'],
    );
    const ids = contentIdsOf(await it.takeStored());
    const [a = '', b, c = ''] = ids;
    expect([b, a === c]).toEqual([undefined, false]);
    const contents = createContentStore(it.look, it.names);
    expect(await contents.contents([a, c])).toEqual(
      new Map([
        [a, content],
        [c, content],
      ]),
    );
    expect(await contents.tokens(a)).toEqual(['token-1', 'token-2']);
  });

  it('are all that anything is stored for beside the inbox', async () => {
    await using it = await connected();
    await it.writer.store([entry({ event: 'plain' })], ['token-1']);
    expect(await it.look.keys(`${it.names.prefix}:content:*`)).toEqual([]);
  });
});
