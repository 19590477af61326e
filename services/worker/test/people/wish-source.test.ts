/** Who is wanted, as a simulated Graph tells it over HTTPS: each way of naming people, joins, leaves, and what is not believed. */
import { describe, expect, it } from 'vitest';
import { EVERY_MS, type PeopleBench, setUpPeople } from './people-bench.ts';

const GROUP = `  - { name: sales, resource: 'users/{user}/events', group: sales@contoso.com }`;
const named = (...users: string[]) =>
  `  - { name: named, resource: 'users/{user}/events', users: [${users.join(', ')}] }`;
const filtered = (filter: string) =>
  `  - { name: filtered, resource: 'users/{user}/events', users: { filter: "${filter}" } }`;

/** So much later that everything is looked at again. */
const later = ({ clock }: PeopleBench, ms = EVERY_MS) => {
  clock.now += ms;
};

const idsOf = ({ simulator }: PeopleBench) => simulator.users().map(({ id }) => id);

const linesOf = ({ log }: PeopleBench, name: string) =>
  log.lines.map((line) => JSON.parse(line)).filter(({ message }) => message === name);

describe('people in the file', () => {
  it('are wanted without a word to Graph or Redis, as the same array for ever', async () => {
    const it = await setUpPeople();
    const source = it.start(named(it.user));
    const wishes = await source.current();
    expect(wishes.map(({ key }) => key)).toEqual([`named/${it.user}`]);
    expect(await source.refresh()).toEqual({ changed: false, sources: [] });
    expect(await source.current()).toBe(wishes);
    expect(source.unread()).toEqual([]);
    expect([it.listings(), await it.own.redis.keys(`${it.own.names.prefix}*`)]).toEqual([[], []]);
  });
});

describe('people by name', () => {
  it('are found by principal name or mail address, in any case; others are skipped with the reason', async () => {
    const it = await setUpPeople();
    const [one] = it.simulator.users();
    const byMail = it.addUser({
      userPrincipalName: "o'neill@northwind.example",
      mail: 'Office@Fabrikam.example',
    });
    for (const number of [1, 2]) {
      it.addUser({ userPrincipalName: `twin${number}@northwind.example`, mail: 'twins@northwind.example' });
    }
    it.addUser({
      userPrincipalName: 'gus_fabrikam.example#EXT#@northwind.example',
      mail: 'gus@fabrikam.example',
      userType: 'Guest',
    });
    const upn = one?.userPrincipalName ?? '';
    const names = [
      upn.toUpperCase(),
      'office@fabrikam.example',
      'twins@northwind.example',
      'gus@fabrikam.example',
    ];
    const source = it.start(named(...names, 'nobody@northwind.example'));
    expect([await it.wanted(source), source.unread()]).toEqual([[], ['named']]);
    const report = await source.refresh();
    expect(await it.wanted(source)).toEqual([one?.id ?? '', byMail].sort());
    expect(source.unread()).toEqual([]);
    expect(report).toMatchObject({
      changed: true,
      sources: [{ source: 'users by name', people: 2, joined: 2 }],
    });
    const reasons = report.sources[0]?.skipped.map(({ reason, who }) => [reason, ...who]).sort();
    expect(reasons).toEqual([
      ['ambiguous', 'twins@northwind.example'],
      ['guest', 'gus@fabrikam.example'],
      ['unknown', 'nobody@northwind.example'],
    ]);
    expect(linesOf(it, 'people.skipped')).toHaveLength(1);
  });

  it('are tried again where they meant nobody, and stay when they are renamed, until they are gone', async () => {
    const it = await setUpPeople();
    const source = it.start(named('late@northwind.example'));
    await source.refresh();
    later(it);
    expect((await source.refresh()).changed).toBe(false);
    expect(linesOf(it, 'people.skipped')).toHaveLength(1);
    const late = it.addUser({ userPrincipalName: 'late@northwind.example' });
    expect((await source.refresh()).sources).toEqual([]);
    later(it);
    expect(await source.refresh()).toMatchObject({ changed: true, sources: [{ joined: 1, skipped: [] }] });
    expect(await it.wanted(source)).toEqual([late]);

    it.simulator.items.update(`users/${late}`, { userPrincipalName: 'new@northwind.example', mail: null });
    later(it, 25 * 3_600_000);
    expect(await source.refresh()).toMatchObject({ changed: false, sources: [{ people: 1 }] });
    expect(await it.wanted(source)).toEqual([late]);
    it.simulator.directoryObjects.softDelete(`users/${late}`);
    later(it);
    expect(await source.refresh()).toMatchObject({ changed: true, sources: [{ people: 0, left: 1 }] });
    expect(await it.wanted(source)).toEqual([]);
  });

  it('are asked for fifteen at a time, and once found, once a day', async () => {
    const it = await setUpPeople();
    const names = Array.from({ length: 31 }, (_, i) => `person${i}@northwind.example`);
    for (const userPrincipalName of names) it.addUser({ userPrincipalName });
    const source = it.start(named(...names));
    await source.refresh();
    expect(await it.wanted(source)).toHaveLength(31);
    expect(it.listings()).toHaveLength(3);
    later(it);
    await source.refresh();
    expect(it.listings()).toHaveLength(3);
  });

  it('that are put into the file are looked up at once', async () => {
    const it = await setUpPeople();
    const [one, two] = it.simulator.users();
    await it.start(named(one?.userPrincipalName ?? '')).refresh();
    const source = it.start(named(one?.userPrincipalName ?? '', two?.userPrincipalName ?? ''));
    expect(await it.wanted(source)).toEqual([one?.id]);
    expect(source.unread()).toEqual(['named']);
    await source.refresh();
    expect(await it.wanted(source)).toHaveLength(2);
  });
});

