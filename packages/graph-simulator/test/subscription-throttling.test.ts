import { describe, expect, it } from 'vitest';
import type { GraphSimulatorOptions } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';
import { subscriptionRequest } from './subscribe.ts';
import { startWebhookApp } from './webhook-app.ts';

const OTHER_TENANT = '22222222-2222-4222-8222-222222222222';
const limit = (perApplication: number, perApplicationAndTenant = perApplication) => ({
  perApplication,
  perApplicationAndTenant,
});

const setup = (subscriptionThrottling: GraphSimulatorOptions['subscriptionThrottling']) =>
  startWebhookApp(subscriptionThrottling === undefined ? {} : { subscriptionThrottling });

describe('calls about subscriptions', () => {
  it('are too many after 25 lists in 20 s, and welcome when those are over', async () => {
    await using it = await setup(undefined);
    const list = () => it.graph.call('GET', '/subscriptions');
    const statuses = (await Promise.all(Array.from({ length: 26 }, list))).map(({ status }) => status);
    expect(statuses.filter((status) => status === 200)).toHaveLength(25);
    const refused = await list();
    expect(refused.status).toBe(429);
    expect(refused.body.error.code).toBe('TooManyRequests');
    const waitSeconds = Number(refused.headers.get('retry-after'));
    expect(waitSeconds).toBeGreaterThan(10);
    expect(waitSeconds).toBeLessThanOrEqual(20);
    it.simulator.clock.advance(waitSeconds * 1000);
    expect((await list()).status).toBe(200);
  });

  it('count by kind: what reads one, what alters one, and reauthorization', async () => {
    await using it = await setup({ write: limit(2), read: limit(1), reauthorize: limit(1) });
    const { id } = await it.subscribe();
    const body = { expirationDateTime: it.inMinutes(120) };
    const statuses: number[] = [];
    for (const [method, path, content] of [
      ['GET', '', undefined],
      ['GET', '', undefined],
      ['POST', '/reauthorize', undefined],
      ['POST', '/reauthorize', undefined],
      ['PATCH', '', body],
      ['PATCH', '', body],
      ['DELETE', '', undefined],
    ] as const) {
      const call = content === undefined ? {} : { body: content };
      statuses.push((await it.graph.call(method, `/subscriptions/${id}${path}`, call)).status);
    }
    expect(statuses).toEqual([200, 429, 204, 429, 200, 429, 429]);
    expect(it.simulator.subscriptions.get(id)).toBeDefined();
  });

  it('count for an app and a tenant, and for the app in all its tenants', async () => {
    await using it = await setup({ list: limit(3, 2) });
    const { clientId, clientSecret } = it.simulator;
    it.simulator.addApplication({ clientId, clientSecret, tenantId: OTHER_TENANT });
    const abroad = await it.graph.token({}, OTHER_TENANT);
    const headers = { authorization: `Bearer ${abroad.body.access_token}` };
    const statuses: number[] = [];
    for (const options of [{}, {}, { headers }, { headers }]) {
      statuses.push((await it.graph.call('GET', '/subscriptions', options)).status);
    }
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  it('do not count for another app', async () => {
    await using it = await setup({ list: limit(1) });
    const other = { clientId: '11111111-1111-4111-8111-111111111111', clientSecret: 'other' };
    it.simulator.addApplication(other);
    await using caller = await connectTo(it.simulator, other);
    expect((await it.graph.call('GET', '/subscriptions')).status).toBe(200);
    expect((await caller.call('GET', '/subscriptions')).status).toBe(200);
  });

  it('that are refused have done nothing', async () => {
    await using it = await setup({ write: limit(0) });
    const body = subscriptionRequest(it.user, it.receiver.url);
    expect((await it.graph.call('POST', '/subscriptions', { body })).status).toBe(429);
    expect(it.receiver.validations).toEqual([]);
    expect(it.simulator.subscriptions.size).toBe(0);
  });

  it('are never too many where that is switched off', async () => {
    await using it = await setup(false);
    for (let i = 0; i < 50; i += 1) {
      expect((await it.graph.call('GET', '/subscriptions')).status).toBe(200);
    }
  });
});
