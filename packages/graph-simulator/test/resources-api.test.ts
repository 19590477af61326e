import { describe, expect, it } from 'vitest';
import { GraphSimulator } from '../src/index.ts';
import { connectTo } from './graph-caller.ts';

async function setup(users = 2) {
  const stack = new AsyncDisposableStack();
  const simulator = stack.use(await GraphSimulator.start({ users }));
  const graph = stack.use(await connectTo(simulator));
  const [user] = simulator.users();
  if (user === undefined) throw new Error('There is no user.');
  const events = `/users/${user.id}/events`;
  return { simulator, graph, user, events, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const MEETING = {
  subject: 'Budget review',
  body: {
    contentType: 'html',
    content: '<html><body><p>Bring the <b>figures</b> &amp; coffee</p></body></html>',
  },
  start: { dateTime: '2026-12-01T09:00:00.0000000', timeZone: 'UTC' },
  end: { dateTime: '2026-12-01T10:00:00.0000000', timeZone: 'UTC' },
  attendees: [{ emailAddress: { name: 'Ada', address: 'ada@northwind.example' } }],
  location: { displayName: 'Room Fjord' },
};

describe('events', () => {
  it('are made by POST with an opaque id, a change key and a weak etag of it', async () => {
    await using it = await setup();
    const { status, headers, body } = await it.graph.call('POST', it.events, { body: MEETING });
    expect(status).toBe(201);
    expect(body.id).toMatch(/^AAMkA[\w-]{114,}=$/);
    expect(body['@odata.etag']).toBe(`W/"${body.changeKey}"`);
    expect(headers.get('etag')).toBe(body['@odata.etag']);
    expect(body.createdDateTime).toMatch(/\.\d{7}Z$/);
    expect(body.organizer.emailAddress.address).toBe(it.user.mail);
    expect(body.attendees[0]).toMatchObject({ type: 'required', status: { response: 'none' } });
    expect(body.bodyPreview).toBe('Bring the figures & coffee');
    expect(body.locations).toEqual([MEETING.location]);
  });

  it('are read again in both spellings of their path, and by the principal name of the user', async () => {
    await using it = await setup();
    const { body } = await it.graph.call('POST', it.events, { body: MEETING });
    const id = encodeURIComponent(body.id);
    for (const path of [
      `${it.events}/${id}`,
      `/Users('${it.user.id.toUpperCase()}')/Events('${id}')`,
      `/users/${it.user.userPrincipalName}/calendar/events/${id}`,
      `/users/${it.user.id}@${it.simulator.tenantId}/events/${id}`,
    ]) {
      const answer = await it.graph.call('GET', path);
      expect(answer.status, path).toBe(200);
      expect(answer.body.id).toBe(body.id);
    }
  });

  it('get a new change key with every PATCH, and keep what is not theirs to change', async () => {
    await using it = await setup();
    const { body: first } = await it.graph.call('POST', it.events, { body: MEETING });
    const path = `${it.events}/${first.id}`;
    const { status, body } = await it.graph.call('PATCH', path, {
      body: { subject: 'Moved', id: 'x', changeKey: 'x' },
    });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      id: first.id,
      subject: 'Moved',
      iCalUId: first.iCalUId,
      start: MEETING.start,
    });
    expect(body.changeKey).not.toBe(first.changeKey);
    expect(body.changeKey).not.toBe('x');
  });

  it('are gone after DELETE: 204, then 404 ErrorItemNotFound', async () => {
    await using it = await setup();
    const { body } = await it.graph.call('POST', it.events, { body: MEETING });
    const path = `${it.events}/${body.id}`;
    expect((await it.graph.call('DELETE', path)).status).toBe(204);
    for (const method of ['GET', 'DELETE']) {
      const answer = await it.graph.call(method, path);
      expect(answer.status).toBe(404);
      expect(answer.body.error).toMatchObject({
        code: 'ErrorItemNotFound',
        message: 'The specified object was not found in the store.',
      });
    }
  });

  it('whose ids differ in case alone are two', async () => {
    await using it = await setup();
    it.simulator.seed(`${it.events}/AAMkAa=`, { subject: 'lower' });
    it.simulator.seed(`${it.events}/AAMkAA=`, { subject: 'upper' });
    expect((await it.graph.call('GET', `${it.events}/AAMkAa=`)).body.subject).toBe('lower');
    expect((await it.graph.call('GET', `${it.events}/AAMkAA=`)).body.subject).toBe('upper');
  });

  it('without start and end are refused', async () => {
    await using it = await setup();
    const { status, body } = await it.graph.call('POST', it.events, { body: { subject: 'When?' } });
    expect(status).toBe(400);
    expect(body.error.code).toBe('ErrorPropertyValidationFailure');
  });

  it('are listed in pages of 10, or of $top, linked by nextLink to the last', async () => {
    await using it = await setup();
    for (let i = 0; i < 12; i += 1)
      it.simulator.calendar.create(it.user.id, { ...MEETING, subject: `No ${i}` });
    const first = await it.graph.call('GET', `${it.events}?$select=subject`);
    expect(first.body.value).toHaveLength(10);
    const second = await it.graph.call('GET', first.body['@odata.nextLink']);
    expect(second.body.value.map((event: { subject: string }) => event.subject)).toEqual(['No 10', 'No 11']);
    expect(second.body['@odata.nextLink']).toBeUndefined();
    expect((await it.graph.call('GET', `${it.events}?$top=5`)).body.value).toHaveLength(5);
    expect((await it.graph.call('GET', `${it.events}?$top=none`)).status).toBe(400);
  });

  it('show selected properties only, and bodies as text where that is preferred', async () => {
    await using it = await setup();
    const { path } = it.simulator.calendar.create(it.user.id, MEETING);
    const prefer = 'outlook.body-content-type="text", IdType="ImmutableId"';
    const { body, headers } = await it.graph.call('GET', `/${path.key}?$select=Subject,body`, {
      headers: { prefer },
    });
    expect(Object.keys(body).sort()).toEqual(['@odata.context', '@odata.etag', 'body', 'id', 'subject']);
    expect(body.body).toEqual({ contentType: 'text', content: 'Bring the figures & coffee' });
    expect(headers.get('preference-applied')).toBe('outlook.body-content-type="text", IdType="ImmutableId"');
  });
});

