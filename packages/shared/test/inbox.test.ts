import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { type InboxEntry, resyncEntry, type Settlement } from '../src/index.ts';
import { allDone, entry, inboxOnRedis, lifecycle, OWNER, resourcesOf, TENANT } from './inbox-on-redis.ts';

const LEASE_MS = 60_000;
const WINDOW = 100;
const HOUR_MS = 3_600_000;

/** An inbox, and the usual calls on one owner in short. */
function ownInbox(mostResources?: number) {
  const own = inboxOnRedis(mostResources);
  const { inbox } = own;
  return {
    ...own,
    append: (...entries: InboxEntry[]) => inbox.append(OWNER, entries),
    begin: (token: string, leaseMs = LEASE_MS, window = WINDOW) => inbox.begin(OWNER, token, leaseMs, window),
    take: async (token: string, leaseMs = LEASE_MS, window = WINDOW) =>
      resourcesOf(await inbox.begin(OWNER, token, leaseMs, window)),
    settle: (token: string, settlements: readonly Settlement[]) => inbox.settle(OWNER, token, settlements),
    [Symbol.asyncDispose]: own[Symbol.asyncDispose],
  };
}

/** For what cannot be done now: wait so long, and count the try. */
const wait = (ms: number) => ({ ms, countsAsAttempt: true });

describe('append', () => {
  it('gives back to a run what was appended, in order', async () => {
    await using it = ownInbox();
    const first = entry('a', 'created', { receivedAt: 1_795_000_000_001, id: 'n1' });
    await it.append(first, entry('b'));
    await it.append(lifecycle('missed'));
    const taken = await it.take('run');
    expect(taken.map(({ resource }) => resource).toSorted()).toEqual([
      'lifecycle/missed',
      'users/u/events/a',
      'users/u/events/b',
    ]);
    expect(taken.find(({ resource }) => resource === 'users/u/events/a')).toEqual({
      resource: 'users/u/events/a',
      attempts: 0,
      waitingSince: 0,
      lonelyStarts: 0,
      entries: [
        {
          seq: '1',
          subscriptionId: 'subscription-1',
          created: true,
          deleted: false,
          last: 'created',
          count: 1,
          firstReceivedAt: 1_795_000_000_001,
          lastReceivedAt: 1_795_000_000_001,
          news: first.news,
        },
      ],
    });
    expect(taken.find(({ resource }) => resource === 'lifecycle/missed')?.entries).toMatchObject([
      { last: '', created: false, deleted: false, news: { kind: 'lifecycle', lifecycleEvent: 'missed' } },
    ]);
  });

  it('says of how many resources the owner has news', async () => {
    await using it = ownInbox();
    expect(await it.append(entry('a'))).toBe(1);
    expect(await it.append(entry('a'), entry('b'))).toBe(2);
    expect(await it.append(entry('c'), entry('d'))).toBe(4);
  });

  it('joins what one subscription says of one resource: flags, count, receipts, and the newest news', async () => {
    await using it = ownInbox();
    await it.append(
      entry('a', 'created', { receivedAt: 1002, id: 'n1' }),
      entry('a', 'updated', { receivedAt: 1005, id: 'n2' }),
      entry('a', 'deleted', { receivedAt: 1001, id: 'n3' }),
      entry('a', 'updated', { receivedAt: 1003, id: 'n4' }),
    );
    const [taken] = await it.take('run');
    expect(taken?.entries).toEqual([
      expect.objectContaining({
        created: true,
        deleted: true,
        last: 'updated',
        count: 4,
        firstReceivedAt: 1002,
        lastReceivedAt: 1005,
        news: entry('a', 'updated', { id: 'n4' }).news,
      }),
    ]);
  });

  it.each([
    [['created'], true, false, 'created'],
    [['updated'], false, false, 'updated'],
    [['deleted'], false, true, 'deleted'],
    [['updated', 'updated'], false, false, 'updated'],
    [['created', 'deleted'], true, true, 'deleted'],
    [['deleted', 'created'], true, true, 'created'],
    [['updated', 'deleted', 'updated'], false, true, 'updated'],
  ] as const)('remembers of %j: created %s, deleted %s, last %s', async (changes, created, deleted, last) => {
    await using it = ownInbox();
    for (const change of changes) await it.append(entry('a', change));
    const [taken] = await it.take('run');
    expect(taken?.entries).toMatchObject([{ created, deleted, last, count: changes.length }]);
  });

  it('does not join what different subscriptions say, also when they take turns', async () => {
    await using it = ownInbox();
    for (let n = 0; n < 10; n++) {
      await it.append(entry('a', 'updated', { subscription: `subscription-${n % 2}` }));
    }
    const [taken] = await it.take('run');
    expect(taken?.entries).toMatchObject([
      { subscriptionId: 'subscription-0', count: 5 },
      { subscriptionId: 'subscription-1', count: 5 },
    ]);
  });

  it('does not join what a run has read: that becomes an entry of its own', async () => {
    await using it = ownInbox();
    await it.append(entry('a', 'created'));
    await it.take('run');
    await it.append(entry('a', 'updated'), entry('a', 'deleted'));
    await it.settle('run', []);
    const [taken] = await it.take('next run');
    expect(taken?.entries).toMatchObject([
      { created: true, deleted: false, last: 'created', count: 1 },
      { created: false, deleted: true, last: 'deleted', count: 2 },
    ]);
  });

  it('keeps 50,000 updates of one event as one entry', async () => {
    await using it = ownInbox();
    const updates = Array.from({ length: 1000 }, (_, n) => entry('a', 'updated', { receivedAt: n }));
    for (let n = 0; n < 50; n++) expect(await it.append(...updates)).toBe(1);
    const size = await it.redis.memory('USAGE', `${it.names.prefix}:inbox:${OWNER}`);
    expect(size).toBeLessThan(2000);
    const [taken, ...others] = await it.take('run');
    expect(others).toEqual([]);
    expect(taken?.entries).toMatchObject([{ count: 50_000, firstReceivedAt: 0, lastReceivedAt: 999 }]);
  });

  it('keeps every character of what is said', async () => {
    await using it = ownInbox();
    const odd = '\u0000"\\\ud800 ü 漢 😀 \r\n #seq';
    const news = { kind: 'unreadable', tenantId: 'unknown', subscriptionId: 'ü', reason: odd } as const;
    await it.append({ owner: OWNER, resource: 'unreadable/ü:{}', receivedAt: 1, news });
    const taken = await it.take('run');
    expect(taken).toMatchObject([{ resource: 'unreadable/ü:{}', entries: [{ subscriptionId: 'ü', news }] }]);
    expect(await it.settle('run', allDone(taken))).toEqual({ state: 'empty' });
  });

  it('keeps owners apart whose names share a part', async () => {
    await using it = ownInbox();
    const owners = [OWNER, `${OWNER}:x`, `${OWNER}/x`, `${OWNER}}`, `${OWNER} `];
    for (const owner of owners) await it.inbox.append(owner, [entry('a', 'updated', { owner, id: owner })]);
    expect(await it.inbox.countOwners()).toBe(owners.length);
    for (const owner of owners) {
      const taken = resourcesOf(await it.inbox.begin(owner, 'run', LEASE_MS, WINDOW));
      expect(taken).toMatchObject([{ entries: [{ count: 1, news: { notificationId: owner } }] }]);
    }
  });

  it('notes the owner in the index, due since its oldest entry came', async () => {
    await using it = ownInbox();
    const before = await it.now();
    await it.append(entry('a'));
    const noted = await it.indexScore(OWNER);
    const after = await it.now();
    expect(noted).toBeGreaterThanOrEqual(before);
    expect(noted).toBeLessThanOrEqual(after);
    await eventually(async () => (await it.now()) > after);
    await it.append(entry('b'));
    expect(await it.indexScore(OWNER)).toBe(noted);
  });

  it('takes thousands of entries in one call', async () => {
    await using it = ownInbox();
    const many = Array.from({ length: 5000 }, (_, n) => entry(String(n)));
    expect(await it.append(...many)).toBe(5000);
  });
});

