import { describe, expect, it } from 'vitest';
import { type GraphSetup, setUpGraph } from './graph-setup.ts';
import { CHANNEL, CHAT, GROUP, LIST, SITE, TEAM, WATCHED_KINDS, type WatchedKind } from './watched-kinds.ts';

const MINUTE_MS = 60_000;

interface World extends GraphSetup {
  /** Puts the ids of this world into a text of the table. */
  readonly fill: (text: string) => string;
  readonly request: (resource: string, kind: WatchedKind, more?: Record<string, unknown>) => Promise<Answer>;
}

// biome-ignore lint/suspicious/noExplicitAny: bodies of every shape
type Answer = { readonly status: number; readonly body: any };

async function madeIds({ simulator, graph, user }: GraphSetup): Promise<Record<string, string>> {
  const make = (collection: string, displayName: string) =>
    String(simulator.items.create(collection, { displayName }).body.id);
  const idAt = async (path: string) => String((await graph.call('GET', path)).body.id);
  return {
    user,
    'second user': String(simulator.users()[1]?.id),
    calendar: await idAt(`/users/${user}/calendar`),
    'other calendar': make(`users/${user}/calendars`, 'Birthdays'),
    inbox: await idAt(`/users/${user}/mailFolders/inbox`),
    nested: make(`users/${user}/mailFolders/inbox/childFolders`, 'Projects'),
    friends: make(`users/${user}/contactFolders`, 'Friends'),
    tasks: make(`users/${user}/todo/lists`, 'Shopping'),
    drive: await idAt(`/users/${user}/drive`),
  };
}

async function world(): Promise<World> {
  const it = await setUpGraph();
  const { simulator } = it;
  simulator.seed(`groups/${GROUP}`, { displayName: 'Group' });
  simulator.seed(`sites/${SITE}/lists/${LIST}`, { displayName: 'List' });
  simulator.seed(`chats/${CHAT}`, { topic: 'Chat' });
  simulator.seed(`chats/${CHAT}/members/first`, { userId: it.user });
  simulator.seed(`teams/${TEAM}/channels/${CHANNEL}`, { displayName: 'General' });
  const ids = await madeIds(it);
  const fill = (text: string) => text.replace(/\{([a-z ]+)\}/g, (whole, name) => ids[name] ?? whole);
  const request = (resource: string, { changeTypes }: WatchedKind, more = {}) => {
    const body = {
      resource,
      changeType: changeTypes,
      expirationDateTime: inMinutes(simulator.clock.now(), 50),
      notificationUrl: it.receiver.url,
      lifecycleNotificationUrl: it.receiver.url,
      clientState: 's',
      ...more,
    };
    return it.graph.call('POST', '/subscriptions', { body });
  };
  return { ...it, fill, request };
}

const inMinutes = (nowMs: number, minutes: number) => new Date(nowMs + minutes * MINUTE_MS).toISOString();

function filledDraft({ draft = {} }: WatchedKind, fill: World['fill']): Record<string, unknown> {
  return JSON.parse(fill(JSON.stringify(draft)));
}

async function deltaItems({ graph }: World, url: string): Promise<{ items: Answer['body'][]; link: string }> {
  const items: Answer['body'][] = [];
  for (let next = url; ; ) {
    const { status, body } = await graph.call('GET', next);
    expect(status, JSON.stringify(body)).toBe(200);
    items.push(...body.value);
    if (body['@odata.deltaLink'] !== undefined) return { items, link: body['@odata.deltaLink'] };
    next = body['@odata.nextLink'];
  }
}

const CASES = WATCHED_KINDS.flatMap((kind) =>
  kind.watched.map((watched) => [kind.kind, watched, kind] as const),
);

