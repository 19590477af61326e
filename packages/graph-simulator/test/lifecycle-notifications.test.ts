import { describe, expect, it } from 'vitest';
import type { GraphSimulatorOptions } from '../src/index.ts';
import { GRAPH_LIFECYCLE, nextChallengeMs } from '../src/lifecycle-notifications.ts';
import { connectTo } from './graph-caller.ts';
import type { ReceiverOptions } from './notification-receiver.ts';
import { MINUTE_MS, startWebhookApp, type WebhookApp } from './webhook-app.ts';

const HOUR_MS = 60 * MINUTE_MS;

function notices({ receiver }: WebhookApp) {
  return receiver.posts.filter(({ path }) => path === '/lifecycle').flatMap(({ items }) => items);
}

const eventsOf = (it: WebhookApp) => notices(it).map(({ lifecycleEvent }) => lifecycleEvent);

const changes = ({ receiver }: WebhookApp) =>
  receiver.posts.filter(({ path }) => path === '/events').flatMap(({ items }) => items);

/** Lets time pass in steps, each until everything that was to be sent then has arrived. */
async function pass(it: WebhookApp, minutes: number, step = 5): Promise<void> {
  for (let passed = 0; passed < minutes; passed += step) {
    it.simulator.clock.advance(step * MINUTE_MS);
    await it.simulator.notifier.idle();
  }
}

describe('a lifecycle notification', () => {
  it('has the documented shape, goes to its own address, and comes with others of other kinds', async () => {
    await using it = await startWebhookApp();
    const one = await it.subscribe();
    const two = await it.subscribe({ changeType: 'deleted' });
    it.simulator.lifecycle.missed(one.id);
    it.simulator.lifecycle.reauthorizationRequired(two.id);
    await it.simulator.notifier.idle();
    expect(it.receiver.posts).toHaveLength(1);
    expect(it.receiver.posts[0]).toMatchObject({ path: '/lifecycle' });
    expect(notices(it)).toEqual([
      {
        subscriptionId: one.id,
        subscriptionExpirationDateTime: one.expirationDateTime,
        tenantId: it.simulator.tenantId,
        clientState: 'a secret of the app',
        lifecycleEvent: 'missed',
      },
      expect.objectContaining({ subscriptionId: two.id, lifecycleEvent: 'reauthorizationRequired' }),
    ]);
  });

  it('is repeated until it is answered, and each attempt is in the change log', async () => {
    await using it = await startWebhookApp({}, { answer: (_post, n) => (n === 1 ? 503 : 202) });
    const { id } = await it.subscribe();
    it.simulator.lifecycle.missed(id);
    await it.simulator.notifier.idle();
    expect(it.simulator.changeLog.ofKind('lifecycle')).toMatchObject([
      { subscriptionId: id, lifecycleEvent: 'missed', attempt: 1, status: 503 },
      { subscriptionId: id, lifecycleEvent: 'missed', attempt: 2, status: 202 },
    ]);
    expect(it.simulator.changeLog.ofKind('delivery')).toEqual([]);
  });

  it('can share an address with notifications of changes, in POSTs of its own', async () => {
    await using it = await startWebhookApp();
    const { id } = await it.subscribe({ lifecycleNotificationUrl: it.receiver.url });
    it.event('A change');
    it.simulator.lifecycle.missed(id);
    await it.simulator.notifier.idle();
    expect(it.receiver.posts.map(({ items }) => items.length)).toEqual([1, 1]);
  });

  it('of a removal takes the subscription away', async () => {
    await using it = await startWebhookApp();
    const { id } = await it.subscribe();
    expect(it.simulator.lifecycle.removeSubscription(id)).toBe(true);
    expect((await it.graph.call('GET', `/subscriptions/${id}`)).status).toBe(404);
    it.event('Unheard');
    await it.simulator.notifier.idle();
    expect(it.receiver.items()).toMatchObject([
      { subscriptionId: id, lifecycleEvent: 'subscriptionRemoved' },
    ]);
    expect(it.simulator.changeLog.ofKind('subscription').at(-1)).toMatchObject({ id, action: 'removed' });
  });

  it.each([
    ['a mailbox’s messages', 'users/{user}/messages', true, true],
    ['a folder’s messages', "users/{user}/mailFolders('inbox')/messages", true, true],
    ['contacts', 'users/{user}/contacts', true, true],
    ['messages of a chat', 'chats/c/messages', true, false],
    ['messages of all channels', 'teams/getAllMessages', true, false],
    ['chats', 'chats/c', false, false],
    ['users', 'users', false, false],
  ])('for %s is sent as far as Graph names it', async (_what, resource, removal, missed) => {
    await using it = await startWebhookApp();
    const wish = { resource: resource.replace('{user}', it.user), changeType: 'updated' };
    const { id } = await it.subscribe(wish);
    if (missed) it.simulator.lifecycle.missed(id);
    else expect(() => it.simulator.lifecycle.missed(id)).toThrow('Graph sends no missed for');
    it.simulator.lifecycle.reauthorizationRequired(id);
    expect(it.simulator.lifecycle.removeSubscription(id)).toBe(removal);
    await it.simulator.notifier.idle();
    // The others are not sent any more once the subscription has gone.
    expect(eventsOf(it)).toEqual(removal ? ['subscriptionRemoved'] : []);
    expect(it.simulator.subscriptions.size).toBe(0);
  });

  it('needs an address and a subscription', async () => {
    await using it = await startWebhookApp();
    const { id } = await it.subscribe({ lifecycleNotificationUrl: undefined });
    expect(() => it.simulator.lifecycle.missed(id)).toThrow('has no lifecycleNotificationUrl');
    expect(() => it.simulator.lifecycle.missed('none')).toThrow('There is no subscription none.');
    expect(it.simulator.lifecycle.removeSubscription(id)).toBe(false);
    await it.simulator.notifier.idle();
    expect(it.receiver.posts).toEqual([]);
  });
});