describe('an owner with news of more resources than it may have', () => {
  const readAgain = (subscriptionId: string) => ({
    kind: 'resync',
    tenantId: TENANT,
    subscriptionId,
    reason: 'the owner had news of more than 2 resources',
  });

  it('gets one entry per subscription that has everything read again, with the count and receipts', async () => {
    await using it = ownInbox(2);
    const names = ['a', 'b', 'c', 'd', 'e'];
    await it.append(...names.map((name, n) => entry(name, 'created', { receivedAt: 1000 + n })));
    await it.append(entry('f', 'updated', { subscription: 'subscription-2' }));
    const taken = await it.take('run');
    expect(taken.map(({ resource }) => resource).toSorted()).toEqual([
      'resync/subscription-1',
      'resync/subscription-2',
      'users/u/events/a',
      'users/u/events/b',
    ]);
    expect(taken.find(({ resource }) => resource === 'resync/subscription-1')?.entries).toEqual([
      expect.objectContaining({
        subscriptionId: 'subscription-1',
        created: false,
        deleted: false,
        last: '',
        count: 3,
        firstReceivedAt: 1002,
        lastReceivedAt: 1004,
        news: readAgain('subscription-1'),
      }),
    ]);
    expect(await it.settle('run', allDone(taken))).toEqual({ state: 'empty' });
    expect(await it.keys()).toEqual([]);
  });

  it('goes on taking news of those that it has', async () => {
    await using it = ownInbox(2);
    await it.append(entry('a'), entry('b'), entry('c'), entry('a', 'deleted'), entry('b', 'created'));
    const taken = await it.take('run');
    expect(taken.find(({ resource }) => resource.endsWith('/a'))?.entries).toMatchObject([
      { deleted: true, count: 2 },
    ]);
    expect(taken.find(({ resource }) => resource.endsWith('/b'))?.entries).toMatchObject([
      { created: true, count: 2 },
    ]);
  });

  it('takes deletions for longer, since reading does not find them, and lifecycle events for ever', async () => {
    await using it = ownInbox(2);
    const gone = Array.from({ length: 12 }, (_, n) => entry(`gone-${n}`, 'deleted'));
    expect(await it.append(entry('a'), entry('b'), ...gone, lifecycle('missed'))).toBe(12);
    const resources = (await it.take('run')).map(({ resource }) => resource);
    expect(resources.filter((resource) => resource.includes('gone-'))).toHaveLength(8);
    expect(resources).toContain('lifecycle/missed');
    expect(resources).toContain('resync/subscription-1');
  });

  it('has it read once more for what comes while it is being read', async () => {
    await using it = ownInbox(1);
    await it.append(entry('a'), entry('b'));
    const taken = await it.take('run 1');
    await it.append(entry('c'), entry('d'));
    await it.settle('run 1', allDone(taken));
    expect(await it.take('run 2')).toMatchObject([
      { resource: 'resync/subscription-1', entries: [{ count: 2 }] },
    ]);
  });

  it('gets its resources one by one again when there is room', async () => {
    await using it = ownInbox(2);
    await it.append(entry('a'), entry('b'), entry('c'));
    await it.settle('run 1', allDone(await it.take('run 1')));
    await it.append(entry('d'));
    expect(await it.take('run 2')).toMatchObject([{ resource: 'users/u/events/d' }]);
  });
});

