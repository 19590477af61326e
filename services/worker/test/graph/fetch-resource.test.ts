/** One resource as Graph has it now. */
import { parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createFetchResource } from '../../src/graph/fetch-resource.ts';
import { createGraphClient } from '../../src/graph/graph-client.ts';
import { startHttpPeer } from '../support/http-peer.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

function path(text: string): ResourcePath {
  const parsed = parseResourcePath(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.path;
}

describe('a fetched resource', () => {
  it('comes with its etag as version, and is no older than the time of reading', async () => {
    const { client, simulator, user } = await simulateGraph();
    const event = simulator.calendar.create(user, { subject: 'Lunch' });
    const before = Date.now();
    const state = await createFetchResource(client)(path(event.path.key));
    expect(state).toMatchObject({ version: event.etag, data: { subject: 'Lunch' } });
    expect(state.readAt).toBeGreaterThanOrEqual(before);
  });

  it('comes with the etag that a chat message has as a property', async () => {
    const { client, simulator } = await simulateGraph();
    const message = simulator.items.create('chats/c/messages', { body: { content: 'Hello' } });
    const { data, version } = await createFetchResource(client)(path(message.path.key));
    expect(version).toBe(message.etag);
    expect(version).toBe(data.etag);
  });

  it.each([
    ['changeKey where there is no etag', { changeKey: 'ck' }, 'ck'],
    ['changeKey where the etag is empty', { '@odata.etag': '', changeKey: 'ck' }, 'ck'],
    ['eTag of a drive item', { eTag: '"{7},2"' }, '"{7},2"'],
    ['none where there is neither', {}, undefined],
    ['none where it is no text', { '@odata.etag': 7 }, undefined],
  ])('has the version %s', async (_name, body, version) => {
    const { client, simulator } = await simulateGraph();
    simulator.faults.add({ status: 200, body });
    expect((await createFetchResource(client)(path('users/x'))).version).toBe(version);
  });

  it.each([['[]'], ['null'], ['7'], ['"text"'], ['true']])(
    'is unusable where the answer is %s',
    async (body) => {
      const { client, simulator } = await simulateGraph();
      simulator.faults.add({ status: 200, body });
      await expect(createFetchResource(client)(path('users/x'))).rejects.toMatchObject({
        failure: { kind: 'unusable' },
      });
    },
  );

  it.each(['a b', 'ä', 'a=+&;,$', "it's", 'a@b', 'a:b', '(x)', 'AAMk=='])(
    'is asked for under its own id where that is %s',
    async (id) => {
      const { client, simulator, user } = await simulateGraph();
      simulator.faults.add({ status: 200, body: { id } });
      await createFetchResource(client)([...path(`users/${user}`), { word: 'events', id }]);
      expect(graphCalls(simulator)).toEqual([`GET /v1.0/users/${user}/events/${id}`]);
    },
  );

  it('is asked for with the properties and the preferences that are wanted', async () => {
    const { client, simulator, user } = await simulateGraph();
    const body = { contentType: 'html', content: '<b>Soup</b>' };
    const event = simulator.calendar.create(user, { subject: 'Lunch', body });
    const { data, version } = await createFetchResource(client)(path(event.path.key), {
      select: ['subject', 'body'],
      prefer: ['outlook.body-content-type="text"', 'IdType="ImmutableId"'],
    });
    expect(data).toMatchObject({ subject: 'Lunch', body: { contentType: 'text' } });
    expect(data).not.toHaveProperty('start');
    expect(data.id).not.toBe(event.path.key.split('/').at(-1));
    expect(version).toBe(event.etag);
  });

  it('is asked for without query and header where nothing is wanted', async () => {
    const seen: unknown[] = [];
    const peer = await startHttpPeer(({ url, headers }, response) => {
      seen.push([url, headers.prefer]);
      response.end('{}');
    });
    const { tokens } = await simulateGraph();
    const client = createGraphClient({ url: peer.url, tokens });
    onTestFinished(() => client.close());
    const fetchResource = createFetchResource(client);
    await fetchResource(path('users/x'));
    await fetchResource(path('users/x'), { select: [], prefer: [] });
    await fetchResource(path('users/x'), { select: ['a&$expand=b', 'c'], prefer: ['x', 'y="z"'] });
    expect(seen).toEqual([
      ['/v1.0/users/x', undefined],
      ['/v1.0/users/x', undefined],
      ['/v1.0/users/x?$select=a%26%24expand%3Db,c', 'x, y="z"'],
    ]);
  });

  it('keeps an id that reads like a path or a query within its place', async () => {
    const { client, simulator } = await simulateGraph();
    simulator.faults.add({ status: 200, body: {}, times: 10 });
    for (const id of ['?$select=id', '#x', '%2e%2e', 'https://elsewhere/']) {
      await createFetchResource(client)([{ word: 'users', id }]);
    }
    for (const id of ['..', '../../beta', 'a/../../b', '\\..\\beta', '．．／beta']) {
      await expect(createFetchResource(client)([{ word: 'users', id }])).rejects.toMatchObject({
        failure: { kind: 'rejected', code: 'foreignUrl' },
      });
    }
    expect(graphCalls(simulator)).toEqual([
      'GET /v1.0/users/?$select=id',
      'GET /v1.0/users/#x',
      'GET /v1.0/users/%2e%2e',
      'GET /v1.0/users/https://elsewhere/',
    ]);
  });
});
