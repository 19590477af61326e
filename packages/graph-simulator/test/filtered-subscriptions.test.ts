import { describe, expect, it } from 'vitest';
import { type GraphSetup, setUpGraph } from './graph-setup.ts';

const told = async (it: GraphSetup) =>
  (await it.notified()).map(({ changeType, resourceData }) => [changeType, resourceData.id]);

describe('a filtered view of a mailbox', () => {
  it('tells what enters it as created and what leaves it as deleted', async () => {
    await using it = await setUpGraph();
    const { items } = it.simulator;
    await it.watch(`users/${it.user}/messages?$filter=isRead eq false`);
    const inbox = `users/${it.user}/mailFolders/inbox/messages`;
    const unread = items.create(inbox, { isRead: false });
    const read = items.create(inbox, { isRead: true });
    items.update(unread.path, { subject: 'Still unread' });
    items.update(unread.path, { isRead: true });
    items.update(unread.path, { subject: 'Nobody is told' });
    items.update(read.path, { isRead: false });
    items.remove(read.path);
    items.remove(unread.path);
    expect(await told(it)).toEqual([
      ['created', unread.body.id],
      ['updated', unread.body.id],
      ['deleted', unread.body.id],
      ['created', read.body.id],
      ['deleted', read.body.id],
    ]);
  });

  it('is of events too, by any property, whatever the spelling of the path', async () => {
    await using it = await setUpGraph();
    const { calendar } = it.simulator;
    const filter = encodeURIComponent("start/dateTime ge '2026-12-01' and importance eq 'high'");
    await it.watch(`Users('${it.user}')/Events?$filter=${filter}`, 'created,deleted');
    const on = (dateTime: string) => ({ dateTime, timeZone: 'UTC' });
    const event = calendar.create(it.user, { importance: 'high', start: on('2026-12-05T10:00:00') });
    calendar.create(it.user, { importance: 'low', start: on('2026-12-05T10:00:00') });
    calendar.update(event.path.key, { subject: 'Not asked for' });
    calendar.update(event.path.key, { start: on('2026-11-05T10:00:00') });
    expect(await told(it)).toEqual([
      ['created', event.body.id],
      ['deleted', event.body.id],
    ]);
  });

  it('holds within a folder, which a message leaves by being moved', async () => {
    await using it = await setUpGraph();
    const { items } = it.simulator;
    await it.watch(`users/${it.user}/mailFolders('inbox')/messages?$filter=isRead eq false`);
    const message = items.create(`users/${it.user}/mailFolders/inbox/messages`, { isRead: false });
    items.create(`users/${it.user}/mailFolders/archive/messages`, { isRead: false });
    const moved = items.move(message.path, 'archive');
    items.update(moved.path, { isRead: true });
    expect(await told(it)).toEqual([
      ['created', message.body.id],
      ['deleted', message.body.id],
    ]);
  });

  it('stands beside an unfiltered subscription, which hears of everything as it is', async () => {
    await using it = await setUpGraph();
    const { items } = it.simulator;
    await it.watch(`users/${it.user}/messages?$filter=isRead eq false`);
    await it.watch(`users/${it.user}/messages`);
    const { path } = items.create(`users/${it.user}/messages`, { isRead: false });
    items.update(path, { isRead: true });
    const types = (await it.notified()).map(({ changeType }) => changeType);
    expect(types.sort()).toEqual(['created', 'created', 'deleted', 'updated']);
  });
});

