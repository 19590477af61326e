/** The worker put together: what it refuses, what it waits for, what it does once begun, and that its end is clean. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { changeEntry, createShutdown, OWNER_QUEUE, parseConfig } from '@graph2kafka/shared';
import { eventually, freePort, RedisServer } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { workerSettings } from '../src/config.ts';
import { createContext } from '../src/context.ts';
import { nothingWanted, parseSubscriptionsFile } from '../src/declaration/read-declaration.ts';
import { KafkaSetupError } from '../src/kafka/topics.ts';
import { NotDurableError, startWork } from '../src/start-work.ts';
import { startNotificationEndpoint } from './support/notification-endpoint.ts';
import { ownRedis } from './support/own-redis.ts';
import { ownTopicName, readEvents } from './support/own-topic.ts';
import { keptLog } from './support/silent-log.ts';
import { simulateGraph } from './support/simulated-graph.ts';
import { CLIENT, TENANT } from './support/taken-entry.ts';

async function setup(environment: Record<string, string> = {}, subscriptions?: string) {
  const own = ownRedis();
  const log = keptLog();
  const [topic, deadLetterTopic] = [ownTopicName(), ownTopicName()];
  const config = parseConfig(workerSettings, {
    REDIS_URL: inject('redisUrl'),
    REDIS_PREFIX: own.names.prefix.replace(/^\{|-0\}$/g, ''),
    CLIENT_STATE_SECRETS: 'PLANTED-CLIENT-STATE-SECRET',
    AZURE_TENANT_ID: TENANT,
    AZURE_CLIENT_ID: CLIENT,
    AZURE_CLIENT_SECRET: 'PLANTED-CLIENT-SECRET',
    KAFKA_BROKERS: inject('kafkaBrokers'),
    KAFKA_TOPIC: topic,
    KAFKA_DEAD_LETTER_TOPIC: deadLetterTopic,
    KAFKA_CREATE_TOPICS: 'true',
    KAFKA_TOPIC_PARTITIONS: '2',
    ...environment,
  });
  const defaults = { topic, tenantId: TENANT };
  const wanted = subscriptions
    ? parseSubscriptionsFile(subscriptions, 'subscriptions.yaml', defaults)
    : nothingWanted;
  const shutdown = createShutdown(log, 10_000);
  const context = createContext(config, wanted, log, shutdown);
  const stopping = new AbortController();
  onTestFinished(async () => {
    stopping.abort();
    await shutdown.run('end of test');
  });
  return {
    own,
    log,
    topic,
    deadLetterTopic,
    context,
    shutdown,
    stopping,
    start: () => startWork(context, shutdown, stopping.signal),
  };
}

describe('a worker that starts', () => {
  it('looks for runs of killed workers, also with a lease that is no multiple of four', async () => {
    const { start, own } = await setup({ OWNER_LEASE_MS: '30001' });
    await start();
    await eventually(async () =>
      expect(await own.redis.exists(`${own.names.prefix}:${OWNER_QUEUE}:stalled-check`)).toBe(1),
    );
  });

  it('refuses a Redis that does not keep what it confirms, and says what to set', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-start-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const redis = await RedisServer.start({ dir, appendfsync: 'everysec' });
    onTestFinished(() => redis.stop());
    const { start } = await setup({ REDIS_URL: redis.url });
    const refusal = await start().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(NotDurableError);
    expect((refusal as Error).message).toMatch(/appendfsync.*always/);
    const { start: startDeclared } = await setup({ REDIS_URL: redis.url, REDIS_DURABILITY: 'declared' });
    await startDeclared();
  });

  it('refuses topics that are missing where it may not make them', async () => {
    const { start, topic, deadLetterTopic } = await setup({ KAFKA_CREATE_TOPICS: 'false' });
    const refusal = await start().catch((error: unknown) => error);
    expect(refusal).toBeInstanceOf(KafkaSetupError);
    expect((refusal as Error).message).toContain(topic);
    expect((refusal as Error).message).toContain(deadLetterTopic);
  });

  it('waits for Kafka, and ends cleanly where it is told to end meanwhile', async () => {
    const { start, log, stopping, shutdown } = await setup({
      KAFKA_BROKERS: `127.0.0.1:${await freePort()}`,
    });
    const starting = start();
    await eventually(() => expect(log.lines.join()).toContain('kafka.not-reachable'));
    stopping.abort();
    await starting;
    expect(log.lines.join()).not.toContain('service.working');
    expect(await shutdown.run('test')).toEqual([]);
  });

  it('makes the topics of its wishes too', async () => {
    const topic = ownTopicName();
    const { start, log } = await setup(
      {},
      `subscriptions: [{ name: mail, resource: 'users/{user}/messages', users: [${CLIENT}], topic: ${topic} }]`,
    );
    await start();
    expect(log.lines.find((line) => line.includes('topic.created'))).toContain(topic);
    expect(await readEvents(topic)).toEqual([]);
  });
});

describe('a worker at work', () => {
  it('makes its subscriptions, and turns what lies in inboxes into records, with and without a job', async () => {
    const { simulator, user } = await simulateGraph();
    const endpoint = await startNotificationEndpoint();
    const { start, own, topic, shutdown, log } = await setup(
      {
        AZURE_TENANT_ID: simulator.tenantId,
        AZURE_CLIENT_ID: simulator.clientId,
        AZURE_CLIENT_SECRET: simulator.clientSecret,
        AZURE_AUTHORITY_HOST: simulator.url,
        GRAPH_URL: simulator.url,
        SUBSCRIPTIONS_FILE: 'subscriptions.yaml',
        NOTIFICATION_URL: endpoint.url,
      },
      `subscriptions: [{ name: calendars, resource: 'users/{user}/events', users: [${user}] }]`,
    );
    await start();
    await eventually(() => expect(simulator.subscriptions.size).toBe(1));
    const [subscription] = simulator.subscriptions.list();
    // No job comes with it: the waker finds it.
    const { path } = simulator.calendar.create(user, { subject: 'Lunch' });
    const entry = changeEntry(
      {
        tenantId: simulator.tenantId,
        subscriptionId: subscription?.id ?? '',
        changeType: 'created',
        resource: path.key,
        resourceData: undefined,
        id: undefined,
      },
      undefined,
      Date.now(),
    );
    await own.inbox.append(entry.owner, [entry]);
    await eventually(async () =>
      expect(await readEvents(topic)).toMatchObject([
        {
          type: 'Microsoft.Graph.EventCreated',
          subscription: `calendars/${user}`,
          data: { subject: 'Lunch' },
        },
      ]),
    );
    await eventually(async () => expect(await own.inbox.countOwners()).toBe(0));
    expect(await shutdown.run('test')).toEqual([]);
    const said = log.lines.join();
    expect(said).toContain('record.published');
    for (const secret of ['PLANTED', simulator.clientSecret, 'Lunch', subscription?.clientState ?? 'x']) {
      expect(said).not.toContain(secret);
    }
  });

  it('subscribes for those who join a group, and no longer for those who leave it', async () => {
    const { simulator } = await simulateGraph({ users: 2 });
    const [one, two] = simulator.users().map(({ id }) => id) as [string, string];
    const endpoint = await startNotificationEndpoint();
    const group = simulator.items.create('groups', { displayName: 'Sales', mail: 'sales@contoso.com' }).body
      .id;
    simulator.directoryObjects.addMember(String(group), one);
    const { start, log } = await setup(
      {
        AZURE_TENANT_ID: simulator.tenantId,
        AZURE_CLIENT_ID: simulator.clientId,
        AZURE_CLIENT_SECRET: simulator.clientSecret,
        AZURE_AUTHORITY_HOST: simulator.url,
        GRAPH_URL: simulator.url,
        SUBSCRIPTIONS_FILE: 'subscriptions.yaml',
        NOTIFICATION_URL: endpoint.url,
        RECONCILE_EVERY_MS: '1000',
        PEOPLE_EVERY_MS: '1000',
      },
      `subscriptions: [{ name: sales, resource: 'users/{user}/events', group: Sales@contoso.com }]`,
    );
    const watched = () => simulator.subscriptions.list().map(({ resource }) => resource);
    await start();
    await eventually(() => expect(watched()).toEqual([`users/${one}/events`]));
    simulator.directoryObjects.addMember(String(group), two);
    simulator.directoryObjects.removeMember(String(group), one);
    await eventually(() => expect(watched()).toEqual([`users/${two}/events`]));
    expect(log.lines.join()).not.toMatch(/"level":"(error|fatal)"/);
  });

  it('ends within its grace, twice if asked twice, and takes nothing afterwards', async () => {
    const { start, shutdown, context, log } = await setup();
    await start();
    const [first, second] = await Promise.all([shutdown.run('one'), shutdown.run('two')]);
    expect([first, second]).toEqual([[], []]);
    await eventually(() => expect(context.redis.status).toBe('end'));
    expect(log.lines.filter((line) => line.includes('service.stopped'))).toHaveLength(1);
    expect(log.lines.join()).not.toMatch(/"level":"(error|fatal)"/);
  });
});
