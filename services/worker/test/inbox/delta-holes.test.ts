/** After notifications were missed: what changed and what was deleted meanwhile is found, by delta query where there is one. */
import { resyncEntry } from '@graph2kafka/shared';
import { describe, expect, it } from 'vitest';
import { ownerBench } from '../support/owner-bench.ts';
import { graphCalls } from '../support/simulated-graph.ts';
import { WATCHING, type WatchingBench, watchingBench } from '../support/watching-bench.ts';

const idOf = ({ path }: { path: { segments: readonly { id?: string }[] } }) => path.segments.at(-1)?.id ?? '';

const inDays = (days: number) => {
  const at = (hours: number) =>
    new Date(Date.now() + days * 86_400_000 + hours * 3_600_000).toISOString().slice(0, 19);
  return {
    start: { dateTime: at(0), timeZone: 'UTC' },
    end: { dateTime: at(1), timeZone: 'UTC' },
  };
};

async function missedAndRead({ missed, settleAll }: WatchingBench): Promise<void> {
  await missed();
  await settleAll();
}

/** What the hole has brought, by id. */
async function since(bench: WatchingBench, before: number) {
  const events = (await bench.events()).slice(before);
  return new Map(
    events.map(({ record, type, acquisition }) => [record.key?.split('/').at(-1), [type, acquisition]]),
  );
}

const calendar = () => watchingBench((user) => `users/${user}/events`);

describe('a hole of a calendar', () => {
  it('is closed the first time by reading all of it, page by page, also what lies outside of any window', async () => {
    const bench = await calendar();
    const { simulator, user, events } = bench;
    const made = Array.from({ length: 12 }, (_, n) =>
      simulator.calendar.create(user, { subject: `Event ${n}`, ...inDays(n * 200 - 1200) }),
    );
    await missedAndRead(bench);
    const seen = await events();
    expect(new Map(seen.map(({ record, resourceversion }) => [record.key, resourceversion]))).toEqual(
      new Map(made.map(({ path, etag }) => [`${simulator.tenantId}/${path.key}`, etag])),
    );
    expect(seen).toHaveLength(12);
    expect(new Set(seen.map(({ acquisition }) => acquisition))).toEqual(new Set(['snapshot']));
    expect(graphCalls(simulator)[0]).toMatch(/calendarView\/delta\?.*startDateTime=/);
  });

  it('is closed the second time by what has changed since, deletions too, each looked up', async () => {
    const bench = await calendar();
    const { simulator, user, events } = bench;
    const create = (subject: string, days: number) =>
      simulator.calendar.create(user, { subject, ...inDays(days) });
    const [kept, changed, gone, moved] = [
      create('kept', 1),
      create('changed', 2),
      create('gone', 3),
      create('moved', 4),
    ];
    await missedAndRead(bench);
    const before = (await events()).length;
    simulator.calendar.update(changed.path.key, { subject: 'renamed' });
    simulator.calendar.remove(gone.path.key);
    // Comes as removed, since it has left the window, and is there all the same.
    simulator.calendar.update(moved.path.key, inDays(2000));
    const made = create('made', 5);
    await missedAndRead(bench);
    expect(await since(bench, before)).toEqual(
      new Map([
        [idOf(changed), ['Microsoft.Graph.EventUpdated', 'delta']],
        [idOf(gone), ['Microsoft.Graph.EventDeleted', 'deleted']],
        [idOf(moved), ['Microsoft.Graph.EventUpdated', 'delta']],
        [idOf(made), ['Microsoft.Graph.EventUpdated', 'delta']],
      ]),
    );
    expect(
      (await events()).slice(before).find(({ record }) => record.key?.endsWith(idOf(changed))),
    ).toMatchObject({
      data: { subject: 'renamed' },
      notificationcount: 0,
    });
    expect(kept).toBeDefined();
  });

  it('opens a new window after some months, when what the old one has shown is read', async () => {
    const bench = await calendar();
    const { simulator, user, events, missed, settleAll, deps } = bench;
    const gone = simulator.calendar.create(user, { subject: 'gone', ...inDays(1) });
    await missedAndRead(bench);
    simulator.calendar.remove(gone.path.key);
    const before = graphCalls(simulator).length;
    await missed();
    await settleAll({ now: () => deps.now() + 150 * 86_400_000 });
    const calls = graphCalls(simulator).slice(before);
    expect(calls.filter((call) => call.includes('startDateTime'))).toHaveLength(1);
    expect((await events()).at(-1)).toMatchObject({ type: 'Microsoft.Graph.EventDeleted' });
  });

  it('comes after what is due beside it, so that its reading is never the older one', async () => {
    const bench = await calendar();
    const { simulator, user, missed, settleAll, append, watchedOwner, events } = bench;
    const event = simulator.calendar.create(user, { subject: 'One', ...inDays(1) });
    await missed();
    const { tenantId } = simulator;
    const news = {
      kind: 'change',
      tenantId,
      subscriptionId: WATCHING,
      changeType: 'created',
      resource: event.path.key,
    } as const;
    await append({ owner: watchedOwner, resource: event.path.key, receivedAt: Date.now(), news });
    await settleAll();
    expect((await events()).map(({ acquisition }) => acquisition)).toEqual(['fetched', 'snapshot']);
  });

  it('goes on at the page that could not be read, when Graph answers again', async () => {
    const bench = await calendar();
    const { simulator, user, events, missed, settleAll, runWatched } = bench;
    for (let i = 0; i < 12; i++) simulator.calendar.create(user, { subject: `Event ${i}`, ...inDays(i) });
    await missed();
    // Three pages for the token, one of the list.
    for (let i = 0; i < 4; i++) expect((await runWatched()).next.step).toBe('again');
    simulator.faults.add({ method: 'GET', path: /\/events$/, status: 500 });
    expect((await runWatched()).next.step).toBe('later');
    await settleAll();
    expect(new Set((await events()).map(({ record }) => record.key)).size).toBe(12);
    expect(await events()).toHaveLength(12);
  });

  it('is listed where Graph has no delta query for the calendar', async () => {
    const bench = await calendar();
    const { simulator, user, events } = bench;
    simulator.calendar.create(user, { subject: 'One', ...inDays(1) });
    simulator.faults.add({ method: 'GET', path: /calendarView/, status: 400 });
    await missedAndRead(bench);
    expect(await events()).toMatchObject([{ acquisition: 'snapshot' }]);
  });
});