describe('people in a group', () => {
  const setUpGroup = async () => {
    const it = await setUpPeople({ users: 4 });
    const [a, b, c, d] = idsOf(it) as [string, string, string, string];
    const inner = it.addGroup({ displayName: 'Inner' }, b);
    const group = it.addGroup({ displayName: 'Sales', mail: 'Sales@Contoso.com' }, a, inner);
    return { ...it, a, b, c, d, inner, group };
  };

  it('are its members and those of the groups in it, as they come and go', async () => {
    const it = await setUpGroup();
    const source = it.start(GROUP);
    expect(await source.refresh()).toMatchObject({
      changed: true,
      sources: [{ source: 'group sales@contoso.com', people: 2, joined: 2, left: 0, skipped: [] }],
    });
    const wishes = await source.current();
    expect(wishes.map(({ key }) => key).sort()).toEqual([`sales/${it.a}`, `sales/${it.b}`].sort());
    later(it);
    expect(await source.refresh()).toMatchObject({ changed: false, sources: [{ people: 2 }] });
    expect(await source.current()).toBe(wishes);

    it.simulator.directoryObjects.addMember(it.inner, it.c);
    it.simulator.directoryObjects.removeMember(it.group, it.a);
    expect((await source.refresh()).sources).toEqual([]);
    later(it);
    expect(await source.refresh()).toMatchObject({
      changed: true,
      sources: [{ people: 2, joined: 1, left: 1 }],
    });
    expect(await it.wanted(source)).toEqual([it.b, it.c].sort());
    expect(linesOf(it, 'people.changed')).toMatchObject([{ joined: 2 }, { joined: 1, left: 1, people: 2 }]);
  });

  it('are asked for by one delta query while nothing changes, also of a group that was put into it', async () => {
    const it = await setUpGroup();
    const source = it.start(GROUP);
    for (let look = 0; look < 2; look++, later(it)) await source.refresh();
    const before = it.listings().length;
    await source.refresh();
    expect(it.listings().slice(before)).toEqual([expect.stringMatching(/^\/groups\/delta\?/)]);

    const nested = it.addGroup({ displayName: 'Nested' }, it.c);
    it.simulator.directoryObjects.addMember(it.inner, nested);
    for (let look = 0; look < 3; look++, later(it)) await source.refresh();
    expect(await it.wanted(source)).toEqual([it.a, it.b, it.c].sort());
    it.simulator.directoryObjects.addMember(nested, it.d);
    await source.refresh();
    expect(await it.wanted(source)).toEqual([it.a, it.b, it.c, it.d].sort());
  });

  it('are listed anew when the token of the delta query has expired', async () => {
    const it = await setUpGroup();
    const source = it.start(GROUP);
    for (let look = 0; look < 2; look++, later(it)) await source.refresh();
    it.simulator.directoryObjects.addMember(it.group, it.d);
    it.simulator.delta.expireTokens('groups');
    await source.refresh();
    expect(await it.wanted(source)).toContain(it.d);
  });

  it('are not followed by a delta query where Graph has none, and are listed each time', async () => {
    const it = await setUpGroup();
    it.simulator.faults.add({ path: /\/groups\/delta/, status: 400, times: Number.POSITIVE_INFINITY });
    const source = it.start(GROUP);
    for (let look = 0; look < 2; look++, later(it)) await source.refresh();
    it.simulator.directoryObjects.addMember(it.group, it.d);
    await source.refresh();
    expect(await it.wanted(source)).toHaveLength(3);
  });

  it('are wanted without guests, and with those whose account is disabled: shared mailboxes and rooms are', async () => {
    const it = await setUpGroup();
    const guest = it.addUser({ userPrincipalName: 'guest@northwind.example', userType: 'Guest' });
    const room = it.addUser({ userPrincipalName: 'room@northwind.example', accountEnabled: false });
    for (const id of [guest, room]) it.simulator.directoryObjects.addMember(it.group, id);
    const source = it.start(GROUP);
    const report = await source.refresh();
    expect(await it.wanted(source)).toEqual([it.a, it.b, room].sort());
    expect(report.sources[0]?.skipped).toEqual([{ reason: 'guest', count: 1, who: [guest] }]);
  });

  it('stay while the group is not to be found, which is said once; then it is asked for again each minute', async () => {
    const it = await setUpGroup();
    const unknown = it.start(GROUP.replace('sales@', 'nobody@'));
    expect(await unknown.refresh()).toMatchObject({
      changed: false,
      sources: [{ problem: 'no group has the address nobody@contoso.com' }],
    });
    expect(unknown.unread()).toEqual(['sales']);
    const byId = it.start(GROUP.replace('sales@contoso.com', it.group));
    await byId.refresh();
    it.simulator.directoryObjects.softDelete(`groups/${it.group}`);
    for (const minutes of [5, 1, 1]) {
      later(it, minutes * 60_000);
      expect(await byId.refresh()).toMatchObject({
        sources: [{ people: 2, problem: 'there is no such group' }],
      });
    }
    expect(await it.wanted(byId)).toHaveLength(2);
    expect(linesOf(it, 'people.not-read').map(({ reason }) => reason)).toEqual([
      'no group has the address nobody@contoso.com',
      'there is no such group',
    ]);
  });

  it('are followed under another address, which is the same group', async () => {
    const it = await setUpGroup();
    const source = it.start(GROUP);
    await source.refresh();
    it.simulator.items.update(`groups/${it.group}`, { mail: 'vertrieb@contoso.com' });
    it.simulator.directoryObjects.addMember(it.group, it.d);
    later(it, 25 * 3_600_000);
    await source.refresh();
    expect(await it.wanted(source)).toContain(it.d);
  });
});

