/**
 * Each kind of resource from end to end, in one stack: the worker subscribes as Graph wants it for the kind, a change is
 * notified, read and published, the subscription is renewed, and deleted when nobody wants it any more.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually, startWorker } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { RESOURCE_TABLE } from '../../services/worker/src/resources/resource-table.ts';
import { type Pipeline, type SeenEvent, startPipeline } from '../support/pipeline.ts';

const MINUTE_MS = 60_000;
const GROUP = '6f2d1a52-0c5e-4a5c-9d0e-3b1f0c9a7e11';
const TEAM = '0b6d4a0e-7a5c-4f0f-8f5b-2f1f6c1d9a22';
const SITE = 'northwind.example,1c2b3a4d-0000-4000-8000-000000000001,1c2b3a4d-0000-4000-8000-000000000002';
const CHAT = '19:one@thread.v2';
const CHANNEL = '19:general@thread.tacv2';
const NESTED = 'AAMkNested=';

type Simulator = Pipeline['simulator'];

type Row = {
  /** Of the table. */
  readonly kind: string;
  /** What is watched; `{user}` is the first user. */
  readonly resource: string;
  readonly filter?: string;
  /** Where an item is made; or another change, of which the resource is answered. */
  readonly change: string | ((simulator: Simulator, user: string) => string);
  readonly draft?: Readonly<Record<string, unknown>>;
  /** How its making is told; `Created` unless said. */
  readonly told?: 'Updated';
};

const EVENT = {
  start: { dateTime: '2026-12-01T09:00:00', timeZone: 'UTC' },
  end: { dateTime: '2026-12-01T10:00:00', timeZone: 'UTC' },
};
const PERSON = { displayName: 'New', userPrincipalName: 'new@northwind.example' };

