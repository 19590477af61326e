/**
 * Key Vault, Secret Manager and the platform's identity on loopback, as their REST references describe them: Key Vault
 * "Get Secret" 7.4, App Service "managed identity REST endpoint", Secret Manager "versions.access", Compute "metadata".
 */
import { once as onceEmitted } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import tls from 'node:tls';
import { onTestFinished } from 'vitest';
import { makeCertificate } from '../../../../packages/graph-simulator/src/certificate.ts';

export const VAULT = 'my-vault';
const VAULT_HOST = `${VAULT}.vault.azure.net`;
const TOKEN = 'token-of-the-platform';

/** Of a certificate in the vault, or of a secret that somebody has put there. */
export type VaultSecret = {
  readonly value: string;
  readonly contentType?: 'application/x-pem-file' | 'application/x-pkcs12';
};

export type SecretStore = {
  readonly origin: string;
  /** PEM of the authority that signed its certificate. */
  readonly authority: string;
  /** By name; the test changes it as an operator would. */
  readonly secrets: Map<string, VaultSecret>;
  /** What was asked for, in order. */
  readonly asked: string[];
};

type Answer = { readonly status: number; readonly headers?: Record<string, string>; readonly body: unknown };

/** Listens as the vault's own host too, for who reaches it through `startTunnel`. */
export function startKeyVault(secrets: Readonly<Record<string, VaultSecret>> = {}): Promise<SecretStore> {
  return startStore(secrets, answerOfVault);
}

function answerOfVault({ headers }: IncomingMessage, url: URL, secrets: SecretStore['secrets']): Answer {
  const refuse = (status: number, code: string, more: Record<string, string> = {}): Answer => ({
    status,
    headers: more,
    body: { error: { code, message: `${code}: ${url.pathname}` } },
  });
  if (headers.authorization !== `Bearer ${TOKEN}`) {
    const resource = 'authorization="https://login.windows.net/t", resource="https://vault.azure.net"';
    return refuse(401, 'Unauthorized', { 'www-authenticate': `Bearer ${resource}` });
  }
  if (url.searchParams.get('api-version') !== '7.4') return refuse(400, 'BadParameter');
  const [, collection, name = '', version = '1f0c9a37d0f4419ab3a4'] = url.pathname.split('/');
  const secret = collection === 'secrets' ? secrets.get(name) : undefined;
  if (!secret) return refuse(404, 'SecretNotFound');
  const { value, contentType } = secret;
  const attributes = { enabled: true, nbf: 1700000000, exp: 1900000000, recoverableDays: 90 };
  const id = `https://${VAULT_HOST}/secrets/${name}/${version}`;
  const kid = `https://${VAULT_HOST}/keys/${name}/${version}`;
  const asCertificate = contentType && { contentType, kid, managed: true };
  return { status: 200, body: { value, ...asCertificate, id, attributes } };
}

export function startSecretManager(
  secrets: Readonly<Record<string, VaultSecret>> = {},
): Promise<SecretStore> {
  return startStore(secrets, ({ headers }, url, known) => {
    const refuse = (code: number, status: string): Answer => ({
      status: code,
      body: { error: { code, message: status, status } },
    });
    if (headers.authorization !== `Bearer ${TOKEN}`) return refuse(401, 'UNAUTHENTICATED');
    const [, name = ''] =
      /^\/v1\/projects\/my-project\/secrets\/([\w-]+)\/versions\/latest:access$/.exec(url.pathname) ?? [];
    const secret = known.get(name);
    if (!secret) return refuse(404, 'NOT_FOUND');
    const data = Buffer.from(secret.value).toString('base64');
    return { status: 200, body: { name: `projects/1/secrets/${name}/versions/3`, payload: { data } } };
  });
}

async function startStore(
  initial: Readonly<Record<string, VaultSecret>>,
  answer: (request: IncomingMessage, url: URL, secrets: SecretStore['secrets']) => Answer,
): Promise<SecretStore> {
  const secrets = new Map(Object.entries(initial));
  const asked: string[] = [];
  const { key, cert, caCert } = await trustedCertificate();
  const server = createSecureServer({ key, cert }, (request, response) => {
    asked.push(request.url ?? '');
    const { status, headers, body } = answer(request, new URL(request.url ?? '', 'https://any'), secrets);
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(body));
  });
  return { origin: `https://127.0.0.1:${await listen(server)}`, authority: caCert, secrets, asked };
}

/** One for all: authorities of the same name and with different keys are taken for each other. */
const trustedCertificate = once(async () => {
  const made = await makeCertificate(['127.0.0.1', VAULT_HOST]);
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), made.caCert]);
  return made;
});

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** A token for whoever runs on this platform: the server of Azure's App Service, or of Google's machines. */
export async function startIdentity(platform: 'azure' | 'google'): Promise<{ readonly origin: string }> {
  const expires = { azure: { expires_on: '1900000000' }, google: { expires_in: 3599 } };
  const isMeant = ({ headers, url = '' }: IncomingMessage) =>
    platform === 'google'
      ? headers['metadata-flavor'] === 'Google'
      : headers['x-identity-header'] === 'header-of-the-platform' &&
        new URLSearchParams(url.split('?')[1]).get('resource') === 'https://vault.azure.net';
  const port = await listenPlainly((request, response) => {
    const body = { access_token: TOKEN, token_type: 'Bearer', ...expires[platform] };
    response.writeHead(isMeant(request) ? 200 : 403, {
      'content-type': 'application/json',
      'metadata-flavor': 'Google',
    });
    response.end(JSON.stringify(isMeant(request) ? body : {}));
  });
  return { origin: `http://127.0.0.1:${port}` };
}

/** As the vault's reader is given it within this process. */
export const platformToken = async (scope: string): Promise<string> =>
  scope === 'https://vault.azure.net/.default' ? TOKEN : 'token-for-something-else';

/** The environment of a process that runs on App Service, and reaches the vault by its own name through a proxy. */
export async function platformEnvironment(
  vault: SecretStore,
  authorityFile: string,
): Promise<Readonly<Record<string, string>>> {
  const identity = await startIdentity('azure');
  return {
    IDENTITY_ENDPOINT: `${identity.origin}/msi/token`,
    IDENTITY_HEADER: 'header-of-the-platform',
    NODE_EXTRA_CA_CERTS: authorityFile,
    NODE_USE_ENV_PROXY: '1',
    HTTPS_PROXY: await startTunnel(vault),
    NO_PROXY: '127.0.0.1,localhost',
  };
}

/** A proxy of HTTPS that leads to the vault whoever asks for its host, and nobody anywhere else. */
async function startTunnel({ origin }: SecretStore): Promise<string> {
  const server = createServer((_request, response) => void response.writeHead(403).end());
  server.on('connect', ({ url }, socket, head) => {
    if (url !== `${VAULT_HOST}:443`) return void socket.end('HTTP/1.1 403 Forbidden\r\n\r\n');
    const vault = connect(Number(new URL(origin).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      vault.write(head);
      vault.pipe(socket).pipe(vault);
    });
    vault.on('error', () => socket.destroy());
    socket.on('error', () => vault.destroy());
    onTestFinished(() => void vault.destroy());
  });
  return `http://127.0.0.1:${await listen(server)}`;
}

function listenPlainly(listener: RequestListener): Promise<number> {
  return listen(createServer(listener));
}

/** Until the test ends. */
async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await onceEmitted(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
