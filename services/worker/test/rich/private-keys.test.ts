/** Reading private keys in the forms that openssl and Key Vault give them out. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '@graph2kafka/test-harness';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decryptContent } from '../../src/rich/decrypt-content.ts';
import { type PrivateKeySource, readPrivateKeys } from '../../src/rich/private-keys.ts';
import { type Vector, vectorKeys } from './vectors.ts';

const [first, second] = vectorKeys;
const setting = 'ENCRYPTION_KEYS';

let dir: string;
/** Other forms of the first key. */
const forms = { pkcs1: '', encrypted: '', encryptedPkcs1: '', pkcs12: '' };

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'graph2kafka-keys-'));
  await writeFile(join(dir, 'key.pem'), first.privateKey);
  await writeFile(join(dir, 'cert.pem'), first.certificate);
  const out = async (...args: string[]) => {
    await runProgram('openssl', [...args, '-out', 'out'], { workingDirectory: dir });
    return readFile(join(dir, 'out'));
  };
  const pass = 'pass:any';
  forms.pkcs1 = `${await out('rsa', '-in', 'key.pem', '-traditional')}`;
  forms.encrypted = `${await out('pkcs8', '-topk8', '-in', 'key.pem', '-passout', pass)}`;
  forms.encryptedPkcs1 = `${await out(...['rsa', '-in', 'key.pem', '-traditional', '-aes256', '-passout', pass])}`;
  const pkcs12 = await out('pkcs12', '-export', '-in', 'cert.pem', '-inkey', 'key.pem', '-passout', 'pass:');
  forms.pkcs12 = pkcs12.toString('base64');
});

afterAll(() => rm(dir, { recursive: true }));

const read = (text: string, more: Partial<PrivateKeySource> = {}) =>
  readPrivateKeys([{ setting, id: 'key-1', text, ...more }]);
const problemOf = (text: string, more?: Partial<PrivateKeySource>) => read(text, more).problems[0]?.problem;
const vector = first.items[0] as Vector;

function expectToDecrypt({ keys, problems }: ReturnType<typeof read>): void {
  expect(problems).toEqual([]);
  const [key] = keys;
  expect(key?.id).toBe('key-1');
  expect(key && decryptContent(vector.content, key.privateKey).ok).toBe(true);
}

describe('a private key is read', () => {
  it('as PKCS#8', () => expectToDecrypt(read(first.privateKey)));
  it('as PKCS#1', () => expectToDecrypt(read(forms.pkcs1)));
  it('with the line ends of Windows', () => expectToDecrypt(read(first.privateKey.replaceAll('\n', '\r\n'))));
  it('as base64 of its PEM, in one line', () =>
    expectToDecrypt(read(Buffer.from(first.privateKey).toString('base64'))));

  it('with its certificate, before or behind it and among others', () => {
    for (const text of [
      first.privateKey + first.certificate,
      first.certificate + first.privateKey,
      first.privateKey + second.certificate + first.certificate,
    ]) {
      const { keys } = read(text);
      expect(keys[0]?.certificate).toEqual({
        thumbprint: vector.content.encryptionCertificateThumbprint,
        base64: first.certificate.replaceAll(/-----[A-Z ]+-----|\n/g, ''),
        expiresAt: Date.UTC(2021, 0, 1),
      });
    }
  });

  it('beside others, each by its own id; what is wrong with one does not hide the rest', () => {
    const { keys, problems } = readPrivateKeys([
      { setting, id: 'old', text: first.privateKey },
      { setting, id: 'broken', text: 'nothing' },
      { setting, id: 'new', text: second.privateKey },
      { setting, id: 'new', text: first.privateKey },
    ]);
    expect(keys.map(({ id }) => id)).toEqual(['old', 'new']);
    expect(problems).toEqual([
      { setting, problem: 'the key "broken" is no PEM' },
      { setting, problem: 'the key "new" has the id of another key' },
    ]);
  });
});

describe('a private key is refused, by name and with the reason', () => {
  const pem = (key: { export(options: { type: 'pkcs8'; format: 'pem' }): string | Buffer }) =>
    `${key.export({ type: 'pkcs8', format: 'pem' })}`;

  it.each([
    [
      'too short',
      () => generateKeyPairSync('rsa', { modulusLength: 1024 }),
      'has 1024 bits: Graph takes 2048 to 4096',
    ],
    ['of an elliptic curve', () => generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'is not an RSA key'],
    ['of Edwards', () => generateKeyPairSync('ed25519'), 'is not an RSA key'],
    [
      'for signatures alone',
      () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 }),
      'is not an RSA key',
    ],
  ])('%s', (_name, generate, problem) => {
    expect(problemOf(pem(generate().privateKey))).toBe(`the key "key-1" ${problem}`);
  });

  it.each([
    ['no PEM', () => 'nothing', 'is no PEM'],
    ['empty', () => '', 'is no PEM'],
    ['a certificate alone', () => first.certificate, 'holds no private key'],
    [
      'two keys',
      () => first.privateKey + second.privateKey,
      'holds several private keys: give each its own id',
    ],
    ['cut off', () => first.privateKey.slice(0, 900), 'is no PEM'],
    ['spoiled', () => first.privateKey.replace(/\n.{64}\n/, '\n'), 'cannot be read'],
    [
      'with a foreign certificate',
      () => first.privateKey + second.certificate,
      'comes with the certificate of another key',
    ],
    [
      'with a spoiled certificate',
      () => first.privateKey + first.certificate.replace(/\n.{64}\n/, '\n'),
      'comes with a certificate that cannot be read',
    ],
    [
      'encrypted',
      () => forms.encrypted,
      'is encrypted: decrypt it with openssl pkey, and keep it where only the worker can read it',
    ],
    [
      'encrypted in the old way',
      () => forms.encryptedPkcs1,
      'is encrypted: decrypt it with openssl pkey, and keep it where only the worker can read it',
    ],
    [
      'PKCS#12, as Key Vault gives out certificates unless told otherwise',
      () => forms.pkcs12,
      'is PKCS#12: convert it with openssl pkcs12 -nodes, or have Key Vault keep it as application/x-pem-file',
    ],
  ])('%s', (_name, text, problem) => {
    expect(read(text())).toEqual({
      keys: [],
      problems: [{ setting, problem: `the key "key-1" ${problem}` }],
    });
  });

  it.each([
    ['empty', ''],
    ['longer than Graph takes', 'x'.repeat(129)],
    ['the key itself, put into the wrong place', first.privateKey],
  ])('under an id that is %s, and the id is not repeated', (_name, id) => {
    const [found] = read(first.privateKey, { id }).problems;
    expect(found).toEqual({
      setting,
      problem: 'the key without a proper id needs an id of 1 to 128 characters',
    });
  });
});