const ROWS: readonly Row[] = [
  { kind: 'event', resource: 'users/{user}/events', change: 'users/{user}/events', draft: EVENT },
  {
    kind: 'event',
    resource: 'users/{user}/calendars/birthdays/events',
    change: 'users/{user}/calendars/birthdays/events',
    draft: EVENT,
  },
  {
    kind: 'event',
    resource: 'users/{user}/events',
    filter: "startswith(subject,'Plan & more')",
    change: 'users/{user}/events',
    draft: { ...EVENT, subject: 'Plan & more of it' },
  },
  { kind: 'message', resource: 'users/{user}/messages', change: 'users/{user}/messages' },
  {
    kind: 'message',
    resource: "users/{user}/mailFolders('inbox')/messages",
    change: 'users/{user}/mailFolders/inbox/messages',
  },
  {
    kind: 'message',
    resource: `users/{user}/mailFolders/inbox/childFolders/${NESTED}/messages`,
    change: `users/{user}/mailFolders/${NESTED}/messages`,
  },
  {
    kind: 'message',
    resource: 'users/{user}/messages',
    filter: 'isRead eq false',
    change: 'users/{user}/messages',
  },
  { kind: 'contact', resource: 'users/{user}/contacts', change: 'users/{user}/contacts' },
  {
    kind: 'contact',
    resource: 'users/{user}/contactFolders/friends/contacts',
    change: 'users/{user}/contactFolders/friends/contacts',
  },
  { kind: 'user', resource: 'users', change: 'users', draft: PERSON, told: 'Updated' },
  {
    kind: 'user',
    resource: 'users/{user}',
    change: ({ items }, user) => items.update(`users/${user}`, { jobTitle: 'Pilot' }).path.key,
    told: 'Updated',
  },
  { kind: 'group', resource: 'groups', change: 'groups', draft: { displayName: 'New' }, told: 'Updated' },
  {
    kind: 'group',
    resource: `groups/${GROUP}/members`,
    change: ({ directoryObjects }, user) => {
      directoryObjects.addMember(GROUP, user);
      return `groups/${GROUP}`;
    },
    told: 'Updated',
  },
  {
    kind: 'conversation',
    resource: `groups/${GROUP}/conversations`,
    change: `groups/${GROUP}/conversations`,
  },
  // Notified without a name: what has changed is found by a delta query below what is watched.
  {
    kind: 'drive item',
    resource: 'drives/archive/root',
    change: 'drives/archive/items',
    draft: { name: 'new.txt' },
  },
  {
    kind: 'drive item',
    resource: 'users/{user}/drive/root',
    change: ({ items }, user) => {
      const { id } = items.create(`users/${user}/drive/items`, { name: 'new.txt' }).body;
      return `users/${user}/drive/items/${id}`;
    },
  },
  { kind: 'list item', resource: `sites/${SITE}/lists/tasks`, change: `sites/${SITE}/lists/tasks/items` },
  { kind: 'chat', resource: 'chats', change: 'chats' },
  {
    kind: 'chat',
    resource: 'users/{user}/chats',
    change: ({ items }) => items.update(`chats/${CHAT}`, { topic: 'Renamed' }).path.key,
    told: 'Updated',
  },
  { kind: 'chat message', resource: `chats/${CHAT}/messages`, change: `chats/${CHAT}/messages` },
  { kind: 'chat message', resource: 'chats/getAllMessages', change: `chats/${CHAT}/messages` },
  { kind: 'chat message', resource: 'users/{user}/chats/getAllMessages', change: `chats/${CHAT}/messages` },
  {
    kind: 'chat message',
    resource: `teams/${TEAM}/channels('${CHANNEL}')/messages`,
    change: `teams/${TEAM}/channels/${CHANNEL}/messages`,
  },
  {
    kind: 'chat message',
    resource: 'teams/getAllMessages',
    change: `teams/${TEAM}/channels/${CHANNEL}/messages/1700000000000/replies`,
  },
  { kind: 'conversation member', resource: `chats/${CHAT}/members`, change: `chats/${CHAT}/members` },
  { kind: 'conversation member', resource: 'chats/getAllMembers', change: `chats/${CHAT}/members` },
  { kind: 'conversation member', resource: `teams/${TEAM}/members`, change: `teams/${TEAM}/members` },
  {
    kind: 'conversation member',
    resource: `teams/${TEAM}/channels/getAllMembers`,
    change: `teams/${TEAM}/channels/${CHANNEL}/members`,
  },
  { kind: 'channel', resource: `teams/${TEAM}/channels`, change: `teams/${TEAM}/channels` },
  { kind: 'channel', resource: 'teams/getAllChannels', change: `teams/${TEAM}/channels` },
  { kind: 'team', resource: 'teams', change: 'teams' },
  {
    kind: 'presence',
    resource: 'communications/presences/{user}',
    change: 'communications/presences',
    draft: { id: '{user}', availability: 'Available' },
    told: 'Updated',
  },
  {
    kind: 'presence',
    resource: 'communications/presences',
    filter: "id in ('{user}')",
    change: ({ items }, user) =>
      items.update(`communications/presences/${user}`, { availability: 'Away' }).path.key,
    told: 'Updated',
  },
  { kind: 'call record', resource: 'communications/callRecords', change: 'communications/callRecords' },
  {
    kind: 'call record',
    resource: 'communications/callRecords',
    filter: "participants/any(p:p/id eq '{user}')",
    change: 'communications/callRecords',
    draft: { participants: [{ id: '{user}' }] },
  },
  {
    kind: 'to-do task',
    resource: 'users/{user}/todo/lists/shopping/tasks',
    change: 'users/{user}/todo/lists/shopping/tasks',
  },
  { kind: 'security alert', resource: 'security/alerts_v2', change: 'security/alerts_v2' },
  { kind: 'security alert', resource: 'security/alerts', change: 'security/alerts' },
  {
    kind: 'security alert',
    resource: 'security/alerts_v2',
    filter: "severity eq 'high'",
    change: 'security/alerts_v2',
    draft: { severity: 'high' },
  },
  { kind: 'print job', resource: 'print/printers/p/jobs', change: 'print/printers/p/jobs' },
  { kind: 'print task', resource: 'print/taskDefinitions/d/tasks', change: 'print/taskDefinitions/d/tasks' },
];

