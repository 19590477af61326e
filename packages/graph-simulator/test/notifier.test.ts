import { describe, expect, it } from 'vitest';
import { GraphSimulator, type GraphSimulatorOptions } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { type ReceiverOptions, startReceiver } from './notification-receiver.ts';
import { subscribe } from './subscribe.ts';

const QUICK = { collectMs: 5, retryBaseMs: 10, retryCapMs: 40 };

async function setup(receiverOptions: ReceiverOptions = {}, options: GraphSimulatorOptions = {}) {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start({ delivery: QUICK, ...options }));
  const receiver = stack.use(await startReceiver(receiverOptions));
  const graph = stack.use(await connectTo(simulator));
  const user = simulator.users()[0]?.id ?? '';
  const event = (subject: string) => simulator.calendar.create(user, { subject });
  return { simulator, receiver, graph, user, event, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

describe('notifications', () => {
  it('have the documented shape', async () => {
    await using it = await setup();
    const subscription = await subscribe(it.graph, it.user, it.receiver.url);
    const { path, etag } = it.event('A meeting');
    await it.simulator.notifier.idle();
    const id = path.segments.at(-1)?.id;
    expect(it.receiver.posts[0]?.contentType).toMatch(/^application\/json/);
    expect(it.receiver.items()).toEqual([
      {
        subscriptionId: subscription.id,
        subscriptionExpirationDateTime: subscription.expirationDateTime,
        changeType: 'created',
        resource: `Users/${it.user}/Events/${id}`,
        resourceData: {
          '@odata.type': '#Microsoft.Graph.Event',
          '@odata.id': `Users/${it.user}/Events/${id}`,
          '@odata.etag': etag,
          id,
        },
        clientState: 'a secret of the app',
        tenantId: it.simulator.tenantId,
      },
    ]);
  });

  it('name Teams resources with keys, and announce new users as updated', async () => {
    await using it = await setup();
    const more = {
      resource: '/chats/c/messages',
      expirationDateTime: new Date(Date.now() + 50 * 60_000).toISOString(),
    };
    await subscribe(it.graph, it.user, it.receiver.url, more);
    await subscribe(it.graph, it.user, it.receiver.url, { resource: 'users', changeType: 'updated' });
    it.simulator.resources.create('chats/c/messages/1', { body: { content: 'hello' } });
    it.simulator.resources.create('users/aaaa', { displayName: 'New' });
    await it.simulator.notifier.idle();
    expect(it.receiver.items()).toMatchObject([
      {
        resource: "chats('c')/messages('1')",
        resourceData: { '@odata.type': '#Microsoft.Graph.chatMessage' },
      },
      { resource: 'Users/aaaa', changeType: 'updated' },
    ]);
    expect(it.receiver.items()[0].resourceData).not.toHaveProperty('@odata.etag');
  });

  it('go to subscriptions of that mailbox or folder and that change type alone, and never for seeded items', async () => {
    await using it = await setup();
    const other = it.simulator.users()[1]?.id ?? '';
    await subscribe(it.graph, it.user, it.receiver.url, { changeType: 'deleted' });
    const inbox = { resource: `users/${it.user}/mailFolders('Inbox')/messages` };
    await subscribe(it.graph, it.user, it.receiver.url, inbox);
    const { path } = it.event('To be deleted');
    it.simulator.calendar.create(other, { subject: 'Elsewhere' });
    it.simulator.resources.create(`users/${it.user}/messages/1`, { parentFolderId: 'inbox' });
    it.simulator.resources.create(`users/${it.user}/messages/2`, { parentFolderId: 'archive' });
    it.simulator.seed(`users/${it.user}/messages/3`, { parentFolderId: 'inbox' });
    it.simulator.calendar.remove(path.key);
    await it.simulator.notifier.idle();
    expect(
      it.receiver.items().map(({ changeType, resource }) => [changeType, resource.split('/')[2]]),
    ).toEqual([
      ['created', 'Messages'],
      ['deleted', 'Events'],
    ]);
  });

  it('come several in one POST, as many as are allowed', async () => {
    await using it = await setup({}, { delivery: { ...QUICK, maxItemsPerPost: 7 } });
    await subscribe(it.graph, it.user, it.receiver.url);
    for (let i = 0; i < 16; i += 1) it.event(`No ${i}`);
    await it.simulator.notifier.idle();
    expect(it.receiver.posts.map((post) => post.items.length)).toEqual([7, 7, 2]);
  });

  it('are repeated with growing pauses until they are answered with 2xx', async () => {
    await using it = await setup({ answer: (_post, n) => ([503, 302, 404, 202] as const)[n - 1] ?? 202 });
    await subscribe(it.graph, it.user, it.receiver.url);
    it.event('Stubborn');
    await it.simulator.notifier.idle();
    const tries = it.simulator.changeLog.ofKind('delivery');
    expect(tries.map(({ attempt, status }) => [attempt, status])).toEqual([
      [1, 503],
      [2, 302],
      [3, 404],
      [4, 202],
    ]);
    expect(new Set(it.receiver.items().map(({ resource }) => resource)).size).toBe(1);
    expect(it.simulator.state().notifications).toMatchObject({ delivered: 1, failedAttempts: 3, pending: 0 });
  });

  it('are cut off after the limit of the first attempt, and given longer on the next', async () => {
    const delivery = { ...QUICK, firstTimeoutMs: 80, retryTimeoutMs: 5_000 };
    await using it = await setup({ answer: (_post, n) => (n === 1 ? 'hang' : 202) }, { delivery });
    await subscribe(it.graph, it.user, it.receiver.url);
    it.event('Slow');
    await it.simulator.notifier.idle();
    const [first, second] = it.simulator.changeLog.ofKind('delivery');
    expect(first).toMatchObject({ status: null, error: 'timeout', answeredAt: null, attempt: 1 });
    expect(second).toMatchObject({ status: 202, attempt: 2 });
  });

  it('survive an endpoint that is down for a while', async () => {
    await using it = await setup();
    const gone = await startReceiver();
    await subscribe(it.graph, it.user, gone.url);
    await gone[Symbol.asyncDispose]();
    it.event('Nobody home');
    await expect
      .poll(() => it.simulator.changeLog.ofKind('delivery').length, { timeout: 5_000 })
      .toBeGreaterThan(2);
    expect(it.simulator.changeLog.ofKind('delivery')[0]).toMatchObject({
      status: null,
      error: 'ECONNREFUSED',
    });
    expect(it.simulator.state().notifications.pending).toBe(1);
    await expect(it.simulator.notifier.idle({ timeoutMs: 20 })).rejects.toThrow(
      '1 notifications are still pending',
    );
  });

  it('are given up in the end', async () => {
    await using it = await setup({ answer: () => 500 }, { delivery: { ...QUICK, retryForMs: 60 } });
    await subscribe(it.graph, it.user, it.receiver.url);
    it.event('Hopeless');
    await it.simulator.notifier.idle();
    expect(it.simulator.state().notifications).toMatchObject({ delivered: 0, abandoned: 1, pending: 0 });
  });

  it('are not held up by another endpoint that hangs', async () => {
    await using it = await setup();
    await using hanging = await startReceiver({ answer: () => 'hang' });
    await subscribe(it.graph, it.user, hanging.url);
    await subscribe(it.graph, it.user, it.receiver.url, { changeType: 'created' });
    for (let i = 0; i < 300; i += 1) it.event(`No ${i}`);
    await expect.poll(() => it.receiver.items().length, { timeout: 2_500 }).toBe(300);
    expect(it.simulator.state().notifications).toMatchObject({ delivered: 300, pending: 300 });
  });

  it('of a deleted subscription are not sent any more', async () => {
    await using it = await setup({ answer: () => 503 });
    const { id } = await subscribe(it.graph, it.user, it.receiver.url);
    it.event('Orphan');
    await expect.poll(() => it.receiver.posts.length).toBeGreaterThan(0);
    await it.graph.call('DELETE', `/subscriptions/${id}`);
    await it.simulator.notifier.idle();
    expect(it.simulator.state().notifications).toMatchObject({ unwanted: 1, delivered: 0 });
  });

  it('reuse connections: a thousand of them, in 50 POSTs or more, need less than half as many', async () => {
    await using it = await setup();
    await subscribe(it.graph, it.user, it.receiver.url);
    for (let i = 0; i < 1_000; i += 1) it.event(`No ${i}`);
    await it.simulator.notifier.idle();
    expect(it.receiver.items()).toHaveLength(1_000);
    expect(it.receiver.posts.length).toBeGreaterThanOrEqual(50);
    expect(it.receiver.connections()).toBeLessThan(it.receiver.posts.length / 2);
  });
});
