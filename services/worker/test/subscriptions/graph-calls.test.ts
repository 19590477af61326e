/** Calls about subscriptions while Graph answers some or none, by what the client was told of each. */
import { describe, expect, it } from 'vitest';
import type { GraphClient } from '../../src/graph/graph-client.ts';
import { GraphError } from '../../src/graph/graph-error.ts';
import type { ListsAsked } from '../../src/subscriptions/fleet.ts';
import { createGraphCalls } from '../../src/subscriptions/graph-calls.ts';
import { createGraphLists } from '../../src/subscriptions/graph-lists.ts';
import { createSubscriptionsApi } from '../../src/subscriptions/subscriptions-api.ts';
import { graphCalls, simulateGraph } from '../support/simulated-graph.ts';

const TENANT = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';
const URL = 'https://graph.microsoft.com';
const MINUTE = 60_000;

function callsBy(client: GraphClient, graphUrl = URL) {
  return createGraphCalls({
    api: createSubscriptionsApi(client, graphUrl),
    tenantId: TENANT,
    pace: { turn: async () => 0, hold: async () => undefined },
    check: () => undefined,
    sleep: async () => undefined,
  });
}

/** A client whose requests are answered in turn; undefined: no answer comes. */
function answeringInTurn(answers: readonly (() => unknown)[]): GraphClient {
  let nth = 0;
  return {
    async request() {
      const body = answers[nth++]?.();
      if (body === undefined) throw new GraphError({ kind: 'transient', detail: 'no answer' });
      return { status: 200, body, readAt: 0 };
    },
    close: async () => undefined,
  };
}

const FIRST_OF_MANY = { value: [], '@odata.nextLink': `${URL}/v1.0/subscriptions?$skiptoken=1` };

describe('whether Graph answers', () => {
  it('is no as long as it gives no page of its list, however often that is asked for again', async () => {
    const { simulator, client } = await simulateGraph();
    simulator.faults.add({ method: 'GET', path: '/v1.0/subscriptions', status: 503, times: 3 });
    expect(await callsBy(client, simulator.url).isAnswering()).toBe(false);
    expect(graphCalls(simulator)).toHaveLength(3);
    expect(await callsBy(client, simulator.url).isAnswering()).toBe(true);
  });

  it('is yes with the first page, also with one that was asked for again; no other is asked for', async () => {
    let more = 0;
    const client = answeringInTurn([() => undefined, () => FIRST_OF_MANY, () => ++more]);
    expect(await callsBy(client).isAnswering()).toBe(true);
    expect(more).toBe(0);
  });
});

describe('the pages of a list', () => {
  it('are told by their number, not by how often they were asked for', async () => {
    const told: number[] = [];
    const client = answeringInTurn([
      () => undefined,
      () => FIRST_OF_MANY,
      () => undefined,
      () => ({ value: [] }),
    ]);
    expect(await callsBy(client).list((page) => void told.push(page))).toEqual([]);
    expect(told).toEqual([1, 1, 2, 2]);
  });
});

describe('a list that was begun by a clock that may be wrong', () => {
  it.each([
    ['the first', [() => undefined]],
    ['the second', []],
  ])('is dated by the answer of its first page, where %s page is asked for twice', async (_which, before) => {
    const right = Date.UTC(2026, 10, 23, 12);
    const clock = { ms: right + 86_400_000, isSure: false };
    const first = () => {
      Object.assign(clock, { ms: right, isSure: true });
      return FIRST_OF_MANY;
    };
    const late = (body: unknown) => () => {
      clock.ms += 10 * MINUTE;
      return body;
    };
    const client = answeringInTurn([...before, first, late(undefined), late({ value: [] })]);
    const asked: ListsAsked = {};
    const lists = createGraphLists({
      ...{ marksOf: () => ({ tenantId: TENANT, secrets: [], notificationUrl: 'https://here.example' }) },
      ...{ callsOf: () => callsBy(client), asked, fleet: { setState: async () => undefined } },
      ...{ now: () => clock.ms, clockIsSure: () => clock.isSure, knownOf: () => undefined },
    });
    await lists.ask(TENANT);
    expect(lists.of(TENANT)?.at).toBe(right - MINUTE);
  });
});