describe('a hole of a mailbox', () => {
  it('is closed by the delta query of each folder; what was moved between two is not deleted', async () => {
    const bench = await watchingBench((user) => `users/${user}/messages`);
    const { simulator, user, events, letters } = bench;
    const add = (folder: string, subject: string) =>
      simulator.items.create(`users/${user}/mailFolders/${folder}/messages`, { subject });
    const [kept, gone, moved] = [add('inbox', 'kept'), add('archive', 'gone'), add('inbox', 'moved')];
    await missedAndRead(bench);
    expect((await events()).map(({ record }) => record.key?.split('/').at(-1)).toSorted()).toEqual(
      [kept, gone, moved].map(idOf).toSorted(),
    );
    const before = (await events()).length;
    simulator.items.remove(gone.path);
    const elsewhere = simulator.items.move(moved.path, 'archive');
    const made = add('drafts', 'made');
    await missedAndRead(bench);
    expect(await since(bench, before)).toEqual(
      new Map([
        [idOf(gone), ['Microsoft.Graph.MessageDeleted', 'deleted']],
        // Its old id is no more, and the new one is another message.
        [idOf(moved), ['Microsoft.Graph.MessageDeleted', 'deleted']],
        [idOf(elsewhere), ['Microsoft.Graph.MessageUpdated', 'delta']],
        [idOf(made), ['Microsoft.Graph.MessageUpdated', 'delta']],
      ]),
    );
    expect(await letters()).toEqual([]);
  });

  it('with immutable ids has one record for what was moved', async () => {
    const view = { prefer: ['IdType="ImmutableId"'] };
    const bench = await watchingBench((user) => `users/${user}/messages`, { view });
    const { simulator, user, events } = bench;
    const moved = simulator.items.create(`users/${user}/mailFolders/inbox/messages`, { subject: 'moved' });
    await missedAndRead(bench);
    const [first] = await events();
    simulator.items.move(moved.path, 'archive');
    await missedAndRead(bench);
    const later = (await events()).slice(1);
    expect(new Set(later.map(({ record, type }) => `${record.key} ${type}`))).toEqual(
      new Set([`${first?.record.key} Microsoft.Graph.MessageUpdated`]),
    );
  });

  it('of one folder reads that folder, and what left it is there all the same', async () => {
    const bench = await watchingBench((user) => `users/${user}/mailFolders/inbox/messages`, {
      view: { whole: false, prefer: ['IdType="ImmutableId"'] },
    });
    const { simulator, user, events } = bench;
    const add = (folder: string) =>
      simulator.items.create(`users/${user}/mailFolders/${folder}/messages`, {});
    const inbox = add('inbox');
    add('archive');
    await missedAndRead(bench);
    expect(await events()).toHaveLength(1);
    simulator.items.move(inbox.path, 'archive');
    await missedAndRead(bench);
    expect((await events()).slice(1)).toMatchObject([
      { type: 'Microsoft.Graph.MessageUpdated', leftview: true },
    ]);
  });
});

