/** `g2k certificates`: what is listed, what is made, and that it decrypts. */
import { X509Certificate } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { freePort } from '@graph2kafka/test-harness';
import { describe, expect, inject, it } from 'vitest';
import { decryptContent } from '../../src/rich/decrypt-content.ts';
import {
  createSubscriptionStore,
  type KnownSubscription,
} from '../../src/subscriptions/subscription-store.ts';
import { seal } from '../rich/seal.ts';
import { g2k } from '../support/dead-letters.ts';
import { addKey, loadKeys, ownFolder } from '../support/encryption-keys.ts';
import { ownRedis } from '../support/own-redis.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.UTC(2026, 10, 23, 12);

async function setup() {
  const { redis, names } = ownRedis();
  const store = createSubscriptionStore(redis, names);
  const folder = await ownFolder();
  const environment = {
    ENCRYPTION_KEYS: `file:${folder}/`,
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: names.prefix.replace(/^\{|-0\}$/g, ''),
  };
  const known = (id: string, more: Partial<KnownSubscription>) =>
    store.save({
      id,
      wish: id,
      tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
      resource: `users/${id}/events`,
      changeType: 'created',
      topic: 't',
      whole: true,
      nonce: 'n',
      expiresAt: NOW + DAY,
      ...more,
    });
  const run = (words: string, more: Record<string, string> = {}) =>
    g2k(['certificates', ...words.split(' ')], { ...environment, ...more }, { now: NOW });
  return { folder, known, run };
}

describe('the list of certificates', () => {
  it('says of each key what it is for and how many subscriptions may need it', async () => {
    const { folder, known, run } = await setup();
    await addKey(folder, 'a-unused', { startsAt: NOW - 300 * DAY });
    await addKey(folder, 'b-former', { startsAt: NOW - 200 * DAY });
    await addKey(folder, 'c-current', { startsAt: NOW - DAY, expiresAt: NOW + 90 * DAY });
    await addKey(folder, 'd-next', { startsAt: NOW + HOUR });
    await known('s1', {
      certificateId: 'c-current',
      formerCertificates: [{ id: 'b-former', until: NOW - HOUR }],
    });
    await known('s2', { certificateId: 'c-current' });
    const { code, out } = await run('list');
    expect(out.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
      ['CERTIFICATE', 'STATE', 'FROM', 'UNTIL', 'SUBSCRIPTIONS'],
      ['a-unused', 'may go', expect.anything(), expect.anything(), '0'],
      ['b-former', 'in use', expect.anything(), expect.anything(), '1'],
      ['c-current', 'current', '2026-11-22T12:00:00Z', '2027-02-21T12:00:00Z', '2'],
      ['d-next', 'upcoming', '2026-11-23T13:00:00Z', expect.anything(), '0'],
    ]);
    expect(code).toBe(0);
  });

  it('shows a key that is needed and not held, and ends with 1', async () => {
    const { folder, known, run } = await setup();
    await addKey(folder, 'here', { startsAt: NOW - DAY });
    await known('s1', { certificateId: 'gone' });
    const { code, out } = await run('list --json');
    expect(out.split('\n').map((line) => JSON.parse(line))).toMatchObject([
      { certificate: 'here', state: 'current', subscriptions: 0 },
      { certificate: 'gone', state: 'missing', subscriptions: 1 },
    ]);
    expect(code).toBe(1);
  });

  it('never says that a key may go where Redis knows no subscription', async () => {
    const { folder, run } = await setup();
    await addKey(folder, 'old', { startsAt: NOW - 2 * DAY });
    await addKey(folder, 'new', { startsAt: NOW - DAY });
    const { out, err } = await run('list');
    expect(out).not.toContain('may go');
    expect(out).toContain('not current');
    expect(err).toContain('what is still used cannot be told');
  });

  it('says which setting is missing or wrong, and where Redis is not', async () => {
    const { folder, run } = await setup();
    expect(await run('list', { ENCRYPTION_KEYS: '' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('ENCRYPTION_KEYS is required'),
    });
    expect(await run('list', { ENCRYPTION_KEYS: 'file:/nowhere/' })).toMatchObject({
      code: 1,
      err: expect.stringContaining('file:/nowhere/ cannot be read'),
    });
    await addKey(folder, 'here');
    const away = `redis://:PLANTED@127.0.0.1:${await freePort()}`;
    const { code, err } = await run('list', { REDIS_URL: away });
    expect([code, err]).toEqual([1, expect.stringContaining('Redis is not reachable at 127.0.0.1')]);
    expect(err).not.toContain('PLANTED');
  });
});

