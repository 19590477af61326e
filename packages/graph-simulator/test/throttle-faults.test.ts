import { describe, expect, it } from 'vitest';
import { connectTo } from './graph-caller.ts';
import { setUpGraph } from './graph-setup.ts';

const batch = (...urls: string[]) => ({
  body: { requests: urls.map((url, i) => ({ id: String(i), method: 'GET', url })) },
});

describe('a fault that throttles an app', () => {
  it('refuses each call and every batch as a whole, with the scope and the time that is left', async () => {
    await using it = await setUpGraph();
    it.simulator.faults.add({ on: 'throttle', scope: 'application', forMs: 30_000 });
    for (const [method, path, options] of [
      ['GET', '/users', {}],
      ['GET', `/users/${it.user}/events`, {}],
      ['GET', '/subscriptions', {}],
      ['POST', '/$batch', batch('/users')],
    ] as const) {
      const { status, headers, body } = await it.graph.call(method, path, options);
      expect(status, path).toBe(429);
      expect(body.error.code).toBe('TooManyRequests');
      expect(headers.get('x-ms-throttle-scope')).toBe(`Application/ReadWrite/${it.simulator.clientId}`);
      const waitS = Number(headers.get('retry-after'));
      expect(waitS).toBeGreaterThan(20);
      expect(waitS).toBeLessThanOrEqual(30);
    }
    expect((await it.graph.token()).status).toBe(200);
    it.simulator.clock.advance(30_000);
    expect((await it.graph.call('POST', '/$batch', batch('/users'))).status).toBe(200);
  });

  it('leaves other apps and other tenants alone where it names one', async () => {
    const other = { clientId: '11111111-2222-4333-8444-555555555555', clientSecret: 'other' };
    await using it = await setUpGraph();
    it.simulator.addApplication(other);
    await using neighbour = await connectTo(it.simulator, other);
    const { clientId, tenantId } = it.simulator;
    const fault = it.simulator.faults.add({ on: 'throttle', scope: 'tenant', clientId, tenantId, times: 1 });
    expect((await neighbour.call('GET', '/users')).status).toBe(200);
    const refused = await it.graph.call('GET', '/users');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('x-ms-throttle-scope')).toBe(
      `Tenant_Application/ReadWrite/${clientId}/${tenantId}`,
    );
    expect((await it.graph.call('GET', '/users')).status).toBe(200);
    expect(fault.hits).toBe(1);
  });
});

describe('a fault that throttles a mailbox', () => {
  it.each([
    [{}, 'ApplicationThrottled', 'Application is over its MailboxConcurrency limit.'],
    [{ limit: 'requests' }, 'TooManyRequests', 'Please retry again later.'],
  ])('with %j refuses its calls and parts, and no other mailbox’s', async (more, code, message) => {
    await using it = await setUpGraph();
    const other = it.simulator.users()[1]?.id;
    const added = await it.graph.raw('POST', '/simulator/faults', {
      body: {
        on: 'throttle',
        scope: 'mailbox',
        mailbox: `Users('${it.user.toUpperCase()}')`,
        times: 'always',
        retryAfterMs: 7_000,
        ...more,
      },
    });
    expect(added.status).toBe(201);
    const refused = await it.graph.call('GET', `/users/${it.user}/events`);
    expect(refused).toMatchObject({ status: 429, body: { error: { code, message } } });
    expect(refused.headers.get('retry-after')).toBe('7');
    expect(refused.headers.get('x-ms-throttle-scope')).toBeNull();
    expect((await it.graph.call('GET', `/users/${other}/events`)).status).toBe(200);
    // The user is no mailbox.
    expect((await it.graph.call('GET', `/users/${it.user}`)).status).toBe(200);
    const { status, body } = await it.graph.call(
      'POST',
      '/$batch',
      batch(`/users/${it.user}/messages`, `/users/${other}/messages`),
    );
    expect(status).toBe(200);
    const statuses = new Map(
      body.responses.map((one: { id: string; status: number }) => [one.id, one.status]),
    );
    expect([statuses.get('0'), statuses.get('1')]).toEqual([429, 200]);
    const { body: inflicted } = await it.graph.raw('GET', '/simulator/faults/inflicted');
    expect(inflicted.value).toMatchObject([{ effect: 'throttle mailbox' }, { effect: 'throttle mailbox' }]);
  });

  it('is refused as a document where it names a mailbox without being of one', async () => {
    await using it = await setUpGraph();
    const { status, body } = await it.graph.raw('POST', '/simulator/faults', {
      body: { on: 'throttle', scope: 'application', mailbox: 'users/u' },
    });
    expect(status).toBe(400);
    expect(body.error).toBe('mailbox: needs "scope": "mailbox"');
  });
});

describe('the limit of 130,000 calls in 10 seconds', () => {
  it('tells whose it is', async () => {
    await using it = await setUpGraph({ requestLimits: { requests: 1 } });
    await it.graph.call('GET', '/users');
    const { status, headers } = await it.graph.call('GET', '/users');
    expect(status).toBe(429);
    expect(headers.get('x-ms-throttle-scope')).toBe(`Application/ReadWrite/${it.simulator.clientId}`);
  });
});
