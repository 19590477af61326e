// An app that subscribes with resource data: its certificate, its keys, and how it reads and checks what it is sent.
import {
  constants,
  createDecipheriv,
  createHmac,
  createPrivateKey,
  privateDecrypt,
  X509Certificate,
} from 'node:crypto';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { generate } from 'selfsigned';
import type { GraphSimulator } from '../src/index.ts';
import type { GraphCaller } from './graph-caller.ts';
import { subscribe } from './subscribe.ts';

export const PUBLISHER = '0bf30f3b-4a52-48df-9a82-234910c4a086';

export interface SubscriberKey {
  /** Base64 of the certificate, as a subscription takes it. */
  readonly certificate: string;
  readonly thumbprint: string;
  readonly privateKey: string;
}

export async function makeSubscriberKey(bits: 1024 | 2048 | 4096 = 2048): Promise<SubscriberKey> {
  const { private: privateKey, cert } = await generate([{ name: 'commonName', value: 'An app' }], {
    keySize: bits,
    algorithm: 'sha256',
  });
  const parsed = new X509Certificate(cert);
  return {
    certificate: parsed.raw.toString('base64'),
    thumbprint: parsed.fingerprint.replaceAll(':', ''),
    privateKey,
  };
}

/** What a request for resource data needs beside the ordinary. */
export function richWish(
  { certificate }: SubscriberKey,
  resource: string,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  return {
    resource,
    includeResourceData: true,
    encryptionCertificate: certificate,
    encryptionCertificateId: 'first-key',
    ...more,
  };
}

export function subscribeRich(
  graph: GraphCaller,
  userId: string,
  notificationUrl: string,
  key: SubscriberKey,
  more: Record<string, unknown> = {},
): ReturnType<typeof subscribe> {
  const resource = `users/${userId}/events?$select=subject,start,importance,lastModifiedDateTime,organizer`;
  return subscribe(graph, userId, notificationUrl, richWish(key, resource, more));
}

interface EncryptedContent {
  readonly data: string;
  readonly dataKey: string;
  readonly dataSignature: string;
}

/** By the steps of Graph's page "Change notifications that include resource data". */
export function decrypt(content: EncryptedContent, { privateKey }: SubscriberKey): string {
  const key = privateDecrypt(
    {
      key: createPrivateKey(privateKey),
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash: 'sha1',
    },
    Buffer.from(content.dataKey, 'base64'),
  );
  const data = Buffer.from(content.data, 'base64');
  const signature = createHmac('sha256', key).update(data).digest('base64');
  if (signature !== content.dataSignature) throw new Error('The signature does not match.');
  const decipher = createDecipheriv('aes-256-cbc', key, key.subarray(0, 16));
  return Buffer.concat([decipher.update(data), decipher.final()]).toString('utf8');
}

/** Claims of a token that a careful receiver accepts. @throws where it does not */
export async function verifyToken(
  graph: GraphCaller,
  simulator: GraphSimulator,
  token: string,
  issuer = `https://sts.windows.net/${simulator.tenantId}/`,
): Promise<Record<string, unknown>> {
  const { body } = await graph.raw('GET', '/common/discovery/keys');
  const keys = createLocalJWKSet(body as JSONWebKeySet);
  const options = { audience: simulator.clientId, issuer, algorithms: ['RS256'] };
  const { payload } = await jwtVerify(token, keys, options);
  if ((payload.appid ?? payload.azp) !== PUBLISHER) throw new Error('Another publisher.');
  return payload;
}
