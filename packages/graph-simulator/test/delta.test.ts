import { describe, expect, it } from 'vitest';
import type { GraphSimulatorOptions } from '../src/index.ts';
import type { Answer, CallOptions, GraphCaller } from './graph-caller.ts';
import { setUpGraph } from './graph-setup.ts';

// biome-ignore lint/suspicious/noExplicitAny: delta queries tell of items of every shape
type Item = any;

interface Round {
  readonly pages: Item[][];
  readonly items: Item[];
  readonly deltaLink: string;
}

/** Follows nextLinks to the deltaLink; every page has exactly one of the two. */
async function round(graph: GraphCaller, url: string, options: CallOptions = {}): Promise<Round> {
  const pages: Item[][] = [];
  for (let next = url; ; ) {
    const { status, body } = await graph.call('GET', next, options);
    expect(status, JSON.stringify(body)).toBe(200);
    pages.push(body.value);
    const [nextLink, deltaLink] = [body['@odata.nextLink'], body['@odata.deltaLink']];
    expect([nextLink, deltaLink].filter((link) => link !== undefined)).toHaveLength(1);
    if (deltaLink !== undefined) return { pages, items: pages.flat(), deltaLink };
    next = nextLink;
  }
}

const subjects = (items: Item[]) => items.map(({ subject, id }) => subject ?? id);
const removed = (items: Item[]) => items.filter((item) => item['@removed'] !== undefined);

const at = (day: number) => ({
  start: { dateTime: `2026-12-${String(day).padStart(2, '0')}T09:00:00`, timeZone: 'UTC' },
  end: { dateTime: `2026-12-${String(day).padStart(2, '0')}T10:00:00`, timeZone: 'UTC' },
});
const WINDOW = 'startDateTime=2026-12-01T00:00:00Z&endDateTime=2026-12-15T00:00:00Z';

async function calendar(options: GraphSimulatorOptions = {}) {
  const it = await setUpGraph(options);
  const url = `/users/${it.user}/calendarView/delta?${WINDOW}`;
  const add = (subject: string, day: number) =>
    it.simulator.calendar.create(it.user, { subject, ...at(day) });
  return { ...it, url, add, [Symbol.asyncDispose]: it[Symbol.asyncDispose] };
}

