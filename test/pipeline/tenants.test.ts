/** Several tenants in one deployment: each has its app, its secrets and its topics, and nothing of one is used for another. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { signClientState } from '@graph2kafka/shared';
import { eventually } from '@graph2kafka/test-harness';
import { expect, it, onTestFinished } from 'vitest';
import { type Pipeline, startPipeline } from '../support/pipeline.ts';

const CONTOSO = '7c1e9c52-1d5b-4f8e-9b3a-0f4e2d6a8c33';
const APP = { clientId: '9a8b7c6d-1111-4222-8333-444455556666', clientSecret: 'client-secret-of-contoso' };
const COMMON = 'a-secret-for-all-tenants';
const OWN = 'a-secret-of-contoso-alone';
const STRANGER = '11111111-2222-4333-8444-555555555555';

async function startTwoTenants() {
  const dir = await mkdtemp(join(tmpdir(), 'tenants-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const secretFile = join(dir, 'contoso');
  await writeFile(secretFile, APP.clientSecret);
  const topic = `t${randomUUID().slice(0, 8)}.contoso`;
  const secrets = { CLIENT_STATE_SECRETS: `${COMMON},${CONTOSO}=${OWN}` };
  const pipeline = await startPipeline({
    users: 2,
    simulator: { tenants: [{ tenantId: CONTOSO, users: 1, applications: [APP] }] },
    receiver: secrets,
    worker: secrets,
    subscriptions: ([user], simulator) => `
tenants:
  - name: contoso
    id: ${CONTOSO}
    clientId: ${APP.clientId}
    clientSecret: file:${secretFile}
    topic: ${topic}
    deadLetterTopic: ${topic}.dlq
subscriptions:
  - { name: ours, resource: 'users/{user}/events', users: [${user}] }
  - { name: theirs, tenant: contoso, resource: 'users/{user}/events', users: [${userOf(simulator)}] }
`,
  });
  const { simulator } = pipeline;
  const [ours, theirs] = [simulator.users()[0]?.id ?? '', userOf(simulator)];
  const away = simulator.tenant(CONTOSO);
  return {
    pipeline,
    away,
    ours,
    theirs,
    events: pipeline.follow(topic),
    letters: pipeline.follow(`${topic}.dlq`),
  };
}

function userOf(simulator: Pipeline['simulator']): string {
  return simulator.tenant(CONTOSO).users()[0]?.id ?? '';
}

async function post({ services }: Pipeline, item: Record<string, unknown>): Promise<void> {
  const answer = await fetch(`${services.receiver.url}/events`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ value: [{ changeType: 'updated', ...item }] }),
  });
  expect(answer.status).toBe(202);
}

it('a change of each tenant becomes a record of that tenant, read with its own app, in its own topic', async () => {
  const { pipeline, away, ours, theirs, events } = await startTwoTenants();
  const { simulator } = pipeline;
  simulator.calendar.create(ours, { subject: 'Ours' });
  away.calendar.create(theirs, { subject: 'Theirs' });
  await eventually(() => expect([pipeline.events().length, events().length]).toEqual([1, 1]));
  expect(pipeline.events()).toMatchObject([
    {
      source: `/tenants/${simulator.tenantId}/applications/${simulator.clientId}`,
      data: { subject: 'Ours' },
    },
  ]);
  expect(events()).toMatchObject([
    {
      source: `/tenants/${CONTOSO}/applications/${APP.clientId}`,
      acquisition: 'fetched',
      data: { subject: 'Theirs' },
      record: { key: expect.stringMatching(`^${CONTOSO}/users/${theirs}/events/`) },
    },
  ]);
  expect(pipeline.log.join('\n')).not.toContain(APP.clientSecret);
});

it('what is said in the name of a tenant takes a secret of that tenant, and goes nowhere else', async () => {
  const { pipeline, away, ours, theirs, events, letters } = await startTwoTenants();
  const { simulator } = pipeline;
  const event = simulator.calendar.create(ours, { subject: 'Ours' });
  const other = away.calendar.create(theirs, { subject: 'Theirs' });
  await eventually(() => expect([pipeline.events().length, events().length]).toEqual([1, 1]));
  const [subscription] = simulator.subscriptions.list(simulator.clientId);
  const id = subscription?.id ?? '';

  // Signed with the common secret, in the name of the tenant that has its own: forged.
  const forged = signClientState([COMMON], CONTOSO, 'nonce');
  await post(pipeline, {
    subscriptionId: id,
    tenantId: CONTOSO,
    clientState: forged,
    resource: other.path.key,
  });
  // Contoso's own word, about a subscription of ours and an event of ours: read in Contoso, and found nowhere.
  const believed = signClientState([OWN], CONTOSO, 'nonce');
  const item = { subscriptionId: id, tenantId: CONTOSO, clientState: believed };
  await post(pipeline, { ...item, changeType: 'deleted', resource: event.path.key });
  await eventually(() => expect(events()).toHaveLength(2));
  expect(events()[1]).toMatchObject({ type: 'Microsoft.Graph.EventDeleted' });
  expect(events()[1]?.record.key).toBe(`${CONTOSO}/${event.path.key}`);
  // A tenant that nobody serves, with the secret for all: nobody is asked.
  const strange = signClientState([COMMON], STRANGER, 'nonce');
  await post(pipeline, {
    subscriptionId: id,
    tenantId: STRANGER,
    clientState: strange,
    resource: event.path.key,
  });
  await eventually(() => expect(pipeline.deadLetters()).toHaveLength(1));
  expect(pipeline.deadLetters()[0]).toMatchObject({
    data: { stage: 'verify', reason: 'the notification is of a tenant that is not ours' },
  });
  await pipeline.drained();
  expect([pipeline.events().length, events().length, letters().length]).toEqual([1, 2, 0]);
  expect(pipeline.log.filter((line) => line.includes('"notification.forged"'))).toHaveLength(1);
});
