import { describe, expect, it } from 'vitest';
import { setUpGraph } from './graph-setup.ts';

const CHANGES = 'created,updated,deleted';

describe('a change of an item', () => {
  it.each([
    [
      'a message',
      'users/{user}/messages',
      'users/{user}/mailFolders/inbox/messages',
      CHANGES,
      'Users/{user}/Messages/{id}',
    ],
    ['a contact', 'users/{user}/contacts', 'users/{user}/contacts', CHANGES, 'Users/{user}/Contacts/{id}'],
    ['a user', 'users', 'users', 'updated,deleted', 'Users/{id}'],
    ['a group', 'groups', 'groups', 'updated,deleted', 'Groups/{id}'],
    ['a chat', 'chats', 'chats', CHANGES, "chats('{id}')"],
    ['a chat message', 'chats/c/messages', 'chats/c/messages', CHANGES, "chats('c')/messages('{id}')"],
    [
      'a chat message anywhere',
      'chats/getAllMessages',
      'chats/c/messages',
      CHANGES,
      "chats('c')/messages('{id}')",
    ],
    [
      'a channel message',
      'teams/getAllMessages',
      'teams/t/channels/c/messages',
      CHANGES,
      "teams('t')/channels('c')/messages('{id}')",
    ],
    [
      'a task',
      'users/{user}/todo/lists/l/tasks',
      'users/{user}/todo/lists/l/tasks',
      CHANGES,
      'Users/{user}/todo/lists/l/tasks/{id}',
    ],
    [
      'a conversation',
      'groups/g/conversations',
      'groups/g/conversations',
      CHANGES,
      'Groups/g/Conversations/{id}',
    ],
  ])('%s is told to %s by its name', async (_what, watched, collection, changeTypes, name) => {
    await using it = await setUpGraph();
    const filled = (text: string) => text.replace('{user}', it.user);
    await it.watch(filled(watched), changeTypes);
    const { items } = it.simulator;
    const { path } = items.create(filled(collection), { displayName: 'One' });
    items.update(path, { displayName: 'Two' });
    items.remove(path);
    const told = await it.notified();
    const isDirectory = changeTypes !== CHANGES;
    expect(told.map(({ changeType }) => changeType)).toEqual([
      isDirectory ? 'updated' : 'created',
      'updated',
      'deleted',
    ]);
    const id = path.segments.at(-1)?.id;
    for (const { resource, resourceData } of told) {
      expect(resource).toBe(filled(name).replace('{id}', id ?? ''));
      expect(resourceData).toMatchObject({ id, '@odata.id': resource });
    }
  });

  it.each([
    ['callRecord', 'communications/callRecords', 'communications/callRecords', 'created,updated'],
    ['alert', 'security/alerts_v2', 'security/alerts_v2', 'created,updated'],
    ['PrintJob', 'print/printers/p/jobs', 'print/printers/p/jobs', 'created,updated'],
    ['PrintTask', 'print/taskDefinitions/d/tasks', 'print/taskDefinitions/d/tasks', 'created,updated'],
    ['presence', 'communications/presences/{user}', 'communications/presences', 'updated'],
  ])('%s is told to %s', async (type, watched, collection, changeTypes) => {
    await using it = await setUpGraph();
    const { items } = it.simulator;
    await it.watch(watched.replace('{user}', it.user), changeTypes);
    const { path, body } = items.create(collection, { id: it.user, activity: 'Available' });
    items.update(path, { activity: 'Busy' });
    const told = await it.notified();
    const [first] = changeTypes.split(',');
    expect(told.map(({ changeType }) => changeType)).toEqual([first, 'updated']);
    for (const { resourceData } of told) {
      expect(resourceData).toMatchObject({ '@odata.type': `#Microsoft.Graph.${type}`, id: body.id });
    }
    expect((await it.graph.call('GET', `/${path.key}`)).body).toMatchObject({ activity: 'Busy' });
  });

  it.each([
    ['drives/d/root', 'drives/d/items', '#Microsoft.Graph.DriveItem'],
    ['users/{user}/drive/root', 'drives/d/items', '#Microsoft.Graph.DriveItem'],
    ['sites/s/lists/l', 'sites/s/lists/l/items', '#Microsoft.Graph.List'],
  ])(
    'below %s is told as an update of that, without saying of what',
    async (watched, collection, odataType) => {
      await using it = await setUpGraph();
      const resource = watched.replace('{user}', it.user);
      it.simulator.seed('drives/d', { name: 'Documents', owner: { user: { id: it.user } } });
      it.simulator.seed('sites/s/lists/l', { displayName: 'List' });
      await it.watch(resource, 'updated');
      const { items } = it.simulator;
      const { path } = items.create(collection, { name: 'a.txt' });
      items.update(path, { name: 'b.txt' });
      items.remove(path);
      const told = await it.notified();
      expect(told.map(({ changeType }) => changeType)).toEqual(['updated', 'updated', 'updated']);
      for (const one of told)
        expect(one).toMatchObject({ resource, resourceData: { '@odata.type': odataType } });
      for (const { resourceData } of told) expect(Object.keys(resourceData)).toEqual(['@odata.type']);
    },
  );

  it('seeds tell nobody', async () => {
    await using it = await setUpGraph();
    await it.watch('groups', 'updated,deleted');
    it.simulator.seed('groups/g', { displayName: 'G' });
    expect(await it.notified()).toEqual([]);
  });
});