describe('people by a filter', () => {
  it('are listed page by page, with what an advanced filter needs', async () => {
    const it = await setUpPeople({ users: 1000 });
    const seeded = idsOf(it);
    const paris = it.addUser({ userPrincipalName: 'p@northwind.example', officeLocation: 'Paris' });
    const source = it.start(filtered("not startsWith(officeLocation,'Pa')"));
    await source.refresh();
    expect(await it.wanted(source)).toEqual(seeded.toSorted());
    expect(it.listings()).toHaveLength(2);
    it.simulator.items.update(`users/${seeded[0]}`, { officeLocation: 'Pau' });
    it.simulator.items.update(`users/${paris}`, { officeLocation: 'Berlin' });
    later(it);
    expect(await source.refresh()).toMatchObject({ sources: [{ joined: 1, left: 1, people: 1000 }] });
  });

  it('that is wrong changes nobody, and is told in the words of Graph', async () => {
    const it = await setUpPeople();
    const source = it.start(filtered('accountEnabled'));
    const [report] = (await source.refresh()).sources;
    expect(report?.problem).toMatch(/rejected with 400 .*Invalid filter/);
    expect(source.unread()).toEqual(['filtered']);
  });

  it('are guests where it asks for these', async () => {
    const it = await setUpPeople();
    const guest = it.addUser({ userPrincipalName: 'guest@northwind.example', userType: 'Guest' });
    const source = it.start(filtered("userType eq 'Guest'"));
    await source.refresh();
    expect(await it.wanted(source)).toEqual([guest]);
  });
});

