import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { callGraph } from '../support/graph-call.ts';
import { startPipeline } from '../support/pipeline.ts';

const MINUTE_MS = 60_000;

describe('a wanted subscription', () => {
  it('is made with a real handshake and a clientState of its own', async () => {
    const { simulator, services, stack } = await startPipeline({ users: 3 });
    const actions = simulator.changeLog.ofKind('subscription');
    expect(actions.filter(({ action }) => action === 'created')).toHaveLength(3);
    const known = await subscriptionsOf(simulator);
    expect(known).toHaveLength(3);
    const states = known.map(({ clientState }) => String(clientState));
    expect(new Set(states).size).toBe(3);
    for (const state of states) expect(state).toMatch(/^v1\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}$/);
    expect(known.map(({ notificationUrl }) => notificationUrl)).toEqual(
      Array.from({ length: 3 }, () => `${services.receiver.url}/events`),
    );
    expect(stack.redisPrefix).toBeTruthy();
  });

  it('is renewed before it expires, and goes on delivering', async () => {
    const clock = { aheadMs: 0 };
    const { simulator, eventsOf } = await startPipeline({
      simulator: { now: () => Date.now() + clock.aheadMs },
      worker: { RECONCILE_EVERY_MS: '1000' },
    });
    const [before] = simulator.changeLog.ofKind('subscription');
    // To Graph's clock a week less three hours has passed; ours says that two thirds of its life are to come.
    clock.aheadMs = 10_060 * MINUTE_MS - 3 * 60 * MINUTE_MS;
    await reauthorizationRequired(simulator);
    await eventually(() => expect(actionsOf(simulator)).toContain('renewed'));
    const renewed = simulator.changeLog.ofKind('subscription').find(({ action }) => action === 'renewed');
    expect(renewed?.id).toBe(before?.id);
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', { subject: 'Still heard' });
    await eventually(() => expect(eventsOf(path.key)).toHaveLength(1));
  });

  it('is made anew when Graph says that it was removed, and what was not notified meanwhile is read', async () => {
    const { simulator, eventsOf, deadLetters } = await startPipeline();
    const [subscription] = await subscriptionsOf(simulator);
    const [user] = simulator.users();
    await callGraph(simulator, 'DELETE', `/subscriptions/${subscription?.id}`);
    const unheard = simulator.calendar.create(user?.id ?? '', { subject: 'Nobody was told' });
    await lifecycle(simulator, subscription, 'subscriptionRemoved');
    await eventually(() => expect(simulator.subscriptions.size).toBe(1));
    await eventually(() =>
      expect(eventsOf(unheard.path.key)).toMatchObject([
        { acquisition: 'snapshot', resourceversion: unheard.etag },
      ]),
    );
    const heard = simulator.calendar.create(user?.id ?? '', { subject: 'Heard again' });
    await eventually(() => expect(eventsOf(heard.path.key)).toMatchObject([{ acquisition: 'fetched' }]));
    await eventually(() => expect(deadLetters()).toMatchObject([{ data: { stage: 'resync' } }]));
  });

  it('that was missed a notification is known to have a hole', async () => {
    const { simulator, deadLetters } = await startPipeline();
    const [subscription] = await subscriptionsOf(simulator);
    await lifecycle(simulator, subscription, 'missed');
    await eventually(() => expect(deadLetters()).toHaveLength(1));
    expect(deadLetters()[0]).toMatchObject({
      data: { stage: 'resync', notification: { lifecycleEvent: 'missed' } },
    });
  });
});

type Simulator = Awaited<ReturnType<typeof startPipeline>>['simulator'];
type Subscription = Record<string, unknown>;

function actionsOf(simulator: Simulator): string[] {
  return simulator.changeLog.ofKind('subscription').map(({ action }) => action);
}

async function reauthorizationRequired(simulator: Simulator): Promise<void> {
  const [subscription] = await subscriptionsOf(simulator);
  await lifecycle(simulator, subscription, 'reauthorizationRequired');
}

/** Posts what Graph would post to the lifecycle address (change-notifications-lifecycle-events). */
async function lifecycle(
  simulator: Simulator,
  subscription: Subscription | undefined,
  lifecycleEvent: string,
) {
  const { id, clientState, expirationDateTime, lifecycleNotificationUrl } = subscription ?? {};
  const item = {
    subscriptionId: id,
    subscriptionExpirationDateTime: expirationDateTime,
    tenantId: simulator.tenantId,
    clientState,
    lifecycleEvent,
  };
  const response = await fetch(String(lifecycleNotificationUrl), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ value: [item] }),
  });
  expect(response.status).toBe(202);
}

async function subscriptionsOf(simulator: Simulator): Promise<Subscription[]> {
  return (await callGraph(simulator, 'GET', '/subscriptions')).value as Subscription[];
}
