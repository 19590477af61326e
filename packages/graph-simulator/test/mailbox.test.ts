import { describe, expect, it } from 'vitest';
import { setUpGraph } from './graph-setup.ts';

const IMMUTABLE = { prefer: 'IdType="ImmutableId"' };

async function setup() {
  const it = await setUpGraph();
  const folders = `/users/${it.user}/mailFolders`;
  const receive = (subject: string, folder = 'inbox') =>
    it.simulator.items.create(`users/${it.user}/mailFolders/${folder}/messages`, { subject });
  return { ...it, folders, receive, [Symbol.asyncDispose]: it[Symbol.asyncDispose] };
}

describe('folders of a mailbox', () => {
  it('are there from the start, by name and by opaque id, with the numbers of their messages', async () => {
    await using it = await setup();
    it.receive('One');
    it.simulator.items.update(it.receive('Two').path, { isRead: true });
    const { body } = await it.graph.call('GET', `${it.folders}/Inbox`);
    expect(body).toMatchObject({ displayName: 'Inbox', totalItemCount: 2, unreadItemCount: 1 });
    expect(body.id).toMatch(/^AAMk/);
    const again = await it.graph.call('GET', `${it.folders}/${encodeURIComponent(body.id)}`);
    expect(again.body.displayName).toBe('Inbox');
    const messages = await it.graph.call('GET', `${it.folders}/${body.id}/messages`);
    expect(messages.body.value).toHaveLength(2);
    expect(messages.body.value[0].parentFolderId).toBe(body.id);
    const names = (await it.graph.call('GET', `${it.folders}?$top=50`)).body.value;
    expect(names.map(({ displayName }: { displayName: string }) => displayName)).toEqual([
      'Archive',
      'Deleted Items',
      'Drafts',
      'Inbox',
      'Junk Email',
      'Outbox',
      'Sent Items',
    ]);
    expect((await it.graph.call('GET', `${it.folders}/none`)).status).toBe(404);
    expect((await it.graph.call('GET', `${it.folders}/none/messages`)).status).toBe(404);
  });

  it('can be made, also within others, and watched by either form of their id', async () => {
    await using it = await setup();
    const { body: inbox } = await it.graph.call('GET', `${it.folders}/inbox`);
    const made = await it.graph.call('POST', `${it.folders}/inbox/childFolders`, {
      body: { displayName: 'Bills' },
    });
    expect(made.body).toMatchObject({ displayName: 'Bills', parentFolderId: inbox.id });
    const children = await it.graph.call('GET', `${it.folders}/inbox/childFolders`);
    expect(children.body.value).toHaveLength(1);
    const child = `inbox/childFolders/${made.body.id}`;
    await it.graph.call('POST', `${it.folders}/${child}/messages`, { body: { subject: 'A bill' } });
    expect((await it.graph.call('GET', `${it.folders}/${child}/messages`)).body.value).toHaveLength(1);
    await it.watch(`users/${it.user}/mailFolders/${inbox.id}/messages`, 'created');
    it.receive('in the inbox');
    it.receive('elsewhere', 'archive');
    expect(await it.notified()).toHaveLength(1);
  });
});

describe('a message that is moved', () => {
  it('gets another id, which Graph tells of as deleted and created', async () => {
    await using it = await setup();
    await it.watch(`users/${it.user}/messages`);
    const { path, body } = it.receive('One');
    const moved = await it.graph.call('POST', `/${path.key}/move`, { body: { destinationId: 'Archive' } });
    expect(moved.status).toBe(201);
    expect(moved.body.id).not.toBe(body.id);
    expect((await it.graph.call('GET', `/${path.key}`)).body.error.code).toBe('ErrorItemNotFound');
    expect((await it.graph.call('GET', `${it.folders}/archive/messages`)).body.value).toMatchObject([
      { id: moved.body.id, subject: 'One' },
    ]);
    const told = await it.notified();
    expect(told.map(({ changeType, resourceData }) => [changeType, resourceData.id])).toEqual([
      ['created', body.id],
      ['deleted', body.id],
      ['created', moved.body.id],
    ]);
  });

  it('keeps its immutable id, however often it is moved, and is found by both', async () => {
    await using it = await setup();
    const { path, body } = it.receive('One');
    const { id: immutable } = (await it.graph.call('GET', `/${path.key}`, { headers: IMMUTABLE })).body;
    expect(immutable).not.toBe(body.id);
    let { path: last } = it.simulator.items.move(path, 'archive');
    ({ path: last } = it.simulator.items.move(last, 'drafts'));
    for (const [id, headers, shown] of [
      [immutable, IMMUTABLE, immutable],
      [immutable, {}, last.segments.at(-1)?.id],
      [last.segments.at(-1)?.id, IMMUTABLE, immutable],
    ] as const) {
      const answer = await it.graph.call('GET', `/users/${it.user}/messages/${id}`, { headers });
      expect(answer.status).toBe(200);
      expect(answer.body).toMatchObject({ id: shown, subject: 'One' });
    }
    const list = await it.graph.call('GET', `/users/${it.user}/messages`, { headers: IMMUTABLE });
    expect(list.headers.get('preference-applied')).toBe('IdType="ImmutableId"');
    expect(list.body.value).toMatchObject([{ id: immutable }]);
    const patched = await it.graph.call('PATCH', `/users/${it.user}/messages/${immutable}`, {
      body: { isRead: true },
    });
    expect(patched.status).toBe(200);
    // The change log knows one name for it, whatever the caller used.
    expect(it.simulator.changeLog.ofKind('read').at(-1)?.resource).toBe(last.key);
  });

  it('is notified by its immutable id where the subscription was made so', async () => {
    await using it = await setup();
    await it.watch(`users/${it.user}/messages`, 'created,updated', IMMUTABLE);
    const { path } = it.receive('One');
    it.simulator.items.update(it.simulator.items.move(path, 'archive').path, { isRead: true });
    const ids = (await it.notified()).map(({ resourceData }) => resourceData.id);
    expect(new Set(ids).size).toBe(1);
    const read = await it.graph.call('GET', `/users/${it.user}/messages/${ids[0]}`, { headers: IMMUTABLE });
    expect(read.body).toMatchObject({ id: ids[0], isRead: true });
  });
});

