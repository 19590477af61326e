/** Texts that would lead away from Graph, in every field of an answer that says where to go on. */
import { validateHeaderValue } from 'node:http';
import { parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { hostilePaths } from '../../../../packages/shared/test/hostile-paths.ts';
import { createBatchedRequests } from '../../src/graph/batched-requests.ts';
import { createFetchResource } from '../../src/graph/fetch-resource.ts';
import { GraphError, type GraphFailure } from '../../src/graph/graph-error.ts';
import { pinnedLink } from '../../src/graph/next-link.ts';
import { createReadPage } from '../../src/graph/read-page.ts';
import { startHttpPeer } from '../support/http-peer.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

/** Texts with the canary's host in them, as they are and behind Graph's own address. */
function hostileTexts(canary: string, graph: string): string[] {
  const { host } = new URL(canary);
  const graphHost = new URL(graph).host;
  const texts = hostilePaths.map((text) => text.replaceAll('evil.example', host));
  return [
    ...texts,
    ...texts.map((text) => `${graph}/v1.0/${text}`),
    ...texts.map((text) => `${graph}${text}`),
    `${canary}/v1.0/users/1/events`,
    `https://${host}/v1.0/users/1/events`,
    `https://${graphHost}@${host}/v1.0/users/1/events`,
    `https://${host}\\@${graphHost}/v1.0/users/1/events`,
    `http://${graphHost}/v1.0/users/1/events`,
    `https://who:why@${graphHost}/v1.0/users/1/events`,
    `${graph}.evil.example/v1.0/users/1/events`,
    `${graph}/v1.0/%2e%2e%2fbeta/users/1/events`,
    `${graph}/v1.0/users/..%2f..%2fbeta/events`,
    `${graph}/v1.0/users/%EF%BC%8E%EF%BC%8E/events`,
    `${graph}/v1.0/users/a%5cb/events`,
    `${graph}/v1.0/users/a%0d%0aHost:%20${host}/events`,
    `${graph}/v1.0/users/%/events`,
    `${graph}/v1.0//${host}/users/1/events`,
    `${graph}/v1.0`,
    `${graph}/v1.0/`,
    `${graph}/V1.0/users/1/events`,
    `${graph}/beta/users/1/events`,
  ];
}

async function setup() {
  const canary = await startHttpPeer((_request, response) => void response.end('{}'));
  const graph = await simulateGraph();
  return { ...graph, canary, texts: hostileTexts(canary.url, graph.simulator.url) };
}

function path(text: string): ResourcePath {
  const parsed = parseResourcePath(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.path;
}

async function failureOf(asked: Promise<unknown>): Promise<GraphFailure | 'none'> {
  try {
    await asked;
    return 'none';
  } catch (error) {
    if (!(error instanceof GraphError)) throw error;
    return error.failure;
  }
}

/** Such as can stand in a header at all. */
function sendable(text: string): boolean {
  try {
    validateHeaderValue('location', text);
    return true;
  } catch {
    return false;
  }
}

/** Those that `ask` did not end in a failure of this kind. */
async function survivors(
  texts: readonly string[],
  kind: GraphFailure['kind'],
  ask: (text: string) => Promise<unknown>,
): Promise<string[]> {
  const left: string[] = [];
  for (const text of texts) {
    const failure = await failureOf(ask(text));
    if (failure === 'none' || failure.kind !== kind) left.push(text);
  }
  return left;
}

describe('nobody else is asked, and Graph nothing but what was meant', () => {
  it.each([
    ['next link', '@odata.nextLink', 'events', '?$top=50'],
    ['next link of a delta query', '@odata.nextLink', 'calendarView/delta', ''],
    ['delta link', '@odata.deltaLink', 'calendarView/delta', ''],
  ])('by the %s of a page, whatever it says', async (_name, link, collection, query) => {
    const { simulator, client, user, canary, texts } = await setup();
    const readPage = createReadPage(client, simulator.url);
    const path = `/users/${user}/${collection}`;
    const followed = await survivors(texts, 'unusable', (text) => {
      simulator.faults.add({ status: 200, body: { value: [], [link]: text } });
      return readPage({ path }, undefined);
    });
    expect(followed).toEqual([]);
    expect(texts.length).toBeGreaterThan(300);
    expect(new Set(graphCalls(simulator))).toEqual(new Set([`GET /v1.0${path}${query}`]));
    expect(graphCalls(simulator)).toHaveLength(texts.length);
    expect(canary.connections).toBe(0);
  });

  it.each(['events', 'calendarView/delta'])('by a link of %s that was kept for later', async (collection) => {
    const { simulator, client, user, canary, texts } = await setup();
    const readPage = createReadPage(client, simulator.url);
    const query = { path: `/users/${user}/${collection}` };
    const kept = texts.flatMap((text) => [text, `/${text}`]);
    expect(await survivors(kept, 'unusable', (link) => readPage(query, link))).toEqual([]);
    expect(kept.filter((link) => readPage.isLinkOf(query, link))).toEqual([]);
    expect(graphCalls(simulator)).toEqual([]);
    expect(canary.connections).toBe(0);
  });

  it('by any link that leaves the host, the version or plain text', async () => {
    const { simulator, canary, texts } = await setup();
    const { origin } = new URL(simulator.url);
    for (const text of texts) {
      let address: ReturnType<typeof pinnedLink> | undefined;
      try {
        address = pinnedLink(text, simulator.url);
      } catch (error) {
        expect((error as GraphError).failure.kind).toBe('unusable');
      }
      if (!address) continue;
      // What is left is a path of Graph, if a useless one.
      const url = new URL(`${origin}/v1.0${address.path}`);
      expect(url.href).toBe(`${origin}/v1.0${address.path}`);
      expect(decodeURIComponent(address.path)).not.toMatch(/\\|\p{Cc}|(^|\/)\.\.?(\/|$)|\/\//u);
    }
    expect(canary.connections).toBe(0);
  });

  it.each([301, 302, 303, 307, 308, 410])('by the Location of a %i', async (status) => {
    const { simulator, client, user, canary, texts } = await setup();
    const fetchResource = createFetchResource(client);
    const resource = path(`users/${user}/events/1`);
    const locations = texts.filter(sendable);
    const kind = status === 410 ? 'gone' : 'unusable';
    const asked = await survivors(locations, kind, (location) => {
      simulator.faults.add({ status, headers: { location }, body: '' });
      return fetchResource(resource);
    });
    expect(asked).toEqual([]);
    expect(locations.length).toBeGreaterThan(200);
    expect(new Set(graphCalls(simulator))).toEqual(new Set([`GET /v1.0/users/${user}/events/1`]));
    expect(graphCalls(simulator)).toHaveLength(locations.length);
    expect(canary.connections).toBe(0);
  });

  it.each([302, 410])('by the Location of a %i within a batch', async (status) => {
    const { simulator, client, user, canary, texts } = await setup();
    const onRefused = (error: GraphError) => {
      throw error;
    };
    const fetchResource = createFetchResource(
      createBatchedRequests(client, { waitMs: 1, outlookParts: 20, onRefused }),
    );
    const kind = status === 410 ? 'gone' : 'unusable';
    for (let at = 0; at < texts.length; at += 19) {
      // Never alone: that would be no batch.
      const responses = [canary.url, ...texts.slice(at, at + 19)].map((location, index) => {
        return {
          id: `${index + 1}`,
          status,
          headers: { Location: location },
          body: { '@odata.id': location },
        };
      });
      simulator.faults.add({ path: '/v1.0/$batch', status: 200, body: { responses } });
      const asked = responses.map(() => fetchResource(path(`users/${user}/events/1`)));
      const ended = await Promise.allSettled(asked);
      for (const result of ended) expect(result).toMatchObject({ reason: { failure: { kind } } });
    }
    expect(new Set(graphCalls(simulator))).toEqual(new Set(['POST /v1.0/$batch']));
    expect(canary.connections).toBe(0);
  });
});