describe('resync entries', () => {
  const resync = (again?: true) =>
    resyncEntry(
      OWNER,
      { tenantId: TENANT, subscriptionId: 'subscription-1', reason: 'missed', ...(again && { again }) },
      1000,
    );

  it('join as long as nothing was read; another look at what lags waits apart', async () => {
    await using it = ownInbox();
    await it.append(resync(), resync(), resync(true), resync());
    const taken = await it.take('run');
    const counts = taken.map(({ resource, entries }) => [resource, entries.map(({ count }) => count)]);
    expect(Object.fromEntries(counts)).toEqual({
      'resync/subscription-1': [3],
      'again/subscription-1': [1],
    });
  });
});

describe('begin', () => {
  it('says empty of an owner without entries, and leaves no key', async () => {
    await using it = ownInbox();
    expect(await it.begin('run')).toEqual({ state: 'empty' });
    expect(await it.keys()).toEqual([]);
  });

  it('says busy while another run holds the owner, also to the same token', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('run');
    expect(await it.begin('other')).toEqual({ state: 'busy' });
    expect(await it.begin('run')).toEqual({ state: 'busy' });
  });

  it('takes an owner over whose lease has expired, with all that was not settled', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('lost run', 40);
    const begun = await eventually(async () => {
      const answer = await it.begin('new run');
      return answer.state === 'run' && answer;
    });
    expect(begun).toMatchObject({ starts: 2, resources: [{ entries: [{ seq: '1', count: 1 }] }] });
  });

  it('holds other owners not at all', async () => {
    await using it = ownInbox();
    const other = `${TENANT}/users/other`;
    await it.append(entry('a'));
    await it.inbox.append(other, [entry('a', 'updated', { owner: other })]);
    await it.take('run');
    expect((await it.inbox.begin(other, 'run', LEASE_MS, WINDOW)).state).toBe('run');
  });

  it('counts distinct resources in its window, and says how many more are due', async () => {
    await using it = ownInbox();
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      await it.append(entry(name), entry(name, 'updated', { subscription: 'subscription-2' }));
    }
    const begun = await it.begin('run', LEASE_MS, 2);
    expect(begun).toMatchObject({ state: 'run', more: 3, resources: [{}, {}] });
    expect(resourcesOf(begun).every(({ entries }) => entries.length === 2)).toBe(true);
  });

  it('takes first what has been due for longest', async () => {
    await using it = ownInbox();
    for (const name of ['c', 'a', 'b']) {
      await it.append(entry(name));
      const appendedAt = await it.now();
      await eventually(async () => (await it.now()) > appendedAt);
    }
    const [first] = await it.take('run 1', LEASE_MS, 1);
    expect(first?.resource).toBe('users/u/events/c');
    await it.settle('run 1', allDone(first ? [first] : []));
    expect(await it.take('run 2', LEASE_MS, 2)).toMatchObject([
      { resource: 'users/u/events/a' },
      { resource: 'users/u/events/b' },
    ]);
  });

  it('counts the runs that began since one was settled', async () => {
    await using it = ownInbox();
    await it.append(entry('a'), entry('b'));
    for (const starts of [1, 2, 3]) {
      const begun = await eventually(async () => {
        const answer = await it.begin(`crashing run ${starts}`, 5);
        return answer.state === 'run' && answer;
      });
      expect(begun.starts).toBe(starts);
    }
    const begun = await eventually(async () => {
      const answer = await it.begin('good run');
      return answer.state === 'run' && answer;
    });
    expect(begun.starts).toBe(4);
    await it.settle('good run', allDone(begun.resources.slice(0, 1)));
    expect(await it.begin('later run')).toMatchObject({ state: 'run', starts: 1 });
  });
});