describe('a mailbox whose messages are too large for a page', () => {
  it('is read in smaller pages', async () => {
    const bench = await watchingBench((user) => `users/${user}/messages`, { pageSize: 50 });
    const { simulator, user, events, letters } = bench;
    const content = 'x'.repeat(900_000);
    for (let n = 0; n < 8; n++)
      simulator.items.create(`users/${user}/mailFolders/inbox/messages`, {
        body: { contentType: 'text', content },
      });
    await missedAndRead(bench);
    expect(new Set((await events()).map(({ record }) => record.key)).size).toBe(8);
    expect(await letters()).toEqual([]);
  });
});

describe('a delta query that shuffles, repeats old states and has empty pages', () => {
  const delta = { shuffle: true, replayChance: 0.7, emptyPageChance: 0.5 };

  it('takes no record of an event back to an older state', async () => {
    const bench = await watchingBench((user) => `users/${user}/events`, { simulator: { delta } });
    const { simulator, user, events } = bench;
    const made = Array.from({ length: 12 }, (_, n) =>
      simulator.calendar.create(user, { subject: '0', ...inDays(n) }),
    );
    await missedAndRead(bench);
    for (const round of ['1', '2']) {
      for (const { path } of made) {
        simulator.calendar.update(path.key, { subject: `${round} in between` });
        simulator.calendar.update(path.key, { subject: round });
      }
      await missedAndRead(bench);
    }
    const subjects = Map.groupBy(await events(), ({ record }) => record.key);
    expect(subjects.size).toBe(12);
    for (const [, seen] of subjects)
      expect([...new Set(seen.map(({ data }) => data.subject))]).toEqual(['0', '1', '2']);
  });

  it('ends in the newest state of each item of a drive', async () => {
    const bench = await watchingBench((user) => `users/${user}/drive/root`, { simulator: { delta } });
    const { simulator, user, notifyWatched, settleAll, latest } = bench;
    const made = Array.from({ length: 12 }, () =>
      simulator.items.create(`users/${user}/drive/items`, { name: '0' }),
    );
    await notifyWatched();
    await settleAll();
    for (const { path } of made) simulator.items.update(path, { name: '1' });
    simulator.items.remove(made[0]?.path ?? '');
    await notifyWatched();
    await settleAll();
    const seen = await latest();
    for (const item of made.slice(1)) expect(seen.get(idOf(item))?.data).toMatchObject({ name: '1' });
    expect(made[0] && seen.get(idOf(made[0]))?.type).toBe('Microsoft.Graph.DriveItemDeleted');
  });
});

