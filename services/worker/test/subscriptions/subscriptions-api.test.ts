/** Graph's calls for subscriptions, as the simulator answers them, and answers that Graph never gives. */
import { describe, expect, it } from 'vitest';
import type { GraphClient, GraphRequest } from '../../src/graph/graph-client.ts';
import { GraphError } from '../../src/graph/graph-error.ts';
import { createSubscriptionsApi } from '../../src/subscriptions/subscriptions-api.ts';
import { startHttpPeer } from '../support/http-peer.ts';
import { startNotificationEndpoint } from '../support/notification-endpoint.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

const HOUR = 3_600_000;

async function setup(options?: Parameters<typeof simulateGraph>[0]) {
  const graph = await simulateGraph(options);
  const endpoint = await startNotificationEndpoint();
  const api = createSubscriptionsApi(graph.client, graph.simulator.url);
  const draft = (resource: string) => ({
    resource,
    changeType: 'created,updated,deleted',
    notificationUrl: endpoint.url,
    lifecycleNotificationUrl: undefined,
    clientState: 'client-state',
    expiresAt: Date.now() + 2 * HOUR,
  });
  return { ...graph, endpoint, api, draft };
}

/** A client whose answers are said: for what neither Graph nor the simulator would send. */
function answering(answer: (request: GraphRequest) => unknown): GraphClient {
  return {
    request: async (request) => ({ status: 200, body: answer(request), readAt: 0 }),
    close: async () => undefined,
  };
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => (error instanceof GraphError ? error.failure : error),
  );

describe('a subscription', () => {
  it('is made after a handshake, renewed, and deleted', async () => {
    const { api, draft, user, endpoint, simulator } = await setup();
    const made = await api.create(draft(`users/${user}/events`));
    expect(endpoint.hits).toBe(1);
    expect(simulator.subscriptions.get(made.id)).toMatchObject({
      clientState: 'client-state',
      lifecycleNotificationUrl: null,
    });
    const later = Date.now() + 5 * HOUR;
    expect((await api.renew(made.id, later)).expirationDateTime).toBe(later);
    await api.delete(made.id);
    expect(simulator.subscriptions.size).toBe(0);
  });

  it('is told with its creation that ids are immutable, in a header and nowhere else', async () => {
    const { api, draft, user, simulator } = await setup();
    const { id } = await api.create({ ...draft(`users/${user}/events`), immutableIds: true });
    expect(simulator.subscriptions.get(id)).toMatchObject({ immutableIds: true });
    const other = await api.create(draft(`users/${user}/messages`));
    expect(simulator.subscriptions.get(other.id)).toMatchObject({ immutableIds: false });
    const sent: GraphRequest[] = [];
    const seeing = createSubscriptionsApi(
      answering((request) => void sent.push(request)),
      simulator.url,
    );
    await failureOf(seeing.create({ ...draft('users/x/events'), immutableIds: true }));
    expect(sent).toMatchObject([{ headers: { Prefer: 'IdType="ImmutableId"' } }]);
    expect(sent[0]?.body).not.toHaveProperty('immutableIds');
  });

  it('has the expiry that Graph answers, not the one that was asked for', async () => {
    const { api, draft, user } = await setup();
    const { expirationDateTime } = await api.create({
      ...draft(`users/${user}/events`),
      expiresAt: Date.now() + 60_000,
    });
    expect(expirationDateTime).toBeGreaterThan(Date.now() + 40 * 60_000);
  });

  it('that is gone is not found when it is renewed, and no error when it is deleted', async () => {
    const { api } = await setup();
    expect(await failureOf(api.renew('gone', Date.now() + HOUR))).toEqual({ kind: 'notFound' });
    await api.delete('gone');
  });

  it('that may not be deleted is an error', async () => {
    const { api, simulator } = await setup();
    simulator.faults.add({ method: 'DELETE', status: 403 });
    expect(await failureOf(api.delete('x'))).toMatchObject({ kind: 'forbidden' });
  });

  it('is asked for by its id alone, whatever that holds', async () => {
    const { api, simulator } = await setup();
    await api.delete('users/x?y#z');
    expect(graphCalls(simulator)).toEqual(['DELETE /v1.0/subscriptions/users/x?y#z']);
    expect(await failureOf(api.delete('../users/x'))).toMatchObject({ kind: 'rejected', code: 'foreignUrl' });
    expect(graphCalls(simulator)).toHaveLength(1);
  });

  it.each([[{}], [{ id: 'x' }], [[]], ['text'], [undefined]])(
    'that Graph answers as %j is unusable',
    async (body) => {
      const { draft } = await setup();
      const api = createSubscriptionsApi(
        answering(() => body),
        'https://graph.microsoft.com',
      );
      expect(await failureOf(api.create(draft('users/x/events')))).toMatchObject({ kind: 'unusable' });
    },
  );
});