describe('"missed" by itself', () => {
  it('tells once of all that was given up in ten minutes, and again of what was later', async () => {
    const delivery = { retryForMs: 1 };
    const answer: ReceiverOptions['answer'] = ({ path }) => (path === '/events' ? 500 : 202);
    await using it = await startWebhookApp({ delivery }, { answer });
    const { id } = await it.subscribe();
    for (let i = 0; i < 30; i += 1) it.event(`No ${i}`);
    await it.simulator.notifier.idle();
    await expect.poll(() => eventsOf(it)).toEqual(['missed']);
    it.simulator.clock.advance(10 * MINUTE_MS);
    await it.simulator.notifier.idle();
    expect(notices(it)).toMatchObject([
      { subscriptionId: id, lifecycleEvent: 'missed' },
      { subscriptionId: id, lifecycleEvent: 'missed' },
    ]);
    await pass(it, 30);
    expect(eventsOf(it).filter((event) => event === 'missed')).toHaveLength(2);
  });

  it('does not come for what a fault has dropped, nor for kinds that have none', async () => {
    const delivery = { retryForMs: 1 };
    await using it = await startWebhookApp({ delivery }, { answer: () => 500 });
    await it.subscribe();
    it.simulator.faults.add({ on: 'delivery', drop: true });
    it.event('Dropped');
    await it.subscribe({ resource: 'users', changeType: 'updated' });
    it.simulator.resources.create('users/aaaa', { displayName: 'New' });
    await it.simulator.notifier.idle();
    expect(it.simulator.state().notifications).toMatchObject({ dropped: 1, abandoned: 1 });
    expect(notices(it)).toEqual([]);
  });
});

describe('the documented formula', () => {
  it.each([
    ['a day before the end: at 12 hours', 24 * HOUR_MS, 12 * HOUR_MS],
    ['at 12 hours: after half of a quarter', 12 * HOUR_MS, 1.5 * HOUR_MS],
    ['at 8 hours', 8 * HOUR_MS, HOUR_MS],
    ['at 4 hours: every 15 minutes', 4 * HOUR_MS, 15 * MINUTE_MS],
    ['15 minutes before the end: at its last minutes', 15 * MINUTE_MS, 13 * MINUTE_MS],
    ['two minutes before the end: none', 2 * MINUTE_MS, undefined],
    ['at the end', 0, undefined],
  ])('has the next challenge, %s', (_when, leftMs, expected) => {
    expect(nextChallengeMs(GRAPH_LIFECYCLE, leftMs)).toBe(expected);
  });
});

