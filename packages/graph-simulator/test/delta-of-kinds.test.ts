import { describe, expect, it } from 'vitest';
import type { GraphCaller } from './graph-caller.ts';
import { type GraphSetup, setUpGraph } from './graph-setup.ts';

// biome-ignore lint/suspicious/noExplicitAny: delta queries tell of items of every shape
type Item = any;

async function round(graph: GraphCaller, url: string): Promise<{ items: Item[]; deltaLink: string }> {
  const items: Item[] = [];
  for (let next = url; ; ) {
    const { status, body } = await graph.call('GET', next);
    expect(status, JSON.stringify(body)).toBe(200);
    items.push(...body.value);
    if (body['@odata.deltaLink'] !== undefined) return { items, deltaLink: body['@odata.deltaLink'] };
    next = body['@odata.nextLink'];
  }
}

describe('the delta query of mail folders', () => {
  it('lists the whole tree, by parent ids, with the numbers of what is in it', async () => {
    await using it = await setUpGraph();
    const { items } = it.simulator;
    const folders = `users/${it.user}/mailFolders`;
    const outer = String(items.create(folders, { displayName: 'Outer' }).body.id);
    const inner = String(items.create(`${folders}/${outer}/childFolders`, { displayName: 'Inner' }).body.id);
    const under = items.create(`${folders}/inbox/childFolders`, { displayName: 'Under the inbox' });
    items.create(`${folders}/${inner}/messages`, { isRead: false });
    const first = await round(it.graph, `/${folders}/delta`);
    const byName = new Map(first.items.map((folder) => [folder.displayName, folder]));
    expect(byName.get('Inner')).toMatchObject({
      parentFolderId: outer,
      totalItemCount: 1,
      unreadItemCount: 1,
    });
    expect(byName.get('Outer')).toMatchObject({ childFolderCount: 1 });
    expect(byName.get('Under the inbox').parentFolderId).toBe(byName.get('Inbox').id);
    expect(byName.get('Inbox').childFolderCount).toBe(1);
    // Nothing is left out of the way from each folder up to the root of them all.
    const ids = new Set(first.items.map(({ id }) => id));
    const roots = first.items.filter(({ parentFolderId }) => !ids.has(parentFolderId));
    expect(new Set(roots.map(({ parentFolderId }) => parentFolderId)).size).toBe(1);

    items.remove(under.path);
    const deeper = items.create(`${folders}/${inner}/childFolders`, { displayName: 'Deeper' });
    const second = await round(it.graph, first.deltaLink);
    expect(second.items).toMatchObject([
      { id: under.body.id, '@removed': { reason: 'deleted' } },
      { id: deeper.body.id, parentFolderId: inner },
    ]);
  });
});

describe('the delta query of messages', () => {
  it('can be had newest first, and by the time of receipt', async () => {
    await using it = await setUpGraph({ delta: { shuffle: true } });
    const inbox = `users/${it.user}/mailFolders/inbox/messages`;
    const received = ['2026-11-02', '2026-11-01', '2026-11-04', '2026-11-03'].map(
      (day) => `${day}T08:00:00Z`,
    );
    for (const receivedDateTime of received) it.simulator.items.create(inbox, { receivedDateTime });
    const days = async (query: string) =>
      (await round(it.graph, `/${inbox}/delta?${query}`)).items.map(({ receivedDateTime }) =>
        Number(receivedDateTime.slice(8, 10)),
      );
    expect(await days('$orderby=receivedDateTime desc&$top=3')).toEqual([4, 3, 2, 1]);
    const since = '$filter=receivedDateTime ge 2026-11-02T08:00:00Z';
    expect(await days(`${since}&$orderby=receivedDateTime desc`)).toEqual([4, 3, 2]);
    for (const order of ['subject', 'receivedDateTime asc', 'receivedDateTime'])
      expect((await it.graph.call('GET', `/${inbox}/delta?$orderby=${order}`)).status).toBe(400);
  });

  it('tells of 5,000 at most where it is filtered', async () => {
    await using it = await setUpGraph();
    const inbox = `users/${it.user}/mailFolders/inbox/messages`;
    for (let i = 0; i < 5_001; i += 1) it.simulator.items.create(inbox, {}, { notifyTimes: 0 });
    const count = async (query: string) =>
      (await round(it.graph, `/${inbox}/delta?$top=1000${query}`)).items.length;
    expect(await count('&$filter=receivedDateTime ge 2000-01-01T00:00:00Z')).toBe(5_000);
    expect(await count('')).toBe(5_001);
  });
});

