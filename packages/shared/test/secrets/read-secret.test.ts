import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { platformTokens } from '../../src/secrets/read-key-vault.ts';
import { createSecretReader, manyLines } from '../../src/secrets/read-secret.ts';
import { parseReference, type SecretReference } from '../../src/secrets/secret-reference.ts';
import { type PeerAnswer, startPeer } from './https-peer.ts';

const nobody = { tokenFor: () => Promise.reject(new Error('not asked for')) };

function reference(text: string): SecretReference {
  const parsed = parseReference(text);
  if (!parsed) throw new Error('no reference');
  return parsed;
}

describe('a secret in a file', () => {
  const readFrom = async (content: string | Buffer) => {
    const dir = await mkdtemp(join(tmpdir(), 'secret-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    await writeFile(join(dir, 'secret'), content);
    return createSecretReader(nobody)(reference(`file:${dir}/secret`));
  };

  it.each(['the secret', 'the secret\n', 'the secret\r\n'])(
    'is its content without a last line end: %j',
    async (content) => {
      expect(await readFrom(content)).toBe('the secret');
    },
  );

  it('may begin and end with blanks', async () => {
    expect(await readFrom(' the secret ')).toBe(' the secret ');
  });

  it.each([
    ['is empty', ''],
    ['is empty', '\n'],
    ['holds line ends', 'one\ntwo\n'],
    ['control characters', Buffer.from([0x61, 0xff, 0x62])],
    ['is longer than 65536 bytes', 'x'.repeat(65_537)],
  ])('is refused where it %s', async (problem, content) => {
    await expect(readFrom(content)).rejects.toThrow(problem);
  });

  it('may have lines where it is a key or a certificate, and no other control characters', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'secret-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const read = createSecretReader(nobody, {}, manyLines);
    await writeFile(join(dir, 'pem'), 'one\r\n\ttwo\n');
    expect(await read(reference(`file:${dir}/pem`))).toBe('one\r\n\ttwo');
    await writeFile(join(dir, 'der'), Buffer.from([0x30, 0x82, 0x00, 0x0a]));
    await expect(read(reference(`file:${dir}/der`))).rejects.toThrow('holds control characters');
  });

  it('may have the lines of a key or a certificate in any setting', async () => {
    const pem = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
    expect(await readFrom(`${pem}\n`)).toBe(pem);
  });

  it('is not there, or no file', async () => {
    const read = createSecretReader(nobody);
    await expect(read(reference('file:/nowhere/secret'))).rejects.toThrow('cannot be read (ENOENT)');
    await expect(read(reference(`file:${tmpdir()}`))).rejects.toThrow('is not a file');
  });
});

describe('a secret in Key Vault', () => {
  const readFrom = async (answer: PeerAnswer, text = 'azurekeyvault://my-vault/name') => {
    const scopes: string[] = [];
    const hosts: string[] = [];
    const vault = await startPeer(() => answer);
    const read = createSecretReader({
      tokenFor: async (scope) => {
        scopes.push(scope);
        return 'the token';
      },
      originOf: (host) => {
        hosts.push(host);
        return vault.origin;
      },
    });
    return { reading: read(reference(text)), scopes, hosts, vault };
  };

  it("is asked for over HTTPS, with a token for the vault's cloud", async () => {
    const { reading, scopes, hosts, vault } = await readFrom({ body: { value: 'the secret', id: 'x' } });
    expect(await reading).toBe('the secret');
    expect([scopes, hosts]).toEqual([['https://vault.azure.net/.default'], ['my-vault.vault.azure.net']]);
    expect(vault.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/secrets/name?api-version=7.4', 'Bearer the token'],
    ]);
  });

  it('may be one version of it, and in another cloud', async () => {
    const { reading, scopes, vault } = await readFrom(
      { body: { value: 'the secret' } },
      'azurekeyvault://my-vault.vault.azure.cn/name/0123abcd',
    );
    expect(await reading).toBe('the secret');
    expect(scopes).toEqual(['https://vault.azure.cn/.default']);
    expect(vault.requests[0]?.url).toBe('/secrets/name/0123abcd?api-version=7.4');
  });

  it.each([
    [
      'Key Vault answered 403 (Forbidden)',
      { status: 403, body: { error: { code: 'Forbidden', message: 'canary' } } },
    ],
    ['Key Vault answered 404 (SecretNotFound)', { status: 404, body: { error: { code: 'SecretNotFound' } } }],
    ['Key Vault answered 500', { status: 500, body: 'canary' }],
    ['Key Vault answered without a value', { body: { canary: 'canary' } }],
    ['Key Vault answered with something else', { body: 'canary' }],
    ['Key Vault answered with something else', { body: { value: 'canary'.repeat(30_000) } }],
    [
      'Key Vault cannot be reached',
      { status: 302, headers: { location: 'https://elsewhere.example' }, body: '' },
    ],
    ['is empty', { body: { value: '' } }],
  ])('cannot be had: %s', async (problem, answer) => {
    const { reading } = await readFrom(answer);
    const error = await reading.catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(problem);
    expect(String(error)).not.toContain('canary');
  });

  it('cannot be had where nobody is signed in, or nothing listens', async () => {
    const read = createSecretReader({ ...nobody, originOf: () => 'https://127.0.0.1:1' });
    await expect(read(reference('azurekeyvault://my-vault/name'))).rejects.toThrow('no token for Key Vault');
    const signedIn = createSecretReader({ tokenFor: async () => 'x', originOf: () => 'https://127.0.0.1:1' });
    await expect(signedIn(reference('azurekeyvault://my-vault/name'))).rejects.toThrow('cannot be reached');
  });

  it('is asked for with the identity of the platform, which without a file of its token is none', async () => {
    const tokenFor = platformTokens({ managedIdentityClientId: undefined, hasWorkloadIdentity: true });
    await expect(tokenFor('https://vault.azure.net/.default')).rejects.toThrow(/WorkloadIdentityCredential/);
  });
});

