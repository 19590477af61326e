/** One page of a delta query: what Graph may answer, and which of its links are followed. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { createGraphClient } from '../../src/graph/graph-client.ts';
import { createReadPage } from '../../src/graph/read-page.ts';
import { startHttpPeer } from '../support/http-peer.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

async function setup(
  path: (user: string) => string = (user) => `/users/${user}/mailFolders/inbox/messages/delta`,
) {
  const graph = await simulateGraph();
  const { simulator, client, user } = graph;
  const readPage = createReadPage(client, simulator.url, 7);
  const query = { path: path(user) };
  /** Graph's next answer. */
  const answer = (body: Record<string, unknown>) =>
    void simulator.faults.add({ status: 200, body: { value: [], ...body } });
  return { ...graph, readPage, query, answer };
}

describe('a page of a delta query', () => {
  it('tells what is there and what is gone, each id once, as it came last', async () => {
    const { readPage, query, answer } = await setup();
    answer({
      value: [
        { id: 'a', '@odata.etag': 'W/"1"', subject: 'old' },
        { id: 'b', changeKey: 'key' },
        { id: 'c', '@removed': { reason: 'deleted' } },
        { id: 'd', deleted: { state: 'deleted' } },
        { id: 'e', eTag: '"{7},2"' },
        { id: 'a', '@odata.etag': 'W/"2"', subject: 'new' },
      ],
    });
    const { items, next, delta } = await readPage(query, undefined);
    expect([next, delta]).toEqual([undefined, undefined]);
    expect(items.map(({ id, removed, state }) => [id, removed, state.version])).toEqual([
      ['b', false, 'key'],
      ['c', true, undefined],
      ['d', true, undefined],
      ['e', false, '"{7},2"'],
      ['a', false, 'W/"2"'],
    ]);
    expect(items.at(-1)?.state.data).toMatchObject({ subject: 'new' });
  });

  it('asks for its size and for what is preferred with each page', async () => {
    const { readPage, query, simulator, user } = await setup();
    for (let n = 0; n < 10; n++)
      simulator.items.create(`users/${user}/mailFolders/inbox/messages`, { subject: String(n) });
    const first = await readPage(query, undefined, { prefer: ['IdType="ImmutableId"'], select: ['subject'] });
    const second = await readPage(query, first.next, {
      prefer: ['IdType="ImmutableId"'],
      select: ['subject'],
    });
    expect([first.items.length, second.items.length, second.next]).toEqual([7, 3, undefined]);
    expect(second.delta).toMatch(/messages\/delta\?\$deltatoken=/);
    expect(Object.keys(second.items[0]?.state.data ?? {})).toContain('subject');
    expect(Object.keys(second.items[0]?.state.data ?? {})).not.toContain('importance');
    expect(graphCalls(simulator)[0]).toMatch(/\$select=subject$/);
  });

  it('asks for immutable ids on the first page, on those after it and in the next round alike', async () => {
    const preferred: unknown[] = [];
    const links = ['nextLink', 'nextLink', 'deltaLink', 'deltaLink'];
    const { tokens } = await simulateGraph();
    const peer = await startHttpPeer(({ headers }, response) => {
      const link = `${peer.url}/v1.0/users/ada/mailFolders/inbox/messages/delta?$token=${preferred.length}`;
      const body = { value: [], [`@odata.${links[preferred.length]}`]: link };
      preferred.push(headers.prefer);
      response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
    });
    const client = createGraphClient({ url: peer.url, tokens });
    onTestFinished(() => client.close());
    const readPage = createReadPage(client, peer.url, 7);
    const query = { path: '/users/ada/mailFolders/inbox/messages/delta' };
    let link: string | undefined;
    for (const _page of links) {
      const page = await readPage(query, link, { prefer: ['IdType="ImmutableId"'] });
      link = page.next ?? page.delta;
    }
    expect(preferred).toEqual(links.map(() => 'IdType="ImmutableId", odata.maxpagesize=7'));
  });

  it.each([
    [
      "mailFolders('inbox')/messages/delta?$deltatoken=x",
      "users/{user}/mailFolders('inbox')/messages/delta?$deltatoken=x",
    ],
    [
      'microsoft.graph.delta()',
      'users/{user}/mailFolders/AAMk=/messages/microsoft.graph.delta()?$skiptoken=x',
    ],
  ])('follows a link that spells the same query in another way: %s', async (_name, link) => {
    const { readPage, query, answer, simulator, user } = await setup();
    answer({ '@odata.nextLink': `${simulator.url}/v1.0/${link.replace('{user}', user)}` });
    const { next } = await readPage(query, undefined);
    expect(next !== undefined && readPage.isLinkOf(query, next)).toBe(true);
  });

  it('follows the names that a drive gives itself, with the token in the path', async () => {
    const { readPage, query, answer, simulator } = await setup((user) => `/users/${user}/drive/root/delta`);
    for (const link of [
      "drives/b!x/root/delta(token='abc%3D')",
      'drives/b!x/delta?token=abc',
      'sites/s/drive/root/delta?token=a',
    ]) {
      answer({ '@odata.deltaLink': `${simulator.url}/v1.0/${link}` });
      const { delta } = await readPage(query, undefined);
      expect(delta).toBe(`/${link}`);
      expect(readPage.isLinkOf(query, delta ?? '')).toBe(true);
    }
  });

  it.each([
    'users/other/messages',
    'users/other/messages/delta',
    'groups/delta',
    'users/{user}/mailFolders/inbox/messages',
  ])('follows no link to another query: %s', async (link) => {
    const { readPage, query, answer, simulator, user } = await setup();
    const path = link.replace('{user}', user);
    answer({ '@odata.nextLink': `${simulator.url}/v1.0/${path}` });
    await expect(readPage(query, undefined)).rejects.toMatchObject({ failure: { kind: 'unusable' } });
    expect(readPage.isLinkOf(query, `/${path}`)).toBe(false);
  });
});
