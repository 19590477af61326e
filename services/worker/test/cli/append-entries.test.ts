/** Many entries at once, and a Redis that goes away between two of their steps. */
import { type InboxEntry, OWNER_QUEUE, type OwnerJobData } from '@graph2kafka/shared';
import { TcpProxy } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { AppendError, appendEntries } from '../../src/cli/append-entries.ts';
import { ownRedis } from '../support/own-redis.ts';
import { changeNews, TENANT } from '../support/taken-entry.ts';

const ENTRIES = 1200;
const owners = ['a', 'b', 'c'].map((user) => `${TENANT}/users/${user}`);

const entries = Array.from({ length: ENTRIES }, (_, n): InboxEntry => {
  const owner = owners[n % owners.length] ?? '';
  const resource = `${owner.slice(TENANT.length + 1)}/events/${n}`;
  return { owner, resource, receivedAt: n, news: changeNews({ resource }) };
});

describe('many entries', () => {
  it('are all in their inboxes, with one job for each owner', async () => {
    const own = ownRedis();
    const place = { REDIS_URL: inject('redisUrl'), REDIS_PREFIX: own.names.prefix.slice(1, -3) };
    expect(await appendEntries(place, entries)).toEqual({ workers: 0 });
    for (const owner of owners) {
      const begun = await own.inbox.begin(owner, 'token', 1000, ENTRIES);
      const resources = begun.state === 'run' ? begun.resources.map(({ resource }) => resource) : [];
      const expected = entries.filter((entry) => entry.owner === owner).map(({ resource }) => resource);
      expect(resources.sort()).toEqual(expected.sort());
    }
    const jobs = await own.openQueue<OwnerJobData>(OWNER_QUEUE).getJobs(['waiting']);
    expect(jobs.map(({ data }) => data.owner).sort()).toEqual(owners);
  });

  it('of which Redis took a part are counted as far as they are confirmed', async () => {
    const own = ownRedis();
    const { hostname, port } = new URL(inject('redisUrl'));
    const proxy = await TcpProxy.start({ target: { host: hostname, port: Number(port) } });
    onTestFinished(() => proxy.close());
    // Of the second 500 alone.
    const cut = proxy.cutNextResponse((bytes) => /events\/7\d\d/.test(bytes.toString('latin1')));
    const place = {
      REDIS_URL: `redis://127.0.0.1:${proxy.port}`,
      REDIS_PREFIX: own.names.prefix.slice(1, -3),
    };
    const error = await appendEntries(place, entries).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    await cut.done;
    expect(error).toBeInstanceOf(AppendError);
    expect(error).toMatchObject({ appended: 500 });
  });
});
