/** Secrets that are replaced, with a restart or, in files, without one: nothing is lost on the way. */
import { execFile } from 'node:child_process';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { connectPatient, queueNames, verifyClientState } from '@graph2kafka/shared';
import { eventually, startReceiver, startWorker } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const OLD = 'the secret that goes';
const NEW = 'the secret that comes';
const CLIENT_SECRET = 'client-secret-in-a-file';

async function secretFiles() {
  const dir = await mkdtemp(join(tmpdir(), 'rotation-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return async (name: string, content: string): Promise<string> => {
    const path = join(dir, name);
    await writeFile(`${path}.new`, content);
    await rename(`${path}.new`, path);
    return `file:${path}`;
  };
}

/** How often both services together have taken a replaced secret. */
const replaced = ({ log }: Pipeline) => log.filter((line) => line.includes('"secret.replaced"')).length;

/** Graph removes the subscription and says so, as it does. */
async function removeSubscription({ simulator, services }: Pipeline): Promise<void> {
  const [subscription] = simulator.subscriptions.list();
  if (!subscription) throw new Error('there is no subscription');
  simulator.subscriptions.remove(subscription.id);
  const { id: subscriptionId, clientState } = subscription;
  const item = {
    subscriptionId,
    clientState,
    tenantId: simulator.tenantId,
    lifecycleEvent: 'subscriptionRemoved',
  };
  const answer = await fetch(`${services.receiver.url}/lifecycle`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ value: [item] }),
  });
  expect(answer.status).toBe(202);
}

type Subscription = ReturnType<Pipeline['simulator']['subscriptions']['list']>[number];

