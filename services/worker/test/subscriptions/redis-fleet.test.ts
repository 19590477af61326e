/** What Redis keeps of the subscriptions beside themselves, and who may change it. */
import { describe, expect, it } from 'vitest';
import { createCallPace } from '../../src/subscriptions/call-pace.ts';
import { type HeldFleet, LeaseLostError } from '../../src/subscriptions/fleet.ts';
import { createRedisFleet } from '../../src/subscriptions/redis-fleet.ts';
import {
  createSubscriptionStore,
  type KnownSubscription,
} from '../../src/subscriptions/subscription-store.ts';
import { ownRedis } from '../support/own-redis.ts';

const TENANT = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';

const subscription = (id: string, more: Partial<KnownSubscription> = {}): KnownSubscription => ({
  id,
  wish: `calendars/${id}`,
  tenantId: TENANT,
  resource: 'users/ada/events',
  changeType: 'created',
  topic: 'graph.events',
  whole: true,
  nonce: 'nonce',
  expiresAt: 1,
  ...more,
});

async function setup(leaseMs?: number) {
  const own = ownRedis();
  const fleet = createRedisFleet(own.redis, own.names, () => 1000, leaseMs);
  const held = (await fleet.hold()) as HeldFleet;
  return { ...own, fleet, held, store: createSubscriptionStore(own.redis, own.names) };
}

describe('a look at a fleet of which nothing is due', () => {
  it('is one command, however large the fleet is', async () => {
    const { redis, fleet, held } = await setup();
    const wishes = Array.from({ length: 5000 }, (_, nth) => [`w${nth}`, 5000 + nth] as const);
    await held.schedule(new Map(wishes));
    await held.setState({ aliveAt: 7, generation: 'g' });
    const sent: string[] = [];
    const send = redis.sendCommand.bind(redis);
    redis.sendCommand = (command, ...rest) => {
      sent.push(command.name);
      return send(command, ...rest);
    };
    expect(await fleet.look(4999, 200)).toEqual({ state: { aliveAt: 7, generation: 'g' }, due: [] });
    expect(sent).toEqual(['evalsha']);
    expect((await fleet.look(5199, 100)).due).toEqual(wishes.slice(0, 100).map(([wish]) => wish));
  });
});

describe('what is saved', () => {
  it('is found by its wish, and counted by secret and reason, until it is forgotten', async () => {
    const { held, store, fleet } = await setup();
    await store.save(subscription('a', { wish: 'w', secret: 'new' }));
    await held.save(subscription('b', { wish: 'w', secret: 'old', replacedAt: 3 }));
    const trouble = { reason: 'quota', detail: 'full', since: 1, tries: 1, until: 9 } as const;
    await held.note('w', trouble);
    await held.note('w', { ...trouble, reason: 'handshake' });
    await held.intend('w', { nonce: 'n', settlesAt: 5 });
    const [record] = await held.read(['w']);
    expect(record?.subscriptions.map(({ id }) => id)).toEqual(['a', 'b']);
    expect(record).toMatchObject({ trouble: { reason: 'handshake' }, intent: { nonce: 'n' } });
    const serving = { is: 'serving', tenantId: TENANT, secret: 'new', count: 1 };
    const replaced = { is: 'replaced', tenantId: TENANT, secret: 'old', count: 1 };
    expect(await fleet.counts()).toEqual({ subscriptions: [serving, replaced], troubles: { handshake: 1 } });

    await held.note('w', undefined);
    await held.save(subscription('a', { wish: 'w', secret: 'new', replacedAt: 4 }));
    await held.forget('b');
    expect(await fleet.counts()).toEqual({ subscriptions: [{ ...replaced, secret: 'new' }], troubles: {} });
    await held.save(subscription('c', { wish: 'w' }));
    expect(
      (await held.read(['w', 'x'])).map(({ subscriptions, intent }) => [subscriptions.length, intent]),
    ).toEqual([
      [2, undefined],
      [0, undefined],
    ]);
  });

  it('without its index, as by an older version, is indexed and counted by a look at everything', async () => {
    const { redis, names, held, fleet } = await setup();
    await redis.hset(`${names.prefix}:subscriptions`, 'a', JSON.stringify(subscription('a')));
    expect(await held.read(['calendars/a'])).toEqual([{ wish: 'calendars/a', subscriptions: [] }]);
    expect(await held.all()).toMatchObject({
      records: [{ wish: 'calendars/a', subscriptions: [{ id: 'a' }] }],
      byId: new Map([['a', { id: 'a' }]]),
    });
    expect(await held.read(['calendars/a'])).toMatchObject([{ subscriptions: [{ id: 'a' }] }]);
    expect((await fleet.counts()).subscriptions).toMatchObject([{ is: 'serving', count: 1 }]);
  });

  it('is due at once when Graph demands something of it', async () => {
    const { store, held } = await setup();
    await store.save(subscription('a'));
    await held.schedule(new Map([['calendars/a', 9999]]));
    expect((await held.look(1000, 10)).due).toEqual([]);
    await store.demand('a', 'renew');
    expect((await held.look(1000, 10)).due).toEqual(['calendars/a']);
  });
});

describe('the lease', () => {
  it('has one holder, and after it is let go another one', async () => {
    const { fleet, held } = await setup();
    expect(await fleet.hold()).toBeUndefined();
    await held.release();
    await held.release();
    const next = await fleet.hold();
    expect(next).toBeDefined();
    await next?.release();
  });

  it('that somebody else has by now refuses each write of its former holder, at Redis and before Graph', async () => {
    const { redis, names, held, fleet } = await setup();
    await redis.set(`${names.prefix}:subscription-lease`, 'somebody else');
    const writes = [
      () => held.save(subscription('a')),
      () => held.forget('a'),
      () => held.intend('w', { nonce: 'n', settlesAt: 1 }),
      () => held.note('w', undefined),
      () => held.schedule(new Map([['w', 1]])),
      () => held.setState({ aliveAt: 1 }),
    ];
    for (const write of writes) await expect(write()).rejects.toBeInstanceOf(LeaseLostError);
    expect(await fleet.look(2000, 10)).toEqual({ state: {}, due: [] });
    await held.release();
    expect(await redis.get(`${names.prefix}:subscription-lease`)).toBe('somebody else');
    expect(() => held.check()).toThrow(LeaseLostError);
  });
});

describe('the pace', () => {
  it('lets 40 changes go at once, then 18 a second, for each tenant, also after a restart', async () => {
    const { redis, names } = await setup();
    const turns = async (count: number, tenant = 't') => {
      const pace = createCallPace(redis, names);
      return Promise.all(Array.from({ length: count }, () => pace.turn(tenant, 'write', 60_000)));
    };
    expect(await turns(40)).toEqual(Array.from({ length: 40 }, () => 0));
    const later = await turns(360);
    expect(later.at(-1)).toBeGreaterThan(19_000);
    expect(later.at(-1)).toBeLessThanOrEqual(20_000);
    expect(await turns(1, 'another')).toEqual([0]);
  });

  it('holds all back for as long as Graph says, and takes no turn that nobody would wait for', async () => {
    const { redis, names } = await setup();
    const pace = createCallPace(redis, names);
    await pace.hold('t', 'write', 30_000);
    const first = await pace.turn('t', 'write', 25_000);
    expect(first).toBeGreaterThan(29_000);
    expect(await pace.turn('t', 'write', 60_000)).toBeLessThanOrEqual(first);
  });
});
