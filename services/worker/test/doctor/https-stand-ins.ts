/** What may stand at a notification URL: HTTPS on loopback with certificates good and bad, made with openssl. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { runProgram } from '@graph2kafka/test-harness';
import { onTestFinished } from 'vitest';

export type Shown = { readonly key: string; readonly cert: string };

export type Certificates = {
  /** PEM of the authority that this process is to trust. */
  readonly root: string;
  /** Each for localhost; `cert` is what a server shows. */
  readonly whole: Shown;
  readonly withoutIntermediate: Shown;
  readonly expired: Shown;
  readonly endsSoon: Shown;
  readonly otherName: Shown;
  readonly selfSigned: Shown;
  /** Its chain is whole, and its authority known to nobody. */
  readonly strangeAuthority: Shown;
};

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
const LOCALHOST = 'subjectAltName=DNS:localhost\n';

export async function makeCertificates(dir: string): Promise<Certificates> {
  const file = (name: string) => join(dir, name);
  const read = (name: string) => readFile(file(name), 'utf8');
  const authority = (name: string) => {
    const to = [
      '-days',
      '9',
      '-subj',
      `/CN=${name}`,
      '-keyout',
      file(`${name}.key`),
      '-out',
      file(`${name}.pem`),
    ];
    return runProgram('openssl', ['req', '-x509', ...KEY, ...to]);
  };
  /** The certificate of `name`, by `issuer`. */
  const sign = async (name: string, issuer: string, extensions: string, days = 60): Promise<Shown> => {
    await writeFile(file(`${name}.ext`), extensions);
    const request = ['-subj', `/CN=${name}`, '-keyout', file(`${name}.key`), '-out', file(`${name}.csr`)];
    await runProgram('openssl', ['req', ...KEY, ...request]);
    const by = ['-CA', file(`${issuer}.pem`), '-CAkey', file(`${issuer}.key`), '-CAcreateserial'];
    const to = ['-extfile', file(`${name}.ext`), '-in', file(`${name}.csr`), '-out', file(`${name}.pem`)];
    await runProgram('openssl', ['x509', '-req', '-days', String(days), ...by, ...to]);
    return { key: await read(`${name}.key`), cert: await read(`${name}.pem`) };
  };
  await authority('root');
  await authority('strange');
  const intermediate = await sign('intermediate', 'root', 'basicConstraints=critical,CA:true\n');
  const below = async (name: string, days?: number, extensions = LOCALHOST): Promise<Shown> => {
    const { key, cert } = await sign(name, 'intermediate', extensions, days);
    return { key, cert: cert + intermediate.cert };
  };
  await below('whole');
  const leaf = { key: await read('whole.key'), cert: await read('whole.pem') };
  const strangely = await sign('strangely', 'strange', LOCALHOST);
  await runProgram('openssl', [
    ...['req', '-x509', ...KEY, '-days', '9', '-subj', '/CN=self', '-addext', LOCALHOST.trim()],
    ...['-keyout', file('self.key'), '-out', file('self.pem')],
  ]);
  return {
    root: await read('root.pem'),
    whole: { key: leaf.key, cert: leaf.cert + intermediate.cert },
    withoutIntermediate: leaf,
    expired: await below('expired', -1),
    endsSoon: await below('ends-soon', 3),
    otherName: await below('other', 60, 'subjectAltName=DNS:other.example\n'),
    selfSigned: { key: await read('self.key'), cert: await read('self.pem') },
    strangeAuthority: { key: strangely.key, cert: strangely.cert + (await read('strange.pem')) },
  };
}

const usualAuthorities = tls.getCACertificates('default');

/** As if a public authority: for all of this process. */
export function trust(root: string): void {
  tls.setDefaultCACertificates([...usualAuthorities, root]);
}

/** The receiver's way to answer a handshake. */
export const echo: RequestListener = (request, response) => {
  const token = new URL(request.url ?? '', 'https://localhost').searchParams.get('validationToken') ?? '';
  response.writeHead(200, {
    'content-type': 'text/plain; charset=utf-8',
    'x-content-type-options': 'nosniff',
  });
  response.end(token);
};

/** Listens until the test ends; its origin. Without a certificate: plain http. */
export async function serve(
  shown: Shown | undefined,
  answer: RequestListener = echo,
  options: ServerOptions = {},
): Promise<string> {
  const server = shown ? createSecureServer({ ...shown, ...options }, answer) : createServer(answer);
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `${shown ? 'https' : 'http'}://localhost:${port}`;
}
