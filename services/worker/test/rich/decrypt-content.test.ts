/** Decryption: against vectors of other programs, and with every part altered. */
import { createPrivateKey, createPublicKey, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from '@graph2kafka/test-harness';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { decryptContent, type SealedContent } from '../../src/rich/decrypt-content.ts';
import { type SealOptions, seal } from './seal.ts';
import { type VectorKey, vectorKeys } from './vectors.ts';

const [first, second] = vectorKeys;
const privateKeyOf = ({ privateKey }: VectorKey) => createPrivateKey(privateKey);
const privateKey = privateKeyOf(first);
const publicKey = createPublicKey(first.privateKey);
/** Wherever it failed, the reason that others are told is the same. */
const refusedAt = (failedAt: string) => ({
  ok: false,
  reason: 'the encrypted content was altered, or is not for this key',
  failedAt,
});

describe.each(vectorKeys)('content that Python encrypted for a key of $bits bits', (key) => {
  it.each(key.items)('is decrypted: $name', ({ text, content }) => {
    const decrypted = decryptContent(content, privateKeyOf(key));
    expect(decrypted).toEqual({ ok: true, data: JSON.parse(text) });
  });
});

describe('content that openssl encrypted', () => {
  it.each(vectorKeys)('is decrypted, 300 kB of it, for a key of $bits bits', async (key) => {
    const resource = { subject: 'Größe 会議', body: 'ß会'.repeat(60_000) };
    const text = JSON.stringify(resource);
    expect(Buffer.byteLength(text)).toBeGreaterThan(300_000);
    const content = await sealByOpenssl(text, key);
    expect(decryptContent(content, privateKeyOf(key))).toEqual({ ok: true, data: resource });
  });
});

/** By its commands alone, from random key to signature. */
async function sealByOpenssl(text: string, { certificate }: VectorKey): Promise<SealedContent> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-seal-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = (name: string) => join(dir, name);
  const openssl = (...args: string[]) => runProgram('openssl', args, { workingDirectory: dir });
  await writeFile(file('plain'), text);
  await writeFile(file('certificate.pem'), certificate);
  await openssl('rand', '-out', 'key', '32');
  const key = (await readFile(file('key'))).toString('hex');
  await openssl(
    ...['enc', '-aes-256-cbc', '-K', key, '-iv', key.slice(0, 32), '-in', 'plain', '-out', 'data'],
  );
  const hmac = ['-mac', 'HMAC', '-macopt', `hexkey:${key}`];
  await openssl('dgst', '-sha256', ...hmac, '-binary', '-out', 'signature', 'data');
  const oaep = ['rsa_padding_mode:oaep', 'rsa_oaep_md:sha1', 'rsa_mgf1_md:sha1'];
  await openssl(
    ...['pkeyutl', '-encrypt', '-certin', '-inkey', 'certificate.pem', '-in', 'key', '-out', 'dataKey'],
    ...oaep.flatMap((option) => ['-pkeyopt', option]),
  );
  const base64 = async (name: string) => (await readFile(file(name))).toString('base64');
  return {
    data: await base64('data'),
    dataKey: await base64('dataKey'),
    dataSignature: await base64('signature'),
  };
}

const FIELDS = ['data', 'dataKey', 'dataSignature'] as const;
const item = fc.constantFrom(...first.items.slice(0, 8));
const field = fc.constantFrom(...FIELDS);