describe('a hole of other things', () => {
  it('of contacts reads the default folder and the others', async () => {
    const bench = await watchingBench((user) => `users/${user}/contacts`);
    const { simulator, user, events } = bench;
    const folder = simulator.items.create(`users/${user}/contactFolders`, { displayName: 'Customers' });
    simulator.items.create(`users/${user}/contacts`, { displayName: 'One' });
    simulator.items.create(`users/${user}/contactFolders/${idOf(folder)}/contacts`, { displayName: 'Two' });
    await missedAndRead(bench);
    expect((await events()).map(({ type, data }) => [type, data.displayName])).toEqual([
      ['Microsoft.Graph.ContactUpdated', 'One'],
      ['Microsoft.Graph.ContactUpdated', 'Two'],
    ]);
  });

  it('of all users has each looked up in the run of its own owner', async () => {
    const bench = await watchingBench(() => 'users', { simulator: { users: 8 } });
    const { simulator, watchedOwner, events, missed, runWatched } = bench;
    await missed();
    expect(await runWatched()).toMatchObject({ records: 0 });
    await bench.settleAll();
    const users = simulator.users();
    expect((await events()).map(({ record }) => record.key).toSorted()).toEqual(
      users.map(({ id }) => `${simulator.tenantId}/users/${id}`).toSorted(),
    );
    expect(watchedOwner).toMatch(/lanes/);
    const before = users.length;
    simulator.directoryObjects.softDelete(`users/${users[3]?.id}`);
    await missedAndRead(bench);
    expect(await since(bench, before)).toEqual(
      new Map([[users[3]?.id, ['Microsoft.Graph.UserDeleted', 'deleted']]]),
    );
  });

  it('of all groups has a group looked up that somebody joined; its record is the group, not the difference', async () => {
    const bench = await watchingBench(() => 'groups');
    const { simulator, user, events } = bench;
    const { path } = simulator.items.create('groups', { displayName: 'Sales' });
    await missedAndRead(bench);
    const before = (await events()).length;
    simulator.directoryObjects.addMember(idOf({ path }), user);
    await missedAndRead(bench);
    const [event, ...others] = (await events()).slice(before);
    expect(event).toMatchObject({ type: 'Microsoft.Graph.GroupUpdated', data: { displayName: 'Sales' } });
    expect(event?.data).not.toHaveProperty('members@delta');
    expect(others).toEqual([]);
  });

  it('of one chat looks it up; of its messages lists them', async () => {
    for (const [what, type] of [
      ['chats/19:c', 'Chat'],
      ['chats/19:c/messages', 'ChatMessage'],
    ]) {
      const bench = await watchingBench(() => what ?? '');
      bench.simulator.seed('chats/19:c', { topic: 'Chat' });
      bench.simulator.items.create('chats/19:c/messages', { body: { content: 'Hello' } });
      await missedAndRead(bench);
      expect((await bench.events()).map((event) => event.type)).toEqual([`Microsoft.Graph.${type}Updated`]);
    }
  });

  it('with a filter lists what it lets through', async () => {
    const view = { whole: false, filter: 'isRead eq true' };
    const bench = await watchingBench((user) => `users/${user}/messages`, { view });
    const { simulator, user, events } = bench;
    for (const isRead of [true, false])
      simulator.items.create(`users/${user}/mailFolders/inbox/messages`, { subject: String(isRead), isRead });
    await missedAndRead(bench);
    expect((await events()).map(({ data }) => data.subject)).toEqual(['true']);
  });

  it('that nothing can read is a dead letter that says so', async () => {
    const bench = await watchingBench(() => 'chats/getAllMessages');
    await missedAndRead(bench);
    expect(await bench.letters()).toMatchObject([
      { data: { stage: 'resync', reason: expect.stringContaining('in no way') } },
    ]);
    const unknown = await ownerBench();
    const { append, owner, simulator, run, letters } = unknown;
    const news = { tenantId: simulator.tenantId, subscriptionId: 'elsewhere', reason: 'a test' };
    await append(resyncEntry(owner, news, Date.now()));
    expect((await run()).next).toMatchObject({ step: 'done' });
    expect(await letters()).toMatchObject([{ data: { stage: 'resync', resource: 'resync/elsewhere' } }]);
  });
});

describe('an owner with news of more resources than it may have', () => {
  const notify = (
    bench: WatchingBench,
    changeType: 'created' | 'deleted',
    resource: string,
    mostResources: number,
  ) => {
    const { own, watchedOwner, simulator } = bench;
    const { tenantId } = simulator;
    const news = {
      kind: 'change',
      tenantId,
      subscriptionId: WATCHING,
      changeType,
      resource,
      nonce: 'n',
    } as const;
    return own
      .boundedInbox(mostResources)
      .append(watchedOwner, [{ owner: watchedOwner, resource, receivedAt: Date.now(), news }]);
  };

  it('keeps those it has and has everything read again: nothing that exists is lost, nor a deletion', async () => {
    const bench = await calendar();
    const { simulator, user, events, settleAll, own, watchedOwner } = bench;
    const made = Array.from({ length: 12 }, (_, i) =>
      simulator.calendar.create(user, { subject: `Event ${i}`, ...inDays(i) }),
    );
    const gone = made[11];
    simulator.calendar.remove(gone?.path.key ?? '');
    for (const { path } of made.slice(0, 11)) await notify(bench, 'created', path.key, 5);
    await notify(bench, 'deleted', gone?.path.key ?? '', 5);
    expect(await own.redis.zcard(`${own.names.prefix}:due:${watchedOwner}`)).toBe(7);
    await settleAll();
    const last = new Map((await events()).map((event) => [event.record.key, event]));
    for (const { path, etag } of made.slice(0, 11)) {
      expect(last.get(`${simulator.tenantId}/${path.key}`)?.resourceversion).toBe(etag);
    }
    expect(last.get(`${simulator.tenantId}/${gone?.path.key}`)?.type).toBe('Microsoft.Graph.EventDeleted');
  });

  it('says in a dead letter that deletions found no room, unless a token finds them', async () => {
    const bench = await calendar();
    const { simulator, user, letters, settleAll, events } = bench;
    const removeMany = async () => {
      for (let i = 0; i < 6; i++) {
        const { path } = simulator.calendar.create(user, { subject: `Event ${i}`, ...inDays(i) });
        simulator.calendar.remove(path.key);
        await notify(bench, 'deleted', path.key, 1);
      }
      await settleAll();
    };
    await removeMany();
    const letter = { data: { stage: 'resync', reason: expect.stringContaining('deletions') } };
    expect(await letters()).toMatchObject([letter]);
    const before = (await events()).length;
    await removeMany();
    expect(await letters()).toMatchObject([letter]);
    expect((await since(bench, before)).size).toBe(6);
  });
});
