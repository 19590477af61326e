/** Keys that Key Vault or Secret Manager keeps: read over HTTPS as both give them out, and again while we run. */
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ConfigError, manyLines, type StoredContent } from '@graph2kafka/shared';
import { ChildProcess, eventually, runProgram } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { createSecretReader } from '../../../../packages/shared/src/secrets/read-secret.ts';
import { chooseKey } from '../../src/rich/choose-key.ts';
import { decryptContent } from '../../src/rich/decrypt-content.ts';
import { type EncryptionKeys, loadEncryptionKeys } from '../../src/rich/encryption-keys.ts';
import { keyPlaces } from '../../src/rich/key-places.ts';
import { ownFolder, pemOf } from '../support/encryption-keys.ts';
import { keptLog } from '../support/silent-log.ts';
import { seal } from './seal.ts';
import {
  platformEnvironment,
  platformToken,
  type SecretStore,
  startIdentity,
  startKeyVault,
  startSecretManager,
  VAULT,
  type VaultSecret,
} from './vaults.ts';

const REFERENCE = `azurekeyvault://${VAULT}/rich`;

function loadFrom(vault: SecretStore, setting = `a=${REFERENCE}`): Promise<EncryptionKeys> {
  const read = createSecretReader({ tokenFor: platformToken, originOf: () => vault.origin }, {}, manyLines);
  return loadEncryptionKeys({ places: keyPlaces().parse(setting), current: undefined, read, now: Date.now });
}

/** As Key Vault gives out a certificate whose content type is that. */
const asPem = (pem: string): VaultSecret => ({ value: pem, contentType: 'application/x-pem-file' });

async function asPkcs12(pem: string): Promise<VaultSecret> {
  const folder = await ownFolder();
  await writeFile(join(folder, 'both.pem'), pem);
  const args = ['pkcs12', '-export', '-in', 'both.pem', '-out', 'both.p12', '-passout', 'pass:'];
  await runProgram('openssl', args, { workingDirectory: folder });
  const value = (await readFile(join(folder, 'both.p12'))).toString('base64');
  return { value, contentType: 'application/x-pkcs12' };
}

/** Content under the id `a`, for the certificate of this PEM. */
function contentFor(pem: string, subject: string): StoredContent {
  const certificate = new X509Certificate(pem.slice(pem.indexOf('-----BEGIN CERTIFICATE')));
  return {
    ...seal(JSON.stringify({ subject }), certificate.publicKey),
    encryptionCertificateId: 'a',
    encryptionCertificateThumbprint: certificate.fingerprint.replaceAll(':', ''),
  };
}

/** Undefined where the content waits for its key. */
function open(keys: EncryptionKeys, content: StoredContent): unknown {
  const key = chooseKey(keys.held(), content);
  return key && decryptContent(content, key.privateKey);
}

const opened = (subject: string) => ({ ok: true, data: { subject } });

function watch(keys: EncryptionKeys) {
  const log = keptLog();
  const watching = keys.watch(log, { othersEveryMs: 5 });
  onTestFinished(() => watching.close());
  return log;
}

async function problemsOf(loading: Promise<unknown>): Promise<readonly string[]> {
  const error = await loading.catch((refusal: unknown) => refusal);
  if (!(error instanceof ConfigError)) throw new Error('no problem was found', { cause: error });
  return error.problems;
}

describe('a key in Key Vault', () => {
  it.each([
    ['a certificate of the vault, as PEM', 'azurekeyvault://my-vault/rich', asPem],
    ['a secret that holds PEM', 'azurekeyvault://my-vault/rich', (value: string) => ({ value })],
    [
      'a secret of one line, base64 of PEM',
      'azurekeyvault://my-vault/rich',
      (pem: string) => ({ value: Buffer.from(pem).toString('base64') }),
    ],
    ['one version of it', 'azurekeyvault://my-vault/rich/0a1b2c', asPem],
  ] as const)('opens what is for its certificate: %s', async (_what, reference, secretOf) => {
    const pem = await pemOf();
    const vault = await startKeyVault({ rich: secretOf(pem) });
    const keys = await loadFrom(vault, `a=${reference}`);
    expect(keys.current()?.id).toBe('a');
    expect(open(keys, contentFor(pem, 'x'))).toEqual(opened('x'));
    expect(vault.asked).toEqual([`/secrets${new URL(reference).pathname}?api-version=7.4`]);
  });

  it('that is PKCS#12 is refused by its reference, with what to do, and nothing of it is told', async () => {
    const pem = await pemOf();
    const secret = await asPkcs12(pem);
    const vault = await startKeyVault({ rich: secret });
    const problems = await problemsOf(loadFrom(vault));
    expect(problems).toEqual([
      `ENCRYPTION_KEYS: the key "a" (${REFERENCE}) is PKCS#12: convert it with openssl pkcs12 -nodes, or have Key Vault keep it as application/x-pem-file`,
    ]);
    expect(problems.join()).not.toContain(secret.value.slice(0, 20));
  });

  it('that is not there, or may not be read, is told by its reference', async () => {
    const vault = await startKeyVault();
    expect(await problemsOf(loadFrom(vault))).toEqual([
      `ENCRYPTION_KEYS: ${REFERENCE} Key Vault answered 404 (SecretNotFound)`,
    ]);
    const read = createSecretReader(
      { tokenFor: async () => 'of another', originOf: () => vault.origin },
      {},
      manyLines,
    );
    const places = keyPlaces().parse(`a=${REFERENCE}`);
    expect(await problemsOf(loadEncryptionKeys({ places, current: undefined, read, now: Date.now }))).toEqual(
      [`ENCRYPTION_KEYS: ${REFERENCE} Key Vault answered 401 (Unauthorized)`],
    );
  });
});

