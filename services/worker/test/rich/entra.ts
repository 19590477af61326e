/** A login authority of the test's own: lists of keys over HTTPS, and tokens that `jsonwebtoken` signs. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import tls from 'node:tls';
import { makeKafkaCertificates } from '@graph2kafka/test-harness';
import jwt, { type Algorithm } from 'jsonwebtoken';

export type TestKey = { readonly kid: string; readonly privateKey: KeyObject; readonly publicKey: KeyObject };

export function makeTestKey(kid: string): TestKey {
  return { kid, ...generateKeyPairSync('rsa', { modulusLength: 2048 }) };
}

/** A key as a list shows it. */
export function listed({ kid, publicKey }: TestKey, more: Readonly<Record<string, string>> = {}) {
  return { ...publicKey.export({ format: 'jwk' }), kid, use: 'sig', ...more };
}

export type Claims = Readonly<Record<string, unknown>>;

export function signToken(
  claims: Claims,
  { kid, privateKey }: TestKey,
  header: Readonly<Record<string, unknown>> = {},
  algorithm: Algorithm = 'RS256',
): string {
  const whole = { alg: algorithm, typ: 'JWT', kid, ...header };
  // Through JSON, which leaves out what is undefined. The time of signing is among the claims, as Entra has it.
  return jwt.sign(JSON.parse(JSON.stringify(claims)), privateKey, {
    algorithm,
    header: whole,
    noTimestamp: true,
  });
}

export type Answer = (request: IncomingMessage, response: ServerResponse) => void;

export type KeyServer = {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** What the next requests are answered. */
  answerWith(answer: Answer): void;
  close(): Promise<void>;
};

export const answerJson =
  (body: unknown): Answer =>
  (_request, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));

export type ServerCertificate = { readonly cert: string; readonly key: string };

/** A certificate for servers on loopback, trusted by this process from now on, in the place of others of tests. */
export async function makeTrustedCertificate(): Promise<ServerCertificate> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-entra-'));
  const { ca, serverCert, serverKey } = await makeKafkaCertificates(dir);
  await rm(dir, { recursive: true });
  tls.setDefaultCACertificates([...usualAuthorities, ca]);
  return { cert: serverCert, key: serverKey };
}

const usualAuthorities = tls.getCACertificates('default');

export async function startKeyServer(certificate: ServerCertificate, answer: Answer): Promise<KeyServer> {
  const asked: string[] = [];
  let current = answer;
  const server = createServer({ ...certificate }, (request, response) => {
    asked.push(request.url ?? '');
    current(request, response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    answerWith(next) {
      current = next;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