describe('all users', () => {
  const ALL = `  - { name: everyone, resource: 'users/{user}/events', users: all }`;

  it('are all but guests, over as many pages as there are', async () => {
    const it = await setUpPeople({ users: 2100 });
    const guest = it.addUser({ userPrincipalName: 'guest@northwind.example', userType: 'Guest' });
    const source = it.start(ALL);
    await source.refresh();
    const wanted = await it.wanted(source);
    expect([wanted.length, wanted.includes(guest)]).toEqual([2100, false]);
    expect(it.listings()).toHaveLength(3);
  });

  it('are known after a restart without being listed again, to every worker', async () => {
    const it = await setUpPeople();
    const [first, second] = [it.start(ALL), it.start(ALL)];
    await first.refresh();
    expect(await it.wanted(second)).toHaveLength(3);
    expect((await it.start(ALL).refresh()).sources).toEqual([]);
    const before = await second.current();
    it.addUser({ userPrincipalName: 'new@northwind.example' });
    later(it);
    await first.refresh();
    expect(await second.current()).not.toBe(before);
    expect(await it.wanted(second)).toHaveLength(4);
    expect(await second.current()).toBe(await second.current());
  });

  it('that suddenly are mostly missing stay until a second look; who is new comes at once', async () => {
    const it = await setUpPeople({ users: 60 });
    const source = it.start(ALL);
    await source.refresh();
    const one = it.addUser({ userPrincipalName: 'one@northwind.example' });
    const two = { id: one, userType: 'Member' };
    const shortList = () =>
      it.simulator.faults.add({ path: /\/users$/, status: 200, body: { value: [two] } });
    shortList();
    later(it);
    expect(await source.refresh()).toMatchObject({
      sources: [{ people: 61, joined: 1, left: 0, doubted: 60 }],
    });
    expect(await it.wanted(source)).toHaveLength(61);
    expect(linesOf(it, 'people.doubted')).toMatchObject([{ missing: 60, people: 61 }]);
    later(it);
    const [healed] = (await source.refresh()).sources;
    expect(healed).toMatchObject({ people: 61, left: 0 });
    expect(healed).not.toHaveProperty('doubted');
    for (const left of [0, 60]) {
      shortList();
      later(it);
      expect(await source.refresh()).toMatchObject({ sources: [{ left }] });
    }
    expect(await it.wanted(source)).toEqual([one]);
  });

  it('stay where somebody is listed without an id; the others come', async () => {
    const it = await setUpPeople();
    const source = it.start(ALL);
    await source.refresh();
    const one = it.addUser({ userPrincipalName: 'one@northwind.example' });
    const value = [{ id: one }, { displayName: 'Nobody' }, { id: '../../me' }];
    it.simulator.faults.add({ path: /\/users$/, status: 200, body: { value } });
    later(it);
    const report = await source.refresh();
    expect(report.sources).toMatchObject([
      { people: 4, joined: 1, left: 0, skipped: [{ reason: 'no id', count: 2, who: [] }] },
    ]);
    expect(await it.wanted(source)).toHaveLength(4);
  });
});

