/** From the dead letter to the record: replaying goes the way of all news, and twice is no more than once. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphSimulator } from '@graph2kafka/graph-simulator';
import { ChildProcess, eventually, type StackSettings, startWorker } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import type { DeadLetter } from '../../src/records/dead-letter-record.ts';
import { g2k, letter, RECEIVED_AT, recordOfLetter } from '../support/dead-letters.ts';
import { bringForward } from '../support/own-redis.ts';
import { ownTopic, readEvents, type SeenEvent } from '../support/own-topic.ts';
import { type OwnerBench, ownerBench, WHOLE } from '../support/owner-bench.ts';
import { sendRecords } from '../support/send-records.ts';

const MAIN = join(import.meta.dirname, '../../src/cli/main.ts');

/** Dead letters of the bench's tenant and subscription in a topic of their own, and the command that replays them all. */
async function deadLettersAt({ simulator, own }: OwnerBench, letters: readonly Partial<DeadLetter>[]) {
  const topic = await ownTopic();
  const common = { tenantId: simulator.tenantId, subscriptionId: WHOLE };
  await sendRecords(
    topic,
    letters.map((more) => recordOfLetter(letter({ ...common, ...more }))),
  );
  const environment = {
    KAFKA_BROKERS: inject('kafkaBrokers'),
    KAFKA_DEAD_LETTER_TOPIC: topic,
    REDIS_URL: inject('redisUrl'),
    // `{prefix-0}`
    REDIS_PREFIX: own.names.prefix.slice(1, -3),
  };
  return async () => {
    const ran = await g2k(['dead-letters', 'replay', '--all', '--yes'], environment);
    expect(ran).toMatchObject({ code: 0 });
  };
}

const idsOf = (events: readonly SeenEvent[]) => events.map(({ source, id }) => [source, id]);

describe('a resource that is replayed twice', () => {
  it('gives records with equal ids while it stays as it is, and another one when it has changed', async () => {
    const bench = await ownerBench();
    const { simulator, user, run, events } = bench;
    const { path } = simulator.calendar.create(user, { subject: 'first' });
    const replay = await deadLettersAt(bench, [{ resource: path.key }]);
    for (let n = 0; n < 2; n++) {
      await replay();
      await run();
    }
    const [first, second] = await events();
    expect(first).toMatchObject({ type: 'Microsoft.Graph.EventUpdated', acquisition: 'fetched' });
    expect(first).toMatchObject({
      receivedtime: new Date(RECEIVED_AT).toISOString(),
      data: { subject: 'first' },
    });
    expect(idsOf([first as SeenEvent])).toEqual(idsOf([second as SeenEvent]));
    simulator.calendar.update(path.key, { subject: 'changed' });
    await replay();
    await run();
    const third = (await events()).at(-1);
    expect(third).toMatchObject({ data: { subject: 'changed' } });
    expect(third?.id).not.toBe(first?.id);
  });

  it('and is gone meanwhile is waited for and then a Deleted record, with equal ids', async () => {
    const bench = await ownerBench();
    const { user, run, events, own, owner } = bench;
    const replay = await deadLettersAt(bench, [{ resource: `users/${user}/events/AAMk-missing` }]);
    let clockMs = Date.now();
    for (let n = 0; n < 2; n++) {
      await replay();
      for (const pauseMs of [0, 2000, 8000, 30_000]) {
        clockMs += pauseMs;
        await run({ now: () => clockMs });
        await bringForward(own, owner);
      }
    }
    const [first, second] = await events();
    expect(first).toMatchObject({ type: 'Microsoft.Graph.EventDeleted', acquisition: 'deleted' });
    expect(idsOf([first as SeenEvent])).toEqual(idsOf([second as SeenEvent]));
  });

  it('and that Graph refuses is its notification as a record, with equal ids', async () => {
    const bench = await ownerBench();
    const { simulator, user, run, events } = bench;
    const { path } = simulator.calendar.create(user, { subject: 'PLANTED-SUBJECT' });
    const replay = await deadLettersAt(bench, [{ resource: path.key }]);
    for (let n = 0; n < 2; n++) {
      simulator.faults.add({ status: 403, path: path.key });
      await replay();
      await run();
    }
    const [first, second] = await events();
    expect(first).toMatchObject({
      acquisition: 'notification',
      fallbackreason: expect.stringContaining('forbidden'),
    });
    expect(idsOf([first as SeenEvent])).toEqual(idsOf([second as SeenEvent]));
  });

  it('and has fresh news is read once for all of them', async () => {
    const bench = await ownerBench();
    const { simulator, user, run, events, notify } = bench;
    const { path } = simulator.calendar.create(user, { subject: 'fresh' });
    const replay = await deadLettersAt(bench, [{ resource: path.key }]);
    await notify('updated', path.key);
    await replay();
    await replay();
    expect(await run()).toMatchObject({ fetches: 1, records: 1, notifications: 3 });
    expect(await events()).toMatchObject([{ notificationcount: 3, data: { subject: 'fresh' } }]);
  });
});