describe('altered content', () => {
  it('is refused whichever bit of whichever part was turned round', () => {
    fc.assert(
      fc.property(item, field, fc.nat(), fc.integer({ min: 0, max: 7 }), ({ content }, name, at, bit) => {
        const bytes = Buffer.from(content[name], 'base64');
        const place = at % bytes.length;
        bytes.writeUInt8(bytes.readUInt8(place) ^ (1 << bit), place);
        expect(decryptContent({ ...content, [name]: bytes.toString('base64') }, privateKey).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused whatever text stands in the place of a part of its text', () => {
    fc.assert(
      fc.property(item, field, fc.nat(), fc.nat(40), fc.string(), ({ content }, name, at, cut, put) => {
        const text = content[name];
        const from = at % (text.length + 1);
        const altered = text.slice(0, from) + put + text.slice(from + cut);
        fc.pre(altered !== text);
        expect(decryptContent({ ...content, [name]: altered }, privateKey).ok).toBe(false);
      }),
      { numRuns: 500 },
    );
  });

  it('is refused with a part from other content for the same key', () => {
    fc.assert(
      fc.property(item, item, field, (one, other, name) => {
        fc.pre(one.name !== other.name);
        expect(decryptContent({ ...one.content, [name]: other.content[name] }, privateKey).ok).toBe(false);
      }),
    );
  });

  it('is refused where it is no more than any text', () => {
    fc.assert(
      fc.property(
        fc.record({ data: fc.string(), dataKey: fc.string(), dataSignature: fc.string() }),
        (any) => {
          expect(decryptContent(any, privateKey).ok).toBe(false);
        },
      ),
    );
  });

  it.each([
    ['a line end within', (text: string) => `${text.slice(0, 8)}\n${text.slice(8)}`],
    ['a space at the end', (text: string) => `${text} `],
    ['its padding left out', (text: string) => text.replace(/=+$/, '')],
    ['the alphabet of URLs', (text: string) => text.replaceAll('+', '-').replaceAll('/', '_')],
  ])('is refused in another spelling of base64: %s', (_name, respell) => {
    const { content } = first.items.find(({ content: { dataSignature, dataKey } }) =>
      /[+/].*=$/.test(dataSignature + dataKey),
    ) as (typeof first.items)[number];
    expect(decryptContent(content, privateKey).ok).toBe(true);
    const altered = {
      ...content,
      dataSignature: respell(content.dataSignature),
      dataKey: respell(content.dataKey),
    };
    expect(decryptContent(altered, privateKey)).toEqual(refusedAt('form'));
  });

  it('tells the step at which it failed', () => {
    const [{ content }] = first.items as [(typeof first.items)[number]];
    const failedAt = (part: Partial<SealedContent>) => decryptContent({ ...content, ...part }, privateKey);
    const otherKey = (second.items[0] as (typeof second.items)[number]).content.dataKey;
    expect(failedAt({ dataKey: otherKey })).toEqual(refusedAt('dataKey'));
    expect(failedAt({ dataKey: randomBytes(256).toString('base64') })).toEqual(refusedAt('dataKey'));
    expect(failedAt({ dataSignature: randomBytes(32).toString('base64') })).toEqual(refusedAt('signature'));
    expect(failedAt({ data: randomBytes(32).toString('base64') })).toEqual(refusedAt('signature'));
    expect(decryptContent(content, privateKeyOf(second))).toEqual(refusedAt('dataKey'));
  });
});

describe('content that was sealed rightly', () => {
  const nested = (levels: number) => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;
  const decrypt = (plain: string | Buffer, options: SealOptions = {}) =>
    decryptContent(seal(plain, publicKey, options), privateKey);

  it.each<[string, string | Buffer, SealOptions, string]>([
    ['with a key of 16 bytes', '{}', { dataKey: randomBytes(16) }, 'dataKey'],
    ['with a key of 33 bytes', '{}', { dataKey: randomBytes(33) }, 'dataKey'],
    ['with OAEP over SHA-256', '{}', { oaepHash: 'sha256' }, 'dataKey'],
    ['without padding', '{ "a":    "0123"', { padded: false }, 'data'],
    ['as an empty text', '', {}, 'json'],
    ['as half an object', '{"a":', {}, 'json'],
    ['as a list', '[]', {}, 'json'],
    ['as null', 'null', {}, 'json'],
    ['in UTF-16', Buffer.from('{}', 'utf16le'), {}, 'json'],
    ['with half a character', Buffer.from([0x7b, 0x22, 0xc3, 0x22, 0x3a, 0x31, 0x7d]), {}, 'json'],
    ['nested deeper than 64 levels', nested(65), {}, 'json'],
    ['nested 100,000 levels deep', nested(100_000), {}, 'json'],
    ['with more than 4 MiB', JSON.stringify({ a: 'x'.repeat(4 * 1024 * 1024) }), {}, 'form'],
  ])('is refused, not thrown at the caller: %s', (_name, plain, options, failedAt) => {
    expect(decrypt(plain, options)).toEqual(refusedAt(failedAt));
  });

  it('is taken up to the bounds', () => {
    const text = 'x'.repeat(4 * 1024 * 1024 - 32);
    expect(decrypt(JSON.stringify({ a: text }))).toEqual({ ok: true, data: { a: text } });
    expect(decrypt(nested(64)).ok).toBe(true);
  });

  it('keeps a property of an awkward name to itself', () => {
    const decrypted = decrypt('{"__proto__":{"polluted":true}}');
    expect(decrypted).toMatchObject({ ok: true });
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });
});