describe('the list of subscriptions', () => {
  it('has all pages', async () => {
    const { api, draft, simulator } = await setup({ users: 7, subscriptionsPageSize: 3 });
    const made: string[] = [];
    for (const { id } of simulator.users()) made.push((await api.create(draft(`users/${id}/events`))).id);
    expect((await api.list()).map(({ id }) => id)).toEqual(made);
    expect(graphCalls(simulator).filter((call) => call.startsWith('GET'))).toHaveLength(3);
  });

  it('keeps a next link as Graph wrote it, also where its token holds what a query must encode', async () => {
    const token = 'a+b/c==&d%25 ä';
    const seen: (string | null)[] = [];
    const peer = await startHttpPeer((request, response) => {
      const asked = new URL(request.url ?? '', 'http://peer').searchParams.get('$skiptoken');
      seen.push(asked);
      const link = `${peer.url}/v1.0/subscriptions?$skiptoken=${encodeURIComponent(token)}`;
      response.end(JSON.stringify({ value: [], ...(asked === null ? { '@odata.nextLink': link } : {}) }));
    });
    const { createGraphClient } = await import('../../src/graph/graph-client.ts');
    const client = createGraphClient({
      url: peer.url,
      tokens: { current: async () => 'token', afterRefusal: async () => 'token' },
    });
    try {
      await createSubscriptionsApi(client, peer.url).list();
    } finally {
      await client.close();
    }
    expect(seen).toEqual([null, token]);
  });

  it('skips what it cannot read, and keeps the rest', async () => {
    const good = {
      id: 'x',
      resource: 'r',
      changeType: 'created',
      notificationUrl: 'u',
      expirationDateTime: '2026-11-23T12:00:00Z',
    };
    const api = createSubscriptionsApi(
      answering(() => ({ value: [{}, null, good, { ...good, expirationDateTime: 'soon' }] })),
      'https://graph.microsoft.com',
    );
    expect(await api.list()).toMatchObject([{ id: 'x', expirationDateTime: Date.UTC(2026, 10, 23, 12) }]);
  });

  it.each([
    'https://elsewhere.example/v1.0/subscriptions?$skiptoken=1',
    'http://graph.microsoft.com/v1.0/subscriptions',
    'https://graph.microsoft.com:8443/v1.0/subscriptions',
    'https://graph.microsoft.com@elsewhere.example/v1.0/subscriptions',
    'https://graph.microsoft.com/beta/subscriptions',
    'https://graph.microsoft.com/v1.0/../beta/subscriptions',
    '//elsewhere.example/v1.0/subscriptions',
    '/v1.0/subscriptions',
    'subscriptions',
    '',
  ])('does not follow the next link %j', async (link) => {
    const asked: string[] = [];
    const client = answering(({ path }) => {
      asked.push(path);
      return { value: [], '@odata.nextLink': link };
    });
    const api = createSubscriptionsApi(client, 'https://graph.microsoft.com');
    expect(await failureOf(api.list())).toMatchObject({ kind: 'unusable' });
    expect(asked).toEqual(['/subscriptions']);
  });

  it('that does not end is no list: what is not in it must not be taken for gone', async () => {
    const endless = answering(() => ({
      value: [],
      '@odata.nextLink': 'https://graph.microsoft.com/v1.0/subscriptions?$skiptoken=1',
    }));
    const api = createSubscriptionsApi(endless, 'https://graph.microsoft.com');
    expect(await failureOf(api.list())).toMatchObject({ kind: 'unusable' });
  });

  it.each([[{}], [{ value: {} }], [[]], ['text'], [undefined]])(
    'that Graph answers as %j is unusable',
    async (body) => {
      const api = createSubscriptionsApi(
        answering(() => body),
        'https://graph.microsoft.com',
      );
      expect(await failureOf(api.list())).toMatchObject({ kind: 'unusable' });
    },
  );
});
