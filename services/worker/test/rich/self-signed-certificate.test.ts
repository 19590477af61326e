/** Certificates that we make, as Node's and openssl's own readers see them. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runProgram } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { makeKeyAndCertificate } from '../../src/rich/self-signed-certificate.ts';
import { ownFolder } from '../support/encryption-keys.ts';

const wish = {
  name: 'g2k-20261123T120000Z',
  bits: 2048,
  startsAt: Date.UTC(2026, 10, 23, 12, 0, 5),
  expiresAt: Date.UTC(2027, 10, 23, 12, 0, 5),
} as const;

describe('a certificate that we make', () => {
  it('is signed with its own key, for encryption alone, and valid from and until when it was asked for', async () => {
    const { privateKey, certificate } = await makeKeyAndCertificate(wish);
    const read = new X509Certificate(certificate);
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.checkPrivateKey(createPrivateKey(privateKey))).toBe(true);
    expect(read).toMatchObject({ subject: 'CN=g2k-20261123T120000Z', ca: false });
    expect([read.validFromDate.getTime(), read.validToDate.getTime()]).toEqual([
      wish.startsAt,
      wish.expiresAt,
    ]);
    expect(read.publicKey.asymmetricKeyDetails?.modulusLength).toBe(2048);
  });

  it('may have 4,096 bits, and end after 2049', async () => {
    const expiresAt = Date.UTC(2051, 0, 1);
    const { certificate } = await makeKeyAndCertificate({ ...wish, bits: 4096, expiresAt });
    const read = new X509Certificate(certificate);
    expect(read.publicKey.asymmetricKeyDetails?.modulusLength).toBe(4096);
    expect(read.validToDate.getTime()).toBe(expiresAt);
  });

  it('is what openssl takes for one', async () => {
    const folder = await ownFolder();
    const { certificate } = await makeKeyAndCertificate({ ...wish, startsAt: Date.now() - 60_000 });
    await writeFile(join(folder, 'cert.pem'), certificate);
    const options = { workingDirectory: folder };
    await runProgram(
      'openssl',
      ['verify', '-x509_strict', '-CAfile', 'cert.pem', '-partial_chain', 'cert.pem'],
      options,
    );
    const shown = await runProgram('openssl', ['x509', '-in', 'cert.pem', '-noout', '-text'], options);
    expect(JSON.stringify(shown)).toContain('Key Encipherment, Data Encipherment');
  });

  it('has another serial number and another key each time', async () => {
    const [one, two] = await Promise.all([makeKeyAndCertificate(wish), makeKeyAndCertificate(wish)]);
    const serials = [one, two].map(({ certificate }) => new X509Certificate(certificate).serialNumber);
    expect(new Set(serials).size).toBe(2);
    expect(one.privateKey).not.toBe(two.privateKey);
  });
});
