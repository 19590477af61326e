/** A fleet whose Redis is emptied, comes back as an older copy of itself, or is away in the middle of a reconciliation. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually, RedisServer } from '@graph2kafka/test-harness';
import { expect, it, onTestFinished } from 'vitest';
import { type Fleet, isWhole, LEASE_MS, startFleet } from '../support/fleet.ts';

const LONG = { timeoutMs: 40_000 };

async function ownServer() {
  const dir = await mkdtemp(join(tmpdir(), 'fleet-redis-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const data = join(dir, 'data');
  const copy = join(dir, 'copy');
  const server = await RedisServer.start({ dir: data });
  onTestFinished(() => server.stop());
  return {
    server,
    /** Of what is on disk now. */
    async copy(): Promise<void> {
      await server.stop();
      await cp(data, copy, { recursive: true });
      await server.restart();
    },
    async putBack(): Promise<void> {
      await server.kill9();
      await rm(data, { recursive: true });
      await cp(copy, data, { recursive: true });
      await server.restart();
    },
  };
}

/** All are adopted as they are, what nobody was told of is read, and it is said, `times` by now. */
async function isTakenUp(
  fleet: Fleet,
  ids: ReadonlySet<string>,
  unheard: readonly string[],
  times: number,
): Promise<void> {
  const tenant = fleet.simulator.tenantId;
  await eventually(() => {
    const seen = fleet.records();
    expect(unheard.filter((key) => !seen.has(`${tenant}/${key}`))).toEqual([]);
  }, LONG);
  await isWhole(fleet, ids.size);
  expect(new Set((await fleet.kept()).serving.keys())).toEqual(ids);
  expect(fleet.twins()).toEqual([]);
  expect(fleet.said('subscription.catching-up')).toMatchObject(
    Array.from({ length: times }, () => ({ why: expect.stringContaining('emptied') })),
  );
}

it('a Redis that is emptied is filled again from Graph’s list, by living workers and by those that start', async () => {
  const { server } = await ownServer();
  const fleet = await startFleet({ lists: 8, calendars: 8, redisUrl: server.url });
  await isWhole(fleet, 16);
  const ids = new Set((await fleet.kept()).serving.keys());
  let unheard = fleet.changeUnheard();
  await fleet.redis.flushall();
  await isTakenUp(fleet, ids, unheard, 1);

  await fleet.stopAll();
  unheard = fleet.changeUnheard();
  await fleet.redis.flushall();
  await Promise.all([fleet.start(), fleet.start()]);
  await isTakenUp(fleet, ids, unheard, 2);
  expect([fleet.made(), fleet.gone()]).toEqual([16, 0]);
}, 60_000);

it('an older copy of Redis is brought up to what Graph has, by living workers and by those that start', async () => {
  const { server, copy, putBack } = await ownServer();
  const fleet = await startFleet({ lists: 8, calendars: 8, redisUrl: server.url });
  await isWhole(fleet, 16);
  await fleet.stopAll();
  await copy();
  fleet.pass(50 * 60_000);
  // Eight more, four fewer, and some that live longer by now.
  await fleet.want(16, 4);
  await Promise.all([fleet.start(), fleet.start()]);
  await isWhole(fleet, 20);
  for (const id of fleet.calendars()) fleet.simulator.lifecycle.reauthorizationRequired(id);
  await eventually(() => fleet.said('subscription.renewed').length >= 4, LONG);
  const ids = new Set((await fleet.kept()).serving.keys());
  let unheard = fleet.changeUnheard();
  await putBack();
  await isTakenUp(fleet, ids, unheard, 1);

  await fleet.stopAll();
  unheard = fleet.changeUnheard();
  await putBack();
  await Promise.all([fleet.start(), fleet.start()]);
  await isTakenUp(fleet, ids, unheard, 2);
  expect([fleet.made(), fleet.gone()]).toEqual([24, 4]);
}, 60_000);

it('a Redis that is away in the middle of a reconciliation, for longer than the lease, has nothing made twice', async () => {
  const { server } = await ownServer();
  const fleet = await startFleet({ lists: 70, redisUrl: server.url });
  await eventually(() => fleet.simulator.subscriptions.size > 30, LONG);
  await fleet.unanswered();
  await server.kill9();
  const away = performance.now();
  await eventually(() => performance.now() - away > LEASE_MS, LONG);
  await server.restart();
  fleet.settle();
  await isWhole(fleet, 70);
  expect(fleet.twins()).toEqual([]);
  expect([fleet.made(), fleet.gone()]).toEqual([70, 0]);
}, 60_000);
