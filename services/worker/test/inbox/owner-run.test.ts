/** One run of an owner after the other, with Redis, Kafka and a simulated Graph: every end a notification can have. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { lifecycleEntry, parseResourcePath, resyncEntry, unreadableEntry } from '@graph2kafka/shared';
import { eventually, KafkaBroker } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { runOwner } from '../../src/inbox/owner-run.ts';
import { bringForward, endPauses } from '../support/own-redis.ts';
import { ownTopic } from '../support/own-topic.ts';
import { ownerBench, PART, WHOLE } from '../support/owner-bench.ts';
import { graphCalls } from '../support/simulated-graph.ts';

const done = { step: 'done', why: 'empty' };

describe('a notified change', () => {
  it('is fetched, published and settled, and the inbox is empty', async () => {
    const { simulator, user, notify, run, events, own, owner } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'Lunch' });
    await notify('created', event.path.key);
    expect(await run()).toEqual({
      next: done,
      resources: 1,
      notifications: 1,
      records: 1,
      fetches: 1,
      waiting: 0,
      givenUp: 0,
    });
    expect(await events()).toMatchObject([
      {
        type: 'Microsoft.Graph.EventCreated',
        acquisition: 'fetched',
        resourceversion: event.etag,
        data: { subject: 'Lunch' },
        record: { key: `${simulator.tenantId}/${event.path.key}` },
      },
    ]);
    expect(await own.inbox.countOwners()).toBe(0);
    expect(await own.redis.keys(`${own.names.prefix}*${owner}`)).toEqual([]);
    expect(await run()).toMatchObject({ next: done, resources: 0 });
  });

  it('is one fetch and one record with all others of the same resource', async () => {
    const { simulator, user, notify, run, events } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'Lunch' });
    await notify('created', event.path.key, { at: 1000 });
    for (let i = 0; i < 20; i++)
      await notify('updated', `Users('${user}')/Events('${event.path.segments[1]?.id}')`);
    expect(await run()).toMatchObject({ next: done, notifications: 21, fetches: 1, records: 1 });
    expect(await events()).toMatchObject([
      {
        type: 'Microsoft.Graph.EventCreated',
        notificationcount: 21,
        receivedtime: '1970-01-01T00:00:01.000Z',
      },
    ]);
    expect(graphCalls(simulator)).toHaveLength(1);
  });

  it('that comes while its resource is fetched is fetched again', async () => {
    const { simulator, user, notify, run, events } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'first' });
    simulator.faults.add({ path: event.path.key, delayMs: 300 });
    await notify('created', event.path.key);
    const running = run();
    await eventually(() => expect(graphCalls(simulator)).toHaveLength(1));
    await notify('updated', event.path.key);
    expect((await running).next).toEqual({ step: 'again' });
    simulator.calendar.update(event.path.key, { subject: 'second' });
    expect((await run()).next).toEqual(done);
    expect((await events()).map(({ data }) => data.subject)).toEqual(['first', 'second']);
  });

  it('of a deleted resource is a Deleted record without a look', async () => {
    const { simulator, user, notify, run, events } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'Lunch' });
    await notify('updated', event.path.key);
    await notify('deleted', event.path.key);
    expect(await run()).toMatchObject({ next: done, fetches: 0, records: 1, notifications: 2 });
    expect(await events()).toMatchObject([{ type: 'Microsoft.Graph.EventDeleted', acquisition: 'deleted' }]);
    expect(graphCalls(simulator)).toEqual([]);
  });

  it('is the record itself, once for all, where nothing is to be read, and counts as nothing that was given up', async () => {
    const { simulator, user, notify, run, events, letters, deps } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'PLANTED-SUBJECT' });
    await notify('created', event.path.key);
    await notify('updated', event.path.key);
    const told = { ...(await deps.loadViews([WHOLE], ''))(WHOLE), notificationOnly: true };
    const loadViews = async () => () => told;
    expect(await run({ loadViews })).toMatchObject({ next: done, fetches: 0, records: 1, givenUp: 0 });
    const [record, ...others] = await events();
    expect([others, graphCalls(simulator), await letters()]).toEqual([[], [], []]);
    expect(record).toMatchObject({
      type: 'Microsoft.Graph.EventCreated',
      acquisition: 'notification',
      notificationcount: 2,
      data: { notification: { changeType: 'updated' } },
    });
    expect(record).not.toHaveProperty('fallbackreason');
    expect(JSON.stringify(record)).not.toContain('PLANTED-SUBJECT');

    const forged = { ...told, nonce: 'of the subscription' };
    await notify('updated', event.path.key);
    expect(await run({ loadViews: async () => () => forged })).toMatchObject({ givenUp: 1, fetches: 0 });
    const reason = 'it has not the clientState of its subscription, and nothing is to be read';
    expect(await letters()).toMatchObject([{ data: { stage: 'verify', reason } }]);
  });

  it('is told as missing where nothing is to be read: its hole is a dead letter', async () => {
    const { simulator, append, owner, run, letters, deps } = await ownerBench();
    const news = { tenantId: simulator.tenantId, subscriptionId: WHOLE, reason: 'planted' };
    await append(resyncEntry(owner, news, Date.now()));
    const told = { ...(await deps.loadViews([WHOLE], ''))(WHOLE), notificationOnly: true };
    expect(await run({ loadViews: async () => () => told })).toMatchObject({ next: done, givenUp: 1 });
    const reason = 'notifications may be missing, and nothing is to be read: fetch is false';
    expect(await letters()).toMatchObject([{ data: { stage: 'resync', reason } }]);
    expect(graphCalls(simulator)).toEqual([]);
  });

  it('that ends in "deleted" of a partial view is looked for: still there, it left the view; gone, it is deleted', async () => {
    const { simulator, user, notify, run, events } = await ownerBench();
    const moved = simulator.calendar.create(user, { subject: 'moved' });
    const gone = simulator.calendar.create(user, { subject: 'gone' });
    simulator.calendar.remove(gone.path.key);
    await notify('deleted', moved.path.key, { subscriptionId: PART });
    await notify('deleted', gone.path.key, { subscriptionId: PART });
    expect(await run()).toMatchObject({ next: done, fetches: 2, records: 2, waiting: 0 });
    const byType = Object.groupBy(await events(), ({ type }) => String(type));
    expect(byType['Microsoft.Graph.EventUpdated']).toMatchObject([
      { leftview: true, data: { subject: 'moved' } },
    ]);
    expect(byType['Microsoft.Graph.EventDeleted']).toHaveLength(1);
  });

  it('is fetched and published apart for each wanted subscription', async () => {
    const { simulator, user, notify, run, events } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'Lunch' });
    await notify('updated', event.path.key, { subscriptionId: WHOLE });
    await notify('updated', event.path.key, { subscriptionId: PART });
    expect(await run()).toMatchObject({ next: done, fetches: 2, records: 2 });
    const seen = await events();
    expect(seen.map(({ subscription }) => subscription).toSorted()).toEqual(['calendars', 'part']);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(2);
  });
});

describe('a resource that Graph does not find', () => {
  it('waits, and becomes a record once it is there', async () => {
    const { simulator, user, notify, run, events, own, owner } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'early' });
    const other = simulator.calendar.create(user, { subject: 'other' });
    simulator.faults.add({ kind: 'early404', path: event.path.key });
    await notify('created', event.path.key);
    await notify('updated', other.path.key);
    const { next, ...counts } = await run();
    expect(counts).toMatchObject({ waiting: 1, records: 1, notifications: 1 });
    expect(next).toMatchObject({ step: 'later' });
    expect((next as { inMs: number }).inMs).toBeGreaterThan(1000);
    expect((next as { inMs: number }).inMs).toBeLessThanOrEqual(2000);
    expect((await run()).next).toMatchObject({ step: 'later' });
    expect(graphCalls(simulator)).toHaveLength(2);

    await bringForward(own, owner);
    expect((await run()).next).toEqual(done);
    expect((await events()).map(({ type, data }) => [type, data.subject])).toEqual([
      ['Microsoft.Graph.EventUpdated', 'other'],
      ['Microsoft.Graph.EventCreated', 'early'],
    ]);
  });

  it('is deleted for good after 2, 8 and 30 s, and what came meanwhile is part of that', async () => {
    const { user, notify, run, events, own, owner } = await ownerBench();
    const missing = `users/${user}/events/AAMk-missing`;
    await notify('created', missing);
    const waits: number[] = [];
    let clockMs = Date.now();
    for (const pauseMs of [0, 2000, 8000]) {
      clockMs += pauseMs;
      const { next } = await run({ now: () => clockMs });
      waits.push((next as { inMs: number }).inMs);
      if (pauseMs === 2000) await notify('updated', missing);
      await bringForward(own, owner);
    }
    expect(waits.map((ms) => Math.ceil(ms / 1000))).toEqual([2, 8, 30]);
    clockMs += 30_000;
    expect(await run({ now: () => clockMs })).toMatchObject({ next: done, records: 1, notifications: 2 });
    expect(await events()).toMatchObject([
      { type: 'Microsoft.Graph.EventDeleted', acquisition: 'deleted', notificationcount: 2 },
    ]);
  });

  it('is a Deleted record at once where Graph says that it is gone', async () => {
    const { simulator, user, notify, run, events } = await ownerBench();
    simulator.faults.add({ status: 410 });
    await notify('updated', `users/${user}/events/AAMk-gone`);
    expect((await run()).next).toEqual(done);
    expect(await events()).toMatchObject([{ type: 'Microsoft.Graph.EventDeleted' }]);
  });
});

describe('a resource that cannot be had', () => {
  it('becomes a record of the notification itself, and shows in the dead-letters queue without its content', async () => {
    const { simulator, user, notify, run, events, letters, deadLetters } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'PLANTED-SUBJECT' });
    simulator.faults.add({ status: 403, path: event.path.key });
    await notify('updated', event.path.key);
    expect(await run()).toMatchObject({ next: done, givenUp: 1, records: 1 });
    expect(await events()).toMatchObject([
      {
        acquisition: 'notification',
        fallbackreason: 'forbidden (ErrorAccessDenied)',
        data: { notification: { changeType: 'updated' } },
      },
    ]);
    expect(await letters()).toEqual([]);
    const shown = await deadLetters.getJobs(['waiting']);
    expect(shown.map(({ name, data }) => ({ name, data }))).toMatchObject([
      {
        name: 'fetch',
        data: { key: `${simulator.tenantId}/${event.path.key}`, reason: 'forbidden (ErrorAccessDenied)' },
      },
    ]);
    expect(JSON.stringify(shown)).not.toContain('PLANTED-SUBJECT');
  });

  it('for a passing reason waits while the others of its owner flow on', async () => {
    const { simulator, user, notify, run, events, own, owner } = await ownerBench();
    const [slow, quick] = ['slow', 'quick'].map((subject) => simulator.calendar.create(user, { subject }));
    simulator.faults.add({ status: 503, path: slow?.path.key ?? '' });
    await notify('updated', slow?.path.key ?? '');
    await notify('updated', quick?.path.key ?? '');
    expect(await run()).toMatchObject({ next: { step: 'later' }, waiting: 1, records: 1 });
    await bringForward(own, owner);
    expect(await run()).toMatchObject({ next: done, records: 1 });
    expect((await events()).map(({ data }) => data.subject)).toEqual(['quick', 'slow']);
  });

  it('for 4 hours falls back to the notification', async () => {
    const { simulator, user, notify, run, events, own, owner } = await ownerBench();
    simulator.faults.add({ status: 500, times: 10 });
    await notify('updated', `users/${user}/events/AAMk-1`);
    expect((await run()).next).toMatchObject({ step: 'later' });
    await bringForward(own, owner);
    const later = Date.now() + 4 * 3_600_000 + 1000;
    expect(await run({ now: () => later })).toMatchObject({ next: done, givenUp: 1 });
    expect(await events()).toMatchObject([{ acquisition: 'notification', fallbackreason: /status 500/ }]);
  });

  it('because no token is to be had holds back the owner, loses nothing and spends no attempt', async () => {
    const { simulator, user, notify, run, events, own, owner } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'Lunch' });
    simulator.faults.add({ status: 401, times: 2 });
    await notify('created', event.path.key);
    expect((await run()).next).toMatchObject({ step: 'delay', ms: 30_000, kafkaAway: false });
    expect(await own.inbox.begin(owner, 'a-look', 50, 50)).toMatchObject({
      resources: [{ attempts: 0, waitingSince: 0 }],
    });
    await endPauses(own);
    await eventually(async () => expect((await run()).next).toEqual(done));
    expect(await events()).toMatchObject([{ acquisition: 'fetched' }]);
  });
});

describe('a throttled owner', () => {
  it('waits as a whole for as long as Graph asks: no attempt is spent, nothing is lost', async () => {
    const { simulator, user, notify, run, events, own, owner } = await ownerBench();
    const made = Array.from({ length: 8 }, (_, i) => simulator.calendar.create(user, { subject: String(i) }));
    for (const { path } of made) await notify('created', path.key);
    simulator.faults.add({ status: 429, headers: { 'retry-after': '2.128' }, times: 1 });
    const { next, records } = await run();
    expect(next).toMatchObject({
      step: 'delay',
      kafkaAway: false,
      reason: expect.stringContaining('throttled'),
    });
    expect((next as { ms: number }).ms).toBeCloseTo(2128 * 1.05);
    expect(records).toBeLessThan(8);
    // Those that were under way are finished; none is begun after the refusal.
    expect(graphCalls(simulator).length).toBeLessThanOrEqual(4);

    const look = await own.inbox.begin(owner, 'a-look', 50, 50);
    const left = look.state === 'run' ? look.resources : [];
    expect(left).toHaveLength(8 - records);
    expect(left.every(({ attempts, waitingSince }) => attempts === 0 && waitingSince === 0)).toBe(true);
    await eventually(async () => expect((await run()).next).toEqual(done));
    const subjects = (await events()).map(({ data }) => data.subject);
    expect(subjects.toSorted()).toEqual(made.map(({ body }) => body.subject));
  });

  it('never asks Graph more than four things at once, however much is due', async () => {
    const { simulator, user, notify, run } = await ownerBench({ simulator: { graphLatencyMs: 20 } });
    for (let i = 0; i < 30; i++) {
      await notify('created', simulator.calendar.create(user, { subject: String(i) }).path.key);
    }
    expect(await run()).toMatchObject({ next: done, records: 30 });
    expect(simulator.maxConcurrent(`users/${user}`)).toBe(4);
  });

  it('has its window counted in resources: what is beyond goes to the next run', async () => {
    const { simulator, user, notify, run } = await ownerBench();
    for (let i = 0; i < 5; i++) {
      const { path } = simulator.calendar.create(user, { subject: String(i) });
      for (let j = 0; j < 4; j++) await notify('updated', path.key);
    }
    expect(await run({ window: 3 })).toMatchObject({
      next: { step: 'again' },
      resources: 3,
      notifications: 12,
    });
    expect(await run({ window: 3 })).toMatchObject({ next: done, resources: 2, notifications: 8 });
  });
});

describe('two runs of one owner', () => {
  it('are never at work together: the second is busy and leaves everything to the first', async () => {
    const { simulator, user, notify, run, events } = await ownerBench({ simulator: { graphLatencyMs: 200 } });
    const event = simulator.calendar.create(user, { subject: 'Lunch' });
    await notify('created', event.path.key);
    const first = run();
    await eventually(() => expect(graphCalls(simulator)).toHaveLength(1));
    expect(await run()).toMatchObject({ next: { step: 'done', why: 'busy' }, resources: 0 });
    expect((await first).next).toEqual(done);
    expect(await events()).toHaveLength(1);
  });

  it('never fetch one resource twice at a time, however often they are started', async () => {
    const { simulator, user, notify, run, events } = await ownerBench({ simulator: { graphLatencyMs: 30 } });
    const event = simulator.calendar.create(user, { subject: '0' });
    for (let i = 1; i <= 6; i++) {
      simulator.calendar.update(event.path.key, { subject: String(i) });
      await notify('updated', event.path.key);
      await Promise.all([run(), run(), run()]);
    }
    await eventually(async () => expect((await run()).next).toEqual(done));
    expect(simulator.maxConcurrent(`users/${user}`)).toBe(1);
    const subjects = (await events()).map(({ data }) => Number(data.subject));
    expect(subjects).toEqual(subjects.toSorted((a, b) => a - b));
    expect(subjects.at(-1)).toBe(6);
  });
});

describe('a run that has lost its owner', () => {
  it('publishes nothing and settles nothing', async () => {
    const { simulator, user, notify, run, events, own, owner } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'Lunch' });
    simulator.faults.add({ path: event.path.key, delayMs: 300 });
    await notify('created', event.path.key);
    const running = run();
    await eventually(() => expect(graphCalls(simulator)).toHaveLength(1));
    await own.redis.set(`${own.names.prefix}:lease:${owner}`, 'another-run', 'PX', 10_000);
    expect((await running).next).toEqual({ step: 'done', why: 'foreign' });
    expect(await events()).toEqual([]);
    expect(await own.inbox.settle(owner, 'another-run', [])).toMatchObject({ state: 'left', resources: 1 });
    expect((await run()).next).toEqual(done);
    expect(await events()).toHaveLength(1);
  });

  it('settles nothing of what it had published before: the next run repeats it under the same id', async () => {
    const { simulator, user, notify, run, events, own, owner, tenant, readingWith } = await ownerBench();
    const [quick, slow] = ['quick', 'slow'].map((subject) => simulator.calendar.create(user, { subject }));
    await notify('created', quick?.path.key ?? '');
    await notify('created', slow?.path.key ?? '');
    const { promise: isLost, resolve: lose } = Promise.withResolvers<void>();
    const fetchResource: typeof tenant.fetchResource = async (path) => {
      const state = await tenant.fetchResource(path);
      if (path.at(-1)?.id === slow?.path.segments.at(-1)?.id) await isLost;
      return state;
    };
    const running = run(readingWith({ fetchResource }));
    await eventually(async () => expect(await events()).toHaveLength(1));
    await own.redis.set(`${own.names.prefix}:lease:${owner}`, 'another-run', 'PX', 50);
    lose();
    expect((await running).next).toEqual({ step: 'done', why: 'foreign' });
    await eventually(async () => expect((await run()).next).toEqual(done));
    const seen = await events();
    expect(seen.map(({ data }) => data.subject).toSorted()).toEqual(['quick', 'quick', 'slow']);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(2);
  });

  it('notices it also where its lease ran out while it was stopped', async () => {
    const { simulator, user, notify, run, events, tenant, readingWith } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'Lunch' });
    await notify('created', event.path.key);
    // A stopped process renews nothing: the event loop is held while the lease of 100 ms runs out.
    const fetchThenStop: typeof tenant.fetchResource = async (path) => {
      const state = await tenant.fetchResource(path);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 400);
      return state;
    };
    expect((await run({ leaseMs: 100, ...readingWith({ fetchResource: fetchThenStop }) })).next).toEqual({
      step: 'done',
      why: 'foreign',
    });
    expect(await events()).toEqual([]);
    expect((await run()).next).toEqual(done);
  });
});

describe('while Kafka is away', () => {
  it('nothing is settled and no attempt is spent; afterwards everything is published', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-owner-run-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const broker = await KafkaBroker.start({ dir });
    onTestFinished(() => broker.stop());
    const { simulator, user, notify, run, events, letters, deps, own, owner } = await ownerBench({
      brokers: broker.brokers,
    });
    const made = ['a', 'b', 'c'].map((subject) => simulator.calendar.create(user, { subject }));
    for (const { path } of made) await notify('created', path.key);
    await notify('deleted', `users/${user}/events/AAMk-gone`);
    const foreign = `99999999-1111-4222-8333-444444444444/users/${user}`;
    await notify('updated', `users/${user}/events/AAMk-1`, { tenantId: foreign.slice(0, 36) });
    await broker.stop();
    const { next, ...counts } = await run();
    expect(next).toMatchObject({ step: 'delay', ms: 1000, kafkaAway: true });
    expect(counts).toMatchObject({ records: 0, notifications: 0, waiting: 0 });
    expect(await runOwner(deps, foreign)).toMatchObject({ next: { step: 'delay' }, givenUp: 0 });
    expect(await own.inbox.begin(owner, 'a-look', 50, 50)).toMatchObject({
      resources: Array.from({ length: 4 }, () => ({ attempts: 0, waitingSince: 0 })),
    });
    await broker.restart();
    await eventually(async () => expect((await run()).next).toEqual(done));
    expect(await events()).toHaveLength(4);
    expect(await runOwner(deps, foreign)).toMatchObject({ next: done, givenUp: 1 });
    expect(await letters()).toHaveLength(1);
  }, 60_000);
});

describe('a record that Kafka does not take', () => {
  it('for its size is replaced by one that names the resource, and the others flow on', async () => {
    const { simulator, user, notify, run, events, letters } = await ownerBench();
    const event = simulator.calendar.create(user, { subject: 'large' });
    simulator.faults.add({
      path: event.path.key,
      status: 200,
      // Random, or compression would make it fit.
      body: { id: 'x', notes: randomBytes(1_500_000).toString('base64') },
    });
    await notify('updated', event.path.key);
    await notify('updated', simulator.calendar.create(user, { subject: 'small' }).path.key);
    expect(await run()).toMatchObject({ next: done, notifications: 2 });
    const seen = await events();
    expect(seen.map(({ acquisition }) => acquisition).sort()).toEqual(['fetched', 'reference']);
    expect(seen.find(({ acquisition }) => acquisition === 'reference')).toMatchObject({
      subject: expect.stringContaining(event.path.segments.at(-1)?.id ?? ''),
      data: { reference: { reason: 'tooLarge' } },
    });
    expect(await letters()).toEqual([]);
  });

  it('and nor one that names the resource is a dead letter, which counts as given up', async () => {
    const { simulator, user, notify, run, letters } = await ownerBench();
    const topic = await ownTopic(1, inject('kafkaBrokers'), { 'max.message.bytes': '300' });
    const tight = { wish: 'calendars', topic, whole: true };
    await notify('updated', simulator.calendar.create(user, { subject: 'Lunch' }).path.key);
    const report = await run({ loadViews: async () => () => tight });
    expect(report).toMatchObject({ next: done, records: 1, givenUp: 1 });
    expect(await letters()).toMatchObject([{ data: { stage: 'publish' } }]);
  });

  it('for want of its topic stays in the inbox', async () => {
    const { simulator, user, notify, run, events } = await ownerBench();
    await notify('updated', simulator.calendar.create(user, { subject: 'Lunch' }).path.key);
    const noTopic = { wish: 'calendars', topic: 'there-is-no-such-topic', whole: true };
    expect((await run({ loadViews: async () => () => noTopic })).next).toMatchObject({
      step: 'delay',
      ms: 10_000,
      kafkaAway: false,
    });
    expect((await run()).next).toEqual(done);
    expect(await events()).toHaveLength(1);
  });
});

describe('news that is no change of a resource of ours', () => {
  it('is a dead letter where it is of another tenant; its subscription and path are named, nothing is fetched', async () => {
    const { simulator, user, notify, deps, own, letters, deadLetters } = await ownerBench();
    const tenantId = '99999999-1111-4222-8333-444444444444';
    await notify('updated', `users/${user}/events/AAMk-1`, { tenantId });
    const report = await runOwner(deps, `${tenantId}/users/${user}`);
    expect(report).toMatchObject({ next: done, givenUp: 1, fetches: 0 });
    expect(await letters()).toMatchObject([
      {
        type: 'graph2kafka.DeadLetter',
        subscriptionid: WHOLE,
        data: { stage: 'verify', notification: { resource: `users/${user}/events/AAMk-1`, tenantId } },
      },
    ]);
    expect(graphCalls(simulator)).toEqual([]);
    expect(await deadLetters.count()).toBe(1);
    expect(await own.inbox.countOwners()).toBe(0);
  });

  it('is a dead letter where it cannot be read', async () => {
    const { simulator, append, deps, letters } = await ownerBench();
    const { tenantId } = simulator;
    const entry = unreadableEntry(
      {
        tenantId,
        subscriptionId: WHOLE,
        resource: 'https://elsewhere/',
        nonce: 'PLANTED-NONCE',
        reason: 'no path',
      },
      Date.now(),
    );
    await append(entry);
    expect((await runOwner(deps, entry.owner)).next).toEqual(done);
    const seen = await letters();
    expect(seen).toMatchObject([{ data: { stage: 'read', reason: 'no path' } }]);
    expect(JSON.stringify(seen)).not.toContain('PLANTED-NONCE');
  });

  it('is handed to the lifecycle processor where it is of a subscription, once for all of a kind', async () => {
    const { simulator, append, deps } = await ownerBench();
    const { tenantId } = simulator;
    const entry = lifecycleEntry(
      { tenantId, subscriptionId: 'abc', lifecycleEvent: 'missed', id: undefined },
      undefined,
      Date.now(),
    );
    for (let i = 0; i < 3; i++) await append(entry);
    const handled: string[] = [];
    const handleLifecycle: typeof deps.handleLifecycle = async ({ resource, entries }) => {
      handled.push(`${resource} ${entries[0]?.count}`);
    };
    expect((await runOwner({ ...deps, handleLifecycle }, entry.owner)).next).toEqual(done);
    expect(handled).toEqual(['lifecycle/missed 3']);
  });
});

describe('a run that ends in an unforeseen error', () => {
  it('gives its owner back, so that the next try need not wait for the lease', async () => {
    const { simulator, user, notify, run, events } = await ownerBench();
    await notify('updated', simulator.calendar.create(user, { subject: 'Lunch' }).path.key);
    const broken = async () => Promise.reject(new TypeError('planted'));
    await expect(run({ loadViews: broken })).rejects.toThrow('planted');
    expect((await run()).next).toEqual(done);
    expect(await events()).toHaveLength(1);
  });

  it('is a dead letter for the one resource that brings it about, and the others become records', async () => {
    const { simulator, user, notify, run, tenant, readingWith, events, letters, own } = await ownerBench();
    const made = ['a', 'poison', 'b'].map((subject) => simulator.calendar.create(user, { subject }));
    for (const { path } of made) await notify('updated', path.key);
    const poison = made[1]?.path.segments[1]?.id;
    const fetchResource: typeof tenant.fetchResource = async (path) => {
      if (path.at(-1)?.id === poison) throw new TypeError('planted');
      return tenant.fetchResource(path);
    };
    let failures = 0;
    await eventually(async () => {
      const { next } = await run(readingWith({ fetchResource })).catch((error: Error) => {
        expect(error.message).toBe('planted');
        failures++;
        return { next: undefined };
      });
      expect(next).toEqual(done);
    });
    expect(failures).toBeGreaterThan(2);
    expect(failures).toBeLessThan(10);
    expect(await letters()).toMatchObject([{ data: { stage: 'run', resource: made[1]?.path.key } }]);
    expect(new Set((await events()).map(({ data }) => data.subject))).toEqual(new Set(['a', 'b']));
    expect(await own.inbox.countOwners()).toBe(0);
  });
});

describe('a notification for a resource that its subscription does not watch', () => {
  const watching = (resource: string) => {
    const parsed = parseResourcePath(resource);
    if (!parsed.ok) throw new Error(parsed.reason);
    return parsed.path;
  };

  it('is a dead letter, and is neither read nor believed', async () => {
    const { simulator, user, notify, run, events, letters, deps } = await ownerBench();
    const view = (await deps.loadViews([WHOLE], ''))(WHOLE);
    const watched = watching('users/00000000-0000-4000-8000-000000000000/events');
    const event = simulator.calendar.create(user, { subject: 'Somebody else' }).path.key;
    for (const changeType of ['updated', 'deleted'] as const) {
      await notify(changeType, event);
      await run({ loadViews: async () => () => ({ ...view, watched }) });
    }
    expect(await events()).toEqual([]);
    expect((await letters()).map(({ data }) => data)).toEqual(
      Array(2).fill(expect.objectContaining({ stage: 'verify', resource: event })),
    );
    expect(simulator.changeLog.ofKind('read').filter(({ resource }) => resource === event)).toEqual([]);
  });

  it('is told from one of a part of the same mailbox', async () => {
    const { simulator, user, notify, run, events, deps } = await ownerBench();
    const view = (await deps.loadViews([WHOLE], ''))(WHOLE);
    const watched = watching(`users/${user}/calendars/work/events`);
    await notify('updated', simulator.calendar.create(user, { subject: 'Own' }).path.key);
    await run({ loadViews: async () => () => ({ ...view, watched }) });
    expect(await events()).toHaveLength(1);
  });
});