/** One of the simulator's own limits is for chats alone, one app a chat; here it watches several things of one. */
const QUOTAS = { teamsPerApplicationAndResource: 100, presencePerApplication: 10 };

describe('every kind of resource', () => {
  it('is in the table of this test', () => {
    const kinds = new Set(ROWS.map(({ kind }) => kind));
    expect([...kinds].toSorted()).toEqual(RESOURCE_TABLE.map(({ name }) => name).toSorted());
  });

  it('is subscribed to, notified, read, published, renewed, and deleted when it is not wanted', async () => {
    const pipeline = await startPipeline({
      simulator: { subscriptionQuotas: QUOTAS },
      subscriptions: ([user = '']) => wantedFile(ROWS, user),
      worker: { RECONCILE_EVERY_MS: '1000' },
    });
    const { simulator } = pipeline;
    const user = simulator.users()[0]?.id ?? '';
    seedSurroundings(simulator, user);
    await eventually(() => expect(simulator.subscriptions.size).toBe(ROWS.length), { timeoutMs: 20_000 });
    for (const row of ROWS) expect(subscriptionOf(pipeline, row, user)).toMatchObject(bodyOf(row, user));

    const changed = ROWS.map((row) => ({ row, resource: change(simulator, row, user) }));
    await eventually(
      () => {
        const missing = changed.filter((one) => !isPublished(pipeline, one.row, one.resource, user));
        expect(missing.map(({ row, resource }) => [row.resource, resource])).toEqual([]);
      },
      { timeoutMs: 20_000 },
    );

    await areRenewed(pipeline);
    await areDeleted(pipeline, ROWS.slice(0, 1), user);
    expect(pipeline.deadLetters()).toEqual([]);
  }, 90_000);
});

describe('a folder or a filter', () => {
  it('tells of what leaves it as an update, and of what is deleted as a deletion', async () => {
    const rows: readonly Row[] = [
      { kind: 'message', resource: 'users/{user}/messages', filter: 'isRead eq false', change: '' },
      { kind: 'message', resource: 'users/{user}/mailFolders/inbox/messages', change: '' },
    ];
    const pipeline = await startPipeline({ subscriptions: ([user = '']) => wantedFile(rows, user) });
    const { simulator, eventsOf } = pipeline;
    await eventually(() => expect(simulator.subscriptions.size).toBe(2));
    const user = simulator.users()[0]?.id ?? '';
    const [unread] = rows.map((row) => wishOf(row, user));
    const make = () => simulator.items.create(`users/${user}/mailFolders/inbox/messages`, {}).path.key;
    const [read, deleted] = [make(), make()];
    const seen = (key: string) =>
      eventsOf(key)
        .filter((event) => attribute(event, 'subscription') === unread)
        .map((event) => [event.type, event.acquisition, attribute(event, 'leftview')]);
    const made = ['Microsoft.Graph.MessageCreated', 'fetched', undefined];
    await eventually(() => expect([seen(read), seen(deleted)]).toEqual([[made], [made]]));
    simulator.items.update(read, { isRead: true });
    simulator.items.remove(deleted);
    await eventually(() => {
      expect(seen(read)[1]).toEqual(['Microsoft.Graph.MessageUpdated', 'fetched', true]);
      expect(seen(deleted)[1]).toEqual(['Microsoft.Graph.MessageDeleted', 'deleted', undefined]);
    });
  });
});

