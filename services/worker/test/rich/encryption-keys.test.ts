/** The keys of rich notifications: where they may be kept, which one is used, and that they are replaced while we run. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { requireKeyFor } from '../../src/rich/encryption-keys.ts';
import { keyPlaces } from '../../src/rich/key-places.ts';
import { addKey, loadKeys, ownFolder, pemOf } from '../support/encryption-keys.ts';
import { keptLog } from '../support/silent-log.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.UTC(2026, 10, 23, 12);

const idsOf = (keys: Awaited<ReturnType<typeof loadKeys>>) => keys.held().map(({ id }) => id);

async function problemsOf(loading: Promise<unknown>): Promise<readonly string[]> {
  const error = await loading.then(
    () => undefined,
    (refusal: unknown) => refusal,
  );
  if (!(error instanceof ConfigError)) throw new Error('no problem was found', { cause: error });
  return error.problems;
}

describe('the setting', () => {
  const parse = (text: string) => keyPlaces().safeParse(text);

  it('names folders, references and keys, with an id for each single one', () => {
    expect(
      parse('file:/keys/, a=file:/run/a.pem,b=azurekeyvault://vault/key/0123,c=LS0tLS1CRUdJTg==').data,
    ).toEqual([
      { kind: 'folder', path: '/keys/' },
      {
        kind: 'reference',
        id: 'a',
        reference: { kind: 'file', text: 'file:/run/a.pem', path: '/run/a.pem' },
      },
      {
        kind: 'reference',
        id: 'b',
        reference: expect.objectContaining({ kind: 'keyVault', secret: 'key', version: '0123' }),
      },
      { kind: 'text', id: 'c', text: 'LS0tLS1CRUdJTg==' },
    ]);
  });

  it.each([
    ['file:/keys/a.pem', 'a file needs its id'],
    ['file:keys/', 'a file needs its id'],
    ['azurekeyvault://vault/key', 'each must be file:/folder/ or id=reference'],
    ['a=azurekeyvault://vault', 'a secret in Key Vault is named'],
    ['a=file:b.pem', 'a file is named with its whole path'],
    ['-----BEGIN PRIVATE KEY-----PLANTED=x', 'each must be'],
    ['', 'each must be'],
    ['a=one,a=two', 'two keys have the same id'],
  ])('%j is refused with what is wrong, and never repeated', (text, problem) => {
    const message = parse(text).error?.issues[0]?.message;
    expect(message).toContain(problem);
    expect(message).not.toContain('PLANTED');
  });
});

describe('keys', () => {
  it('are read from a folder, each by the name of its file; others and hidden files are left alone', async () => {
    const folder = await ownFolder();
    await addKey(folder, 'one');
    await addKey(folder, 'two');
    await writeFile(join(folder, '.three.pem'), 'half-written');
    await writeFile(join(folder, 'readme.txt'), 'no key');
    const keys = await loadKeys(`file:${folder}/`);
    expect(idsOf(keys)).toEqual(['one', 'two']);
    expect(keys.held().every(({ certificate }) => certificate !== undefined)).toBe(true);
  });

  it('are read from single files and from the setting itself', async () => {
    const folder = await ownFolder();
    await writeFile(join(folder, 'any-name'), await pemOf());
    const text = Buffer.from(await pemOf()).toString('base64');
    const keys = await loadKeys(`a=file:${folder}/any-name,b=${text}`);
    expect(idsOf(keys)).toEqual(['a', 'b']);
  });

  it('that cannot be had or used are all named at once, with nothing of what they hold', async () => {
    const folder = await ownFolder();
    await writeFile(join(folder, 'bad.pem'), 'PLANTED-KEY');
    await writeFile(join(folder, 'empty.pem'), '');
    expect(await problemsOf(loadKeys(`file:${folder}/,a=file:/nowhere/a,b=PLANTEDKEY`))).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^ENCRYPTION_KEYS: file:.* holds empty\.pem, which is empty$/),
        'ENCRYPTION_KEYS: file:/nowhere/a cannot be read (ENOENT)',
        expect.stringMatching(/^ENCRYPTION_KEYS: the key "b" /),
      ]),
    );
    await rm(join(folder, 'empty.pem'));
    const [problem] = await problemsOf(loadKeys(`file:${folder}/`));
    expect(problem).toMatch(/^ENCRYPTION_KEYS: the key "bad" is no PEM/);
    expect(problem).not.toContain('PLANTED');
    expect(await problemsOf(loadKeys('file:/nowhere/'))).toEqual([
      'ENCRYPTION_KEYS: file:/nowhere/ cannot be read (ENOENT)',
    ]);
  });
});

describe('the key that is used', () => {
  it('is the newest whose certificate has begun; another takes over when its time comes', async () => {
    const clock = { ms: NOW };
    const folder = await ownFolder();
    await addKey(folder, 'z-old', { startsAt: NOW - 10 * DAY });
    await addKey(folder, 'now', { startsAt: NOW - DAY });
    await addKey(folder, 'soon', { startsAt: NOW + 600_000 });
    const keys = await loadKeys(`file:${folder}/`, { now: () => clock.ms });
    expect(keys.current()?.id).toBe('now');
    clock.ms += 600_000;
    expect(keys.current()?.id).toBe('soon');
  });

  it('has not ended, unless all have', async () => {
    const folder = await ownFolder();
    await addKey(folder, 'long', { startsAt: NOW - 20 * DAY, expiresAt: NOW + DAY });
    await addKey(folder, 'short', { startsAt: NOW - 10 * DAY, expiresAt: NOW - DAY });
    const clock = { ms: NOW };
    const keys = await loadKeys(`file:${folder}/`, { now: () => clock.ms });
    expect(keys.current()?.id).toBe('long');
    clock.ms += 2 * DAY;
    expect(keys.current()?.id).toBe('short');
  });

  it('may be named', async () => {
    const folder = await ownFolder();
    await addKey(folder, 'old', { startsAt: NOW - 10 * DAY });
    await addKey(folder, 'new', { startsAt: NOW - DAY });
    expect((await loadKeys(`file:${folder}/`, { current: 'old', now: () => NOW })).current()?.id).toBe('old');
    expect(await problemsOf(loadKeys(`file:${folder}/`, { current: 'other' }))).toEqual([
      'ENCRYPTION_CURRENT_KEY: names no key of ENCRYPTION_KEYS that has a certificate',
    ]);
  });

  it('is none where no key has a certificate', async () => {
    const [key = ''] = (await pemOf()).split('-----BEGIN CERTIFICATE');
    const keys = await loadKeys(`a=${Buffer.from(key).toString('base64')}`);
    expect(idsOf(keys)).toEqual(['a']);
    expect(keys.current()).toBeUndefined();
  });
});

describe('a rich subscription', () => {
  it('is an error at the start where there is no key to make it with', async () => {
    const folder = await ownFolder();
    const none = await loadKeys(`file:${folder}/`);
    expect(() => requireKeyFor([{ key: 'calendars/ada', rich: true }], none)).toThrow(
      'ENCRYPTION_KEYS: calendars/ada is rich, which needs a key with a certificate',
    );
    expect(() => requireKeyFor([{ key: 'calendars/ada' }], none)).not.toThrow();
    await addKey(folder, 'one');
    const keys = await loadKeys(`file:${folder}/`);
    expect(() => requireKeyFor([{ key: 'calendars/ada', rich: true }], keys)).not.toThrow();
  });
});

describe('while the service runs', () => {
  async function watched() {
    const folder = await ownFolder();
    await addKey(folder, 'one', { startsAt: Date.now() - 10 * DAY });
    const keys = await loadKeys(`file:${folder}/`);
    const log = keptLog();
    const watch = keys.watch(log, { filesEveryMs: 5 });
    onTestFinished(() => watch.close());
    return { folder, keys, log };
  }

  it('a key that is added is held and used, and one that is taken away is not', async () => {
    const { folder, keys, log } = await watched();
    await addKey(folder, 'two');
    await eventually(() => expect(idsOf(keys)).toEqual(['one', 'two']));
    expect(keys.current()?.id).toBe('two');
    await rm(join(folder, 'one.pem'));
    await eventually(() => expect(idsOf(keys)).toEqual(['two']));
    expect(log.lines.join()).toContain('encryption.keys-replaced');
    expect(log.lines.join()).not.toContain('PRIVATE KEY');
  });

  it('a key that is spoiled stays as it was, and that is said once', async () => {
    const { folder, keys, log } = await watched();
    const [before] = keys.held();
    await writeFile(join(folder, 'one.pem'), 'PLANTED');
    await addKey(folder, 'two');
    await eventually(() => expect(idsOf(keys).toSorted()).toEqual(['one', 'two']));
    expect(keys.held().find(({ id }) => id === 'one')).toBe(before);
    const said = log.lines.filter((line) => line.includes('encryption.keys-not-taken'));
    expect(said).toHaveLength(1);
    expect(said.join()).not.toContain('PLANTED');
  });

  it('a folder that is gone leaves its keys, and that is said once', async () => {
    const { folder, keys, log } = await watched();
    await rm(folder, { recursive: true });
    const said = () => log.lines.filter((line) => line.includes('encryption.keys-not-read'));
    await eventually(() => expect(said()).toHaveLength(1));
    expect(idsOf(keys)).toEqual(['one']);
  });
});