describe('begin after runs that did not settle', () => {
  it('takes resources one by one, once around, so that the one to blame stands out', async () => {
    await using it = ownInbox();
    await it.append(entry('a'), entry('b'), entry('c'));
    const begin = async (token: string) => {
      await it.redis.del(`${it.names.prefix}:lease:${OWNER}`);
      return it.take(token);
    };
    for (const token of ['1', '2', '3']) expect(await begin(token)).toHaveLength(3);
    expect(await begin('4')).toMatchObject([{ resource: 'users/u/events/a', lonelyStarts: 1 }]);
    await it.settle('4', allDone(await begin('5')));
    expect(await it.inbox.begin(OWNER, '6', LEASE_MS, WINDOW)).toMatchObject({ state: 'busy' });
    expect(await begin('7')).toMatchObject([{ resource: 'users/u/events/a', lonelyStarts: 3 }]);
    await it.settle('7', [{ resource: 'users/u/events/a', doneSeqs: ['1'] }]);
    expect(await begin('8')).toMatchObject([{ resource: 'users/u/events/b', lonelyStarts: 1 }]);
    await it.settle('8', [{ resource: 'users/u/events/b', doneSeqs: ['2'] }]);
    expect(await begin('9')).toMatchObject([{ resource: 'users/u/events/c', lonelyStarts: 1 }]);
  });

  it('takes a window again when each resource had its turn alone', async () => {
    await using it = ownInbox();
    await it.append(entry('a'), entry('b'));
    for (const token of ['1', '2', '3', '4']) {
      await it.redis.del(`${it.names.prefix}:lease:${OWNER}`);
      await it.take(token);
    }
    await it.settle('4', [{ resource: 'users/u/events/a', doneSeqs: [], wait: wait(0) }]);
    expect(await it.take('5')).toHaveLength(1);
    await it.settle('5', []);
    expect(await it.take('6')).toHaveLength(2);
  });
});

describe('a resource that was taken alone', () => {
  it('leaves no trace in an owner that becomes empty', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    for (const token of ['1', '2', '3', '4', '5']) {
      await it.take(token);
      await it.inbox.release(OWNER, token);
    }
    await it.settle('6', allDone(await it.take('6')));
    expect(await it.keys()).toEqual([]);
    await it.append(entry('a'), entry('b'));
    expect(await it.begin('7')).toMatchObject({ starts: 1, resources: [{ lonelyStarts: 0 }, {}] });
  });
});

describe('a deletion of a resource that waits', () => {
  it('is due at once, together with what waits', async () => {
    await using it = ownInbox();
    await it.append(entry('a', 'updated'), entry('b', 'updated'));
    const [a, b] = await it.take('1');
    await it.settle(
      '1',
      [a, b].flatMap((one) => (one ? [{ resource: one.resource, doneSeqs: [], wait: wait(60_000) }] : [])),
    );
    await it.append(entry('b', 'updated'));
    expect(await it.begin('2')).toMatchObject({ state: 'later' });
    await it.append(entry('b', 'deleted'));
    expect(await it.take('3')).toMatchObject([
      {
        resource: 'users/u/events/b',
        attempts: 1,
        entries: [{ last: 'updated' }, { last: 'deleted', count: 2 }],
      },
    ]);
    expect(await it.indexScore(OWNER)).toBeLessThanOrEqual(await it.now());
  });
});

describe('release', () => {
  it('gives the owner free at once, and only for the run that holds it', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('run');
    await it.inbox.release(OWNER, 'another run');
    expect(await it.begin('next')).toEqual({ state: 'busy' });
    await it.inbox.release(OWNER, 'run');
    expect(await it.begin('next')).toMatchObject({ state: 'run', starts: 2 });
  });
});

describe('hold', () => {
  it('lengthens the lease of its run', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('run', 5000);
    expect(await it.inbox.hold(OWNER, 'run', HOUR_MS)).toBe(true);
    expect(await it.redis.pttl(`${it.names.prefix}:lease:${OWNER}`)).toBeGreaterThan(HOUR_MS / 2);
  });

  it('says no to any other token, and changes nothing', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('run', 5000);
    expect(await it.inbox.hold(OWNER, 'other', HOUR_MS)).toBe(false);
    expect(await it.redis.pttl(`${it.names.prefix}:lease:${OWNER}`)).toBeLessThanOrEqual(5000);
  });

  it('says no once the lease has expired, and does not bring it back', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('run', 1);
    await eventually(async () => !(await it.inbox.hold(OWNER, 'run', 1)));
    expect(await it.inbox.hold(OWNER, 'run', LEASE_MS)).toBe(false);
    expect((await it.begin('next')).state).toBe('run');
  });
});