describe('a filter elsewhere', () => {
  it('tells of alerts that match, as what happened to them', async () => {
    await using it = await setUpGraph();
    const { items } = it.simulator;
    await it.watch("security/alerts_v2?$filter=severity eq 'high'", 'created,updated');
    const alert = items.create('security/alerts_v2', { severity: 'low' });
    items.update(alert.path, { severity: 'high' });
    items.update(alert.path, { severity: 'low' });
    expect(await told(it)).toEqual([['updated', alert.body.id]]);
  });

  it('tells of the presence of those who are named', async () => {
    await using it = await setUpGraph({ users: 3 });
    const [first, second, third] = it.simulator.users().map(({ id }) => id);
    await it.watch(`communications/presences?$filter=id in ('${first}', '${second}')`, 'updated');
    for (const id of [first, second, third])
      it.simulator.items.create('communications/presences', { id, availability: 'Busy' });
    expect(await told(it)).toEqual([
      ['updated', first],
      ['updated', second],
    ]);
  });

  it.each([
    ['eq', "p:p/id eq '{first}'"],
    ['or', "p:p/id eq 'nobody' or p/id eq '{first}'"],
    ['in', "p: p/id in ('nobody', '{first}')"],
  ])('tells of the calls of those who took part in them, by %s', async (_operator, lambda) => {
    await using it = await setUpGraph({ users: 2 });
    const [first, second] = it.simulator.users().map(({ id }) => id);
    const filter = encodeURIComponent(`participants/any(${lambda.replace('{first}', String(first))})`);
    await it.watch(`communications/callRecords?$filter=${filter}`, 'created,updated');
    const call = (...ids: unknown[]) =>
      it.simulator.items.create('communications/callRecords', { participants: ids.map((id) => ({ id })) });
    const [both] = [call(second, first), call(second), call()];
    expect(await told(it)).toEqual([['created', both?.body.id]]);
  });

  it('tells of print jobs by notificationQueryOptions, and shows these', async () => {
    await using it = await setUpGraph();
    const notificationQueryOptions = '$filter = isFetchable eq true';
    const made = await it.graph.call('POST', '/subscriptions', {
      body: {
        resource: 'print/printers/p/jobs',
        changeType: 'updated',
        notificationUrl: it.receiver.url,
        expirationDateTime: new Date(it.simulator.clock.now() + 3_000_000).toISOString(),
        notificationQueryOptions,
      },
    });
    expect(made).toMatchObject({ status: 201, body: { notificationQueryOptions } });
    const { path, body } = it.simulator.items.create('print/printers/p/jobs', { isFetchable: false });
    it.simulator.items.update(path, { acquiredByPrinter: false });
    it.simulator.items.update(path, { isFetchable: true });
    expect(await told(it)).toEqual([['updated', body.id]]);
  });

  it.each([
    ['a kind that takes none', 'chats/getAllMessages?$filter=importance eq 0', 'created', 400],
    ['files', "drives/d/root?$filter=name eq 'a'", 'updated', 400],
    ['a filter that is none', 'users/{user}/messages?$filter=isRead', 'created', 400],
    ['another lambda', "users/{user}/messages?$filter=categories/all(c:c eq 'a')", 'created', 501],
    [
      'a lambda without its variable',
      "users/{user}/messages?$filter=categories/any(c eq 'a')",
      'created',
      400,
    ],
    ['calls by something else', "communications/callRecords?$filter=type eq 'peerToPeer'", 'created', 400],
    ['presences by something else', "communications/presences?$filter=activity eq 'Busy'", 'updated', 400],
    ['all presences', 'communications/presences', 'updated', 400],
    ['too many presences', 'communications/presences?$filter=id in ({651 ids})', 'updated', 400],
  ])('is refused: %s', async (_what, resource, changeType, status) => {
    await using it = await setUpGraph();
    const ids = Array.from({ length: 651 }, (_, i) => `'${i}'`).join(',');
    const filled = resource.replace('{user}', it.user).replace('{651 ids}', ids);
    const body = {
      resource: filled,
      changeType,
      notificationUrl: it.receiver.url,
      expirationDateTime: new Date(it.simulator.clock.now() + 3_000_000).toISOString(),
    };
    expect((await it.graph.call('POST', '/subscriptions', { body })).status).toBe(status);
    expect(it.receiver.validations).toEqual([]);
  });
});