describe('the delta query of a calendar view', () => {
  it('tells first what is in the window, then what has changed since', async () => {
    await using it = await calendar();
    const [early, moved, gone] = [it.add('early', 2), it.add('moved', 3), it.add('gone', 4)];
    const outside = it.add('outside', 20);
    const first = await round(it.graph, it.url);
    expect(subjects(first.items)).toEqual(['early', 'moved', 'gone']);
    expect(first.items[0]).toMatchObject({ '@odata.type': '#microsoft.graph.event', id: early.body.id });
    expect((await round(it.graph, first.deltaLink)).items).toEqual([]);

    it.simulator.calendar.update(early.path.key, { subject: 'renamed' });
    it.simulator.calendar.update(moved.path.key, at(25));
    it.simulator.calendar.remove(gone.path.key);
    it.simulator.calendar.update(outside.path.key, { subject: 'still outside' });
    it.add('new', 5);
    const second = await round(it.graph, first.deltaLink);
    expect(subjects(second.items.filter((item) => item['@removed'] === undefined))).toEqual([
      'renamed',
      'new',
    ]);
    // What lies outside the window and has changed comes as removed, though it was never told of.
    expect(removed(second.items)).toEqual(
      [moved, gone, outside].map(({ body }) => ({
        '@odata.type': '#microsoft.graph.event',
        id: body.id,
        '@removed': { reason: 'deleted' },
      })),
    );
    expect((await round(it.graph, first.deltaLink)).items).toEqual(second.items);
    expect((await round(it.graph, second.deltaLink)).items).toEqual([]);
  });

  it('goes by pages of odata.maxpagesize, and keeps what comes meanwhile for the next round', async () => {
    await using it = await calendar();
    for (let i = 0; i < 7; i += 1) it.add(`No ${i}`, 2);
    const headers = { prefer: 'odata.maxpagesize=3' };
    const first = await it.graph.call('GET', it.url, { headers });
    expect(first.headers.get('preference-applied')).toBe('odata.maxpagesize=3');
    expect(first.body['@odata.nextLink']).toMatch(/delta\?\$skiptoken=[\w-]{64}$/);
    it.add('late', 3);
    const rest = await round(it.graph, first.body['@odata.nextLink'], { headers });
    expect(rest.pages.map((page) => page.length)).toEqual([3, 1]);
    expect(rest.deltaLink).toMatch(/delta\?\$deltatoken=[\w-]{64}$/);
    expect(subjects((await round(it.graph, rest.deltaLink)).items)).toEqual(['late']);
  });

  it('carries the $top of its first request in its links', async () => {
    await using it = await calendar();
    for (let i = 0; i < 5; i += 1) it.add(`No ${i}`, 2);
    const { pages } = await round(it.graph, `${it.url}&$top=2`);
    expect(pages.map((page) => page.length)).toEqual([2, 2, 1]);
  });

  it('shows each item in the state of the page: one that was deleted meanwhile is told as removed', async () => {
    await using it = await calendar();
    const events = [it.add('one', 2), it.add('two', 2)];
    const headers = { prefer: 'odata.maxpagesize=1' };
    const first = await it.graph.call('GET', it.url, { headers });
    it.simulator.calendar.remove(events[1]?.path.key ?? '');
    const rest = await round(it.graph, first.body['@odata.nextLink'], { headers });
    expect(removed(rest.items)).toHaveLength(1);
  });

  it.each([
    '$select=subject',
    '$expand=instances',
    "$filter=subject eq 'x'",
    '$orderby=subject',
    '$search=x',
  ])('refuses %s', async (option) => {
    await using it = await calendar();
    const { status, body } = await it.graph.call('GET', `${it.url}&${option}`);
    expect(status).toBe(400);
    expect(body.error.code).toBe('ErrorInvalidUrlQuery');
  });

  it('refuses a window without bounds, a token that nobody was given, and one of another place', async () => {
    await using it = await calendar();
    const [, other] = it.simulator.users();
    const { deltaLink } = await round(it.graph, it.url);
    const foreign = deltaLink.replace(it.user, other?.id ?? '');
    for (const url of [
      it.url.replace(/startDateTime=[^&]*&/, ''),
      it.url.replace(/2026-12-15/, 'then'),
      `/users/${it.user}/calendarView/delta?$deltatoken=made-up`,
      `${deltaLink}x`,
      foreign,
    ]) {
      expect((await it.graph.call('GET', url)).status, url).toBe(400);
    }
  });

  it('shows times in the preferred zone, and ids in the preferred form, of removed items too', async () => {
    await using it = await calendar();
    const event = it.add('one', 2);
    const headers = { prefer: 'outlook.timezone="Pacific Standard Time", IdType="ImmutableId"' };
    const first = await round(it.graph, it.url, { headers });
    expect(first.items[0].start).toEqual({
      dateTime: '2026-12-02T01:00:00.0000000',
      timeZone: 'Pacific Standard Time',
    });
    const { id } = first.items[0];
    expect(id).not.toBe(event.body.id);
    it.simulator.calendar.remove(event.path.key);
    expect((await round(it.graph, first.deltaLink, { headers })).items).toMatchObject([{ id }]);
  });
});

describe('what Graph is free to do in a delta query', () => {
  it('is an order of its own, by the seed', async () => {
    const orderOf = async (shuffle: boolean) => {
      await using it = await calendar({ seed: 3, delta: { shuffle } });
      for (let i = 0; i < 12; i += 1) it.add(String(i), 2);
      return subjects((await round(it.graph, it.url)).items).join();
    };
    const [plain, shuffled, again] = [await orderOf(false), await orderOf(true), await orderOf(true)];
    expect(plain).toBe('0,1,2,3,4,5,6,7,8,9,10,11');
    expect(shuffled).not.toBe(plain);
    expect(again).toBe(shuffled);
  });

  it('is to tell an item twice, an older state first: the last telling is the one of now', async () => {
    await using it = await calendar({ delta: { replayChance: 1, shuffle: true } });
    const events = Array.from({ length: 5 }, (_, i) => it.add(`old ${i}`, 2));
    for (const { path } of events) it.simulator.calendar.update(path.key, { subject: 'new' });
    const { items } = await round(it.graph, it.url, { headers: { prefer: 'odata.maxpagesize=3' } });
    expect(items).toHaveLength(10);
    expect(subjects(items).filter((subject) => subject.startsWith('old'))).toHaveLength(5);
    const last = new Map(items.map((item) => [item.id, item.subject]));
    expect([...last.values()]).toEqual(Array(5).fill('new'));
  });

  it('is an empty page though the round goes on', async () => {
    await using it = await calendar({ delta: { emptyPageChance: 1 } });
    it.add('one', 2);
    const { pages } = await round(it.graph, it.url);
    expect(pages.map((page) => page.length)).toEqual([0, 1]);
  });

  it('is to see a change later than its notification tells of it', async () => {
    await using it = await calendar({ delta: { lagMs: 60_000 } });
    it.add('one', 2);
    it.simulator.clock.advance(60_001);
    const first = await round(it.graph, it.url);
    expect(subjects(first.items)).toEqual(['one']);
    it.add('two', 2);
    const second = await round(it.graph, first.deltaLink);
    expect(second.items).toEqual([]);
    it.simulator.clock.advance(60_001);
    expect(subjects((await round(it.graph, second.deltaLink)).items)).toEqual(['two']);
  });
});

