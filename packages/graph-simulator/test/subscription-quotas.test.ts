import { describe, expect, it } from 'vitest';
import type { GraphSimulatorOptions } from '../src/index.ts';
import { type Answer, connectTo, type GraphCaller } from './graph-caller.ts';
import { subscriptionRequest } from './subscribe.ts';
import { startWebhookApp } from './webhook-app.ts';

const OTHER_APP = { clientId: '11111111-1111-4111-8111-111111111111', clientSecret: 'other' };
const OTHER_TENANT = '22222222-2222-4222-8222-222222222222';

async function setup(options: GraphSimulatorOptions = {}) {
  const app = await startWebhookApp({ users: 3, ...options });
  const create = (
    resource: string,
    changeType = 'updated',
    graph: GraphCaller = app.graph,
  ): Promise<Answer> => {
    const body = { ...subscriptionRequest(app.user, app.receiver.url), resource, changeType };
    return graph.call('POST', '/subscriptions', { body });
  };
  const [, second, third] = app.simulator.users().map(({ id }) => id);
  return { ...app, create, second, third };
}

describe('a quota of subscriptions', () => {
  it('holds for a mailbox: messages, events and contacts of all applications together', async () => {
    await using it = await setup({ subscriptionQuotas: { outlookPerMailbox: 3 } });
    it.simulator.addApplication(OTHER_APP);
    await using other = await connectTo(it.simulator, OTHER_APP);
    const { body: first } = await it.create(`users/${it.user}/events`);
    await it.create(`users/${it.user}/contacts`);
    expect((await it.create(`users/${it.user}/events`, 'updated', other)).status).toBe(201);
    const folder = `users/${it.user}/mailFolders('inbox')/messages`;
    const refused = await it.create(folder, 'created', other);
    expect(refused.status).toBe(403);
    expect(refused.body.error.message).toContain('3 active subscriptions per mailbox for all applications');
    expect((await it.create(`users/${it.second}/events`)).status).toBe(201);
    await it.graph.call('DELETE', `/subscriptions/${first.id}`);
    expect((await it.create(folder, 'created', other)).status).toBe(201);
  });

  it('counts a principal name and an id as one mailbox', async () => {
    await using it = await setup({ subscriptionQuotas: { outlookPerMailbox: 1 } });
    const name = it.simulator.users()[0]?.userPrincipalName;
    expect((await it.create(`users/${name}/events`)).status).toBe(201);
    expect((await it.create(`users/${it.user}/contacts`)).status).toBe(403);
  });

  it('frees what has expired', async () => {
    await using it = await setup({
      subscriptionQuotas: { outlookPerMailbox: 1 },
      tokenLifetimeSeconds: 86_400,
    });
    await it.create(`users/${it.user}/events`);
    expect((await it.create(`users/${it.user}/contacts`)).status).toBe(403);
    it.simulator.clock.advance(61 * 60_000);
    const expirationDateTime = it.inMinutes(50);
    const body = { ...subscriptionRequest(it.user, it.receiver.url), expirationDateTime };
    expect((await it.graph.call('POST', '/subscriptions', { body })).status).toBe(201);
  });

  it('is not overrun by requests at once', async () => {
    await using it = await setup({ subscriptionQuotas: { outlookPerMailbox: 2 } });
    const kinds = ['events', 'messages', 'contacts', 'contactFolders/f/contacts', 'mailFolders/f/messages'];
    const answers = await Promise.all(kinds.map((kind) => it.create(`users/${it.user}/${kind}`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 403, 403, 403]);
  });

  it.each([
    ['app and tenant', 'directoryPerApplicationAndTenant', 'per app and tenant combination'],
    ['tenant', 'directoryPerTenant', 'per tenant for all applications combined'],
    ['app', 'directoryPerApplication', 'per app for all tenants combined'],
  ])('holds for users and groups per %s', async (_whom, quota, text) => {
    await using it = await setup({ subscriptionQuotas: { [quota]: 2 } });
    expect((await it.create('users')).status).toBe(201);
    expect((await it.create('groups/g/members')).status).toBe(201);
    const refused = await it.create('groups');
    expect(refused.status).toBe(403);
    expect(refused.body.error.message).toContain(text);
  });

  it('of an app counts its tenants together, and of a tenant its apps', async () => {
    await using it = await setup({
      subscriptionQuotas: { directoryPerApplication: 2, directoryPerTenant: 1 },
    });
    const { clientId, clientSecret } = it.simulator;
    it.simulator.addApplication({ clientId, clientSecret, tenantId: OTHER_TENANT });
    it.simulator.addApplication(OTHER_APP);
    const abroad = await it.graph.token({}, OTHER_TENANT);
    const inOtherTenant = (resource: string) =>
      it.graph.call('POST', '/subscriptions', {
        body: { ...subscriptionRequest(it.user, it.receiver.url), resource, changeType: 'updated' },
        headers: { authorization: `Bearer ${abroad.body.access_token}` },
      });
    await using other = await connectTo(it.simulator, OTHER_APP);
    expect((await it.create('users')).status).toBe(201);
    expect((await it.create('groups', 'updated', other)).body.error.message).toContain('per tenant');
    expect((await inOtherTenant('users')).status).toBe(201);
    expect((await it.graph.call('GET', '/subscriptions')).body.value).toHaveLength(1);
  });

  it('holds for all that is Teams, and for call records', async () => {
    await using it = await setup({
      subscriptionQuotas: { teamsPerOrganization: 2, callRecordsPerOrganization: 1 },
    });
    expect((await it.create('chats/c/messages')).status).toBe(201);
    expect((await it.create('teams/t/channels')).status).toBe(201);
    expect((await it.create('chats/getAllMessages')).body.error.message).toContain('per organization');
    expect((await it.create('communications/callRecords')).status).toBe(201);
    expect((await it.create('communications/callRecords', 'created')).body.error.message).toContain(
      'call records',
    );
  });
});

describe('a second subscription', () => {
  it('to a chat, or to presence, is a conflict that its code does not name', async () => {
    await using it = await setup();
    for (const [resource, again] of [
      ['chats/c/messages', "/chats('c')/messages"],
      ['communications/presences/p', 'communications/presences/q'],
    ] as const) {
      expect((await it.create(resource)).status).toBe(201);
      const { status, body } = await it.create(again);
      expect(status).toBe(409);
      expect(body.error.code).toBe('ExtensionError');
      expect(body.error.message).toMatch(/^Operation: Create; Exception: \[Status Code: Conflict; Reason: /);
    }
    expect((await it.create('chats/d/messages')).status).toBe(201);
  });

  it('to the same list is made, as Graph does', async () => {
    await using it = await setup();
    const list = 'sites/s/lists/l';
    const ids = [(await it.create(list)).body.id, (await it.create(list)).body.id];
    expect(new Set(ids).size).toBe(2);
  });

  it('written differently is another one', async () => {
    await using it = await setup();
    expect((await it.create(`users/${it.user}/events`)).status).toBe(201);
    expect((await it.create(`/users/${it.user}/events`)).status).toBe(201);
    expect((await it.create(`users/${it.user}/events`)).status).toBe(409);
  });

  it('is no conflict for another application', async () => {
    await using it = await setup();
    it.simulator.addApplication(OTHER_APP);
    await using other = await connectTo(it.simulator, OTHER_APP);
    await it.create('chats/c/messages');
    expect((await it.create('chats/c/messages', 'updated', other)).status).toBe(201);
  });
});
