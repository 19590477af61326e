/** A collection, page by page: what is asked for, and where a next link may lead. */
import { describe, expect, it } from 'vitest';
import { createReadPage } from '../../src/graph/read-page.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

async function setup() {
  const graph = await simulateGraph();
  const events = { path: `/users/${graph.user}/events` };
  return { ...graph, events, readPage: createReadPage(graph.client, graph.simulator.url) };
}

describe('a list', () => {
  it('is read page by page to its end, each page with what is wanted of it', async () => {
    const { simulator, user, events, readPage } = await setup();
    for (let i = 0; i < 60; i++) {
      simulator.calendar.create(user, {
        subject: `${i}`,
        body: { contentType: 'html', content: '<b>x</b>' },
      });
    }
    const options = { select: ['subject', 'body'], prefer: ['outlook.body-content-type="text"'] };
    const first = await readPage(events, undefined, options);
    const second = await readPage(events, first.next, options);
    expect([first.items.length, second.items.length, second.next]).toEqual([50, 10, undefined]);
    for (const { state } of [...first.items, ...second.items]) {
      expect(state.data).toMatchObject({ body: { contentType: 'text' } });
      expect(state.data).not.toHaveProperty('start');
    }
    const all = [...first.items, ...second.items].map(({ state }) => state.data.subject);
    expect(new Set(all).size).toBe(60);
  });

  it.each([
    ['as it is', (user: string) => `/users/${user}/events?$skip=1`],
    ['in other case', (user: string) => `/Users/${user}/Events?$skip=1`],
    ['with its key in brackets', (user: string) => `/users('${user}')/events?$skip=1`],
    ['encoded', (user: string) => `/users(%27${user}%27)/events?$skiptoken=a%2Fb`],
  ])('may spell itself %s', async (_name, nextOf) => {
    const { simulator, user, events, readPage } = await setup();
    const link = `${simulator.url}/v1.0${nextOf(user)}`;
    simulator.faults.add({ status: 200, body: { value: [], '@odata.nextLink': link } });
    simulator.faults.add({ status: 200, body: { value: [{ id: 'x' }] } });
    const { next } = await readPage(events, undefined);
    expect((await readPage(events, next)).items).toMatchObject([{ id: 'x' }]);
  });

  it.each([
    ['another kind of thing', '/users/{user}/messages'],
    ['one of its own', '/users/{user}/events/1'],
    ['what stands above it', '/users/{user}'],
    ['an action', '/users/{user}/sendMail'],
    ['an unknown word', '/users/{user}/events/delta'],
    ['another folder', '/users/{user}/mailFolders/1/messages'],
  ])('does not go on at %s', async (_name, next) => {
    const { simulator, user, events, readPage } = await setup();
    const path = next.replace('{user}', user);
    const failure = { kind: 'unusable', detail: 'a next link that leaves the list' };
    await expect(readPage(events, path)).rejects.toMatchObject({ failure });
    expect(graphCalls(simulator)).toEqual([]);
    simulator.faults.add({
      status: 200,
      body: { value: [], '@odata.nextLink': `${simulator.url}/v1.0${path}` },
    });
    await expect(readPage(events, undefined)).rejects.toMatchObject({ failure });
  });
});