describe('a token of a delta query', () => {
  const expect410 = (answer: Answer, start: string) => {
    expect(answer.status).toBe(410);
    expect(answer.headers.get('location')).toContain(start);
  };

  it('expires on demand: 410 with the address of a full round', async () => {
    await using it = await calendar();
    it.add('one', 2);
    const { deltaLink } = await round(it.graph, it.url);
    expect(it.simulator.delta.expireTokens('users/nobody')).toBe(0);
    expect(it.simulator.delta.expireTokens(`users/${it.user}`)).toBe(1);
    const answer = await it.graph.call('GET', deltaLink);
    expect410(answer, '/calendarView/delta?startDateTime=');
    expect(answer.body.error.code).toBe('syncStateNotFound');
    const again = await round(it.graph, answer.headers.get('location') ?? '');
    expect(subjects(again.items)).toEqual(['one']);
  });

  it('expires by a control call, of one mailbox or of all', async () => {
    await using it = await calendar();
    const { deltaLink } = await round(it.graph, it.url);
    const expire = (body: unknown) => it.graph.raw('POST', '/simulator/delta/expire', { body });
    const [user] = it.simulator.users();
    expect((await expire({ resource: 'users' })).body).toEqual({ expired: 0 });
    expect((await expire({ resource: `users/${user?.userPrincipalName}/events` })).body).toEqual({
      expired: 1,
    });
    expect((await it.graph.call('GET', deltaLink)).status).toBe(410);
    await round(it.graph, it.url);
    expect((await expire({})).body).toEqual({ expired: 1 });
    expect((await expire({ resurce: 'users' })).status).toBe(400);
  });

  it.each([
    ['syncStateNotFound', 404],
    ['resyncRequired', 400],
  ] as const)('can be refused with %s and a status of the 40x series', async (expiredAs, status) => {
    await using it = await calendar({ delta: { expiredAs } });
    const { deltaLink } = await round(it.graph, it.url);
    it.simulator.delta.expireTokens();
    const answer = await it.graph.call('GET', deltaLink);
    expect(answer.status).toBe(status);
    expect(answer.body.error.code).toBe(expiredAs);
    expect(answer.headers.get('location')).toBeNull();
  });

  it('lives 7 days in the directory', async () => {
    await using it = await setUpGraph();
    const { deltaLink } = await round(it.graph, '/users/delta');
    const dayMs = 24 * 60 * 60 * 1000;
    it.simulator.clock.advance(7 * dayMs - 60_000);
    const headers = { authorization: `Bearer ${(await it.graph.token()).body.access_token}` };
    expect((await it.graph.call('GET', deltaLink, { headers })).status).toBe(200);
    it.simulator.clock.advance(60_000);
    expect410(await it.graph.call('GET', deltaLink, { headers }), '/users/delta?$deltatoken=');
  });

  it('lives in a mailbox until so many others were made', async () => {
    await using it = await calendar({ delta: { tokensPerMailbox: 3 } });
    const { deltaLink } = await round(it.graph, it.url);
    for (let i = 0; i < 2; i += 1) await round(it.graph, it.url);
    expect((await it.graph.call('GET', deltaLink)).status).toBe(200);
    expect((await it.graph.call('GET', deltaLink)).status).toBe(410);
  });
});

