/** The 10,000 requests for a mailbox in 10 minutes, counted over all workers. */
import { eventually } from '@graph2kafka/test-harness';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMailboxRequests, waitForRoom } from '../../src/limits/mailbox-requests.ts';
import { ownRedis } from '../support/own-redis.ts';
import { ownerBench } from '../support/owner-bench.ts';
import { keptLog } from '../support/silent-log.ts';

const MINUTE = 60_000;
const OWNER = 'tenant-1/users/ada';

describe('room for a mailbox', () => {
  it('is there below the limit, and else when enough of the oldest requests are over', () => {
    const requests = new Map([
      [100, 5],
      [103, 3],
      [104, 2],
    ]);
    expect(waitForRoom(requests, 105 * MINUTE, 11)).toBe(0);
    expect(waitForRoom(requests, 105 * MINUTE + 500, 10)).toBe(6 * MINUTE - 500);
    expect(waitForRoom(requests, 105 * MINUTE, 3)).toBe(9 * MINUTE);
    expect(waitForRoom(requests, 111 * MINUTE, 10)).toBe(0);
  });

  it('is kept to: whoever waits for it never has more than the limit within ten minutes of any beginning', () => {
    const steps = fc.array(fc.record({ passMs: fc.nat({ max: 2 * MINUTE }), asks: fc.nat({ max: 40 }) }), {
      minLength: 20,
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (all) => {
        let now = 1000 * MINUTE;
        const asked: { readonly at: number; readonly count: number }[] = [];
        const byMinute = new Map<number, number>();
        for (const { passMs, asks } of all) {
          now += passMs + waitForRoom(byMinute, now + passMs, 100);
          asked.push({ at: now, count: asks });
          const minute = Math.floor(now / MINUTE);
          byMinute.set(minute, (byMinute.get(minute) ?? 0) + asks);
          const recent = asked.filter(({ at }) => at > now - 10 * MINUTE);
          // What was below the limit before, and then one run's own.
          expect(recent.reduce((sum, { count }) => sum + count, 0)).toBeLessThan(100 + asks);
        }
      }),
    );
  });
});

describe('requests for a mailbox', () => {
  it('are counted over workers and minutes, and no longer than they matter', async () => {
    const own = ownRedis();
    let now = 1_000_000 * 10 * MINUTE - MINUTE;
    const worker = () => createMailboxRequests(own.redis, own.names, keptLog(), { now: () => now, most: 10 });
    const [one, other] = [worker(), worker()];
    one.count(OWNER, 4);
    now += MINUTE;
    other.count(OWNER, 6);
    await eventually(async () => expect(await one.waitFor(OWNER)).toBe(10 * MINUTE));
    expect(await one.waitFor('tenant-1/users/ben')).toBe(0);
    now += 10 * MINUTE;
    expect(await other.waitFor(OWNER)).toBe(0);
    const keys = await own.redis.keys(`${own.names.prefix}:asked:*`);
    expect(keys).toHaveLength(2);
    for (const key of keys) expect(await own.redis.pttl(key)).toBeLessThanOrEqual(21 * MINUTE);
  });

  it('make its owner wait before Graph has to say so: nothing is asked for, nothing is lost', async () => {
    const bench = await ownerBench();
    const { simulator, user, notify, run, own, owner, log, events } = bench;
    const mailboxRequests = createMailboxRequests(own.redis, own.names, log, { most: 3 });
    for (const subject of ['1', '2', '3'])
      await notify('created', simulator.calendar.create(user, { subject }).path.key);
    expect(await run({ mailboxRequests })).toMatchObject({ records: 3, fetches: 3 });
    await eventually(async () => expect(await mailboxRequests.waitFor(owner)).toBeGreaterThan(0));
    await notify('created', simulator.calendar.create(user, { subject: 'One too many' }).path.key);
    const before = simulator.changeLog.ofKind('read').length;
    expect(await run({ mailboxRequests })).toMatchObject({
      next: { step: 'delay', kafkaAway: false, reason: expect.stringContaining('10 minutes') },
      fetches: 0,
    });
    expect(simulator.changeLog.ofKind('read')).toHaveLength(before);
    expect(await run()).toMatchObject({ records: 1 });
    expect(await events()).toHaveLength(4);
  });
});