describe('a secret in Secret Manager', () => {
  const data = Buffer.from('the secret').toString('base64');
  const token = { body: { access_token: 'the token', expires_in: 3599, token_type: 'Bearer' } };
  const isGoogle = { 'Metadata-Flavor': 'Google' };

  const readFrom = async (answer: PeerAnswer, metadata: PeerAnswer = { ...token, headers: isGoogle }) => {
    const metadataServer = await startPeer(() => metadata, { secure: false });
    const secretManager = await startPeer(() => answer);
    const read = createSecretReader(nobody, {
      metadataOrigin: metadataServer.origin,
      secretManagerOrigin: secretManager.origin,
    });
    return {
      reading: read(reference('gcpsecretmanager://my-project/name/latest')),
      metadataServer,
      secretManager,
    };
  };

  it("is asked for over HTTPS, with the token of the machine's service account", async () => {
    const { reading, metadataServer, secretManager } = await readFrom({ body: { payload: { data } } });
    expect(await reading).toBe('the secret');
    expect(metadataServer.requests.map(({ url, headers }) => [url, headers['metadata-flavor']])).toEqual([
      ['/computeMetadata/v1/instance/service-accounts/default/token', 'Google'],
    ]);
    expect(secretManager.requests.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/v1/projects/my-project/secrets/name/versions/latest:access', 'Bearer the token'],
    ]);
  });

  it.each([
    [
      'Secret Manager answered 403 (PERMISSION_DENIED)',
      { status: 403, body: { error: { code: 403, status: 'PERMISSION_DENIED' } } },
    ],
    ['Secret Manager answered without a payload', { body: {} }],
  ])('cannot be had: %s', async (problem, answer) => {
    const { reading } = await readFrom(answer);
    await expect(reading).rejects.toThrow(problem);
  });

  it.each([
    ['somebody else answers in its place', { ...token }],
    ['it knows no service account', { status: 404, headers: isGoogle, body: 'canary' }],
  ])('sends no token where %s', async (_what, metadata) => {
    const { reading, secretManager } = await readFrom({ body: { payload: { data } } }, metadata);
    await expect(reading).rejects.toThrow('the metadata server');
    expect(secretManager.requests).toEqual([]);
  });
});

