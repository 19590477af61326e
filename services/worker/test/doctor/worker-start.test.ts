/** A worker says at its start what would not go well, and starts all the same. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { calendarSubscriptions, startWorker } from '@graph2kafka/test-harness';
import { expect, inject, it, onTestFinished } from 'vitest';
import { ownRedis } from '../support/own-redis.ts';
import { ownTopicName } from '../support/own-topic.ts';
import { simulateGraph } from '../support/simulated-graph.ts';

it('warns of a path where no receiver listens, and of the clock, with the cure', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-doctor-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const { simulator, user } = await simulateGraph();
  simulator.faults.add({ on: 'clock', skewMs: 60_000 });
  const [caFile, subscriptionsFile] = [join(dir, 'ca.pem'), join(dir, 'subscriptions.yaml')];
  await writeFile(caFile, simulator.caCertificate);
  await writeFile(subscriptionsFile, calendarSubscriptions([user]));
  const { url, tenantId, clientId, clientSecret } = simulator;
  const worker = await startWorker(
    {
      redisUrl: inject('redisUrl'),
      brokers: inject('kafkaBrokers'),
      redisPrefix: ownRedis().names.prefix.replace(/^\{|-0\}$/g, ''),
      topic: ownTopicName(),
      deadLetterTopic: ownTopicName(),
      graph: { url, caFile, tenantId, clientId, clientSecret },
    },
    { subscriptionsFile },
    {
      NOTIFICATION_URL: 'http://127.0.0.1:9/hooks',
      LIFECYCLE_NOTIFICATION_URL: 'http://127.0.0.1:9/lifecycle',
    },
  );
  onTestFinished(async () => void (await worker.process.stop()));
  const warning = async (check: string) =>
    JSON.parse(
      await worker.process.waitForLine((line) => line.includes('"doctor.warning"') && line.includes(check)),
    );
  expect(await warning('"public-url"')).toMatchObject({
    level: 'warn',
    verdict: 'warning',
    found: 'the path of NOTIFICATION_URL is /hooks, and the receiver listens on /events',
    cure: expect.stringContaining('/events'),
  });
  expect(await warning('"graph"')).toMatchObject({
    found: expect.stringMatching(/^the clock here is \d+ s behind Graph's$/),
  });
  await worker.process.waitForLine((line) => line.includes('"service.working"'));
});