describe('a change', () => {
  it.each(CASES)('of %s is told to %s, and can be read', async (_name, watched, kind) => {
    await using it = await world();
    const { items } = it.simulator;
    const resource = it.fill(watched);
    const collection = it.fill(kind.collection);
    const delta = kind.delta === undefined ? undefined : await deltaItems(it, `/${it.fill(kind.delta)}`);
    expect((await it.request(resource, kind)).status).toBe(201);

    const { path, body } = items.create(collection, filledDraft(kind, it.fill));
    const id = String(body.id);
    const [first] = await it.notified();
    const isUnnamed = kind.name === 'as watched';
    const name = isUnnamed ? resource : it.fill(kind.name).replace('{id}', id);
    expect(first?.resource).toBe(name);
    expect(first?.resourceData).toMatchObject(
      isUnnamed
        ? { '@odata.type': kind.odataType }
        : { '@odata.type': kind.odataType, '@odata.id': name, id },
    );
    if (!isUnnamed) {
      const read = await it.graph.call('GET', `/${name}`);
      expect(read.status).toBe(200);
      expect(read.body.id).toBe(id);
    }
    items.update(path, { displayName: 'Changed' });
    if (delta !== undefined) {
      const { items: news } = await deltaItems(it, delta.link);
      expect(news).toContainEqual(expect.objectContaining({ id, displayName: 'Changed' }));
    }
    items.remove(path);
    const told = await it.notified();
    expect(told.map(({ changeType }) => changeType)).toEqual(kind.told ?? kind.changeTypes.split(','));
    expect(new Set(told.map((one) => one.resource))).toEqual(new Set([name]));
    if (!isUnnamed) {
      const status = kind.staysReadable ? 200 : 404;
      expect((await it.graph.call('GET', `/${name}`)).status).toBe(status);
    }
    if (delta !== undefined) {
      const { items: news } = await deltaItems(it, delta.link);
      const gone = news.find((one) => one.id === id);
      expect(gone['@removed'] ?? gone.deleted ?? gone.deletedDateTime).toBeTruthy();
    }
  });
});

describe('a subscription', () => {
  it.each(CASES)(
    'to %s at %s is renewed and deleted, and nothing is told after that',
    async (_n, watched, kind) => {
      await using it = await world();
      const made = await it.request(it.fill(watched), kind);
      expect(made.body).toMatchObject({ resource: it.fill(watched), changeType: kind.changeTypes });
      const address = `/subscriptions/${made.body.id}`;
      const expirationDateTime = inMinutes(it.simulator.clock.now(), kind.maxMinutes - 1);
      const renewed = await it.graph.call('PATCH', address, { body: { expirationDateTime } });
      expect(renewed.status).toBe(200);
      expect(Date.parse(renewed.body.expirationDateTime)).toBe(Date.parse(expirationDateTime));
      expect((await it.graph.call('DELETE', address)).status).toBe(204);
      it.simulator.items.create(it.fill(kind.collection), filledDraft(kind, it.fill));
      expect(await it.notified()).toEqual([]);
    },
  );

  it.each(CASES)('to %s at %s is refused beyond its life and its change types', async (_n, watched, kind) => {
    await using it = await world();
    const resource = it.fill(watched);
    const expirationDateTime = inMinutes(it.simulator.clock.now(), kind.maxMinutes + 1);
    const long = await it.request(resource, kind, { expirationDateTime });
    expect(long.status).toBe(400);
    expect(long.body.error).toMatchObject({
      code: 'ExtensionError',
      message: `Subscription expiration can only be ${kind.maxMinutes} minutes in the future.`,
    });
    for (const changeType of ['created', 'updated', 'deleted', 'renamed']) {
      const isAllowed = kind.changeTypes.split(',').includes(changeType);
      const refused = await it.request(resource, kind, { changeType, notificationUrl: 'none' });
      const text: string = refused.body.error.message;
      expect(refused.status).toBe(400);
      // What is wrong with an allowed one is the address alone.
      expect(text.includes('changeType'), `${changeType}: ${text}`).toBe(!isAllowed);
    }
    if (!kind.isTeams) return;
    const unasked = {
      expirationDateTime: inMinutes(it.simulator.clock.now(), 61),
      lifecycleNotificationUrl: null,
    };
    expect((await it.request(resource, kind, unasked)).body.error.message).toContain(
      'lifecycleNotificationUrl',
    );
  });
});