describe('settle', () => {
  it('leaves no key of the owner behind once nothing is left', async () => {
    await using it = ownInbox();
    await it.append(entry('a'), entry('b'), lifecycle('missed'));
    const taken = await it.take('run');
    expect(await it.settle('run', allDone(taken))).toEqual({ state: 'empty' });
    expect(await it.keys()).toEqual([]);
    expect(await it.inbox.countOwners()).toBe(0);
  });

  it('removes by identity: what arrived during the run stays, and is due', async () => {
    await using it = ownInbox();
    await it.append(entry('a', 'updated', { id: 'before' }), entry('b'));
    const taken = await it.take('run');
    await it.append(entry('a', 'updated', { id: 'during' }), entry('c'));
    expect(await it.settle('run', allDone(taken))).toEqual({ state: 'left', resources: 2, dueInMs: 0 });
    const next = await it.take('next run');
    expect(next.map(({ resource }) => resource).toSorted()).toEqual(['users/u/events/a', 'users/u/events/c']);
    const stayed = next.find(({ resource }) => resource === 'users/u/events/a');
    expect(stayed?.entries).toMatchObject([{ count: 1, news: { notificationId: 'during' } }]);
  });

  it('removes the entries that it names, and no others of the resource', async () => {
    await using it = ownInbox();
    for (const subscription of ['1', '2', '3']) await it.append(entry('a', 'updated', { subscription }));
    const [taken] = await it.take('run');
    const done = taken?.entries.find(({ subscriptionId }) => subscriptionId === '2')?.seq ?? '';
    await it.settle('run', [{ resource: 'users/u/events/a', doneSeqs: [done, '99', 'x'] }]);
    const [left] = await it.take('next run');
    expect(left?.entries.map(({ subscriptionId }) => subscriptionId)).toEqual(['1', '3']);
  });

  it('keeps what it is told nothing of', async () => {
    await using it = ownInbox();
    await it.append(entry('a'), entry('b'));
    const taken = await it.take('run');
    await it.settle('run', allDone(taken.filter(({ resource }) => resource.endsWith('/b'))));
    expect(await it.take('next run')).toMatchObject([{ resource: 'users/u/events/a' }]);
  });

  it('is not disturbed by resources that are not there', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('run');
    const nowhere = { resource: 'users/u/events/z', doneSeqs: ['1'], wait: wait(HOUR_MS) };
    expect(await it.settle('run', [nowhere])).toMatchObject({ state: 'left', resources: 1, dueInMs: 0 });
    expect(await it.take('next run')).toMatchObject([{ resource: 'users/u/events/a', attempts: 0 }]);
  });

  it('changes nothing with a token that is not, or no longer, the one of the run', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    const taken = await it.take('lost run', 20);
    expect(await it.settle('other', allDone(taken))).toEqual({ state: 'foreign' });
    await eventually(async () => (await it.begin('new run')).state === 'run');
    const before = await it.redis.dumpBuffer(`${it.names.prefix}:inbox:${OWNER}`);
    expect(await it.settle('lost run', allDone(taken))).toEqual({ state: 'foreign' });
    expect(await it.redis.dumpBuffer(`${it.names.prefix}:inbox:${OWNER}`)).toEqual(before);
    expect(await it.inbox.hold(OWNER, 'new run', LEASE_MS)).toBe(true);
  });

  it('changes nothing once the lease has expired, even if nobody took it', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    const taken = await it.take('run', 1);
    await eventually(async () => !(await it.inbox.hold(OWNER, 'run', 1)));
    expect(await it.settle('run', allDone(taken))).toEqual({ state: 'foreign' });
    expect(await it.take('next run')).toMatchObject([{ entries: [{ count: 1 }] }]);
  });

  it("does not take another life's entries for those of an owner that was empty in between", async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    const old = await it.take('stopped run', 1);
    const taken = await eventually(() => it.take('quick run'));
    await it.settle('quick run', allDone(taken));
    await it.append(entry('a', 'updated', { id: 'new life' }));
    expect(await it.settle('stopped run', allDone(old))).toEqual({ state: 'foreign' });
    expect(await it.take('run')).toMatchObject([{ entries: [{ news: { notificationId: 'new life' } }] }]);
  });

  it('ends the lease', async () => {
    await using it = ownInbox();
    await it.append(entry('a'), entry('b'));
    await it.settle('run', allDone((await it.take('run')).slice(0, 1)));
    expect(await it.inbox.hold(OWNER, 'run', LEASE_MS)).toBe(false);
    expect(await it.settle('run', [])).toEqual({ state: 'foreign' });
    expect((await it.begin('next run')).state).toBe('run');
  });
});