describe('a call on an item', () => {
  it('makes, alters and removes messages, contacts, tasks and files', async () => {
    await using it = await setUpGraph();
    it.simulator.seed('drives/d', { name: 'Documents' });
    for (const [collection, draft] of [
      [`/users/${it.user}/messages`, { subject: 'One' }],
      [`/users/${it.user}/mailFolders/archive/messages`, { subject: 'One' }],
      [`/users/${it.user}/contacts`, { subject: 'One' }],
      ['/drives/d/root/children', { subject: 'One', folder: {} }],
    ] as const) {
      const made = await it.graph.call('POST', collection, { body: draft });
      expect(made.status, collection).toBe(201);
      const path = `${collection.replace('root/children', 'items')}/${made.body.id}`;
      const patched = await it.graph.call('PATCH', path, { body: { subject: 'Two' } });
      expect(patched.status).toBe(200);
      expect((await it.graph.call('GET', path)).body).toMatchObject({ id: made.body.id, subject: 'Two' });
      expect((await it.graph.call('DELETE', path)).status).toBe(204);
      expect((await it.graph.call('GET', path)).status).toBe(404);
      expect((await it.graph.call('PATCH', path, { body: {} })).status).toBe(404);
    }
  });

  it('gives Outlook items, tasks and files a version that every change alters', async () => {
    await using it = await setUpGraph();
    const { items } = it.simulator;
    it.simulator.seed('drives/d', {});
    for (const [collection, name] of [
      [`users/${it.user}/messages`, '@odata.etag'],
      [`users/${it.user}/contacts`, '@odata.etag'],
      [`users/${it.user}/todo/lists/l/tasks`, '@odata.etag'],
      ['drives/d/items', 'eTag'],
      ['chats/c/messages', 'etag'],
    ] as const) {
      const { path, body } = items.create(collection, {});
      const { body: after } = items.update(path, { subject: 'changed' });
      expect(body[name], collection).toEqual(expect.any(String));
      expect(after[name]).not.toBe(body[name]);
    }
  });

  it('lists the children of a folder of a drive', async () => {
    await using it = await setUpGraph();
    it.simulator.seed('drives/d', { owner: { user: { id: it.user } } });
    const folder = await it.graph.call('POST', '/drives/d/root/children', {
      body: { name: 'F', folder: {} },
    });
    const inside = `/drives/d/items/${folder.body.id}/children`;
    await it.graph.call('POST', inside, { body: { name: 'a.txt' } });
    const names = async (path: string) =>
      (await it.graph.call('GET', path)).body.value.map(({ name }: { name: string }) => name);
    expect(await names(inside)).toEqual(['a.txt']);
    expect(await names(`/users/${it.user}/drive/root/children`)).toEqual(['F']);
    expect((await it.graph.call('GET', '/drives/d/root')).body).toMatchObject({
      root: {},
      folder: { childCount: 1 },
    });
    expect((await it.graph.call('GET', '/drives/d/items/none/children')).status).toBe(404);
  });

  it('leaves a deleted message of a chat there, emptied, with the time of its deletion', async () => {
    await using it = await setUpGraph();
    it.simulator.seed('chats/c', { topic: 'Chat' });
    const made = await it.graph.call('POST', '/chats/c/messages', { body: { body: { content: 'hello' } } });
    expect(made.status).toBe(201);
    expect((await it.graph.call('DELETE', `/chats/c/messages/${made.body.id}`)).status).toBe(204);
    const { status, body } = await it.graph.call('GET', `/chats/c/messages/${made.body.id}`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ deletedDateTime: expect.any(String), body: { content: '' } });
  });

  it('is refused where the simulator cannot do it, or the place is not there', async () => {
    await using it = await setUpGraph();
    for (const [method, path, status] of [
      ['POST', '/communications/callRecords', 405],
      ['DELETE', '/users', 405],
      ['POST', `/users/${it.user}/mailFolders/none/messages`, 404],
      ['POST', '/chats/none/messages', 404],
      ['POST', '/users', 400],
      ['POST', `/users/${it.user}/messages/none/move`, 404],
    ] as const) {
      const answer = await it.graph.call(method, path, { body: { destinationId: 'inbox' } });
      expect(answer.status, `${method} ${path}`).toBe(status);
      expect(answer.body.error.code).toEqual(expect.any(String));
    }
  });
});

describe('a control call on an item', () => {
  it('makes, alters, moves and removes it', async () => {
    await using it = await setUpGraph();
    await it.watch(`users/${it.user}/messages`);
    const control = (method: string, path: string, body?: unknown) =>
      it.graph.raw(method, `/simulator/items/${path}`, { body });
    const made = await control('POST', `users/${it.user}/mailFolders/inbox/messages`, { subject: 'One' });
    expect(made.status).toBe(201);
    const moved = await control('POST', `${made.body.resource}/move`, { destinationId: 'archive' });
    const patched = await control('PATCH', moved.body.resource, { subject: 'Two' });
    expect(patched.body).toMatchObject({ version: 2, body: { subject: 'Two' } });
    expect((await control('DELETE', moved.body.resource)).status).toBe(200);
    const told = (await it.notified()).map(({ changeType }) => changeType);
    expect(told).toEqual(['created', 'deleted', 'created', 'updated', 'deleted']);
    for (const [method, path] of [
      ['DELETE', moved.body.resource],
      ['PATCH', 'users/none/messages/none'],
    ]) {
      const refused = await control(method ?? '', path, method === 'PATCH' ? {} : undefined);
      expect(refused.status).toBe(404);
      expect(refused.body.error).toContain('no resource');
    }
    expect((await control('POST', 'users/%ff/messages', {})).status).toBe(400);
  });
});