describe('a key that appears in the vault while we run', () => {
  it('opens what waits for it, and what is for the one before is opened all the same', async () => {
    const [before, after] = [await pemOf(), await pemOf()];
    const vault = await startKeyVault({ rich: asPem(before) });
    const keys = await loadFrom(vault);
    const parked = contentFor(after, 'parked');
    expect(open(keys, parked)).toBeUndefined();
    const log = watch(keys);
    vault.secrets.set('rich', asPem(after));
    await eventually(() => expect(open(keys, parked)).toEqual(opened('parked')));
    expect(open(keys, contentFor(before, 'from before'))).toEqual(opened('from before'));
    const said = log.lines.filter((line) => line.includes('encryption.id-reused'));
    expect(said).toEqual([expect.stringContaining('"certificate":"a"')]);
    expect(keys.held()).toHaveLength(1);
    expect(log.lines.join()).not.toContain('PRIVATE KEY');
  });

  it('and goes again leaves the one before as it was, and itself for what still is for it', async () => {
    const [one, two] = [await pemOf(), await pemOf()];
    const vault = await startKeyVault({ rich: asPem(one) });
    const keys = await loadFrom(vault);
    watch(keys);
    vault.secrets.set('rich', asPem(two));
    await eventually(() => expect(open(keys, contentFor(two, '2'))).toEqual(opened('2')));
    vault.secrets.set('rich', asPem(one));
    const certificate = new X509Certificate(one.slice(one.indexOf('-----BEGIN CERTIFICATE')));
    await eventually(() => expect(keys.current()?.base64).toBe(certificate.raw.toString('base64')));
    for (const [pem, subject] of [
      [one, '1'],
      [two, '2'],
    ] as const)
      expect(open(keys, contentFor(pem, subject))).toEqual(opened(subject));
    expect(keys.held()[0]?.replaced).toHaveLength(1);
  });

  it('as PKCS#12 leaves the one before, and that is said once, with the reference', async () => {
    const pem = await pemOf();
    const vault = await startKeyVault({ rich: asPem(pem) });
    const keys = await loadFrom(vault);
    const log = watch(keys);
    vault.secrets.set('rich', await asPkcs12(await pemOf()));
    const said = () => log.lines.filter((line) => line.includes('encryption.keys-not-taken'));
    await eventually(() => expect(said()).toHaveLength(1));
    const asked = vault.asked.length;
    await eventually(() => expect(vault.asked.length).toBeGreaterThan(asked + 2));
    expect(said()).toEqual([expect.stringContaining(REFERENCE)]);
    expect(open(keys, contentFor(pem, 'x'))).toEqual(opened('x'));
  });

  it('is not lost when the vault is away for a while', async () => {
    const pem = await pemOf();
    const vault = await startKeyVault({ rich: asPem(pem) });
    const keys = await loadFrom(vault);
    const log = watch(keys);
    vault.secrets.delete('rich');
    await eventually(() => expect(log.lines.join()).toContain('encryption.keys-not-read'));
    expect(open(keys, contentFor(pem, 'x'))).toEqual(opened('x'));
  });
});

describe('a key in Secret Manager', () => {
  it('is read as the service account of the machine, and opens what is for its certificate', async () => {
    const pem = await pemOf();
    const [machine, manager] = [
      await startIdentity('google'),
      await startSecretManager({ rich: { value: pem } }),
    ];
    const read = createSecretReader(
      { tokenFor: platformToken },
      { metadataOrigin: machine.origin, secretManagerOrigin: manager.origin },
      manyLines,
    );
    const places = keyPlaces().parse('a=gcpsecretmanager://my-project/rich/latest');
    const keys = await loadEncryptionKeys({ places, current: undefined, read, now: Date.now });
    expect(open(keys, contentFor(pem, 'x'))).toEqual(opened('x'));
    manager.secrets.delete('rich');
    expect(await problemsOf(loadEncryptionKeys({ places, current: undefined, read, now: Date.now }))).toEqual(
      ['ENCRYPTION_KEYS: gcpsecretmanager://my-project/rich/latest Secret Manager answered 404 (NOT_FOUND)'],
    );
  });
});

describe('g2k with a key in Key Vault', () => {
  async function list(secret: VaultSecret) {
    const folder = await ownFolder();
    const vault = await startKeyVault({ rich: secret });
    await writeFile(join(folder, 'ca.pem'), vault.authority);
    const lines: string[] = [];
    const program = await ChildProcess.start({
      command: process.execPath,
      arguments: [join(import.meta.dirname, '../../src/cli/main.ts'), 'certificates', 'list'],
      environment: {
        ...(await platformEnvironment(vault, join(folder, 'ca.pem'))),
        ENCRYPTION_KEYS: `a=${REFERENCE}`,
        REDIS_URL: inject('redisUrl'),
        REDIS_PREFIX: `vault-${process.pid}`,
      },
      onLine: (line) => lines.push(line),
    });
    const { code } = await program.exited;
    return { code, said: lines.join('\n'), vault };
  }

  it("reads it by the vault's own name over TLS, signed in as the platform's identity", async () => {
    const { code, said, vault } = await list(asPem(await pemOf()));
    expect([code, said]).toEqual([0, expect.stringMatching(/^a +current /m)]);
    expect(vault.asked).toEqual(['/secrets/rich?api-version=7.4']);
  });

  it('says that PKCS#12 has to be PEM', async () => {
    const { code, said } = await list(await asPkcs12(await pemOf()));
    expect([code, said]).toEqual([1, expect.stringContaining(`the key "a" (${REFERENCE}) is PKCS#12`)]);
  });
});