describe('waiting', () => {
  const failed = { resource: 'users/u/events/a', doneSeqs: [], wait: wait(HOUR_MS) };

  it('keeps a resource and its later entries back, while others flow', async () => {
    await using it = ownInbox();
    await it.append(entry('a', 'created'));
    await it.take('run 1');
    expect(await it.settle('run 1', [failed])).toMatchObject({ state: 'left', resources: 1 });
    await it.append(entry('a', 'updated'), entry('b'));
    const taken = await it.take('run 2');
    expect(taken).toMatchObject([{ resource: 'users/u/events/b' }]);
    await it.settle('run 2', allDone(taken));
    expect(await it.begin('run 3')).toMatchObject({ state: 'later' });
  });

  it('says how long until it is due, at the settling and to the next run', async () => {
    await using it = ownInbox();
    await it.append(entry('a'), entry('b'));
    await it.take('run 1');
    const others = { resource: 'users/u/events/b', doneSeqs: [], wait: wait(2 * HOUR_MS) };
    const settled = await it.settle('run 1', [others, failed]);
    expect(settled).toEqual({ state: 'left', resources: 2, dueInMs: HOUR_MS });
    const begun = await it.begin('run 2');
    expect(begun.state === 'later' && begun.inMs).toBeGreaterThan(HOUR_MS - 10_000);
    expect(begun.state === 'later' && begun.inMs).toBeLessThanOrEqual(HOUR_MS);
  });

  it('does not hold the lease', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('run 1');
    await it.settle('run 1', [failed]);
    await it.begin('run 2');
    expect(await it.inbox.hold(OWNER, 'run 2', LEASE_MS)).toBe(false);
  });

  it('ends when it is due: all entries come together, in order', async () => {
    await using it = ownInbox();
    await it.append(entry('a', 'created', { id: 'n1' }));
    await it.take('run 1');
    await it.settle('run 1', [{ ...failed, wait: wait(30) }]);
    await it.append(entry('a', 'updated', { id: 'n2' }), entry('a', 'updated', { id: 'n3' }));
    const [taken] = await eventually(() => it.take('run 2'));
    expect(taken?.entries).toMatchObject([
      { count: 1, news: { notificationId: 'n1' } },
      { count: 2, news: { notificationId: 'n3' } },
    ]);
  });

  it('counts attempts, where they count, and knows since when', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('run 1');
    await it.settle('run 1', [{ ...failed, wait: { ms: 1, countsAsAttempt: false } }]);
    const [second] = await eventually(() => it.take('run 2'));
    expect(second).toMatchObject({ attempts: 0, waitingSince: 0 });
    const before = await it.now();
    await it.settle('run 2', [{ ...failed, wait: wait(1) }]);
    const after = await it.now();
    const [third] = await eventually(() => it.take('run 3'));
    expect(third?.attempts).toBe(1);
    expect(third?.waitingSince).toBeGreaterThanOrEqual(before);
    expect(third?.waitingSince).toBeLessThanOrEqual(after);
    await it.settle('run 3', [{ ...failed, wait: wait(1) }]);
    const [fourth] = await eventually(() => it.take('run 4'));
    expect(fourth).toMatchObject({ attempts: 2, waitingSince: third?.waitingSince });
  });

  it('starts to count anew once something of the resource was done', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('run 1');
    await it.settle('run 1', [{ ...failed, wait: wait(1) }]);
    const taken = await eventually(() => it.take('run 2'));
    await it.append(entry('a'));
    await it.settle('run 2', allDone(taken));
    expect(await it.take('run 3')).toMatchObject([{ attempts: 0, waitingSince: 0 }]);
  });

  it('of a part lets the rest of the resource wait, in order', async () => {
    await using it = ownInbox();
    for (const subscription of ['1', '2']) await it.append(entry('a', 'updated', { subscription }));
    const [taken] = await it.take('run 1');
    const [done] = taken?.entries ?? [];
    await it.settle('run 1', [{ ...failed, doneSeqs: [done?.seq ?? ''], wait: wait(1) }]);
    const [left] = await eventually(() => it.take('run 2'));
    expect(left).toMatchObject({ attempts: 1, entries: [{ subscriptionId: '2' }] });
  });

  it('comes to nothing where all is done', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    const [taken] = await it.take('run');
    const doneSeqs = taken?.entries.map(({ seq }) => seq) ?? [];
    expect(await it.settle('run', [{ ...failed, doneSeqs }])).toEqual({ state: 'empty' });
    expect(await it.keys()).toEqual([]);
  });

  it('puts into the index when the owner next has work', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('run 1');
    const before = await it.now();
    await it.settle('run 1', [failed]);
    expect(await it.indexScore(OWNER)).toBeGreaterThanOrEqual(before + HOUR_MS);
    expect(await it.indexScore(OWNER)).toBeLessThanOrEqual((await it.now()) + HOUR_MS);
    await it.append(entry('a'));
    expect(await it.indexScore(OWNER)).toBeGreaterThanOrEqual(before + HOUR_MS);
    await it.append(entry('b'));
    expect(await it.indexScore(OWNER)).toBeLessThanOrEqual(await it.now());
  });
});

