// Microsoft's own client, unaltered, with Microsoft's own library for tokens.
import * as tls from 'node:tls';
import { ClientSecretCredential } from '@azure/identity';
import { Client, GraphError, PageIterator } from '@microsoft/microsoft-graph-client';
import { TokenCredentialAuthenticationProvider } from '@microsoft/microsoft-graph-client/authProviders/azureTokenCredentials/index.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscriptionRequest } from './subscribe.ts';

const usualAuthorities = tls.getCACertificates('default');

async function setup() {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start({ delivery: { collectMs: 5 } }));
  const receiver = stack.use(await startReceiver());
  tls.setDefaultCACertificates([...usualAuthorities, simulator.caCertificate]);
  onTestFinished(() => tls.setDefaultCACertificates(usualAuthorities));
  const { tenantId, clientId, clientSecret, url } = simulator;
  const credential = new ClientSecretCredential(tenantId, clientId, clientSecret, {
    authorityHost: url,
    disableInstanceDiscovery: true,
  });
  const client = Client.initWithMiddleware({
    baseUrl: url,
    customHosts: new Set([new URL(url).hostname]),
    authProvider: new TokenCredentialAuthenticationProvider(credential, {
      scopes: ['https://graph.microsoft.com/.default'],
    }),
  });
  const user = simulator.users()[0]?.id ?? '';
  return { simulator, receiver, client, user, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe("Microsoft's JavaScript client", () => {
  it('creates, lists, reads, renews, reauthorizes and deletes a subscription', async () => {
    await using it = await setup();
    const subscriptions = it.client.api('/subscriptions');
    const wish = subscriptionRequest(it.user, it.receiver.url);
    const made = await subscriptions.post(wish);
    expect(made).toMatchObject({ resource: wish.resource, applicationId: it.simulator.clientId });
    const listed = await subscriptions.get();
    expect(listed.value.map(({ id }: { id: string }) => id)).toEqual([made.id]);
    const one = it.client.api(`/subscriptions/${made.id}`);
    const expirationDateTime = new Date(Date.now() + 2 * 3_600_000).toISOString();
    const renewed = await one.patch({ expirationDateTime });
    expect(Date.parse(renewed.expirationDateTime)).toBe(Date.parse(expirationDateTime));
    expect((await one.get()).expirationDateTime).toBe(renewed.expirationDateTime);
    await it.client.api(`/subscriptions/${made.id}/reauthorize`).post({});
    await one.delete();
    await expect(one.get()).rejects.toMatchObject({ statusCode: 404, code: 'ResourceNotFound' });
  });

  it('writes an event and reads it by its notification, page by page too', async () => {
    await using it = await setup();
    await it.client.api('/subscriptions').post(subscriptionRequest(it.user, it.receiver.url));
    const events = `/users/${it.user}/events`;
    const time = { dateTime: '2026-12-01T09:00:00', timeZone: 'UTC' };
    for (const subject of ['First', 'Second', 'Third']) {
      await it.client.api(events).post({ subject, start: time, end: time });
    }
    await it.simulator.notifier.idle();
    const [item] = it.receiver.items();
    const read = await it.client.api(`/${item.resourceData['@odata.id']}`).select('subject').get();
    expect(read.subject).toBe('First');
    const subjects: string[] = [];
    const firstPage = await it.client.api(events).top(2).get();
    const pages = new PageIterator(it.client, firstPage, ({ subject }) => {
      subjects.push(subject);
      return true;
    });
    await pages.iterate();
    expect(subjects).toEqual(['First', 'Second', 'Third']);
  });

  it('repeats what was throttled, and understands errors', async () => {
    await using it = await setup();
    it.simulator.faults.add({ path: '/v1.0/users', status: 429, headers: { 'retry-after': '0' } });
    expect((await it.client.api('/users').get()).value).toHaveLength(3);
    const wish = { ...subscriptionRequest(it.user, it.receiver.url), changeType: 'moved' };
    const refused = await it.client
      .api('/subscriptions')
      .post(wish)
      .catch((cause: unknown) => cause);
    expect(refused).toBeInstanceOf(GraphError);
    expect(refused).toMatchObject({ statusCode: 400, code: 'InvalidRequest', requestId: expect.any(String) });
  });
});