describe("a secret in Secret Manager, with Google's application default credentials", () => {
  const named = 'gcpsecretmanager://contoso-prod/redis-url/latest';

  /** Both sides of Google: the token endpoint, and Secret Manager, which wants its token. */
  async function google() {
    const dir = await mkdtemp(join(tmpdir(), 'google-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const peer = await startPeer(({ url, method, headers }) =>
      url === '/token' && method === 'POST'
        ? { body: { access_token: 'PLANTED-TOKEN', expires_in: 3599, token_type: 'Bearer' } }
        : headers.authorization === 'Bearer PLANTED-TOKEN'
          ? { body: { payload: { data: Buffer.from('the secret').toString('base64') } } }
          : { status: 401, body: { error: { status: 'UNAUTHENTICATED' } } },
    );
    const access = { tokenUrl: `${peer.origin}/token`, secretManagerOrigin: peer.origin };
    const readAs = (environment: Record<string, string>) =>
      createSecretReader(nobody, { ...access, environment })(reference(named));
    const put = async (name: string, content: unknown) => {
      const file = join(dir, name);
      await mkdir(join(file, '..'), { recursive: true });
      await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
      return file;
    };
    return { peer, dir, readAs, put };
  }

  it('is asked for with the key of a service account, which signs who it is', async () => {
    const { peer, readAs, put } = await google();
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const file = await put('key.json', {
      type: 'service_account',
      client_email: 'g2k@contoso-prod.iam.gserviceaccount.com',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    });
    expect(await readAs({ GOOGLE_APPLICATION_CREDENTIALS: file })).toBe('the secret');
    const form = new URLSearchParams(peer.bodies[0]);
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer');
    const [header = '', claims = '', signature = ''] = (form.get('assertion') ?? '').split('.');
    expect(JSON.parse(Buffer.from(claims, 'base64url').toString())).toMatchObject({
      iss: 'g2k@contoso-prod.iam.gserviceaccount.com',
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      aud: `${peer.origin}/token`,
    });
    const signed = Buffer.from(`${header}.${claims}`);
    const key = createPublicKey(publicKey.export({ type: 'spki', format: 'pem' }));
    expect(verify('RSA-SHA256', signed, key, Buffer.from(signature, 'base64url'))).toBe(true);
  });

  it('is asked for as the user who has logged in with gcloud, where no file is named', async () => {
    const { peer, dir, readAs, put } = await google();
    const login = { type: 'authorized_user', client_id: 'c', client_secret: 's', refresh_token: 'r' };
    await put('.config/gcloud/application_default_credentials.json', login);
    expect(await readAs({ HOME: dir })).toBe('the secret');
    expect(Object.fromEntries(new URLSearchParams(peer.bodies[0]))).toEqual({
      ...{ grant_type: 'refresh_token', client_id: 'c', client_secret: 's', refresh_token: 'r' },
    });
  });

  it.each([
    ['is no JSON', 'PLANTED'],
    ['is of another kind', { type: 'external_account', PLANTED: 'x' }],
    ['holds no key', { type: 'service_account', client_email: 'a@b', private_key: 'PLANTED' }],
  ])('cannot be had where the file %s, which is told without its content', async (_what, content) => {
    const { readAs, put } = await google();
    const file = await put('key.json', content);
    const error = await readAs({ GOOGLE_APPLICATION_CREDENTIALS: file }).catch((thrown: unknown) => thrown);
    expect(String(error)).toMatch(/needs Google's credentials/);
    expect(String(error)).not.toContain('PLANTED');
  });

  it('cannot be had where the named file is not there', async () => {
    const { readAs } = await google();
    await expect(readAs({ GOOGLE_APPLICATION_CREDENTIALS: '/nowhere.json' })).rejects.toThrow(
      "needs Google's credentials, and /nowhere.json cannot be read (ENOENT)",
    );
  });
});