describe('reauthorization', () => {
  const patient: GraphSimulatorOptions = { tokenLifetimeSeconds: 3_600 };

  it('is required every 15 minutes while the token has less than 4 hours', async () => {
    await using it = await startWebhookApp(patient);
    await it.subscribe();
    await pass(it, 14, 14);
    expect(notices(it)).toEqual([]);
    await pass(it, 36, 4);
    expect(eventsOf(it)).toEqual(Array(3).fill('reauthorizationRequired'));
    await pass(it, 20, 1);
    expect(eventsOf(it)).toHaveLength(4);
  });

  it('answered with the old token alone, pauses the delivery all the same when that ends', async () => {
    await using it = await startWebhookApp(patient);
    const { id } = await it.subscribe();
    await pass(it, 59, 1);
    expect((await it.graph.call('POST', `/subscriptions/${id}/reauthorize`)).status).toBe(204);
    await pass(it, 1, 1);
    it.event('Lost');
    await it.simulator.notifier.idle();
    expect(changes(it)).toEqual([]);
    await using later = await connectTo(it.simulator);
    await later.call('POST', `/subscriptions/${id}/reauthorize`);
    it.event('Heard');
    await it.simulator.notifier.idle();
    expect(changes(it)).toHaveLength(1);
  });

  it('is not required of whoever has no address for it', async () => {
    await using it = await startWebhookApp(patient);
    await it.subscribe({ lifecycleNotificationUrl: undefined });
    await pass(it, 90, 15);
    it.event('Heard all the same');
    await it.simulator.notifier.idle();
    expect(it.receiver.items()).toHaveLength(1);
  });

  it('begins 12 hours before the subscription ends, if that is sooner than the token', async () => {
    await using it = await startWebhookApp({ tokenLifetimeSeconds: 10 * 86_400 });
    await it.subscribe({ expirationDateTime: it.inMinutes(24 * 60) });
    await pass(it, 11 * 60, 60);
    expect(notices(it)).toEqual([]);
    await pass(it, 70, 10);
    expect(eventsOf(it)).toEqual(['reauthorizationRequired']);
  });

  it('unanswered, pauses the delivery when the token has ended: changes are lost until it is answered', async () => {
    await using it = await startWebhookApp(patient);
    const { id } = await it.subscribe();
    await pass(it, 55);
    it.event('In time');
    await it.simulator.notifier.idle();
    await pass(it, 10);
    it.event('Lost');
    await it.simulator.notifier.idle();
    expect(changes(it)).toHaveLength(1);
    expect(it.simulator.state().notifications.paused).toBe(1);
    await using later = await connectTo(it.simulator);
    expect((await later.call('POST', `/subscriptions/${id}/reauthorize`)).status).toBe(204);
    it.event('Heard again');
    await it.simulator.notifier.idle();
    expect(changes(it)).toHaveLength(2);
    const said = notices(it).length;
    await pass(it, 15);
    expect(notices(it)).toHaveLength(said + 1);
  });

  it('is given by PATCH too', async () => {
    await using it = await startWebhookApp(patient);
    const { id } = await it.subscribe();
    await pass(it, 65);
    await using later = await connectTo(it.simulator);
    const body = { expirationDateTime: it.inMinutes(300) };
    expect((await later.call('PATCH', `/subscriptions/${id}`, { body })).status).toBe(200);
    it.event('Heard');
    await it.simulator.notifier.idle();
    expect(changes(it)).toHaveLength(1);
  });

  it('given in time with a new token, lets nothing pause', async () => {
    await using it = await startWebhookApp(patient);
    const { id } = await it.subscribe();
    await pass(it, 50);
    await using later = await connectTo(it.simulator);
    await later.call('POST', `/subscriptions/${id}/reauthorize`);
    await pass(it, 20);
    it.event('Heard');
    await it.simulator.notifier.idle();
    expect(changes(it)).toHaveLength(1);
  });

  it('unanswered, holds the notifications for 4 hours where that is set', async () => {
    await using it = await startWebhookApp({ ...patient, lifecycle: { whilePaused: 'hold' } });
    const { id } = await it.subscribe();
    await pass(it, 65);
    it.event('Too old in the end');
    it.simulator.clock.advance(3 * HOUR_MS);
    it.event('Held');
    expect(it.simulator.state().notifications.pending).toBe(2);
    it.simulator.clock.advance(61 * MINUTE_MS);
    await expect.poll(() => it.simulator.state().notifications).toMatchObject({ abandoned: 1, pending: 1 });
    await using later = await connectTo(it.simulator);
    await later.call('POST', `/subscriptions/${id}/reauthorize`);
    await it.simulator.notifier.idle();
    expect(it.simulator.state().notifications).toMatchObject({ abandoned: 1, paused: 0 });
    expect(changes(it)).toHaveLength(1);
  });

  it('is not required by itself where that is set, and then never pauses anything', async () => {
    await using it = await startWebhookApp({ ...patient, lifecycle: { areChallengesAutomatic: false } });
    const { id } = await it.subscribe();
    await pass(it, 120, 15);
    expect(notices(it)).toEqual([]);
    it.event('Heard');
    await it.simulator.notifier.idle();
    it.simulator.lifecycle.reauthorizationRequired(id);
    await pass(it, 15);
    it.event('Lost');
    await it.simulator.notifier.idle();
    expect(changes(it)).toHaveLength(1);
  });
});