describe('two looks at one mailbox', () => {
  it('are fetched and published apart, each as it was asked for', async () => {
    const { simulator, events } = await startPipeline({
      subscriptions: ([user = '']) => `
subscriptions:
  - { name: subjects, resource: 'users/{user}/events', users: [${user}], changeTypes: [created], select: [subject] }
  - { name: texts, resource: 'users/{user}/events', users: [${user}], body: text, timeZone: W. Europe Standard Time }
  - { name: lasting, resource: 'users/{user}/messages', users: [${user}], immutableIds: true }`,
    });
    await eventually(() => expect(simulator.subscriptions.size).toBe(3));
    const user = simulator.users()[0]?.id ?? '';
    const body = { contentType: 'html', content: '<p>Agenda</p>' };
    simulator.calendar.create(user, { ...EVENT, subject: 'Seen twice', body });
    const message = simulator.items.create(`users/${user}/mailFolders/inbox/messages`, { subject: 'Moved' });
    const of = (wish: string) =>
      events().filter((event) => attribute(event, 'subscription') === `${wish}/${user}`);
    await eventually(() => {
      for (const wish of ['subjects', 'texts', 'lasting']) expect(of(wish)).toHaveLength(1);
    });
    const [subjects] = of('subjects');
    expect(subjects?.data).toMatchObject({ subject: 'Seen twice' });
    expect(subjects?.data).not.toHaveProperty('body');
    expect(of('texts')[0]?.data).toMatchObject({
      body: { contentType: 'text', content: expect.not.stringContaining('<p>') },
      start: { timeZone: 'W. Europe Standard Time', dateTime: expect.stringMatching(/^2026-12-01T10:00/) },
    });
    expect(subjects?.id).not.toBe(of('texts')[0]?.id);

    // A move gives an ordinary id, and so a new resource; here it stays the same one.
    simulator.items.move(message.path.key, 'archive');
    await eventually(() => expect(of('lasting').length).toBeGreaterThan(1));
    expect(new Set(of('lasting').map(({ record }) => record.key)).size).toBe(1);
    for (const event of of('lasting')) expect(attribute(event, 'idtype')).toBe('immutable');
    expect(attribute(subjects as SeenEvent, 'idtype')).toBeUndefined();
  });
});

function fill(text: string, user: string): string {
  return text.replaceAll('{user}', user);
}

const nameOf = (row: Row) =>
  `row-${ROWS.includes(row) ? ROWS.indexOf(row) : (row.filter ?? 'folder').length}`;

function wishOf(row: Row, user: string): string {
  return row.resource.includes('{user}') ? `${nameOf(row)}/${user}` : nameOf(row);
}

function wantedFile(rows: readonly Row[], user: string): string {
  const subscriptions = rows.map((row) => ({
    name: nameOf(row),
    resource: row.resource,
    ...(row.filter && { filter: fill(row.filter, user) }),
    ...(row.resource.includes('{user}') && { users: [user] }),
  }));
  // JSON is YAML.
  return JSON.stringify({ subscriptions });
}

/** What the items are made in; subscriptions do not need it. */
function seedSurroundings(simulator: Simulator, user: string): void {
  simulator.seed(`groups/${GROUP}`, { id: GROUP, displayName: 'Group' });
  simulator.seed('drives/archive', { id: 'archive', driveType: 'business' });
  simulator.seed(`sites/${SITE}/lists/tasks`, { id: 'tasks', displayName: 'Tasks' });
  simulator.seed(`chats/${CHAT}`, { id: CHAT, topic: 'Chat' });
  simulator.seed(`chats/${CHAT}/members/first`, { id: 'first', userId: user });
  simulator.seed(`teams/${TEAM}`, { id: TEAM, displayName: 'Team' });
  simulator.seed(`teams/${TEAM}/channels/${CHANNEL}`, { id: CHANNEL, displayName: 'General' });
  simulator.seed(`users/${user}/calendars/birthdays`, { id: 'birthdays', name: 'Birthdays' });
  simulator.seed(`users/${user}/todo/lists/shopping`, { id: 'shopping', displayName: 'Shopping' });
}

