/** The admin port over HTTP, before a real worker's parts: who may see what, and what it says when things are away. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createShutdown, parseConfig } from '@graph2kafka/shared';
import { eventually, freePort, RedisServer } from '@graph2kafka/test-harness';
import express from 'express';
import { Registry } from 'prom-client';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { createAdminApp, startAdminServer } from '../../src/admin/admin-server.ts';
import { bullBoard } from '../../src/admin/bull-board.ts';
import { createFleetPage } from '../../src/admin/create-fleet-page.ts';
import { createHealth } from '../../src/admin/health.ts';
import { workerSettings } from '../../src/config.ts';
import { createContext } from '../../src/context.ts';
import { nothingWanted } from '../../src/declaration/read-declaration.ts';
import { startBlackHole } from '../support/black-hole.ts';
import { ownRedis } from '../support/own-redis.ts';
import { keptLog } from '../support/silent-log.ts';
import { CLIENT, TENANT } from '../support/taken-entry.ts';

const PASSWORD = 'correct:horse ä';

type Options = {
  password?: string | undefined;
  brokers?: string;
  redisUrl?: string;
  started?: boolean;
  role?: 'worker' | 'admin';
  readOnly?: boolean;
  isStopping?: () => boolean;
};

async function startAdmin(options: Options = {}) {
  const redisUrl = options.redisUrl ?? inject('redisUrl');
  const { names } = ownRedis();
  const log = keptLog();
  const config = parseConfig(workerSettings, {
    REDIS_URL: redisUrl,
    REDIS_PREFIX: names.prefix.replace(/^\{|-0\}$/g, ''),
    CLIENT_STATE_SECRETS: 'a-secret-of-this-test',
    AZURE_TENANT_ID: TENANT,
    AZURE_CLIENT_ID: CLIENT,
    AZURE_CLIENT_SECRET: 'PLANTED-CLIENT-SECRET',
    KAFKA_BROKERS: options.brokers ?? inject('kafkaBrokers'),
    ADMIN_PASSWORD: options.password,
    WORKER_ROLE: options.role,
  });
  const shutdown = createShutdown(log, 5000);
  const context = createContext(config, nothingWanted, log, shutdown);
  onTestFinished(async () => void (await shutdown.run('end of test')));
  const health = createHealth(context, options.isStopping);
  if (options.started !== false) health.markStarted();
  const { password } = options;
  const app = createAdminApp({
    registry: context.metrics.registry,
    queues: Object.values(context.queues),
    queuesReadOnly: options.readOnly ?? true,
    readStatus: health.readStatus,
    renderFleet: createFleetPage(context, Date.now),
    findProblems: health.findProblems,
    findPauses: health.findPauses,
    login: password === undefined ? undefined : { user: 'admin', password },
    log,
  });
  const server = await startAdminServer(app, '127.0.0.1', 0);
  onTestFinished(() => server.close());
  const get = (path: string, login?: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${server.port}${path}`, {
      redirect: 'manual',
      ...init,
      headers: login === undefined ? {} : { authorization: `Basic ${Buffer.from(login).toString('base64')}` },
    });
  return { get, server, context };
}

const PAGES = [
  '/',
  '/?x=1',
  '/queues',
  '/queues/',
  '/QUEUES/',
  '/queues/queue/owners',
  '/queues/api/queues',
  '/queues/api/queues/owners/1',
  '/queues/static/',
  '/queues/%2e%2e/',
  '//queues',
];

describe('the pages', () => {
  it('need the password, every one of them', async () => {
    const { get } = await startAdmin({ password: PASSWORD });
    for (const path of PAGES) {
      const answer = await get(path);
      expect([path, answer.status]).toEqual([path, path === '//queues' ? 404 : 401]);
      if (answer.status === 401) expect(answer.headers.get('www-authenticate')).toMatch(/^Basic realm=/);
      expect(await answer.text()).not.toMatch(/bull|owners|graph\.events/i);
    }
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD']) {
      expect((await get('/queues/api/queues/owners/pause', undefined, { method })).status).toBe(401);
    }
  });

  it('open with it, and with nothing else', async () => {
    const { get } = await startAdmin({ password: PASSWORD });
    const right = `admin:${PASSWORD}`;
    for (const login of ['admin:', `admin:${PASSWORD} `, `root:${PASSWORD}`, PASSWORD, 'admin', '', ':']) {
      expect([login, (await get('/', login)).status]).toEqual([login, 401]);
    }
    const page = await get('/', right);
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(await page.text()).toContain('graph2kafka');
    expect(await (await get('/queues/', right)).text()).toContain('graph2kafka');
    const listed = (await (await get('/queues/api/queues', right)).json()) as { queues: { name: string }[] };
    expect(listed.queues.map(({ name }) => name).toSorted()).toEqual([
      'dead-letters',
      'owners',
      'subscriptions',
    ]);
  });

  it.each([
    ['of another scheme', 'Bearer x'],
    ['without credentials', 'Basic'],
    ['that is no base64', 'Basic !!!'],
    ['that asks for digest', 'Digest a="b"'],
    ['that is long', `Basic ${'A'.repeat(8000)}`],
  ])('stay closed for a header %s', async (_name, authorization) => {
    const { server } = await startAdmin({ password: PASSWORD });
    const answer = await fetch(`http://127.0.0.1:${server.port}/`, { headers: { authorization } });
    expect(answer.status).toBe(401);
  });

  it('are off without a password, even for one who sends the empty one', async () => {
    const { get } = await startAdmin();
    for (const path of PAGES) {
      for (const login of [undefined, 'admin:', 'admin:undefined']) {
        expect([path, (await get(path, login)).status]).toEqual([path, 404]);
      }
    }
    expect(await (await get('/')).json()).toMatchObject({ error: expect.stringContaining('ADMIN_PASSWORD') });
  });
});

describe('Bull Board', () => {
  const change = (readOnly: boolean) => startAdmin({ password: PASSWORD, readOnly });

  it('only shows: whoever has the password pauses, empties and removes nothing', async () => {
    const { get, context } = await change(true);
    const job = await context.queues.deadLetters.add('fetch', {});
    for (const [method, path] of [
      ['PUT', '/queues/api/queues/dead-letters/pause'],
      ['PUT', '/queues/api/queues/dead-letters/empty'],
      ['PUT', '/queues/api/queues/dead-letters/obliterate'],
      ['PUT', `/queues/api/queues/dead-letters/${job.id}/clean`],
    ] as const) {
      const answer = await get(path, `admin:${PASSWORD}`, { method });
      expect([path, answer.ok]).toEqual([path, false]);
    }
    expect(await context.queues.deadLetters.isPaused()).toBe(false);
    expect(await context.queues.deadLetters.count()).toBe(1);
  });

  it('opens for the next one who looks, where it could not for the first', async () => {
    const { context } = await change(true);
    const app = express();
    // What it shows is asked for when it opens.
    let tries = 0;
    const options = {
      readOnly: true,
      get queues() {
        if (tries++ === 0) throw new Error('cannot be had yet');
        return Object.values(context.queues);
      },
    };
    app.use('/queues', bullBoard(options));
    const { port, close } = await startAdminServer(app, '127.0.0.1', 0);
    onTestFinished(close);
    const look = async () => (await fetch(`http://127.0.0.1:${port}/queues/`)).status;
    expect([await look(), await look()]).toEqual([500, 200]);
  });

  it('also changes where it is allowed to', async () => {
    const { get, context } = await change(false);
    const path = '/queues/api/queues/dead-letters/pause';
    expect((await get(path, `admin:${PASSWORD}`, { method: 'PUT' })).status).toBe(200);
    expect(await context.queues.deadLetters.isPaused()).toBe(true);
  });
});

describe('health and metrics', () => {
  it('are open, for the platform', async () => {
    const { get } = await startAdmin({ password: PASSWORD });
    expect(await (await get('/healthz')).json()).toEqual({ status: 'alive' });
    const ready = await get('/readyz');
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'ready', problems: [], pauses: [] }]);
    const metrics = await get('/metrics');
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; ?version=0\.0\.4/);
    expect(await metrics.text()).toContain('g2k_owners_with_news 0');
  });

  it('say nosniff, and nothing of the server', async () => {
    const { get } = await startAdmin();
    const { headers } = await get('/healthz');
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('x-powered-by')).toBeNull();
  });

  it('are not ready before the start is over', async () => {
    const { get } = await startAdmin({ started: false });
    const ready = await get('/readyz');
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { status: 'not ready', problems: ['still starting'], pauses: [] },
    ]);
  });

  it('are not ready from the moment on in which the end has begun', async () => {
    let stopping = false;
    const { get } = await startAdmin({ isStopping: () => stopping });
    expect((await get('/readyz')).status).toBe(200);
    stopping = true;
    const ready = await get('/readyz');
    expect([ready.status, await ready.json()]).toMatchObject([503, { problems: ['stopping'] }]);
    expect((await get('/healthz')).status).toBe(200);
  });

  it('ask no Kafka where they are all that runs', async () => {
    const { get } = await startAdmin({ role: 'admin', brokers: `127.0.0.1:${await freePort()}` });
    expect((await get('/readyz')).status).toBe(200);
  });

  it('are not ready while Kafka is away, whether it refuses or is silent, within 3 s', async () => {
    const hole = await startBlackHole();
    for (const brokers of [`127.0.0.1:${await freePort()}`, hole.address]) {
      const { get } = await startAdmin({ brokers });
      const startedAt = performance.now();
      const ready = await get('/readyz');
      expect(performance.now() - startedAt).toBeLessThan(3000);
      expect(ready.status).toBe(503);
      const { problems } = (await ready.json()) as { problems: string[] };
      expect(problems).toEqual([expect.stringMatching(/^Kafka: /)]);
      expect((await get('/healthz')).status).toBe(200);
    }
  });

  it('answer while Redis is silent: alive, not ready, metrics and page without its numbers; afterwards all is well', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-admin-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const redis = await RedisServer.start({ dir });
    onTestFinished(() => redis.stop());
    const { get } = await startAdmin({ password: PASSWORD, redisUrl: redis.url });
    await eventually(async () => expect((await get('/readyz')).status).toBe(200));
    redis.freeze();
    onTestFinished(() => redis.thaw());
    await eventually(async () => expect((await get('/readyz')).status).toBe(503));
    const { problems } = (await (await get('/readyz')).json()) as { problems: string[] };
    expect(problems).toEqual([expect.stringMatching(/^Redis: /)]);
    expect((await get('/healthz')).status).toBe(200);
    const metrics = await get('/metrics');
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).toContain('g2k_runs_total');
    const page = await get('/', `admin:${PASSWORD}`);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('not ready')]);
    redis.thaw();
    await eventually(async () => expect((await get('/readyz')).status).toBe(200));
  }, 60_000);
});

describe('an unforeseen error', () => {
  it('is logged, and answered without a trace of the code', async () => {
    const log = keptLog();
    const broken = async () => Promise.reject(new TypeError('planted'));
    const app = createAdminApp({
      registry: new Registry(),
      queues: [],
      queuesReadOnly: true,
      readStatus: broken,
      renderFleet: broken,
      findProblems: broken,
      findPauses: broken,
      login: undefined,
      log,
    });
    const server = await startAdminServer(app, '127.0.0.1', 0);
    onTestFinished(() => server.close());
    const answer = await fetch(`http://127.0.0.1:${server.port}/readyz`);
    expect([answer.status, await answer.json()]).toEqual([500, { error: 'internal error' }]);
    expect(log.lines.join()).toContain('planted');
  });
});

describe('a closed admin server', () => {
  it('listens no more, ends open connections, and may be closed again', async () => {
    const { get, server } = await startAdmin();
    await (await get('/healthz')).text();
    await server.close();
    await server.close();
    await expect(get('/healthz')).rejects.toThrow();
  });

  it('cannot be started on a port that is taken', async () => {
    const { server } = await startAdmin();
    const app = createAdminApp({} as Parameters<typeof createAdminApp>[0]);
    await expect(startAdminServer(app, '127.0.0.1', server.port)).rejects.toThrow(/ADMIN_PORT: .*in use/);
  });
});