describe('membership', () => {
  it.each([
    ['members', 'groups/{group}/members'],
    ['members', 'groups/{group}'],
    ['owners', 'groups/{group}/owners'],
  ] as const)('of %s is told to %s as an update of the group', async (word, watched) => {
    await using it = await setUpGraph();
    const group = String(it.simulator.items.create('groups', { displayName: 'Group' }).body.id);
    await it.watch(watched.replace('{group}', group), 'updated');
    it.simulator.directoryObjects.addMember(group, it.user, word);
    it.simulator.directoryObjects.removeMember(group, it.user, word);
    const items = await it.notified();
    expect(items.map(({ resource }) => resource)).toEqual([`Groups/${group}`, `Groups/${group}`]);
    expect(items.map(({ resourceData }) => resourceData[`${word}@delta`])).toEqual([
      [{ id: it.user }],
      [{ id: it.user, '@removed': 'deleted' }],
    ]);
    const { body } = await it.graph.call('GET', `/groups/${group}/${word}`);
    expect(body.value).toEqual([]);
  });
});

describe('the chats of a user', () => {
  it('are those that have the user as a member', async () => {
    await using it = await setUpGraph();
    const { items } = it.simulator;
    const [own, other] = ['19:own@thread.v2', '19:other@thread.v2'];
    for (const id of [own, other]) it.simulator.seed(`chats/${id}`, { id });
    items.create(`chats/${own}/members`, { userId: it.user });
    items.create(`chats/${other}/members`, { userId: 'somebody else' });
    await it.watch(`users/${it.user}/chats`, 'created,updated');
    for (const id of [own, other]) items.update(`chats/${id}`, { topic: 'Lunch' });
    expect(await told(it)).toEqual([['updated', own]]);
  });
});

describe('the messages of all chats of a user', () => {
  it('are those of the chats that have the user as a member', async () => {
    await using it = await setUpGraph();
    const { items } = it.simulator;
    const [own, other] = ['19:own@thread.v2', '19:other@thread.v2'];
    await it.watch(`users/${it.user}/chats/getAllMessages`);
    items.create(`chats/${own}/members`, { userId: it.user });
    items.create(`chats/${other}/members`, { userId: 'somebody else' });
    const { body } = items.create(`chats/${own}/messages`, {});
    items.create(`chats/${other}/messages`, {});
    expect(await told(it)).toEqual([['created', body.id]]);
  });
});

describe('a second calendar', () => {
  it('has events of its own, which the default one neither lists nor tells of', async () => {
    await using it = await setUpGraph();
    const made = await it.graph.call('POST', `/users/${it.user}/calendars`, { body: { name: 'Shifts' } });
    expect(made.status).toBe(201);
    const calendars = await it.graph.call('GET', `/users/${it.user}/calendars`);
    expect(calendars.body.value).toMatchObject([
      { name: 'Calendar', isDefaultCalendar: true },
      { name: 'Shifts', isDefaultCalendar: false },
    ]);
    await it.watch(`users/${it.user}/events`);
    const start = { dateTime: '2026-12-01T09:00:00', timeZone: 'UTC' };
    const end = { dateTime: '2026-12-01T10:00:00', timeZone: 'UTC' };
    const shifts = `/users/${it.user}/calendars/${made.body.id}`;
    const event = await it.graph.call('POST', `${shifts}/events`, { body: { subject: 'Early', start, end } });
    expect(event.body['calendar@odata.navigationLink']).toContain(made.body.id);
    const subjects = async (path: string) =>
      (await it.graph.call('GET', path)).body.value.map(({ subject }: { subject: string }) => subject);
    const window = 'startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-02T00:00:00Z';
    expect(await subjects(`${shifts}/events`)).toEqual(['Early']);
    expect(await subjects(`${shifts}/calendarView?${window}`)).toEqual(['Early']);
    for (const path of ['events', 'calendar/events', `calendarView?${window}`, 'events/delta'])
      expect(await subjects(`/users/${it.user}/${path}`), path).toEqual([]);
    expect((await it.graph.call('GET', `/users/${it.user}/events/${event.body.id}`)).status).toBe(200);
    expect((await it.graph.call('GET', `/users/${it.user}/calendars/none/events`)).status).toBe(404);
    expect(await it.notified()).toEqual([]);
  });
});
