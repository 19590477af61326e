/** Secrets in files, replaced while everything runs: no restart, and nothing is lost on the way. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyClientState } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
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
