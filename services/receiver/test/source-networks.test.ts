import fc from 'fast-check';
import { describe, expect, inject, it } from 'vitest';
import { createNetworkCheck, parseNetwork, parseTrustProxy } from '../src/source-networks.ts';
import { change, collection } from './notifications.ts';
import { get, post, send } from './post.ts';
import { runReceiver } from './running-receiver.ts';

describe('parseNetwork', () => {
  it.each(['203.0.113.7', '203.0.113.0/24', '0.0.0.0/0', '2001:db8::/32', '::1', '::/0'])(
    'reads %s',
    (text) => {
      expect(parseNetwork(text)).toBeDefined();
    },
  );

  it.each([
    '',
    'example.org',
    '203.0.113',
    '203.0.113.0/33',
    '203.0.113.0/-1',
    '203.0.113.0/',
    '203.0.113.0/24/24',
    '2001:db8::/129',
    'fe80::1%eth0',
    '203.0.113.0/2 4',
  ])('refuses %j', (text) => {
    expect(parseNetwork(text)).toBeUndefined();
  });
});

describe('createNetworkCheck', () => {
  const toText = (address: number) => [24, 16, 8, 0].map((bits) => (address >>> bits) & 255).join('.');

  it('knows every IPv4 address of a network, in both of its forms, and no other', () => {
    const address = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(address, fc.integer({ min: 1, max: 32 }), address, (base, prefix, other) => {
        const mask = (0xffffffff << (32 - prefix)) >>> 0;
        const check = createNetworkCheck([`${toText(base)}/${prefix}`]);
        const isInside = (other & mask) >>> 0 === (base & mask) >>> 0;
        expect(check(toText(other))).toBe(isInside);
        expect(check(`::ffff:${toText(other)}`)).toBe(isInside);
        expect(check(toText(((base & mask) | (other & ~mask)) >>> 0))).toBe(true);
      }),
    );
  });

  it.each([
    ['2001:db8:1::5', true],
    ['2001:db9::5', false],
    ['52.244.0.1', true],
    ['not an address', false],
    [undefined, false],
  ])('says of %s: %s', (address, expected) => {
    expect(createNetworkCheck(['2001:db8::/32', '52.244.0.0/16'])(address)).toBe(expected);
  });
});

describe('parseTrustProxy', () => {
  it.each([
    ['off', false],
    ['1', 1],
    ['10.0.0.0/8, 127.0.0.1', ['10.0.0.0/8', '127.0.0.1']],
    ['0', undefined],
    ['true', undefined],
    ['loopback', undefined],
    ['10.0.0.0/8,', undefined],
  ])('reads %j', (text, expected) => {
    expect(parseTrustProxy(text)).toEqual(expected);
  });
});

describe('a receiver with ALLOWED_SOURCE_NETWORKS', () => {
  const elsewhere = '203.0.113.0/24';
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const run = (environment: Record<string, string>) =>
    runReceiver({ redisUrl: inject('redisUrl'), environment });

  it('refuses others with 403 before their body is there, also the handshake, and stays healthy', async () => {
    await using it = await run({ ALLOWED_SOURCE_NETWORKS: elsewhere });
    await it.untilReady();
    const refused = await it.post();
    expect([refused.status, JSON.parse(refused.text)]).toEqual([
      403,
      { code: 'source-network', error: 'not from this network' },
    ]);
    expect((await send(`${it.url}/events?validationToken=x`, {})).status).toBe(403);
    // A body that is announced and never sent: the answer does not wait for it.
    const announced = await send(`${it.url}/lifecycle`, {
      headers: { expect: '100-continue', 'content-length': '9' },
    });
    expect(announced.status).toBe(403);
    expect((await get(`${it.url}/healthz`)).status).toBe(200);
    expect((await it.takeStored()).resources).toEqual([]);
  });

  it('believes no X-Forwarded-For unless told to', async () => {
    await using it = await run({ ALLOWED_SOURCE_NETWORKS: elsewhere });
    await it.untilReady();
    const claimed = await post(`${it.url}/events`, collection(change()), from('203.0.113.9'));
    expect(claimed.status).toBe(403);
  });

  it.each(['1', '127.0.0.0/8,::1/128'])(
    'believes the proxies of TRUST_PROXY=%s, and only their last word',
    async (trusted) => {
      await using it = await run({ ALLOWED_SOURCE_NETWORKS: elsewhere, TRUST_PROXY: trusted });
      await it.untilReady();
      const statusFrom = async (forwarded: string) =>
        (await post(`${it.url}/events`, collection(change()), from(forwarded))).status;
      expect(await statusFrom('203.0.113.9')).toBe(202);
      expect(await statusFrom('198.51.100.1, 203.0.113.9')).toBe(202);
      // What a client says of itself stands in front of what the proxy has added.
      expect(await statusFrom('203.0.113.9, 198.51.100.1')).toBe(403);
      expect((await it.post()).status).toBe(403);
    },
  );
});
