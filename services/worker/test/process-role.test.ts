/** The worker as a process: what each role opens, does and needs. */
import { join } from 'node:path';
import { ChildProcess, eventually, freePort } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { ownRedis } from './support/own-redis.ts';
import { CLIENT, changeNews, EVENT, TENANT } from './support/taken-entry.ts';

const CLEAN = { code: 0, signal: null };

async function startWorker(environment: Readonly<Record<string, string | undefined>>) {
  const { inbox, names } = ownRedis();
  const worker = await ChildProcess.start({
    name: 'worker',
    command: process.execPath,
    arguments: [join(import.meta.dirname, '../src/main.ts')],
    environment: {
      REDIS_URL: inject('redisUrl'),
      REDIS_PREFIX: names.prefix.replace(/^\{|-0\}$/g, ''),
      CLIENT_STATE_SECRETS: 'a-secret-of-this-test',
      AZURE_TENANT_ID: TENANT,
      AZURE_CLIENT_ID: CLIENT,
      AZURE_CLIENT_SECRET: 'of nobody',
      KAFKA_BROKERS: inject('kafkaBrokers'),
      KAFKA_TOPIC: 'role-test',
      KAFKA_DEAD_LETTER_TOPIC: 'role-test',
      KAFKA_CREATE_TOPICS: 'true',
      ADMIN_HOST: '127.0.0.1',
      ...environment,
    },
  });
  onTestFinished(async () => void (await worker.kill9()));
  return { worker, inbox };
}

const said = (worker: ChildProcess, message: string) =>
  worker.lines().some((line) => line.includes(`"message":"${message}"`));

describe('WORKER_ROLE=admin', () => {
  it('has pages and metrics of the whole deployment, without Kafka, and does no work', async () => {
    const port = String(await freePort());
    const { worker, inbox } = await startWorker({
      WORKER_ROLE: 'admin',
      PORT: port,
      ADMIN_PASSWORD: 'of this test',
      KAFKA_BROKERS: `127.0.0.1:${await freePort()}`,
    });
    await worker.waitUntil(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).ok);
    const owner = `${TENANT}/users/ada`;
    await inbox.append(owner, [{ owner, resource: EVENT, receivedAt: Date.now(), news: changeNews() }]);
    const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(metrics).toMatch(/^g2k_owners_with_news 1$/m);
    const authorization = `Basic ${Buffer.from('admin:of this test').toString('base64')}`;
    for (const page of ['/', '/queues/']) {
      expect((await fetch(`http://127.0.0.1:${port}${page}`, { headers: { authorization } })).status).toBe(
        200,
      );
    }
    expect(said(worker, 'service.working')).toBe(false);
    expect(await inbox.begin(owner, 'of this test', 1000, 1)).toMatchObject({ state: 'run', starts: 1 });
    expect(await worker.stop()).toEqual(CLEAN);
  });
});

describe('ADMIN_PORT=off', () => {
  it('leaves a worker that works and listens nowhere', async () => {
    const { worker } = await startWorker({ ADMIN_PORT: 'off' });
    await eventually(() => said(worker, 'service.working'), { timeoutMs: 30_000 });
    expect(said(worker, 'admin.listening')).toBe(false);
    expect(await worker.stop()).toEqual(CLEAN);
  });
});