describe('the delta query of mail and contacts', () => {
  it('tells of the messages of a folder: a message that is moved leaves one and comes to the other', async () => {
    await using it = await setUpGraph();
    const inbox = `/users/${it.user}/mailFolders/inbox/messages`;
    const archive = `/users/${it.user}/mailFolders('Archive')/messages`;
    const message = it.simulator.items.create(inbox, { subject: 'Hello' });
    const first = await round(it.graph, `${inbox}/delta?$select=subject`);
    expect(first.items).toEqual([
      {
        '@odata.type': '#microsoft.graph.message',
        '@odata.etag': message.etag,
        id: message.body.id,
        subject: 'Hello',
      },
    ]);
    const other = await round(it.graph, `${archive}/delta`);
    expect(other.items).toEqual([]);
    it.simulator.items.move(message.path.key, 'archive');
    expect(removed((await round(it.graph, first.deltaLink)).items).map(({ id }) => id)).toEqual([
      message.body.id,
    ]);
    expect(subjects((await round(it.graph, other.deltaLink)).items)).toEqual(['Hello']);
  });

  it('filters messages by their time of receipt alone, and is there for folders, not for the mailbox', async () => {
    await using it = await setUpGraph();
    const folder = `users/${it.user}/mailFolders/inbox/messages`;
    it.simulator.items.create(folder, { subject: 'old', receivedDateTime: '2026-01-01T00:00:00Z' });
    it.simulator.items.create(folder, { subject: 'new', receivedDateTime: '2026-06-01T00:00:00Z' });
    const { items } = await round(
      it.graph,
      `/${folder}/delta?$filter=receivedDateTime ge 2026-05-01T00:00:00Z`,
    );
    expect(subjects(items)).toEqual(['new']);
    expect((await it.graph.call('GET', `/${folder}/delta?$filter=isRead eq true`)).status).toBe(400);
    expect((await it.graph.call('GET', `/users/${it.user}/messages/delta`)).status).toBe(400);
    expect((await it.graph.call('GET', `/users/${it.user}/mailFolders/none/messages/delta`)).status).toBe(
      404,
    );
  });

  it('tells of folders, made and there from the start', async () => {
    await using it = await setUpGraph();
    const url = `/users/${it.user}/mailFolders/delta`;
    const first = await round(it.graph, url);
    expect(first.items.map(({ displayName }) => displayName)).toContain('Inbox');
    const { body } = await it.graph.call('POST', `/users/${it.user}/mailFolders`, {
      body: { displayName: 'Bills' },
    });
    expect((await round(it.graph, first.deltaLink)).items).toMatchObject([
      { id: body.id, displayName: 'Bills' },
    ]);
  });

  it('tells of contacts by folder, and of contact folders', async () => {
    await using it = await setUpGraph();
    const folders = `/users/${it.user}/contactFolders`;
    const first = await round(it.graph, `${folders}/contacts/contacts/delta`);
    const contact = it.simulator.items.create(`users/${it.user}/contacts`, { displayName: 'Ada' });
    const made = await it.graph.call('POST', folders, { body: { displayName: 'Friends' } });
    const second = await round(it.graph, first.deltaLink);
    expect(second.items).toMatchObject([{ displayName: 'Ada' }]);
    const friends = await round(it.graph, `${folders}/${made.body.id}/contacts/delta`);
    expect(friends.items).toEqual([]);
    it.simulator.items.move(contact.path.key, made.body.id);
    expect((await round(it.graph, friends.deltaLink)).items).toMatchObject([{ displayName: 'Ada' }]);
    expect(removed((await round(it.graph, second.deltaLink)).items)).toHaveLength(1);
    expect((await round(it.graph, `${folders}/delta`)).items).toMatchObject([{ displayName: 'Friends' }]);
  });
});