describe('claimOverdue', () => {
  async function withOwners(count: number) {
    const it = ownInbox();
    const owners = Array.from({ length: count }, (_, n) => `${TENANT}/users/${n}`);
    for (const owner of owners) await it.inbox.append(owner, [entry('a', 'updated', { owner })]);
    return { it, owners, [Symbol.asyncDispose]: it[Symbol.asyncDispose] };
  }

  it('pages through all that is due, and gives none twice', async () => {
    await using own = await withOwners(25);
    const pages: string[][] = [];
    for (;;) {
      const page = await own.it.inbox.claimOverdue(0, HOUR_MS, 10);
      if (page.length === 0) break;
      pages.push(page);
    }
    expect(pages.map(({ length }) => length)).toEqual([10, 10, 5]);
    expect(pages.flat().toSorted()).toEqual(own.owners.toSorted());
  });

  it('gives none twice to claimants that ask at once', async () => {
    await using own = await withOwners(30);
    const pages = await Promise.all(
      Array.from({ length: 6 }, () => own.it.inbox.claimOverdue(0, HOUR_MS, 7)),
    );
    expect(pages.flat().toSorted()).toEqual(own.owners.toSorted());
  });

  it('gives an owner again after the time said, as long as it has work', async () => {
    await using own = await withOwners(1);
    expect(await own.it.inbox.claimOverdue(0, 30, 10)).toEqual(own.owners);
    expect(await eventually(async () => (await own.it.inbox.claimOverdue(0, 30, 10))[0] ?? null)).toBe(
      own.owners[0],
    );
  });

  it('leaves alone what has not been due for that long, and what waits', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    expect(await it.inbox.claimOverdue(HOUR_MS, HOUR_MS, 10)).toEqual([]);
    await it.take('run');
    await it.settle('run', [{ resource: 'users/u/events/a', doneSeqs: [], wait: wait(HOUR_MS) }]);
    expect(await it.inbox.claimOverdue(0, HOUR_MS, 10)).toEqual([]);
  });

  it('finds an owner whose run was lost', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.take('lost run', 1);
    expect(await it.inbox.claimOverdue(0, HOUR_MS, 10)).toEqual([OWNER]);
  });

  it('forgets an owner that was worked meanwhile', async () => {
    await using it = ownInbox();
    await it.append(entry('a'));
    await it.inbox.claimOverdue(0, 1, 10);
    await it.settle('run', allDone(await it.take('run')));
    expect(await it.inbox.claimOverdue(0, 1, 10)).toEqual([]);
    expect(await it.keys()).toEqual([]);
  });
});

describe('entries that carry a resource', () => {
  const rich = (event: string, contentId: string): InboxEntry => {
    const plain = entry(event, 'updated');
    return { ...plain, news: { ...plain.news, contentId } as InboxEntry['news'] };
  };
  const contentIds = (entries: readonly { readonly news: object }[]) =>
    entries.map(({ news }) => (news as { contentId?: string }).contentId);

  it('join nothing and are joined by nothing', async () => {
    await using it = ownInbox();
    await it.append(
      rich('a', 'c1'),
      rich('a', 'c2'),
      entry('a', 'updated'),
      entry('a', 'updated'),
      rich('a', 'c3'),
    );
    const [taken] = await it.take('run');
    expect(contentIds(taken?.entries ?? [])).toEqual(['c1', 'c2', undefined, 'c3']);
    expect(taken?.entries.map(({ count }) => count)).toEqual([1, 1, 2, 1]);
  });

  it('are a hundred of a resource at most; what comes after says no more than that it changed', async () => {
    await using it = ownInbox();
    const burst = Array.from({ length: 150 }, (_, i) => rich('a', `c${i}`));
    for (let at = 0; at < burst.length; at += 50) await it.append(...burst.slice(at, at + 50));
    const [taken] = await it.take('run');
    expect(taken?.entries).toHaveLength(101);
    expect(contentIds(taken?.entries ?? []).filter((id) => id !== undefined)).toHaveLength(100);
    expect(taken?.entries.at(-1)).toMatchObject({ count: 50, last: 'updated' });
    expect(taken?.entries.at(-1)?.news).toMatchObject({ kind: 'change', tenantId: TENANT });
  });
});

