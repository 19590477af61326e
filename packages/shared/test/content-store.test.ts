/** What rich notifications carry, in Redis beside the inbox. */
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { CONTENT_LIFE_SECONDS, contentIdAt, createContentStore } from '../src/content-store.ts';
import { inboxOnRedis } from './inbox-on-redis.ts';

const contentOf = (data: string) => ({
  data,
  dataKey: 'a2V5',
  dataSignature: 'c2ln',
  encryptionCertificateId: 'certificate-1',
});

const [A, B] = [contentIdAt('post-1', 0), contentIdAt('post-1', 1)];

describe('what a POST carried', () => {
  it('is there by the id of each content, what is gone is left out', async () => {
    await using own = inboxOnRedis();
    const store = createContentStore(own.redis, own.names);
    await store.put({ post: 'post-1', contents: [contentOf('YQ=='), contentOf('Yg==')], tokens: ['x', 'y'] });
    await store.put({ post: 'post-2', contents: [contentOf('Yw==')], tokens: [] });
    const gone = [contentIdAt('post-1', 7), contentIdAt('gone', 0), 'post-1.-1', 'post-1.x', 'post-1', ''];
    const ids = [B, contentIdAt('post-2', 0), ...gone];
    expect(await store.contents(ids)).toEqual(
      new Map([
        [B, contentOf('Yg==')],
        [contentIdAt('post-2', 0), contentOf('Yw==')],
      ]),
    );
    expect(await store.contents([])).toEqual(new Map());
  });

  it('comes back letter by letter, also what is no base64 as encoding gives it', async () => {
    await using own = inboxOnRedis();
    const store = createContentStore(own.redis, own.names);
    const contents = [
      { ...contentOf('aGk='), encryptionCertificateThumbprint: 'AB' },
      { ...contentOf('aGl='), dataKey: 'k=\n', encryptionCertificateId: '証明書 "1"' },
      ...['aGk', 'a-_k', 'a G k', 'aGk=aGk=', 'é', ''].map(contentOf),
      contentOf(randomBytes(100_000).toString('base64')),
    ];
    await store.put({ post: 'post-1', contents, tokens: ['x'] });
    const ids = contents.map((_, n) => contentIdAt('post-1', n));
    expect([...(await store.contents(ids)).values()]).toEqual(contents);
  });

  it('has its tokens as long as one of its contents', async () => {
    await using own = inboxOnRedis();
    const store = createContentStore(own.redis, own.names);
    await store.put({ post: 'post-1', contents: [contentOf('YQ=='), contentOf('Yg==')], tokens: ['x', 'y'] });
    await store.remove([A, contentIdAt('gone', 0)]);
    expect(await store.tokens(B)).toEqual(['x', 'y']);
    await store.remove([B]);
    expect(await store.tokens(B)).toEqual([]);
    expect(await own.keys()).toEqual([]);
    await store.remove([]);
  });

  it('keeps the others when one is removed, and removed again', async () => {
    await using own = inboxOnRedis();
    const store = createContentStore(own.redis, own.names);
    await store.put({ post: 'post-1', contents: [contentOf('YQ=='), contentOf('Yg==')], tokens: ['x'] });
    for (const ids of [[A], [A], [A, A], [contentIdAt('post-1', 7), 'post-1.-1', 'post-1.x', 'post-1']])
      await store.remove(ids);
    expect(await store.contents([A, B])).toEqual(new Map([[B, contentOf('Yg==')]]));
    expect(await store.tokens(B)).toEqual(['x']);
  });

  it('lets go of what was removed when little is left, and keeps its end', async () => {
    await using own = inboxOnRedis();
    const store = createContentStore(own.redis, own.names);
    const contents = Array.from({ length: 50 }, () => contentOf(randomBytes(3000).toString('base64')));
    await store.put({ post: 'post-1', contents, tokens: ['x', 'y'] });
    const [key = ''] = await own.keys();
    await own.redis.expire(key, 1000);
    const ids = contents.map((_, n) => contentIdAt('post-1', n));
    const [stays = '', ...others] = [...ids.slice(20), ...ids.slice(0, 20)];
    for (const id of others) await store.remove([id]);
    expect(await store.contents(ids)).toEqual(new Map([[stays, contents[20]]]));
    expect(await store.tokens(stays)).toEqual(['x', 'y']);
    expect(await own.redis.strlen(key)).toBeLessThan(8 * 3200);
    const life = await own.redis.ttl(key);
    expect(life).toBeGreaterThan(900);
    expect(life).toBeLessThanOrEqual(1000);
    await store.remove([stays]);
    expect(await own.keys()).toEqual([]);
  });

  it('ends by itself, should nobody remove it', async () => {
    await using own = inboxOnRedis();
    const store = createContentStore(own.redis, own.names);
    await store.put({ post: 'post-1', contents: [contentOf('YQ==')], tokens: ['x'] });
    const [key = ''] = await own.keys();
    const life = await own.redis.ttl(key);
    expect(life).toBeGreaterThan(CONTENT_LIFE_SECONDS - 60);
    expect(life).toBeLessThanOrEqual(CONTENT_LIFE_SECONDS);
  });
});