describe('preferences', () => {
  const BERLIN = { dateTime: '2026-07-01T09:30:00', timeZone: 'W. Europe Standard Time' };

  it('show times in the zone that is asked for by either name, in UTC otherwise', async () => {
    await using it = await setup();
    const { path } = it.simulator.calendar.create(it.user, { start: BERLIN, end: BERLIN });
    const startIn = async (prefer: string) =>
      (await it.graph.call('GET', `/${path.key}`, { headers: { prefer } })).body.start;
    expect(await startIn('')).toEqual({ dateTime: '2026-07-01T07:30:00.0000000', timeZone: 'UTC' });
    expect(await startIn('outlook.timezone="Asia/Tokyo"')).toEqual({
      dateTime: '2026-07-01T16:30:00.0000000',
      timeZone: 'Asia/Tokyo',
    });
    expect(await startIn('outlook.timezone="Eastern Standard Time"')).toMatchObject({
      dateTime: '2026-07-01T03:30:00.0000000',
    });
    expect(await startIn('outlook.timezone="W. Europe Standard Time"')).toEqual(BERLIN);
  });

  it('are repeated as far as they were obeyed, and refused for a zone that nobody knows', async () => {
    await using it = await setup();
    const { path } = it.simulator.calendar.create(it.user, { start: BERLIN, end: BERLIN });
    const prefer = 'outlook.timezone="Asia/Tokyo", outlook.body-content-type="text", respond-async';
    const { headers } = await it.graph.call('GET', `/${path.key}`, { headers: { prefer } });
    expect(headers.get('preference-applied')).toBe(
      'outlook.body-content-type="text", outlook.timezone="Asia/Tokyo"',
    );
    const bad = await it.graph.call('GET', `/${path.key}`, {
      headers: { prefer: 'outlook.timezone="Mars"' },
    });
    expect(bad.status).toBe(400);
    expect(bad.body.error.code).toBe('TimeZoneNotSupportedException');
  });

  it('bound the size of a page', async () => {
    await using it = await setup();
    for (let i = 0; i < 3; i += 1) it.receive(`No ${i}`);
    const headers = { prefer: 'odata.maxpagesize=2' };
    const first = await it.graph.call('GET', `/users/${it.user}/messages`, { headers });
    expect(first.body.value).toHaveLength(2);
    expect((await it.graph.call('GET', first.body['@odata.nextLink'], { headers })).body.value).toHaveLength(
      1,
    );
  });
});

describe('a calendar view', () => {
  it('lists the events that overlap its window', async () => {
    await using it = await setup();
    const at = (hour: string) => ({ dateTime: `2026-12-01T${hour}:00:00`, timeZone: 'UTC' });
    it.simulator.calendar.create(it.user, { subject: 'before', start: at('07'), end: at('08') });
    it.simulator.calendar.create(it.user, { subject: 'across', start: at('07'), end: at('09') });
    it.simulator.calendar.create(it.user, { subject: 'within', start: at('09'), end: at('10') });
    const view = `/users/${it.user}/calendarView`;
    const { body } = await it.graph.call(
      'GET',
      `${view}?startDateTime=2026-12-01T08:00:00Z&endDateTime=2026-12-01T12:00:00`,
    );
    expect(body.value.map(({ subject }: { subject: string }) => subject)).toEqual(['across', 'within']);
    expect((await it.graph.call('GET', view)).status).toBe(400);
  });
});
