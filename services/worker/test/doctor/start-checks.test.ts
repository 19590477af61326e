/** What a worker's start says by itself: of its settings at once, of the clock with Graph's first answer. */

import { parseConfig } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { workerSettings } from '../../src/config.ts';
import { createStartChecks, type StartProblem } from '../../src/doctor/start-checks.ts';
import { type SimulatedGraph, simulateGraph } from '../support/simulated-graph.ts';
import { CLIENT, TENANT } from './access-token.ts';

function checks(environment: Record<string, string>): StartProblem[] {
  const config = parseConfig(workerSettings, {
    REDIS_URL: 'redis://127.0.0.1:1',
    CLIENT_STATE_SECRETS: 'secret-of-16-and-more',
    AZURE_TENANT_ID: TENANT,
    AZURE_CLIENT_ID: CLIENT,
    KAFKA_BROKERS: '127.0.0.1:2',
    SUBSCRIPTIONS_FILE: 'subscriptions.yaml',
    NOTIFICATION_URL: 'https://receiver.example/events',
    LIFECYCLE_NOTIFICATION_URL: 'https://receiver.example/lifecycle',
    ...environment,
  });
  const problems: StartProblem[] = [];
  const started = createStartChecks({
    config,
    wishes: [],
    now: Date.now,
    onProblem: (each) => problems.push(each),
  });
  onTestFinished(() => started.close());
  started.run();
  return problems;
}

const ask = ({ client }: SimulatedGraph) => client.request({ method: 'GET', path: '/subscriptions' });

describe('a start', () => {
  it('has nothing to say where all is well', async () => {
    const graph = await simulateGraph();
    const problems = checks({ GRAPH_URL: graph.simulator.url });
    await ask(graph);
    expect(problems).toEqual([]);
  });

  it('says at once what the settings tell', () => {
    expect(
      checks({ NOTIFICATION_URL: 'http://receiver.example/', LIFECYCLE_NOTIFICATION_URL: '' }),
    ).toMatchObject([
      {
        check: 'settings',
        level: 'warning',
        found: expect.stringContaining('LIFECYCLE_NOTIFICATION_URL is not set'),
      },
      { check: 'public-url', level: 'error', found: expect.stringContaining('Graph takes https alone') },
      {
        check: 'public-url',
        level: 'warning',
        found: expect.stringContaining('the path of NOTIFICATION_URL is /'),
      },
    ]);
  });

  it('takes the plain http of a simulator for what it is', () => {
    const local = { GRAPH_URL: 'https://127.0.0.1:8443', NOTIFICATION_URL: 'http://127.0.0.1:8080/events' };
    expect(checks({ ...local, LIFECYCLE_NOTIFICATION_URL: 'http://127.0.0.1:8080/lifecycle' })).toEqual([]);
  });

  it('says with the first answer of Graph, and once, that the clock is wrong', async () => {
    const graph = await simulateGraph();
    graph.simulator.faults.add({ on: 'clock', skewMs: 40_000 });
    const problems = checks({ GRAPH_URL: graph.simulator.url });
    expect(problems).toEqual([]);
    await ask(graph);
    await eventually(() => expect(problems).toHaveLength(1));
    expect(problems).toMatchObject([
      {
        check: 'graph',
        level: 'warning',
        found: expect.stringMatching(/^the clock here is \d+ s behind Graph's$/),
      },
    ]);
    await ask(graph);
    expect(problems).toHaveLength(1);
  });

  it('looks at no answer of others', async () => {
    const [graph, other] = [await simulateGraph(), await simulateGraph()];
    other.simulator.faults.add({ on: 'clock', skewMs: 400_000 });
    const problems = checks({ GRAPH_URL: graph.simulator.url });
    await ask(other);
    expect(problems).toEqual([]);
  });
});
