/** Keys with certificates in a folder of one test's own, as `ENCRYPTION_KEYS` names it. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { manyLines, platformSecretReader } from '@graph2kafka/shared';
import { onTestFinished } from 'vitest';
import { type EncryptionKeys, loadEncryptionKeys } from '../../src/rich/encryption-keys.ts';
import { keyPlaces } from '../../src/rich/key-places.ts';
import { type CertificateWish, makeKeyAndCertificate } from '../../src/rich/self-signed-certificate.ts';

const DAY_MS = 24 * 3_600_000;

/** Goes with the test. */
export async function ownFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'graph2kafka-keys-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Key and certificate as one text. */
export async function pemOf(wish: Partial<CertificateWish> = {}): Promise<string> {
  const startsAt = wish.startsAt ?? Date.now() - DAY_MS;
  const expiresAt = startsAt + 365 * DAY_MS;
  const made = await makeKeyAndCertificate({ name: 'test', bits: 2048, startsAt, expiresAt, ...wish });
  return made.privateKey + made.certificate;
}

export async function addKey(
  folder: string,
  id: string,
  wish: Partial<CertificateWish> = {},
): Promise<string> {
  const pem = await pemOf(wish);
  // Whole at once: a watch may be looking.
  await writeFile(join(folder, `.${id}.pem`), pem);
  await rename(join(folder, `.${id}.pem`), join(folder, `${id}.pem`));
  return pem;
}

export function loadKeys(
  setting: string,
  more: { readonly current?: string; readonly now?: () => number } = {},
): Promise<EncryptionKeys> {
  return loadEncryptionKeys({
    places: keyPlaces().parse(setting),
    current: more.current,
    read: platformSecretReader({}, manyLines),
    now: more.now ?? Date.now,
  });
}
