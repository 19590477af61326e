/** The page of the subscriptions, over a Redis that holds a large fleet. */
import { connectPatient } from '@graph2kafka/shared';
import { freePort } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createFleetPage } from '../../src/admin/create-fleet-page.ts';
import { findFleetRows, MOST_FOUND, MOST_LOOKED } from '../../src/admin/find-fleet-rows.ts';
import { readFleetQuery } from '../../src/admin/fleet-query.ts';
import type { WishRecord } from '../../src/subscriptions/fleet.ts';
import { fleetKeys } from '../../src/subscriptions/fleet-keys.ts';
import type { Trouble } from '../../src/subscriptions/troubles.ts';
import { ownRedis } from '../support/own-redis.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const HOUR = 3_600_000;
const pad = (n: number) => String(n).padStart(5, '0');
const wishOf = (n: number) => `calendars/00000000-0000-4000-8000-0000000${pad(n)}`;

const known = (n: number) => ({
  ...{ id: `id-${pad(n)}`, wish: wishOf(n), tenantId: 't', resource: `users/${n}/events` },
  ...{ changeType: 'created', topic: 'x', whole: true, nonce: 'PLANTED', expiresAt: NOW + (n + 1) * HOUR },
});

const trouble: Trouble = {
  reason: 'handshake',
  detail: '<script>alert(1)</script>',
  ...{ since: NOW, tries: 1, until: NOW + HOUR },
};

/** Looked at next in the order of their numbers; each thousandth fails and has no subscription. */
async function fleetOf(count: number, readWithinMs?: number) {
  const { redis, names } = ownRedis();
  const keys = fleetKeys(names);
  const all = Array.from({ length: count }, (_, n) => known(n));
  const isFailing = (n: number) => n % 1000 === 999;
  const pipeline = redis.pipeline();
  for (const [n, one] of all.entries()) {
    pipeline.zadd(keys.due, n, one.wish);
    if (isFailing(n)) pipeline.hset(keys.troubles, one.wish, JSON.stringify(trouble));
    else
      pipeline
        .hset(keys.subscriptions, one.id, JSON.stringify(one))
        .hset(keys.byWish, one.wish, `["${one.id}"]`);
  }
  await pipeline.exec();
  const wanted = { current: async () => [] } as never;
  const render = createFleetPage({ redis, names, wanted }, () => NOW, readWithinMs);
  return Object.assign((query = '') => render(new URLSearchParams(query)), { redis, keys });
}

const rowsIn = (html: string) =>
  [...html.matchAll(/<tr><td class="(.*?)">.*?<td>(.*?)<\/td>/g)].map((m) => m[2]);
const nextOf = (html: string) =>
  /href="\/subscriptions\?([^"]*)">more</.exec(html)?.[1]?.replaceAll('&amp;', '&');

describe('the page of the subscriptions', () => {
  it('shows 10,000 page by page, those first that are looked at next, each once', async () => {
    const page = await fleetOf(10_000);
    const first = await page();
    expect(rowsIn(first)).toEqual(Array.from({ length: MOST_FOUND }, (_, n) => wishOf(n)));
    expect(first.length).toBeLessThan(60_000);
    expect(first).not.toContain('PLANTED');
    const seen: (string | undefined)[] = [];
    for (let query: string | undefined = ''; query !== undefined; ) {
      const html = await page(query);
      seen.push(...rowsIn(html));
      query = nextOf(html);
    }
    expect(new Set(seen).size).toBe(10_000);
    expect(seen).toHaveLength(10_000);
  }, 30_000);

  it('narrows by state, by a part of user, wish or id, and by what ends soon', async () => {
    const page = await fleetOf(3000);
    const failing = await page('state=failing');
    expect(rowsIn(failing)).toEqual([wishOf(999), wishOf(1999), wishOf(2999)]);
    expect(failing).toContain('handshake: &lt;script&gt;alert(1)&lt;/script&gt;; next try in 1 h');
    expect(failing).toContain('<option value="failing" selected>');
    expect(rowsIn(await page(`text=${wishOf(1234).slice(10).toUpperCase()}`))).toEqual([wishOf(1234)]);
    expect(rowsIn(await page('text=ID-02999'))).toEqual([]);
    expect(rowsIn(await page('text=id-02998'))).toEqual([wishOf(2998)]);
    expect(rowsIn(await page('expires=3d'))).toHaveLength(72);
    expect(nextOf(await page('state=serving&text=calendars'))).toBe('state=serving&text=calendars&from=100');
  });

  it('takes what is no filter for none, and shows it as text', async () => {
    const page = await fleetOf(3);
    const html = await page('state=gone&expires=constructor&from=-1&text="><script>');
    expect(html).toContain('value="&quot;&gt;&lt;script&gt;"');
    expect(html).not.toContain('<script');
    expect(rowsIn(await page('state=gone&expires=constructor&from=-1'))).toHaveLength(3);
    expect(await page('from=50')).toContain('There are no more');
  });

  it('looks through so many at most, and goes on from there', async () => {
    let read = 0;
    const record = (n: number): WishRecord => ({ wish: wishOf(n), subscriptions: [known(n)] });
    const readFrom = async (from: number, count: number) => {
      read += count;
      return Array.from({ length: count }, (_, n) => record(from + n));
    };
    const asked = readFleetQuery(new URLSearchParams('text=nobody'));
    const { signal } = new AbortController();
    const found = await findFleetRows(asked, { readFrom, wishes: new Map(), now: NOW, signal });
    expect([found.rows, found.next, read]).toEqual([[], MOST_LOOKED, MOST_LOOKED]);
  });

  it('says so where the reading takes too long, and reads no further', async () => {
    const page = await fleetOf(10_000, 1);
    const reads = vi.spyOn(page.redis, 'zrange');
    expect(await page('text=nobody')).toContain('Redis does not answer in time');
    const soFar = reads.mock.calls.length;
    for (let n = 0; n < 100; n++) await page.redis.ping();
    expect(reads.mock.calls.length).toBe(soFar);
  });

  it('names the tenant where there are several', async () => {
    const page = await fleetOf(3);
    expect(await page()).not.toContain('<th>tenant</th>');
    const { redis, keys } = page;
    await redis.hset(keys.subscriptions, 'id-00001', JSON.stringify({ ...known(1), tenantId: 'another' }));
    const html = await page();
    expect(html).toContain('<th>tenant</th>');
    expect([...html.matchAll(/<td>id-\d+<\/td><td>(.*?)<\/td>/g)].map((m) => m[1])).toEqual([
      't',
      'another',
      't',
    ]);
  });

  it('says so where Redis does not answer', async () => {
    const redis = connectPatient(`redis://127.0.0.1:${await freePort()}`, () => undefined);
    onTestFinished(() => redis.disconnect());
    const { names } = ownRedis();
    const page = createFleetPage({ redis, names, wanted: {} as never }, () => NOW);
    expect(await page(new URLSearchParams())).toContain('Redis does not answer');
  });
});
