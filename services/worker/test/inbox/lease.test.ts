/** A run's hold on its owner. */
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { keepLease, LeaseLostError } from '../../src/inbox/lease.ts';
import { ownRedis } from '../support/own-redis.ts';
import { changeNews, EVENT } from '../support/taken-entry.ts';

const OWNER = 'tenant/users/ada';

async function setup(leaseMs: number) {
  const own = ownRedis();
  await own.inbox.append(OWNER, [{ owner: OWNER, resource: EVENT, receivedAt: 1, news: changeNews() }]);
  expect(await own.inbox.begin(OWNER, 'ours', leaseMs, 10)).toMatchObject({ state: 'run' });
  const lease = keepLease(own.inbox, OWNER, 'ours', leaseMs);
  onTestFinished(() => lease.stop());
  const restMs = () => own.redis.pttl(`${own.names.prefix}:lease:${OWNER}`);
  return { ...own, lease, restMs };
}

describe('a lease', () => {
  it('is kept alive while its run works, well beyond its length', async () => {
    const { lease, inbox, restMs } = await setup(300);
    const until = performance.now() + 900;
    while (performance.now() < until) {
      expect(await restMs()).toBeGreaterThan(0);
      expect(await inbox.begin(OWNER, 'theirs', 300, 10)).toEqual({ state: 'busy' });
    }
    await lease.confirm();
  });

  it('runs out once it is stopped, and another run takes the owner', async () => {
    const { lease, inbox } = await setup(200);
    lease.stop();
    await eventually(async () =>
      expect(await inbox.begin(OWNER, 'theirs', 10_000, 10)).toMatchObject({ state: 'run' }),
    );
    await expect(lease.confirm()).rejects.toBeInstanceOf(LeaseLostError);
  });

  it('is young again after it was confirmed', async () => {
    const { lease, restMs, redis, names } = await setup(10_000);
    await redis.pexpire(`${names.prefix}:lease:${OWNER}`, 500);
    await lease.confirm();
    expect(await restMs()).toBeGreaterThan(9000);
  });

  it('that passed to another run is neither confirmed nor taken from it', async () => {
    const { lease, redis, names, inbox } = await setup(10_000);
    const key = `${names.prefix}:lease:${OWNER}`;
    await redis.set(key, 'theirs', 'PX', 5000);
    await expect(lease.confirm()).rejects.toBeInstanceOf(LeaseLostError);
    await lease.release();
    expect(await redis.get(key)).toBe('theirs');
    expect(await redis.pttl(key)).toBeLessThanOrEqual(5000);
    expect(await inbox.settle(OWNER, 'ours', [])).toEqual({ state: 'foreign' });
  });

  it('is not trusted where the answer took half of its length: it may have run out since', async () => {
    const { inbox } = await setup(10_000);
    // Redis answers at once here; a slow road to it is played.
    const slow = {
      ...inbox,
      hold: async () => new Promise<boolean>((resolve) => setTimeout(resolve, 120, true)),
    };
    const lease = keepLease(slow, OWNER, 'ours', 200);
    onTestFinished(() => lease.stop());
    await expect(lease.confirm()).rejects.toBeInstanceOf(LeaseLostError);
  });

  it('that is released is free at once, and leaves no timer', async () => {
    const { inbox, lease } = await setup(10_000);
    await lease.release();
    expect(await inbox.begin(OWNER, 'theirs', 1000, 10)).toMatchObject({ state: 'run' });
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    onTestFinished(() => void vi.useRealTimers());
    const another = keepLease(inbox, OWNER, 'another', 10_000);
    expect(vi.getTimerCount()).toBe(1);
    await another.release();
    another.stop();
    expect(vi.getTimerCount()).toBe(0);
  });
});
