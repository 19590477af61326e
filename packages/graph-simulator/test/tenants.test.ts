import { describe, expect, it } from 'vitest';
import { GraphSimulator, type GraphSimulatorOptions } from '../src/index.ts';
import { connectTo, type GraphCaller } from './graph-caller.ts';
import { startReceiver } from './notification-receiver.ts';
import { subscribe } from './subscribe.ts';

const SECOND = '7c1e9c52-1d5b-4f8e-9b3a-0f4e2d6a8c33';
const APP = { clientId: '9a8b7c6d-1111-4222-8333-444455556666', clientSecret: 'of the second' };

async function setUp(options: GraphSimulatorOptions = {}) {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(
    await GraphSimulator.start({
      users: 2,
      delivery: { collectMs: 5 },
      tenants: [{ tenantId: SECOND, users: 3, applications: [APP] }],
      ...options,
    }),
  );
  const receiver = stack.use(await startReceiver());
  const first = stack.use(await connectTo(simulator));
  const second = stack.use(await connectTo(simulator, { ...APP, tenantId: SECOND }));
  const tenant = simulator.tenant(SECOND);
  const users = [simulator.users()[0]?.id ?? '', tenant.users()[0]?.id ?? ''] as const;
  return {
    simulator,
    receiver,
    first,
    second,
    tenant,
    users,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

const idsOf = async (graph: GraphCaller, path: string) =>
  (await graph.call('GET', path)).body.value.map(({ id }: { id: string }) => id);

describe('a second tenant', () => {
  it('gives tokens at its own endpoint, to its own apps with their own secrets', async () => {
    await using it = await setUp();
    const { tenantId, clientId, clientSecret } = it.simulator;
    const ask = async (tenant: string, client_id: string, client_secret: string) =>
      (await it.first.token({ client_id, client_secret }, tenant)).body;
    const { access_token: token } = await ask(SECOND, APP.clientId, APP.clientSecret);
    const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url').toString('utf8'));
    expect(claims).toMatchObject({ tid: SECOND, appid: APP.clientId });
    expect((await ask(tenantId, APP.clientId, APP.clientSecret)).error).toBe('unauthorized_client');
    expect((await ask(SECOND, clientId, clientSecret)).error).toBe('unauthorized_client');
    expect((await ask(SECOND, APP.clientId, clientSecret)).error).toBe('invalid_client');
  });

  it('has users and items of its own, which nobody else can see', async () => {
    await using it = await setUp();
    const [home, away] = it.users;
    const lists = [await idsOf(it.first, '/users'), await idsOf(it.second, '/users')];
    expect(lists.map((list) => list.length)).toEqual([2, 3]);
    expect(lists[0].filter((id: string) => lists[1].includes(id))).toEqual([]);
    const mails = (list: readonly { mail: string }[]) => list.map(({ mail }) => mail.split('@')[1]);
    expect(new Set(mails(it.simulator.users()))).not.toEqual(new Set(mails(it.tenant.users())));

    const { path } = it.tenant.calendar.create(away, { subject: 'Theirs' });
    expect((await it.second.call('GET', `/${path.key}`)).body.subject).toBe('Theirs');
    expect((await it.first.call('GET', `/${path.key}`)).status).toBe(404);
    expect((await it.second.call('GET', `/users/${home}`)).status).toBe(404);
    expect(() => it.simulator.tenant('5e3b1c0a-0000-4000-8000-000000000000')).toThrow('There is no tenant');
  });

  it('has subscriptions of its own, whose items may share a POST with those of another tenant', async () => {
    await using it = await setUp({ delivery: { collectMs: 50 } });
    const [home, away] = it.users;
    const ids = [
      (await subscribe(it.first, home, it.receiver.url)).id,
      (await subscribe(it.second, away, it.receiver.url)).id,
    ];
    // The same chat id in both tenants: two chats.
    await subscribe(it.second, away, it.receiver.url, { resource: 'chats/c/messages' });
    it.simulator.items.create('chats/c/messages', {});
    const events = [
      it.simulator.calendar.create(home, { subject: 'Ours' }),
      it.tenant.calendar.create(away, { subject: 'Theirs' }),
    ];
    await it.simulator.notifier.idle();
    expect(it.receiver.posts).toHaveLength(1);
    expect(it.receiver.items()).toMatchObject([
      { subscriptionId: ids[0], tenantId: it.simulator.tenantId, resourceData: { id: events[0]?.body.id } },
      { subscriptionId: ids[1], tenantId: SECOND, resourceData: { id: events[1]?.body.id } },
    ]);
    const listed = [await idsOf(it.first, '/subscriptions'), await idsOf(it.second, '/subscriptions')];
    expect(listed[0]).toEqual([ids[0]]);
    expect(listed[1]).toHaveLength(2);
    expect((await it.first.call('GET', `/subscriptions/${ids[1]}`)).status).toBe(404);
    const changes = it.simulator.changeLog.ofKind('change').filter(({ subscribed }) => subscribed);
    expect(changes.map(({ tenantId }) => tenantId)).toEqual([it.simulator.tenantId, SECOND]);
  });

  it('has limits, quotas, withdrawn consents and delta tokens of its own', async () => {
    await using it = await setUp({
      requestLimits: { mailboxRequests: 3 },
      subscriptionQuotas: { callRecordsPerOrganization: 1 },
    });
    const [home, away] = it.users;
    // An app may be registered in several tenants.
    it.simulator.addApplication({
      clientId: it.simulator.clientId,
      clientSecret: 'in the second',
      tenantId: SECOND,
    });
    await using guest = await connectTo(it.simulator, { clientSecret: 'in the second', tenantId: SECOND });
    for (let i = 0; i < 4; i += 1) await it.first.call('GET', `/users/${home}/events`);
    expect((await it.first.call('GET', `/users/${home}/events`)).status).toBe(429);
    expect((await guest.call('GET', `/users/${away}/events`)).status).toBe(200);

    const callRecords = { resource: 'communications/callRecords', changeType: 'created' };
    await subscribe(it.first, home, it.receiver.url, callRecords);
    await subscribe(it.second, away, it.receiver.url, callRecords);

    const links = await Promise.all(
      [it.first, it.second].map(
        async (graph) => (await graph.call('GET', '/groups/delta')).body['@odata.deltaLink'],
      ),
    );
    it.tenant.delta.expireTokens();
    expect((await it.first.call('GET', links[0])).status).toBe(200);
    expect((await it.second.call('GET', links[1])).status).toBe(410);
    expect((await it.second.call('GET', links[0])).status).toBe(400);

    it.simulator.faults.add({ on: 'consent', tenantId: SECOND });
    expect((await it.first.call('GET', '/users')).status).toBe(200);
    expect((await it.second.call('GET', '/users')).status).toBe(403);
  });

  it('lives by itself, and is reached by control calls that name it', async () => {
    await using it = await setUp();
    const control = (method: string, path: string, body?: unknown) =>
      it.first.raw(method, `/simulator/${path}`, { body });
    const users = await control('GET', `users?tenant=${SECOND.toUpperCase()}`);
    expect(users.body.value.map(({ id }: { id: string }) => id)).toEqual(
      it.tenant.users().map(({ id }) => id),
    );
    const made = await control('POST', `items/users/${it.users[1]}/messages?tenant=${SECOND}`, {
      subject: 'Hi',
    });
    expect(made.status).toBe(201);
    expect((await control('GET', `resources/${made.body.resource}?tenant=${SECOND}`)).status).toBe(200);
    expect((await control('GET', `resources/${made.body.resource}`)).status).toBe(404);
    await control('POST', `life?tenant=${SECOND}`, { changesPerSecond: 1 });
    expect([it.tenant.life.isRunning, it.simulator.life.isRunning]).toEqual([true, false]);
    await control('DELETE', `life?tenant=${SECOND}`);
    expect(it.tenant.life.isRunning).toBe(false);
    expect((await control('GET', 'users?tenant=none')).body.error).toBe('There is no tenant none.');
  });

  it('is the same for the same seed, and does not alter the first', async () => {
    await using one = await setUp({ instance: 'same' });
    await using two = await setUp({ instance: 'same' });
    await using alone = await setUp({
      instance: 'same',
      tenants: [{ tenantId: SECOND, applications: [APP] }],
    });
    expect(one.tenant.users()).toEqual(two.tenant.users());
    expect(one.simulator.users()).toEqual(alone.simulator.users());
    expect(alone.tenant.users()).toEqual([]);
  });
});