describe('the delta query of the directory', () => {
  it('tells of users: soft-deleted ones as changed, those deleted for good as deleted', async () => {
    await using it = await setUpGraph();
    const first = await round(it.graph, '/users/delta?$select=displayName');
    expect(first.items).toHaveLength(2);
    expect(Object.keys(first.items[0]).sort()).toEqual(['displayName', 'id']);
    const [one, two] = it.simulator.users();
    await it.graph.call('DELETE', `/users/${one?.id}`);
    await it.graph.call('PATCH', `/users/${two?.id}`, { body: { displayName: 'Renamed' } });
    const second = await round(it.graph, first.deltaLink);
    expect(second.items).toEqual([
      { id: one?.id, '@removed': { reason: 'changed' } },
      { id: two?.id, displayName: 'Renamed' },
    ]);
    await it.graph.call('DELETE', `/directory/deletedItems/${one?.id}`);
    expect((await round(it.graph, second.deltaLink)).items).toEqual([
      { id: one?.id, '@removed': { reason: 'deleted' } },
    ]);
  });

  it('can begin now, with $deltatoken=latest', async () => {
    await using it = await setUpGraph();
    const { items, deltaLink } = await round(it.graph, '/users/delta?$deltatoken=latest');
    expect(items).toEqual([]);
    it.simulator.seedUsers(3);
    expect((await round(it.graph, deltaLink)).items).toHaveLength(1);
  });

  it('tells of groups with their members, and then of those that came and went', async () => {
    await using it = await setUpGraph();
    const { simulator } = it;
    const [one, two] = simulator.users();
    const group = simulator.items.create('groups', { displayName: 'Group' });
    const id = String(group.body.id);
    simulator.directoryObjects.addMember(id, one?.id ?? '');
    const first = await round(it.graph, '/groups/delta');
    expect(first.items).toMatchObject([{ id, 'members@delta': [{ id: one?.id }] }]);
    simulator.directoryObjects.removeMember(id, one?.id ?? '');
    simulator.directoryObjects.addMember(id, two?.id ?? '');
    const [told] = (await round(it.graph, first.deltaLink)).items;
    expect(told['members@delta']).toEqual([
      { '@odata.type': '#microsoft.graph.user', id: one?.id, '@removed': { reason: 'deleted' } },
      { '@odata.type': '#microsoft.graph.user', id: two?.id },
    ]);
  });
});

describe('the delta query of a drive', () => {
  it('tells of the root and all items, deleted ones by a facet, and can begin now', async () => {
    await using it = await setUpGraph();
    const { items: store } = it.simulator;
    it.simulator.seed('drives/d', { name: 'Documents', owner: { user: { id: it.user } } });
    const latest = await round(it.graph, '/drives/d/root/delta?token=latest');
    const folder = store.create('drives/d/items', { name: 'Folder', folder: {} });
    const file = store.create('drives/d/items', {
      name: 'a.txt',
      parentReference: { driveId: 'd', id: folder.body.id },
    });
    const first = await round(it.graph, `/users/${it.user}/drive/root/delta`);
    expect(first.items.map(({ name }) => name)).toEqual(['root', 'Folder', 'a.txt']);
    expect(first.deltaLink).toMatch(/\?token=[\w-]{64}$/);
    expect((await round(it.graph, latest.deltaLink)).items.map(({ name }) => name)).toEqual([
      'Folder',
      'a.txt',
    ]);
    store.remove(file.path.key);
    const [gone] = (await round(it.graph, first.deltaLink)).items;
    expect(gone).toMatchObject({ id: file.body.id, deleted: { state: 'deleted' } });
    it.simulator.delta.expireTokens('drives/d');
    const expired = await it.graph.call('GET', first.deltaLink);
    expect(expired.status).toBe(410);
    expect(expired.body.error.code).toBe('resyncChangesApplyDifferences');
    expect(expired.headers.get('location')).toMatch(/delta\?token=$/);
  });

  it('is there for a channel and a list as well, and not for what Graph has none for', async () => {
    await using it = await setUpGraph();
    const { items } = it.simulator;
    it.simulator.seed('teams/t/channels/c', { displayName: 'General' });
    items.create('teams/t/channels/c/messages', { body: { contentType: 'html', content: 'hi' } });
    expect((await round(it.graph, '/teams/t/channels/c/messages/delta')).items).toHaveLength(1);
    it.simulator.seed('sites/s/lists/l', { displayName: 'List' });
    items.create('sites/s/lists/l/items', { fields: { Title: 'One' } });
    expect((await round(it.graph, '/sites/s/lists/l/items/delta')).items).toHaveLength(1);
    expect((await it.graph.call('GET', '/chats/c/delta')).status).toBe(400);
    expect((await it.graph.call('GET', '/drives/none/root/delta')).status).toBe(404);
  });
});