function kindOf({ kind }: Row) {
  const found = RESOURCE_TABLE.find(({ name }) => name === kind);
  if (!found) throw new Error(`there is no kind ${kind}`);
  return found;
}

function watchedText(row: Row, user: string): string {
  const filter = row.filter && `?$filter=${encodeURIComponent(fill(row.filter, user))}`;
  return `${fill(row.resource, user)}${filter ?? ''}`;
}

function subscriptionOf({ simulator }: Pipeline, row: Row, user: string) {
  return simulator.subscriptions.list().find(({ resource }) => resource === watchedText(row, user));
}

/** What the worker has to have asked for. */
function bodyOf(row: Row, user: string) {
  const { changeTypes, lifeMinutes } = kindOf(row);
  const latest = Date.now() + (lifeMinutes.plain - 10) * MINUTE_MS;
  return {
    resource: watchedText(row, user),
    changeType: changeTypes.join(),
    notificationUrl: expect.stringMatching(/\/events$/),
    lifecycleNotificationUrl: expect.stringMatching(/\/lifecycle$/),
    clientState: expect.stringMatching(/^v1\./),
    includeResourceData: false,
    immutableIds: false,
    // Graph's `Date` tells whole seconds, to which the worker adds half a one: its clock is ahead by half a second at
    // most, and by half of the time that the answer took.
    expiresAtMs: expect.toSatisfy(
      (at: number) => at <= latest + 1000 && at > latest - MINUTE_MS,
      'the longest life',
    ),
  };
}

/** Resolves to the resource that has changed, in canonical form. */
function change(simulator: Simulator, { change: where, draft = {} }: Row, user: string): string {
  if (typeof where !== 'string') return where(simulator, user);
  const filled = JSON.parse(fill(JSON.stringify(draft), user)) as Record<string, never>;
  return simulator.items.create(fill(where, user), filled).path.key;
}

function attribute(event: SeenEvent, name: string): unknown {
  return (event as unknown as Record<string, unknown>)[name];
}

function isPublished(pipeline: Pipeline, row: Row, resource: string, user: string): boolean {
  const { recordType, fetch } = kindOf(row);
  const change = fetch === 'delta' ? 'Updated' : (row.told ?? 'Created');
  const type = `Microsoft.Graph.${recordType}${change}`;
  // All is read where there was no reading before.
  const how = fetch === 'delta' ? 'snapshot' : 'fetched';
  return pipeline.eventsOf(resource).some((event) => {
    const isOfRow = attribute(event, 'subscription') === wishOf(row, user);
    const isRight = event.type === type && event.acquisition === how;
    return isOfRow && isRight && event.data.id === resource.split('/').at(-1);
  });
}

async function areRenewed({ simulator }: Pipeline): Promise<void> {
  const ids = simulator.subscriptions.list().map(({ id }) => id);
  for (const id of ids) simulator.lifecycle.reauthorizationRequired(id);
  await eventually(
    () => {
      const renewed = simulator.changeLog.ofKind('subscription').filter(({ action }) => action === 'renewed');
      expect(new Set(renewed.map(({ id }) => id))).toEqual(new Set(ids));
    },
    { timeoutMs: 20_000 },
  );
}

/** All but these; by a worker that is started with another file, as an operator would. */
async function areDeleted(pipeline: Pipeline, kept: readonly Row[], user: string): Promise<void> {
  const { simulator, services, stack, dir } = pipeline;
  const staying = kept.map((row) => subscriptionOf(pipeline, row, user)?.id);
  await services.worker.process.stop();
  const subscriptionsFile = join(dir, 'less.yaml');
  await writeFile(subscriptionsFile, wantedFile(kept, user));
  const worker = await startWorker(stack, { receiverUrl: services.receiver.url, subscriptionsFile });
  onTestFinished(() => worker.process.stop().then(() => undefined));
  await eventually(() => expect(simulator.subscriptions.list().map(({ id }) => id)).toEqual(staying), {
    timeoutMs: 20_000,
  });
}
