// An HTTPS listener on loopback that plays a keeper of secrets, trusted by this process.
import { createServer, type IncomingMessage } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import tls from 'node:tls';
import { onTestFinished } from 'vitest';
import { makeCertificate } from '../../../graph-simulator/src/certificate.ts';

export type PeerAnswer = {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
};

export type Peer = {
  readonly origin: string;
  readonly requests: readonly IncomingMessage[];
  /** Of those that were answered, in their order. */
  readonly bodies: readonly string[];
};

const usualAuthorities = tls.getCACertificates('default');

/** Answers with what `answer` says, text as it is and anything else as JSON, until the test ends. */
export async function startPeer(
  answer: (request: IncomingMessage) => PeerAnswer,
  { secure = true } = {},
): Promise<Peer> {
  const requests: IncomingMessage[] = [];
  const bodies: string[] = [];
  const certificate = secure ? await makeCertificate(['127.0.0.1']) : undefined;
  if (certificate) tls.setDefaultCACertificates([...usualAuthorities, certificate.caCert]);
  const server = certificate
    ? createSecureServer({ key: certificate.key, cert: certificate.cert })
    : createServer();
  server.on('request', (request: IncomingMessage, response) => {
    requests.push(request);
    text(request).then((sent) => {
      bodies.push(sent);
      const { status = 200, headers = {}, body } = answer(request);
      response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `${secure ? 'https' : 'http'}://127.0.0.1:${port}`, requests, bodies };
}