/** Posts what Graph would post of an updated event, for a subscription that it may not have any more. */
async function postChange(
  { simulator, services }: Pipeline,
  subscription: Subscription | undefined,
  resource: string,
): Promise<void> {
  if (!subscription) throw new Error(`no subscription watched ${resource}`);
  const { id: subscriptionId, clientState } = subscription;
  const item = { subscriptionId, clientState, tenantId: simulator.tenantId, changeType: 'updated', resource };
  const answer = await fetch(`${services.receiver.url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ value: [item] }),
  });
  expect(answer.status).toBe(202);
}

/** An event that becomes a record, by the subscription that there is. */
async function changeBecomesRecord({ simulator, eventsOf }: Pipeline, nthUser: number): Promise<void> {
  const { path } = simulator.calendar.create(simulator.users()[nthUser]?.id ?? '', { subject: 'Rotating' });
  await eventually(() => expect(eventsOf(path.key).length).toBeGreaterThan(0), { timeoutMs: 20_000 });
}

describe('a replaced clientState secret', () => {
  it('signs the next subscription and verifies its notifications, while the old one still verifies', async () => {
    const put = await secretFiles();
    const secrets = { CLIENT_STATE_SECRETS: await put('client-state', OLD) };
    const pipeline = await startPipeline({ receiver: secrets, worker: secrets });
    const { simulator } = pipeline;
    const signedWith = (secret: string) => {
      const [subscription] = simulator.subscriptions.list();
      const known = { secrets: [secret], accepted: [] };
      return verifyClientState(subscription?.clientState, simulator.tenantId, known).verified;
    };
    expect([signedWith(OLD), signedWith(NEW)]).toEqual([true, false]);

    await put('client-state', `${NEW},${OLD}`);
    await eventually(() => replaced(pipeline) === 2);
    await changeBecomesRecord(pipeline, 0);
    await removeSubscription(pipeline);
    await eventually(() => simulator.subscriptions.size === 1, { timeoutMs: 20_000 });
    expect([signedWith(OLD), signedWith(NEW)]).toEqual([false, true]);

    await put('client-state', NEW);
    await eventually(() => replaced(pipeline) === 4);
    await changeBecomesRecord(pipeline, 0);
  }, 90_000);
});

const OFTEN = { RECONCILE_EVERY_MS: '1000' };

/** As if they had been made an hour ago: what was just made is left alone. No worker may run, it would write too. */
async function makeOlder({ stack, simulator }: Pipeline): Promise<void> {
  const redis = connectPatient(inject('redisUrl'), () => undefined);
  try {
    const key = `${queueNames(stack.redisPrefix).prefix}:subscriptions`;
    const kept = Object.entries(await redis.hgetall(key));
    expect(kept.map(([id]) => id).toSorted()).toEqual(
      simulator.subscriptions
        .list()
        .map(({ id }) => id)
        .toSorted(),
    );
    for (const [id, json] of kept) {
      const known = JSON.parse(json) as { servingSince: number };
      await redis.hset(key, id, JSON.stringify({ ...known, servingSince: known.servingSince - 3_600_000 }));
    }
  } finally {
    redis.disconnect();
  }
}

/** Receiver and worker with other secrets, at the address that Graph knows; resolves to the worker's own address. */
async function startWith(pipeline: Pipeline, secrets: string) {
  const { stack, dir, services } = pipeline;
  const environment = { CLIENT_STATE_SECRETS: secrets };
  const receiver = await startReceiver(stack, { ...environment, PORT: String(services.receiver.port) });
  onTestFinished(() => receiver.process.stop().then(() => undefined));
  const place = { receiverUrl: receiver.url, subscriptionsFile: join(dir, 'subscriptions.yaml') };
  const worker = await startWorker(stack, place, { ...environment, ...OFTEN });
  onTestFinished(() => worker.process.stop().then(() => undefined));
  return {
    stop: () => Promise.all([receiver.process.stop(), worker.process.stop()]),
    /** Subscriptions by secret, as the worker's metrics tell them. */
    async bySecret() {
      const text = await (await fetch(`${worker.url}/metrics`)).text();
      const samples = text.matchAll(/^g2k_subscriptions_by_secret\{secret="(\w+)"\} (\d+)$/gm);
      return Object.fromEntries([...samples].map(([, secret, count]) => [secret, Number(count)]));
    },
  };
}

/** Changes the calendars again and again until it is stopped; resolves to the last version of each event. */
function keepChanging({ simulator }: Pipeline) {
  const etags = new Map<string, string>();
  const users = simulator.users().map(({ id }) => id);
  let nth = 0;
  const timer = setInterval(() => {
    const made = simulator.calendar.create(users[nth++ % users.length] ?? '', { subject: `Change ${nth}` });
    etags.set(made.path.key, made.etag);
  }, 20);
  onTestFinished(() => clearInterval(timer));
  return () => {
    clearInterval(timer);
    return etags;
  };
}

describe('a new clientState secret in front of the old one', () => {
  it('is carried by all subscriptions soon, one for each wish at any time, and no change is lost', async () => {
    const users = 3;
    const before = { CLIENT_STATE_SECRETS: OLD };
    const pipeline = await startPipeline({ users, receiver: before, worker: { ...before, ...OFTEN } });
    const { simulator, eventsOf, services, log } = pipeline;
    const old = simulator.subscriptions.list();
    const stopChanging = keepChanging(pipeline);
    await services.stop();
    await makeOlder(pipeline);

    const rotating = await startWith(pipeline, `${NEW},${OLD}`);
    await eventually(
      async () => {
        const resources = simulator.subscriptions.list().map(({ resource }) => resource);
        expect(new Set(resources).size).toBe(resources.length);
        expect(await rotating.bySecret()).toEqual({ current: users, old: 0, replaced: users });
      },
      { timeoutMs: 30_000 },
    );
    const signedWithNew = simulator.subscriptions.list().filter(({ clientState }) => {
      const known = { secrets: [NEW], accepted: [] };
      return verifyClientState(clientState, simulator.tenantId, known).verified;
    });
    expect(signedWithNew).toHaveLength(users);
    expect(simulator.subscriptions.size).toBe(users);
    for (const [key, etag] of stopChanging()) {
      await eventually(() => expect(eventsOf(key).map((one) => one.resourceversion)).toContain(etag), {
        timeoutMs: 30_000,
      });
    }

    // What Graph sends on for a subscription that is gone.
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'In flight' });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1), { timeoutMs: 20_000 });
    await postChange(
      pipeline,
      old.find(({ resource }) => path.key.startsWith(resource)),
      path.key,
    );
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(2), { timeoutMs: 20_000 });
    expect(log.filter((line) => line.includes('notification.forged'))).toEqual([]);

    await rotating.stop();
    await startWith(pipeline, NEW);
    for (let nth = 0; nth < users; nth++) await changeBecomesRecord(pipeline, nth);
    expect(simulator.subscriptions.list().map(({ id }) => id)).toEqual(signedWithNew.map(({ id }) => id));
  }, 120_000);
});

const execute = promisify(execFile);
const CLI = resolve(import.meta.dirname, '../../services/worker/src/cli/main.ts');

/** `g2k certificates rotate`, for a key that begins at once, beside those that are in the folder. */
async function rotateCertificate(folder: string): Promise<void> {
  const environment = { ...process.env, ENCRYPTION_KEYS: `file:${folder}/` };
  await execute(process.execPath, [CLI, 'certificates', 'rotate', '--starts-in', '0'], { env: environment });
}

describe('a new certificate by `g2k certificates rotate`', () => {
  it('is given to the living subscriptions, and all that was encrypted for either is opened', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rotation-keys-'));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    await rotateCertificate(folder);
    const calendars = { name: 'calendars', resource: 'users/{user}/events', rich: true, select: ['subject'] };
    const pipeline = await startPipeline({
      users: 3,
      subscriptions: (users) => JSON.stringify({ subscriptions: [{ ...calendars, users }] }),
      worker: { ...OFTEN, ENCRYPTION_KEYS: `file:${folder}/` },
    });
    const { simulator, eventsOf, deadLetters } = pipeline;
    const before = simulator.subscriptions.list();
    const stopChanging = keepChanging(pipeline);
    await rotateCertificate(folder);
    const [oldKey, ...others] = new Set(before.map((one) => one.encryptionCertificateId));
    expect([typeof oldKey, others]).toEqual(['string', []]);
    await eventually(
      () => {
        const now = simulator.subscriptions.list();
        expect(now.map(({ id }) => id)).toEqual(before.map(({ id }) => id));
        for (const one of now) expect(one.encryptionCertificateId).not.toBe(oldKey);
      },
      { timeoutMs: 30_000 },
    );
    const changes = stopChanging();
    await changeBecomesRecord(pipeline, 0);
    for (const [key, etag] of changes) {
      const seen = { acquisition: 'rich', resourceversion: etag };
      await eventually(() => expect(eventsOf(key)).toMatchObject([seen]), { timeoutMs: 30_000 });
    }
    expect(deadLetters()).toEqual([]);
  }, 90_000);
});

describe('a replaced client secret', () => {
  it('is what the next token is asked for with', async () => {
    const put = await secretFiles();
    const pipeline = await startPipeline({
      users: 2,
      simulator: { clientSecret: CLIENT_SECRET },
      worker: { AZURE_CLIENT_SECRET: await put('client', CLIENT_SECRET) },
    });
    await changeBecomesRecord(pipeline, 0);
    await put('client', 'one that Entra does not know');
    await eventually(() => replaced(pipeline) === 1);
    pipeline.simulator.calendar.create(pipeline.simulator.users()[0]?.id ?? '', { subject: 'Unreadable' });
    await eventually(() => pipeline.log.some((line) => line.includes('AADSTS7000215')), {
      timeoutMs: 20_000,
    });
    await put('client', CLIENT_SECRET);
    await eventually(() => replaced(pipeline) === 2);
    await changeBecomesRecord(pipeline, 1);
  }, 90_000);
});
