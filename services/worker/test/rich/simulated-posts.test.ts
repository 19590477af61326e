/** Rich POSTs of the simulator, which shares no code with what reads them here: the true ones, and each forgery. */

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Forgery, GraphSimulatorOptions } from '@graph2kafka/graph-simulator';
import { describe, expect, it, onTestFinished } from 'vitest';
import { chooseKey } from '../../src/rich/choose-key.ts';
import { decryptContent } from '../../src/rich/decrypt-content.ts';
import { readPrivateKeys } from '../../src/rich/private-keys.ts';
import { authorityAt } from '../../src/rich/token-authority.ts';
import { createTokenVerifier, verdictFor } from '../../src/rich/validation-tokens.ts';
import { simulateGraph } from '../support/simulated-graph.ts';
import { type VectorContent, vectorKeys } from './vectors.ts';

type Post = {
  readonly receivedAt: number;
  readonly value: readonly { readonly tenantId: string; readonly encryptedContent: VectorContent }[];
  readonly validationTokens?: readonly (string | null)[] | null;
};

const [{ id, privateKey, certificate }] = vectorKeys;
const { keys } = readPrivateKeys([{ setting: 'KEYS', id, text: privateKey + certificate }]);

async function startEndpoint() {
  const posts: Post[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const token = new URL(request.url ?? '', 'http://localhost').searchParams.get('validationToken');
    if (token === null) posts.push({ receivedAt: Date.now(), ...JSON.parse(body) });
    response.writeHead(token === null ? 202 : 200, { 'content-type': 'text/plain' }).end(token ?? '');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/events`, posts };
}

/** A simulated calendar that is watched with its data, and what we make of the next POST about it. */
async function watchCalendar(options: GraphSimulatorOptions = {}) {
  const { simulator, client, user } = await simulateGraph({ delivery: { collectMs: 5 }, ...options });
  const endpoint = await startEndpoint();
  await client.request({
    method: 'POST',
    path: '/subscriptions',
    body: {
      changeType: 'created',
      notificationUrl: endpoint.url,
      resource: `users/${user}/events?$select=subject,start`,
      expirationDateTime: new Date(Date.now() + 3_600_000).toISOString(),
      includeResourceData: true,
      encryptionCertificate: new X509Certificate(certificate).raw.toString('base64'),
      encryptionCertificateId: id,
    },
  });
  const verifier = createTokenVerifier({
    audiences: [simulator.clientId],
    authority: authorityAt(simulator.url),
  });
  const readNext = async (subject: string) => {
    simulator.calendar.create(user, { subject });
    await simulator.notifier.idle();
    const { value, validationTokens, receivedAt } = endpoint.posts.at(-1) as Post;
    const [item] = value as [Post['value'][number]];
    const found = await verifier.verify(validationTokens ?? [], receivedAt);
    const key = chooseKey(keys, item.encryptedContent);
    return {
      verdict: verdictFor(item.tenantId, found),
      decrypted: key && decryptContent(item.encryptedContent, key.privateKey),
    };
  };
  return { simulator, readNext };
}

describe('a rich POST of the simulator', () => {
  it.each(['1.0', '2.0'] as const)('is proven and decrypted, with a token of version %s', async (version) => {
    const { readNext } = await watchCalendar({
      validationTokenVersion: version,
    });
    const { verdict, decrypted } = await readNext('Größe 会議');
    expect(verdict).toBe('proven');
    expect(decrypted).toMatchObject({ ok: true, data: { subject: 'Größe 会議' } });
  });

  it('is undecided right after a rotation of the keys that sign, as their list is too new to be asked for again', async () => {
    const { simulator, readNext } = await watchCalendar();
    await readNext('before');
    await simulator.validationTokens.keys.rotate();
    expect((await readNext('after')).verdict).toBe('undecided');
  });
});

describe('a forged POST of the simulator', () => {
  const tokens: readonly Forgery[] = [
    ...(['alg-none', 'hs256', 'wrong-kid', 'foreign-key', 'foreign-tenant', 'foreign-audience'] as const),
    ...(['foreign-publisher', 'foreign-issuer', 'expired', 'not-yet-valid'] as const),
    ...(['null-tokens', 'no-tokens', 'many-tokens'] as const),
  ];

  it.each(tokens)('proves nothing: %s', async (forge) => {
    const { simulator, readNext } = await watchCalendar();
    simulator.faults.add({ on: 'delivery', forge });
    expect((await readNext('forged')).verdict).toBe('unproven');
    expect((await readNext('true')).verdict).toBe('proven');
  });

  it.each([
    ['tampered-data', { ok: false, failedAt: 'signature' }],
    ['tampered-key', { ok: false, failedAt: 'dataKey' }],
    ['tampered-signature', { ok: false, failedAt: 'signature' }],
    ['unknown-certificate', undefined],
  ] as const)('is not decrypted: %s', async (forge, expected) => {
    const { simulator, readNext } = await watchCalendar();
    simulator.faults.add({ on: 'delivery', forge });
    expect((await readNext('forged')).decrypted).toEqual(expected && expect.objectContaining(expected));
    expect((await readNext('true')).decrypted).toMatchObject({ ok: true, data: { subject: 'true' } });
  });
});
