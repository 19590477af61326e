/** Several workers and the command line at one fleet, with nothing going wrong. */
import { eventually } from '@graph2kafka/test-harness';
import { expect, it } from 'vitest';
import { isWhole, startFleet } from '../support/fleet.ts';

it('three workers and `g2k apply` make each subscription once, and then look one at a time', async () => {
  const fleet = await startFleet({ lists: 60, workers: 3 });
  const applied = await fleet.g2k('apply', '--yes');
  await isWhole(fleet, 60);
  expect(fleet.twins()).toEqual([]);
  expect([fleet.made(), fleet.gone()]).toEqual([60, 0]);
  expect(fleet.simulator.requests.filter(({ status }) => status === 409)).toEqual([]);
  const byWorkers = fleet.said('subscription.created').length;
  const [, byHand] = /^Done: (\d+) created/m.exec(applied) ?? ['', '0'];
  expect(byWorkers + Number(byHand)).toBe(60);
  expect(await fleet.g2k('plan')).toContain('60 wanted: nothing to do');

  const writes = fleet.writes.length;
  const looks = () => looksOf(fleet);
  const before = (await looks()).ended;
  await eventually(async () => expect((await looks()).ended).toBeGreaterThan(before + 3));
  expect((await looks()).mostAtOnce).toBe(1);
  expect(fleet.writes.length).toBe(writes);
}, 60_000);

/** Reconciliations so far, as the queue has told of them. */
async function looksOf({ redis, prefix }: Awaited<ReturnType<typeof startFleet>>) {
  let [now, mostAtOnce, ended] = [0, 0, 0];
  for (const [, fields] of await redis.xrange(`${prefix}:subscriptions:events`, '-', '+')) {
    const event = fields[fields.indexOf('event') + 1];
    if (event === 'active') mostAtOnce = Math.max(mostAtOnce, ++now);
    if (event === 'completed' || event === 'failed') {
      now--;
      ended++;
    }
  }
  return { mostAtOnce, ended };
}
