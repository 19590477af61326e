/** What rich notifications carry, in Redis beside the inbox. */
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
    const ids = [B, contentIdAt('post-2', 0), contentIdAt('post-1', 7), contentIdAt('gone', 0), ''];
    expect(await store.contents(ids)).toEqual(
      new Map([
        [B, contentOf('Yg==')],
        [contentIdAt('post-2', 0), contentOf('Yw==')],
      ]),
    );
    expect(await store.contents([])).toEqual(new Map());
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