describe('a delta query', () => {
  async function group(it: GraphSetup) {
    const id = String(it.simulator.items.create('groups', { displayName: 'Group' }).body.id);
    it.simulator.directoryObjects.addMember(id, it.user);
    it.simulator.directoryObjects.addMember(id, it.user, 'owners');
    return id;
  }

  it.each([
    ['', ['members@delta', 'owners@delta']],
    ['?$select=displayName,members', ['members@delta']],
    ['?$select=displayName', []],
  ])('of groups%s tells of %j', async (query, expected) => {
    await using it = await setUpGraph();
    const id = await group(it);
    const first = await round(it.graph, `/groups/delta${query}`);
    const named = (items: Item[]) => Object.keys(items[0]).filter((name) => name.endsWith('@delta'));
    expect(first.items).toMatchObject([{ id, displayName: 'Group' }]);
    expect(named(first.items)).toEqual(expected);
    it.simulator.directoryObjects.removeMember(id, it.user);
    const second = await round(it.graph, first.deltaLink);
    expect(second.items[0]['members@delta']).toEqual(
      expected.includes('members@delta')
        ? [{ '@odata.type': '#microsoft.graph.user', id: it.user, '@removed': { reason: 'deleted' } }]
        : undefined,
    );
  });

  it.each([
    ['users', '$deltatoken', 'users'],
    ['groups', '$deltatoken', 'groups'],
    ['drives/{drive}/root', 'token', 'drives/{drive}/items'],
    ['users/{user}/drive/root', 'token', 'drives/{drive}/items'],
    ['sites/s/lists/l/items', 'token', 'sites/s/lists/l/items'],
  ])('of %s begins now where %s is "latest"', async (scope, name, collection) => {
    await using it = await setUpGraph();
    it.simulator.seed('sites/s/lists/l', {});
    const drive = (await it.graph.call('GET', `/users/${it.user}/drive`)).body.id;
    const fill = (text: string) => text.replace('{user}', it.user).replace('{drive}', drive);
    it.simulator.items.create(fill(collection), { displayName: 'before' });
    const first = await round(it.graph, `/${fill(scope)}/delta?${name}=latest`);
    expect(first.items).toEqual([]);
    expect(first.deltaLink).toContain(`/delta?${name}=`);
    const { body } = it.simulator.items.create(fill(collection), { displayName: 'after' });
    const second = await round(it.graph, first.deltaLink);
    expect(second.items.map(({ id }) => id)).toEqual([body.id]);
  });

  it.each([
    'users/{user}/contacts',
    'users/{user}/mailFolders/inbox/messages',
    'teams/t/channels/c/messages',
  ])('of %s knows no "latest"', async (scope) => {
    await using it = await setUpGraph();
    it.simulator.seed('teams/t/channels/c', {});
    const url = `/${scope.replace('{user}', it.user)}/delta?$deltatoken=latest`;
    expect((await it.graph.call('GET', url)).status).toBe(400);
  });
});

describe('a delta token that a fault lets expire', () => {
  it.each([
    [undefined, 410, 'syncStateNotFound'],
    [410, 410, 'syncStateNotFound'],
    [404, 404, 'syncStateNotFound'],
    [400, 400, 'resyncRequired'],
  ])('is answered in the form that status %s asks for, once', async (status, answered, code) => {
    await using it = await setUpGraph();
    const url = `/users/${it.user}/mailFolders/inbox/messages/delta`;
    const fault = it.simulator.faults.add({ kind: 'expired-token', ...(status && { status }) });
    const { deltaLink } = await round(it.graph, url);
    expect(fault.hits).toBe(0);
    const refused = await it.graph.call('GET', deltaLink);
    expect(refused.status).toBe(answered);
    expect(refused.body.error.code).toBe(code);
    const location = refused.headers.get('location');
    expect(location === null).toBe(answered !== 410);
    if (location !== null) expect((await it.graph.call('GET', location)).status).toBe(200);
    expect((await it.graph.call('GET', deltaLink)).status).toBe(200);
    expect(fault.hits).toBe(1);
  });

  it('may be that of a page, and is named as drives name it', async () => {
    await using it = await setUpGraph();
    it.simulator.seed('drives/d', {});
    for (const name of ['a', 'b', 'c']) it.simulator.items.create('drives/d/items', { name });
    const first = await it.graph.call('GET', '/drives/d/root/delta?$top=1');
    const added = await it.graph.raw('POST', '/simulator/faults', {
      body: { kind: 'expired-token', path: 'drives/d/root/delta' },
    });
    expect(added.status).toBe(201);
    const refused = await it.graph.call('GET', first.body['@odata.nextLink']);
    expect(refused.status).toBe(410);
    expect(refused.body.error.code).toBe('resyncChangesApplyDifferences');
    expect(refused.headers.get('location')).toContain('/drives/d/root/delta?$top=1&token=');
  });

  it('fails its part of a batch alone', async () => {
    await using it = await setUpGraph();
    const { deltaLink } = await round(it.graph, '/users/delta');
    it.simulator.faults.add({ kind: 'expired-token' });
    const url = deltaLink.split('/v1.0')[1];
    const { body } = await it.graph.call('POST', '/$batch', {
      body: {
        requests: [
          { id: '1', method: 'GET', url },
          { id: '2', method: 'GET', url: '/users' },
        ],
      },
    });
    const statuses = new Map(body.responses.map((one: Item) => [one.id, one.status]));
    expect([statuses.get('1'), statuses.get('2')]).toEqual([410, 200]);
  });
});