describe('the command and a worker as processes', () => {
  it('need no more than their settings: what is replayed becomes a record, the same each time', async () => {
    const { stack, simulator, subscriptionId } = await stackWithWorker();
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', {
      subject: 'PLANTED-SUBJECT',
    });
    const dead = letter({ tenantId: simulator.tenantId, subscriptionId, resource: path.key });
    await sendRecords(stack.deadLetterTopic, [recordOfLetter(dead), recordOfLetter(dead)]);
    const listed = await runG2k(['dead-letters', 'list', '--json'], stack);
    expect(listed.code).toBe(0);
    expect(listed.lines).toHaveLength(2);
    for (const records of [1, 2]) {
      const replayed = await runG2k(['dead-letters', 'replay', '--filter', 'stage=run', '--yes'], stack);
      expect(replayed).toMatchObject({
        code: 0,
        lines: [expect.stringContaining('2 dead letters'), expect.any(String)],
      });
      expect(replayed.lines.join()).not.toContain('PLANTED');
      await eventually(async () => expect(await readEvents(stack.topic)).toHaveLength(records));
    }
    const [first, second] = await readEvents(stack.topic);
    expect(first).toMatchObject({
      acquisition: 'fetched',
      subscriptionid: subscriptionId,
      notificationcount: 1,
    });
    expect(idsOf([first as SeenEvent])).toEqual(idsOf([second as SeenEvent]));
  });

  it.each([
    [['dead-letters', 'list', '--help'], 0, 'Usage: g2k dead-letters list'],
    [['dead-letters', 'list', '--frob'], 2, "Unknown option '--frob'"],
    [['dead-letters', 'replay', '--all'], 2, 'nobody can be asked here'],
    [['dead-letters', 'list'], 1, 'KAFKA_BROKERS is required'],
  ])('end with the code that scripts go by: %j', async (words, code, said) => {
    const ran = await runG2k(words, undefined);
    expect(ran).toMatchObject({ code });
    expect(ran.lines.join('\n')).toContain(said);
  });
});

async function stackWithWorker() {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-replay-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const simulator = await GraphSimulator.start({ users: 1 });
  onTestFinished(() => simulator.close());
  const caFile = join(dir, 'graph-ca.pem');
  await writeFile(caFile, simulator.caCertificate);
  const { url, tenantId, clientId, clientSecret } = simulator;
  const [topic, deadLetterTopic] = await Promise.all([ownTopic(), ownTopic()]);
  const stack: StackSettings = {
    redisUrl: inject('redisUrl'),
    brokers: inject('kafkaBrokers'),
    redisPrefix: `t${randomUUID().slice(0, 13)}`,
    topic,
    deadLetterTopic,
    graph: { url, caFile, tenantId, clientId, clientSecret },
  };
  const worker = await startWorker(stack, {});
  onTestFinished(async () => void (await worker.process.stop()));
  return { stack, simulator, subscriptionId: randomUUID() };
}

/** With the settings of the worker that it needs, and none of Graph's. */
async function runG2k(words: readonly string[], stack: StackSettings | undefined) {
  const lines: string[] = [];
  const program = await ChildProcess.start({
    name: 'g2k',
    command: process.execPath,
    arguments: [MAIN, ...words],
    environment: {
      KAFKA_BROKERS: stack?.brokers,
      KAFKA_DEAD_LETTER_TOPIC: stack?.deadLetterTopic,
      REDIS_URL: stack?.redisUrl,
      REDIS_PREFIX: stack?.redisPrefix,
    },
    onLine: (line) => lines.push(line),
  });
  const { code } = await program.exited;
  return { code, lines };
}