describe('the oldest entry', () => {
  const late = (name: string, owner: string, receivedAt: number) =>
    entry(name, 'updated', { owner, receivedAt });

  it('is the one that was received first, of any owner, whatever came after it', async () => {
    await using it = inboxOnRedis();
    expect(await it.inbox.oldestReceivedAt()).toBeUndefined();
    await it.inbox.append('o1', [late('a', 'o1', 2000)]);
    await it.inbox.append('o2', [late('a', 'o2', 1000)]);
    await it.inbox.append('o2', [late('b', 'o2', 3000)]);
    expect(await it.inbox.oldestReceivedAt()).toBe(1000);
  });

  it('is the next one once it was settled, and none when all are', async () => {
    await using it = inboxOnRedis();
    await it.inbox.append('o1', [late('a', 'o1', 1000), late('b', 'o1', 2000)]);
    await it.inbox.append('o2', [late('a', 'o2', 3000)]);
    const [first, second] = resourcesOf(await it.inbox.begin('o1', 'run', LEASE_MS, WINDOW));
    if (!first || !second) throw new Error('two were appended');
    await it.inbox.settle('o1', 'run', [
      ...allDone([first]),
      { resource: second.resource, doneSeqs: [], wait: wait(HOUR_MS) },
    ]);
    expect(await it.inbox.oldestReceivedAt()).toBe(2000);
    await it.inbox.append('o1', [late('b', 'o1', 4000)]);
    expect(await it.inbox.oldestReceivedAt()).toBe(2000);
    const rest = resourcesOf(await it.inbox.begin('o2', 'run', LEASE_MS, WINDOW));
    await it.inbox.settle('o2', 'run', allDone(rest));
    expect(await it.inbox.oldestReceivedAt()).toBe(2000);
  });

  it('grows no older than it is where an owner always has some left', async () => {
    await using it = inboxOnRedis();
    const news = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, n) =>
        late(`e${String(from + n).padStart(3, '0')}`, 'o1', 1000 + from + n),
      );
    await it.inbox.append('o1', news(0, 60));
    for (let round = 1; round <= 5; round++) {
      const taken = resourcesOf(await it.inbox.begin('o1', 'run', LEASE_MS, 30));
      await it.inbox.append('o1', news(30 + round * 30, 60 + round * 30));
      await it.inbox.settle('o1', 'run', allDone(taken));
      expect(await it.inbox.oldestReceivedAt()).toBe(1000 + round * 30);
    }
  });

  it('is the one that waits, whatever else the owner has that is due before it', async () => {
    await using it = inboxOnRedis();
    await it.inbox.append('o1', [late('waits', 'o1', 1000)]);
    const [first] = resourcesOf(await it.inbox.begin('o1', 'run', LEASE_MS, WINDOW));
    if (!first) throw new Error('one was appended');
    await it.inbox.append(
      'o1',
      Array.from({ length: 90 }, (_, n) => late(`e${String(n).padStart(2, '0')}`, 'o1', 2000 + n)),
    );
    await it.inbox.settle('o1', 'run', [{ resource: first.resource, doneSeqs: [], wait: wait(HOUR_MS) }]);
    expect(await it.inbox.oldestReceivedAt()).toBe(1000);
    await it.inbox.append('o1', [entry('waits', 'deleted', { owner: 'o1', receivedAt: 3000 })]);
    const taken = resourcesOf(await it.inbox.begin('o1', 'run', LEASE_MS, 30));
    await it.inbox.settle('o1', 'run', allDone(taken));
    expect(await it.inbox.oldestReceivedAt()).toBe(1000);
    const rest = resourcesOf(await it.inbox.begin('o1', 'run', LEASE_MS, WINDOW));
    const kept = rest.slice(0, -1).map(({ resource }) => ({ resource, doneSeqs: [] }));
    await it.inbox.settle('o1', 'run', [...allDone(rest.slice(-1)), ...kept]);
    expect(await it.inbox.oldestReceivedAt()).toBe(2030);
  });

  it('is the first news of a resource, whose later deletion does not make it younger', async () => {
    await using it = inboxOnRedis();
    await it.inbox.append('o1', [late('a', 'o1', 1000), late('b', 'o1', 2000), late('c', 'o1', 3000)]);
    const before = await it.redis.zscore(`${it.names.prefix}:due:o1`, 'users/u/events/b');
    await eventually(async () => (await it.now()) > Number(before));
    const [first] = resourcesOf(await it.inbox.begin('o1', 'run', LEASE_MS, 1));
    if (!first) throw new Error('three were appended');
    await it.inbox.append('o1', [entry('b', 'deleted', { owner: 'o1', receivedAt: 4000 })]);
    await it.inbox.settle('o1', 'run', allDone([first]));
    expect(await it.inbox.oldestReceivedAt()).toBe(2000);
  });

  it('is none that a worker of an older version settled without a word', async () => {
    await using it = inboxOnRedis();
    await it.redis.zadd(`${it.names.prefix}:since:o1`, 1, 'users/u/events/gone', 2, 'users/u/events/b');
    await it.inbox.append('o1', [late('a', 'o1', 1000), late('b', 'o1', 2000)]);
    const [first] = resourcesOf(await it.inbox.begin('o1', 'run', LEASE_MS, 1));
    if (!first) throw new Error('two were appended');
    await it.inbox.settle('o1', 'run', allDone([first]));
    expect(await it.inbox.oldestReceivedAt()).toBe(2000);
  });

  it('is not known, rather than none, among too many owners that have nothing', async () => {
    await using it = inboxOnRedis();
    const stale = Array.from({ length: 150 }, (_, n) => [n, `gone-${n}`]).flat();
    await it.redis.zadd(`${it.names.prefix}:oldest`, ...stale);
    await it.inbox.append('o1', [late('a', 'o1', 3000)]);
    expect(await it.inbox.oldestReceivedAt()).toBe('unknown');
    expect(await it.inbox.oldestReceivedAt()).toBe(3000);
  });

  it('is none of an owner that has nothing, as a worker of an older version leaves it', async () => {
    await using it = inboxOnRedis();
    await it.redis.zadd(`${it.names.prefix}:oldest`, 1, 'o1', 2, 'o2');
    await it.inbox.append('o3', [late('a', 'o3', 3000)]);
    expect(await it.inbox.oldestReceivedAt()).toBe(3000);
    expect(await it.redis.zcard(`${it.names.prefix}:oldest`)).toBe(1);
  });
});
