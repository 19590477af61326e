/** The consumer of examples/current-events, as a consumer would run it: what it has read is what Graph has. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { eventually, runProgram } from '@graph2kafka/test-harness';
import { beforeEach, describe, expect, it } from 'vitest';
import { CurrentEvents, type Row } from '../../examples/current-events/src/current-events.ts';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const MAIN = join(import.meta.dirname, '../../examples/current-events/src/main.ts');
const CHANGES = 400;

async function readTable({ stack }: Pipeline): Promise<Map<string, Row>> {
  const { stdout } = await runProgram(
    'env',
    [`KAFKA_BROKERS=${stack.brokers}`, `KAFKA_TOPIC=${stack.topic}`, process.execPath, MAIN],
    { timeoutMs: 60_000 },
  );
  const rows = stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Row);
  return new Map(rows.map((row) => [row.key, row]));
}

/** Each event of all calendars as Graph has it, by the key of its records. */
function eventsInGraph({ simulator }: Pipeline): Map<string, unknown> {
  const events = simulator.users().flatMap(({ id }) => simulator.resources.list(`users/${id}/events`));
  return new Map(events.map(({ path, body }) => [`${simulator.tenantId}/${path.key}`, body]));
}

function eventsInTable(table: ReadonlyMap<string, Row>): Map<string, unknown> {
  const withoutContext = ({ '@odata.context': _, ...event }: Readonly<Record<string, unknown>>) => event;
  return new Map([...table].map(([key, { data = {} }]) => [key, withoutContext(data)]));
}

describe('the table of current events', () => {
  it('equals Graph after bursts of changes, repeated notifications and late deletions', async () => {
    const pipeline = await startPipeline({ users: 4 });
    const { simulator, drained } = pipeline;
    simulator.faults.add({ on: 'delivery', duplicate: true, times: 50 });
    // Other news that comes after the deletion would have the worker look for the event for 40 s.
    const match = ({ changeType }: { changeType?: string | undefined }) => changeType === 'deleted';
    simulator.faults.add({ on: 'delivery', delayMs: 300, times: 30, match });
    simulator.faults.add({ method: 'GET', path: /\/events\//, kind: 'early404', times: 1 });
    simulator.life.start({ changesPerSecond: 150 });
    await eventually(() => expect(simulator.state().changes).toBeGreaterThan(CHANGES), { timeoutMs: 20_000 });
    simulator.life.stop();
    await simulator.notifier.idle({ timeoutMs: 20_000 });
    await drained(60_000);
    const table = await readTable(pipeline);
    expect(table.size).toBeGreaterThan(20);
    expect(eventsInTable(table)).toEqual(eventsInGraph(pipeline));
    expect(new Set([...table.values()].map(({ state }) => state))).toEqual(new Set(['current']));
  }, 90_000);

  it('says where an event is that Kafka has no room for, and of which it is not known how it has changed', async () => {
    const pipeline = await startPipeline();
    const { simulator, drained } = pipeline;
    const user = simulator.users()[0]?.id ?? '';
    const content = randomBytes(1_500_000).toString('base64');
    const large = simulator.calendar.create(user, {
      subject: 'Large',
      body: { contentType: 'html', content },
    });
    const known = simulator.calendar.create(user, { subject: 'Known' });
    await simulator.notifier.idle();
    await drained();
    simulator.faults.add({ method: 'GET', path: /\/events\//, status: 403, times: Number.POSITIVE_INFINITY });
    simulator.calendar.update(known.path.key, { subject: 'Nobody may know' });
    await simulator.notifier.idle();
    await drained();
    const table = await readTable(pipeline);
    const rowOf = (resource: string) => table.get(`${simulator.tenantId}/${resource}`);
    const id = encodeURIComponent(large.path.key.split('/').at(-1) ?? '');
    expect(rowOf(large.path.key)).toMatchObject({
      state: 'elsewhere',
      url: `${simulator.url}/v1.0/users/${user}/events/${id}`,
    });
    expect(rowOf(known.path.key)).toMatchObject({
      state: 'unknown',
      data: { subject: 'Known' },
      reason: expect.stringContaining('forbidden'),
    });
  }, 60_000);
});

describe('a row of it', () => {
  let table: CurrentEvents;
  beforeEach(() => {
    table = new CurrentEvents();
  });

  const apply = (value: Record<string, unknown> | null) =>
    table.apply({
      key: 'k',
      value: value && JSON.stringify({ source: 's', type: 'Microsoft.Graph.EventUpdated', ...value }),
    });
  const state = (id: string, minute: number) => ({
    id,
    acquisition: 'fetched',
    readtime: `2026-01-01T00:0${minute}:00.000Z`,
    data: { subject: id },
  });
  const deletion = (id: string, minute: number) => ({
    id,
    type: 'Microsoft.Graph.EventDeleted',
    acquisition: 'deleted',
    receivedtime: `2026-01-01T00:0${minute}:00.000Z`,
    data: { id: 'e', '@removed': { reason: 'deleted' } },
  });
  const subjects = () => table.rows().map(({ data }) => data?.subject);

  it('takes no record twice, and no older state after a newer one', () => {
    expect([state('v1', 1), state('v2', 2), state('v2', 3), state('v1', 1)].map(apply)).toEqual([
      'applied',
      'applied',
      'duplicate',
      'older',
    ]);
    expect(subjects()).toEqual(['v2']);
  });

  it('is gone after a deletion, whatever comes late, until the event is there again', () => {
    expect([state('v1', 1), deletion('d1', 3), null, state('v1', 1)].map(apply)).toEqual([
      'applied',
      'applied',
      'duplicate',
      'older',
    ]);
    expect(subjects()).toEqual([]);
    // Restored in the version that it had: the same id, and news.
    expect([state('v1', 4), deletion('d1', 3)].map(apply)).toEqual(['applied', 'duplicate']);
    expect(subjects()).toEqual(['v1']);
  });

  it('is gone after a tombstone alone, as a compacted topic has it', () => {
    expect([state('v1', 1), null].map(apply)).toEqual(['applied', 'applied']);
    expect(subjects()).toEqual([]);
    expect(new CurrentEvents().apply({ key: 'never seen', value: null })).toBe('duplicate');
  });

  it('is mended by the next state after a change that could not be read', () => {
    const fallback = { id: 'f1', acquisition: 'notification', fallbackreason: '403', data: {} };
    expect([state('v1', 1), fallback].map(apply)).toEqual(['applied', 'applied']);
    expect(table.rows()).toMatchObject([{ state: 'unknown', reason: '403', data: { subject: 'v1' } }]);
    expect([state('v1', 2), fallback].map(apply)).toEqual(['applied', 'duplicate']);
    expect(table.rows()).toMatchObject([{ state: 'current', data: { subject: 'v1' } }]);
  });

  it('is for events alone', () => {
    expect(apply({ ...state('m', 1), type: 'Microsoft.Graph.MessageUpdated' })).toBe('not an event');
    expect(table.rows()).toEqual([]);
  });
});
