import { describe, expect, it } from 'vitest';
import { startWebhookApp } from './webhook-app.ts';

const HOUR_MS = 3_600_000;

describe('the control calls for time and subscriptions', () => {
  it('tell the time and move it on', async () => {
    await using it = await startWebhookApp();
    await it.subscribe({ expirationDateTime: it.inMinutes(60) });
    const before = Date.parse((await it.graph.raw('GET', '/simulator/clock')).body.now);
    const { status, body } = await it.graph.raw('POST', '/simulator/clock', {
      body: { advanceMs: 2 * HOUR_MS },
    });
    expect(status).toBe(200);
    expect(Date.parse(body.now) - before).toBeGreaterThanOrEqual(2 * HOUR_MS);
    expect(it.simulator.state().subscriptions).toBe(0);
  });

  it.each([{}, { advanceMs: -1 }, { advanceMs: 'soon' }, { advanceMs: 1e15 }, { advanceMs: 1, by: 2 }])(
    'refuse to move it by %j',
    async (body) => {
      await using it = await startWebhookApp();
      const answer = await it.graph.raw('POST', '/simulator/clock', { body });
      expect(answer.status).toBe(400);
      expect(answer.body.error).toEqual(expect.any(String));
    },
  );

  it('list all subscriptions, without their clientState', async () => {
    await using it = await startWebhookApp();
    const { id } = await it.subscribe();
    const { body } = await it.graph.raw('GET', '/simulator/subscriptions');
    expect(body.value).toMatchObject([{ id, tenantId: it.simulator.tenantId, isPaused: false }]);
    expect(JSON.stringify(body)).not.toContain('a secret of the app');
  });

  it.each(['missed', 'reauthorizationRequired', 'subscriptionRemoved'])('send %s', async (event) => {
    await using it = await startWebhookApp();
    const { id } = await it.subscribe();
    const { status, body } = await it.graph.raw('POST', `/simulator/subscriptions/${id}/lifecycle`, {
      body: { event },
    });
    expect([status, body]).toEqual([202, { isSent: true }]);
    await it.simulator.notifier.idle();
    expect(it.receiver.items()).toMatchObject([{ subscriptionId: id, lifecycleEvent: event }]);
    expect(it.simulator.subscriptions.size).toBe(event === 'subscriptionRemoved' ? 0 : 1);
  });

  it('say why a notification cannot be sent', async () => {
    await using it = await startWebhookApp();
    const { id } = await it.subscribe({ lifecycleNotificationUrl: undefined });
    const send = (of: string, event: string) =>
      it.graph.raw('POST', `/simulator/subscriptions/${of}/lifecycle`, { body: { event } });
    expect(await send(id, 'missed')).toMatchObject({
      status: 409,
      body: { error: `Subscription ${id} has no lifecycleNotificationUrl.` },
    });
    expect((await send('none', 'missed')).status).toBe(404);
    expect((await send(id, 'cancelled')).status).toBe(400);
  });
});