describe('other resources', () => {
  it('are read wherever they were seeded', async () => {
    await using it = await setup();
    const chat = '/chats/19:meeting@thread.v2/messages/1616990032035';
    it.simulator.seed(chat, { body: { contentType: 'text', content: 'hello' } });
    it.simulator.seed(`/users/${it.user.id}/messages/AAMkM=`, { subject: 'A mail', parentFolderId: 'inbox' });
    it.simulator.seed('/groups/g', { displayName: 'A group' });
    expect((await it.graph.call('GET', chat)).body).toMatchObject({
      id: '1616990032035',
      etag: expect.any(String),
    });
    const folder = `/users/${it.user.id}/mailFolders('Inbox')/messages`;
    expect((await it.graph.call('GET', folder)).body.value).toHaveLength(1);
    expect((await it.graph.call('GET', `${folder}/AAMkM=`)).body.subject).toBe('A mail');
    expect((await it.graph.call('GET', '/groups/g')).body.displayName).toBe('A group');
  });

  it('lists users in pages and answers 404 for one that does not exist', async () => {
    await using it = await setup(150);
    const first = await it.graph.call('GET', '/users');
    expect(first.body.value).toHaveLength(100);
    expect((await it.graph.call('GET', first.body['@odata.nextLink'])).body.value).toHaveLength(50);
    for (const path of ['/users/nobody@northwind.example', '/users/nobody@northwind.example/events']) {
      const { status, body } = await it.graph.call('GET', path);
      expect(status).toBe(404);
      expect(body.error.code).toBe('Request_ResourceNotFound');
    }
  });

  it('answers an empty list where a user has none of a kind, and 400 for an unknown kind', async () => {
    await using it = await setup();
    expect((await it.graph.call('GET', `/users/${it.user.id}/contacts`)).body.value).toEqual([]);
    expect((await it.graph.call('GET', `/users/${it.user.id}/dreams`)).status).toBe(400);
  });

  it.each([
    '/users?$filter=x',
    '/chats/delta',
    '/constructor',
    '/constructor/delta',
    "/users?$filter=constructor constructor 'x'",
    "/users?$filter=constructor(x,'y')",
    '/users//events',
    '/users/%ff',
    '/me/events',
    '/users?$search=x',
  ])('answers %s in the error shape, not with a wrong result', async (path) => {
    await using it = await setup();
    const { status, body } = await it.graph.call('GET', path);
    expect([400, 501]).toContain(status);
    expect(body.error.code).toEqual(expect.any(String));
  });
});

describe('latency', () => {
  it('lets simultaneous calls of one mailbox be counted, apart from other mailboxes', async () => {
    await using simulator = await GraphSimulator.start({ graphLatencyMs: 40, requestLimits: false });
    await using graph = await connectTo(simulator);
    const [one, two] = simulator.users().map(({ id }) => `/users/${id}/events`);
    await Promise.all([
      ...Array.from({ length: 6 }, () => graph.call('GET', `${one}`)),
      graph.call('GET', `${two}`),
    ]);
    expect(simulator.maxConcurrent(`${one}/x`)).toBe(6);
    expect(simulator.maxConcurrent(two)).toBe(1);
    expect(simulator.maxConcurrent()).toBe(7);
    for (let i = 0; i < 5; i += 1) await graph.call('GET', `${two}`);
    expect(simulator.maxConcurrent(two)).toBe(1);
  });

  it('answers the state of the middle of the call, and logs when that was', async () => {
    await using simulator = await GraphSimulator.start({ graphLatencyMs: 60 });
    await using graph = await connectTo(simulator);
    const { path } = simulator.calendar.create(simulator.users()[0]?.id ?? '', MEETING);
    await graph.call('GET', `/${path.key}`);
    const [read] = simulator.changeLog.ofKind('read');
    expect(read).toMatchObject({ resource: path.key, version: 1, status: 200 });
    expect((read?.answeredAt ?? 0) - (read?.at ?? 0)).toBeGreaterThanOrEqual(25);
  });

  it('is remembered in the log of requests with method, path and status', async () => {
    await using simulator = await GraphSimulator.start();
    await using graph = await connectTo(simulator);
    await graph.call('GET', '/users?$top=1');
    await graph.call('GET', '/groups/none');
    expect(simulator.requests.map(({ method, path, status }) => [method, path, status])).toEqual([
      ['POST', `/${simulator.tenantId}/oauth2/v2.0/token`, 200],
      ['GET', '/v1.0/users?$top=1', 200],
      ['GET', '/v1.0/groups/none', 404],
    ]);
  });
});
