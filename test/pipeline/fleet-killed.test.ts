/** A fleet that several workers keep, one of which is killed or stopped in the middle of its work. */
import { eventually } from '@graph2kafka/test-harness';
import { expect, it } from 'vitest';
import { type Fleet, isWhole, startFleet } from '../support/fleet.ts';

const LONG = { timeoutMs: 40_000 };

it('killed again and again while it makes 300, whoever goes on makes each one, and none twice', async () => {
  const fleet = await startFleet({ lists: 300 });
  let inDoubt = 0;
  for (const nth of [30, 110, 190]) {
    await eventually(() => fleet.simulator.subscriptions.size > nth, LONG);
    const worker = await fleet.reconciler();
    await fleet.unanswered();
    await fleet.kill(worker);
    inDoubt += (await fleet.kept()).intents;
    fleet.settle();
    await fleet.start();
  }
  expect(inDoubt).toBeGreaterThan(0);
  await isWhole(fleet, 300);
  expect(fleet.twins()).toEqual([]);
  expect([fleet.made(), fleet.gone()]).toEqual([300, 0]);
  expect(fleet.said('subscription.adopted').length).toBeGreaterThan(0);
}, 90_000);

it('stopped for longer than its lease, it leaves the work to another one, and writes nothing more', async () => {
  const fleet = await startFleet({ lists: 80 });
  const stopped = await fleet.reconciler();
  await fleet.unanswered();
  const { process } = stopped.service;
  process.freeze();
  const [{ token: itsToken } = { token: '' }] = fleet.writes;
  const byOthers = () => fleet.writes.filter(({ token }) => token !== itsToken).length;
  await eventually(() => byOthers() > 5, LONG);
  const before = fleet.writes.length - byOthers();
  process.thaw();
  await eventually(() => stopped.lines.some(({ message }) => message === 'subscription.lease-lost'));
  fleet.settle();
  await isWhole(fleet, 80);
  expect(fleet.writes.length - byOthers()).toBe(before);
  expect(fleet.twins()).toEqual([]);
  expect([fleet.made(), fleet.gone()]).toEqual([80, 0]);
}, 60_000);

it('killed or stopped while it renews, it leaves nothing to renew twice but what it had not noted', async () => {
  const count = 100;
  const fleet = await startFleet({ lists: count });
  await isWhole(fleet, count);
  await fleet.stopAll();
  const first = fleet.simulator.subscriptions.list()[0]?.expiresAtMs ?? 0;
  fleet.simulator.clock.advance(0.7 * (first - fleet.simulator.clock.now()));
  const renewals = await watchRenewals(fleet);
  await Promise.all([fleet.start(), fleet.start(), fleet.start()]);

  await eventually(() => renewals.asked().length > 30, LONG);
  await fleet.kill(await fleet.reconciler());
  await renewals.excuseUnnoted();
  await eventually(() => renewals.asked().length > 60, LONG);
  const stopped = await fleet.reconciler();
  stopped.service.process.freeze();
  await renewals.excuseUnnoted();
  await eventually(async () => expect(await renewals.unknown()).toEqual([]), LONG);
  stopped.service.process.thaw();
  await eventually(() => stopped.lines.some(({ message }) => message === 'subscription.lease-lost'));
  await isWhole(fleet, count);

  expect(new Set(renewals.asked()).size).toBe(count);
  expect(renewals.tooMany()).toEqual([]);
  expect([fleet.made(), fleet.gone()]).toEqual([count, 0]);
}, 60_000);

/** From now on; by the simulator's log of requests. */
async function watchRenewals({ simulator, kept }: Fleet) {
  const { serving: before } = await kept();
  const excused = new Map<string, number>();
  const asked = () =>
    simulator.requests
      .filter(({ method }) => method === 'PATCH')
      .map(({ path }) => path.split('/').at(-1) ?? '');
  const unknown = async () => {
    const { serving } = await kept();
    return [...before.keys()].filter((id) => serving.get(id)?.expiresAt === before.get(id)?.expiresAt);
  };
  return {
    asked,
    /** Those of which Redis does not know that they were renewed. */
    unknown,
    /** What was under way when its worker fell silent, ten at most, has to be asked for again. */
    async excuseUnnoted(): Promise<void> {
      const isUnknown = new Set(await unknown());
      const unnoted = new Set(asked().filter((id) => isUnknown.has(id)));
      expect(unnoted.size).toBeLessThanOrEqual(10);
      for (const id of unnoted) excused.set(id, (excused.get(id) ?? 0) + 1);
    },
    tooMany: () =>
      [...Map.groupBy(asked(), (id) => id)].flatMap(([id, all]) =>
        all.length > 1 + (excused.get(id) ?? 0) ? [`${id}: ${all.length}`] : [],
      ),
  };
}