describe('a Graph that is away', () => {
  const ALL = `  - { name: everyone, resource: 'users/{user}/events', users: all }`;

  it('changes nobody, also where it goes away between two pages', async () => {
    const it = await setUpPeople({ users: 1200 });
    const source = it.start(ALL);
    await source.refresh();
    for (const faulty of [{ status: 503 }, { kind: 'reset' }, { after: 1, status: 500 }] as const) {
      const fault = it.simulator.faults.add({
        path: /\/v1\.0\/users/,
        times: Number.POSITIVE_INFINITY,
        ...faulty,
      });
      later(it);
      expect(await source.refresh()).toMatchObject({
        changed: false,
        sources: [{ people: 1200, problem: /./ }],
      });
      fault.remove();
    }
    expect(await it.wanted(source)).toHaveLength(1200);
    later(it);
    const [report] = (await source.refresh()).sources;
    expect(report).not.toHaveProperty('problem');
  });

  it('is given the rest that it asks for: a short one at once, a long one before the next look', async () => {
    const it = await setUpPeople();
    const source = it.start(ALL);
    const throttle = (seconds: string) =>
      it.simulator.faults.add({ path: /\/v1\.0\/users/, status: 429, headers: { 'retry-after': seconds } });
    throttle('2.5');
    expect((await source.refresh()).changed).toBe(true);
    expect(it.waits).toEqual([2500]);
    later(it);
    throttle('1200');
    expect((await source.refresh()).sources[0]?.problem).toMatch(/throttled/);
    const asked = it.listings().length;
    later(it, 1_190_000);
    expect((await source.refresh()).sources).toEqual([]);
    expect(it.listings()).toHaveLength(asked);
    later(it, 11_000);
    expect((await source.refresh()).sources).toHaveLength(1);
    expect(it.waits).toEqual([2500]);
  });

  it('is not followed elsewhere by a link in its list', async () => {
    const it = await setUpPeople();
    const source = it.start(ALL);
    const body = { value: [], '@odata.nextLink': 'https://elsewhere.example/v1.0/users?$skiptoken=x' };
    it.simulator.faults.add({ path: /\/v1\.0\/users/, status: 200, body });
    expect((await source.refresh()).sources[0]?.problem).toMatch(/leaves the configured Graph/);
    expect(source.unread()).toEqual(['everyone']);
  });
});

describe('an emptied Redis', () => {
  it('says nothing of anybody: who is known stays wanted, and after a restart is not known', async () => {
    const it = await setUpPeople();
    const ALL = `  - { name: everyone, resource: 'users/{user}/events', users: all }`;
    const source = it.start(ALL);
    await source.refresh();
    const wishes = await source.current();
    await it.own.redis.del(...(await it.own.redis.keys(`${it.own.names.prefix}:people:*`)));
    expect(await source.current()).toBe(wishes);
    const restarted = it.start(ALL);
    expect([await it.wanted(restarted), restarted.unread()]).toEqual([[], ['everyone']]);
    await restarted.refresh();
    expect([await it.wanted(source), await it.wanted(restarted)]).toEqual([
      idsOf(it).sort(),
      idsOf(it).sort(),
    ]);
  });
});

describe('several sources of a tenant', () => {
  it('are listed one after the other', async () => {
    const it = await setUpPeople({ users: 1100, graphLatencyMs: 20 });
    const group = it.addGroup({ displayName: 'Sales', mail: 'sales@contoso.com' }, it.user);
    const source = it.start(`${GROUP}
${GROUP.replace('name: sales', 'name: byid').replace('events', 'messages').replace('sales@contoso.com', group)}
${named('nobody@northwind.example')}
  - { name: everyone, resource: 'users/{user}/contacts', users: all }`);
    expect((await source.refresh()).sources).toHaveLength(4);
    expect(it.listings().length).toBeGreaterThan(8);
    expect(it.simulator.maxConcurrent()).toBe(1);
  });
});

describe('two tenants', () => {
  it('are each asked by their own app; one that is not served is left as it is', async () => {
    const it = await setUpPeople();
    const other = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
    const source = it.start(
      `  - { name: ours, resource: 'users/{user}/events', users: all }
  - { name: theirs, tenant: contoso, resource: 'users/{user}/events', users: all }
tenants: [{ name: contoso, id: ${other}, clientId: ${other} }]`,
    );
    expect((await source.refresh()).sources).toMatchObject([{ tenantId: it.simulator.tenantId }]);
    expect(await it.wanted(source)).toHaveLength(3);
    expect(source.unread()).toEqual(['theirs']);
  });
});
