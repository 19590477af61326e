import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { startPipeline } from '../support/pipeline.ts';

describe('a change in Graph', () => {
  it('becomes a record with the state of the event, named as Azure Event Grid names it', async () => {
    const { simulator, eventsOf, stack } = await startPipeline();
    const [user] = simulator.users();
    const event = simulator.calendar.create(user?.id ?? '', { subject: 'Budget review' });
    await eventually(() => expect(eventsOf(event.path.key)).toHaveLength(1));
    const [created] = eventsOf(event.path.key);
    const { tenantId, clientId } = simulator;
    const [, userId, , eventId] = event.path.key.split('/');
    expect(created).toMatchObject({
      specversion: '1.0',
      type: 'Microsoft.Graph.EventCreated',
      source: `/tenants/${tenantId}/applications/${clientId}`,
      subject: `Users/${userId}/Events/${eventId}`,
      acquisition: 'fetched',
      tenantid: tenantId,
      subscription: `calendars/${userId}`,
      resourceversion: event.etag,
      notificationcount: 1,
      data: { id: eventId, subject: 'Budget review' },
    });
    expect(created?.record.headers['content-type']).toMatch(/^application\/cloudevents\+json/);
    expect(created?.record.key).toBe(`${tenantId}/${event.path.key}`);
    expect(stack.topic).not.toBe('graph.events');
  });

  it('can be followed by one trace through both logs to its record', async () => {
    const { simulator, eventsOf, log } = await startPipeline();
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Traced' });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
    const [record] = eventsOf(path.key);
    expect(record?.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    expect(record?.record.headers.ce_traceparent).toBe(record?.traceparent);
    const [, id] = String(record?.traceparent).split('-');
    const named = (name: string) => log.filter((line) => line.includes(name) && line.includes(`"${id}"`));
    await eventually(() => {
      expect(named('notification.stored')).toHaveLength(1);
      expect(named('record.published')).toHaveLength(1);
    });
  });

  it('is followed by the record of its update and of its deletion, in one partition and in that order', async () => {
    const { simulator, eventsOf } = await startPipeline();
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'One' });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
    simulator.calendar.update(path.key, { subject: 'Two' });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(2));
    simulator.calendar.remove(path.key);
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(3));
    const records = eventsOf(path.key);
    expect(records.map(({ type }) => type.replace('Microsoft.Graph.', ''))).toEqual([
      'EventCreated',
      'EventUpdated',
      'EventDeleted',
    ]);
    expect(records.map(({ data }) => data.subject)).toEqual(['One', 'Two', undefined]);
    expect(new Set(records.map(({ record }) => record.partition)).size).toBe(1);
    const reads = simulator.changeLog.ofKind('read').filter(({ resource }) => resource === path.key);
    expect(reads, 'a deletion is not fetched').toHaveLength(2);
  });

  it('keeps its id when Graph tells of it twice', async () => {
    const { simulator, eventsOf, drained } = await startPipeline();
    simulator.faults.add({ on: 'delivery', duplicate: true, times: Number.POSITIVE_INFINITY });
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Twice' });
    await eventually(() => expect(simulator.notifier.counters.delivered).toBe(2));
    await drained();
    await eventually(() => expect(eventsOf(path.key).length).toBeGreaterThanOrEqual(1));
    expect(new Set(eventsOf(path.key).map(({ id }) => id)).size).toBe(1);
  });

  it('that is not readable yet becomes a record once it is', async () => {
    const { simulator, eventsOf } = await startPipeline();
    const early = simulator.faults.add({ method: 'GET', path: /\/events\//, kind: 'early404', times: 1 });
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Early' });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1), { timeoutMs: 15_000 });
    expect(early.hits).toBe(1);
    expect(eventsOf(path.key)[0]).toMatchObject({
      type: 'Microsoft.Graph.EventCreated',
      acquisition: 'fetched',
    });
  });

  it('that may not be read is published as its notification, and shown as given up', async () => {
    const { simulator, eventsOf, services } = await startPipeline();
    simulator.faults.add({ method: 'GET', path: /\/events\//, status: 403, times: Number.POSITIVE_INFINITY });
    const { path, etag } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Secret' });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
    expect(eventsOf(path.key)[0]).toMatchObject({
      type: 'Microsoft.Graph.EventCreated',
      acquisition: 'notification',
      resourceversion: etag,
      data: { notification: { changeType: 'created' } },
    });
    await eventually(async () => {
      const metrics = await (await fetch(`${services.worker.url}/metrics`)).text();
      expect(metrics).toContain('g2k_jobs{queue="dead-letters",state="waiting"} 1');
    });
  });

  it('is told to nobody else: neither clientState nor token nor body reaches a log', async () => {
    const { simulator, eventsOf, log } = await startPipeline({
      receiver: { LOG_LEVEL: 'trace' },
      worker: { LOG_LEVEL: 'trace' },
    });
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', {
      subject: 'canary-subject-41',
    });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
    const text = log.join('\n');
    expect(text).toContain('record.published');
    expect(text).not.toContain('canary-subject-41');
    expect(text).not.toContain(simulator.clientSecret);
    expect(text).not.toMatch(/v1\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}/);
    expect(text).not.toMatch(/Bearer [A-Za-z0-9]/);
  });
});