describe('a rotation', () => {
  it('makes the first key, to be used at once, and readable to its owner alone', async () => {
    const { folder, run } = await setup();
    const { code, out } = await run('rotate --days 90');
    expect(code).toBe(0);
    const id = 'g2k-20261123T120000Z';
    expect(out).toContain(
      `Made the key ${id} (RSA 2048, valid from 2026-11-23T12:00:00Z to 2027-02-21T12:00:00Z)`,
    );
    expect(await readdir(folder)).toEqual([`${id}.pem`]);
    expect((await stat(join(folder, `${id}.pem`))).mode & 0o777).toBe(0o600);
    const keys = await loadKeys(`file:${folder}/`, { now: () => NOW });
    expect(keys.current()?.id).toBe(id);
    expect(out).not.toContain('-----');
  });

  it('makes a key that opens what was sealed for its certificate', async () => {
    const { folder, run } = await setup();
    await run('rotate --bits 4096');
    const [name = ''] = await readdir(folder);
    const { publicKey } = new X509Certificate(await readFile(join(folder, name)));
    const [key] = (await loadKeys(`file:${folder}/`)).held();
    expect(key && decryptContent(seal('{"subject":"x"}', publicKey), key.privateKey)).toEqual({
      ok: true,
      data: { subject: 'x' },
    });
  });

  it('leaves the old key, and gives workers 10 minutes to load the new one; a second one waits for it', async () => {
    const { folder, run } = await setup();
    await addKey(folder, 'old', { startsAt: NOW - DAY });
    expect((await run('rotate')).out).toContain(
      'From 2026-11-23T12:10:00Z on new subscriptions are made with it',
    );
    const clock = { ms: NOW };
    const keys = await loadKeys(`file:${folder}/`, { now: () => clock.ms });
    expect(keys.current()?.id).toBe('old');
    clock.ms += 600_000;
    expect(keys.current()?.id).toBe('g2k-20261123T120000Z');
    const second = await run('rotate');
    expect([second.code, second.err]).toEqual([1, expect.stringContaining('is new already')]);
    expect(await readdir(folder)).toHaveLength(2);
  });

  it('may begin at once', async () => {
    const { folder, run } = await setup();
    await addKey(folder, 'old', { startsAt: NOW - DAY });
    await run('rotate --starts-in 0');
    const keys = await loadKeys(`file:${folder}/`, { now: () => NOW });
    expect(keys.current()?.id).toBe('g2k-20261123T120000Z');
  });

  it('that is only tried makes nothing', async () => {
    const { folder, run } = await setup();
    const { code, out } = await run('rotate --dry-run');
    expect([code, out]).toEqual([0, expect.stringContaining('Would make the key g2k-20261123T120000Z')]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('goes to another folder where it is told to, with no setting at all', async () => {
    const { run } = await setup();
    const elsewhere = await ownFolder();
    const { code, out } = await run(`rotate --out ${elsewhere}`, { ENCRYPTION_KEYS: '' });
    expect([code, out]).toEqual([0, expect.stringContaining('Have every worker read it')]);
    expect(await readdir(elsewhere)).toHaveLength(1);
  });

  it('says what keeps it from making one', async () => {
    const { folder, run } = await setup();
    expect((await run('rotate', { ENCRYPTION_KEYS: '' })).err).toContain('names no folder');
    const nowhere = await run('rotate --out /nowhere', { ENCRYPTION_KEYS: '' });
    expect([nowhere.code, nowhere.err]).toEqual([1, expect.stringContaining('cannot be written (ENOENT)')]);
    expect(await readdir(folder)).toEqual([]);
  });

  it('tells that a key which the settings name stays in use', async () => {
    const { folder, run } = await setup();
    await addKey(folder, 'old', { startsAt: NOW - DAY });
    const { out } = await run('rotate', { ENCRYPTION_CURRENT_KEY: 'old' });
    expect(out).toContain('ENCRYPTION_CURRENT_KEY names old');
  });
});
