import { describe, expect, it } from 'vitest';
import { parseFilter } from '../src/odata-filter.ts';
import { setUpGraph } from './graph-setup.ts';

const EVENTUAL = { consistencylevel: 'eventual' };

describe('a filter', () => {
  const ada = {
    displayName: 'Ada Lovelace',
    mail: null,
    age: 36,
    isOwner: true,
    since: '2026-01-02T00:00:00.1230000Z',
  };

  it.each([
    ["displayName eq 'ada lovelace'", true],
    ["displayName ne 'Ada Lovelace'", false],
    ["startsWith(displayName,'ada')", true],
    ["endsWith(displayName, 'lace') and age gt 35", true],
    ["contains(displayName,'xyz') or isOwner eq true", true],
    ['not (age le 36)', false],
    ["not startswith(displayName,'B') and (age lt 30 or age ge 36)", true],
    ["displayName in ('Bob', 'Ada Lovelace')", true],
    ['mail eq null', true],
    ["mail eq 'a'", false],
    ['since ge 2026-01-02T00:00:00Z', true],
    ['since gt 2026-02-01', false],
    ["displayName eq 'O''Neill'", false],
    ["DISPLAYNAME eq 'Ada Lovelace'", true],
  ])('%s is %s of her', (text, expected) => {
    expect(parseFilter(text)(ada)).toBe(expected);
  });

  it.each([
    '',
    'displayName',
    'displayName eq',
    "eq 'x'",
    "displayName eq 'x",
    '(a eq 1',
    'a eq 1)',
    'a eq b',
    'a in (1',
  ])('%j is none', (text) => {
    expect(() => parseFilter(text)).toThrow('Invalid filter clause');
  });

  it('with what the simulator does not evaluate is refused as that', () => {
    expect(() => parseFilter("proxyAddresses/all(p:p eq 'x')")).toThrow('does not evaluate');
  });
});

describe('users', () => {
  it('are listed by a filter, page by page, and counted for callers who know that the number may lag', async () => {
    await using it = await setUpGraph({ users: 40 });
    it.simulator.items.create('users', {
      displayName: 'Zoe',
      userPrincipalName: 'zoe@northwind.example',
      jobTitle: 'Pilot',
    });
    const zoe = await it.graph.call(
      'GET',
      "/users?$filter=jobTitle eq 'Pilot' and startsWith(displayName,'z')&$select=displayName",
    );
    expect(zoe.body.value).toEqual([{ id: expect.any(String), displayName: 'Zoe' }]);
    const url = "/users?$filter=jobTitle ne 'Pilot'&$top=25&$count=true";
    const first = await it.graph.call('GET', url, { headers: EVENTUAL });
    expect(first.body['@odata.count']).toBe(40);
    const second = await it.graph.call('GET', first.body['@odata.nextLink'], { headers: EVENTUAL });
    expect(first.body.value.length + second.body.value.length).toBe(40);
    expect((await it.graph.call('GET', url)).body['@odata.count']).toBeUndefined();
    const count = await it.graph.call('GET', '/users/$count', { headers: EVENTUAL });
    expect(count.headers.get('content-type')).toBe('text/plain');
    expect(count.body).toBe('41');
    expect((await it.graph.call('GET', '/chats?$filter=x eq 1')).status).toBe(501);
  });

  it('are made, deleted for the time being, restored and deleted for good, and all of it is told', async () => {
    await using it = await setUpGraph();
    await it.watch('users', 'updated,deleted');
    const draft = { displayName: 'Zoe', userPrincipalName: 'zoe@northwind.example' };
    const { status, body } = await it.graph.call('POST', '/users', { body: draft });
    expect(status).toBe(201);
    const user = `/users/${body.id}`;
    expect((await it.graph.call('PATCH', user, { body: { jobTitle: 'Pilot' } })).status).toBe(204);
    expect((await it.graph.call('GET', '/users/zoe@northwind.example')).body.id).toBe(body.id);
    expect((await it.graph.call('DELETE', user)).status).toBe(204);
    expect((await it.graph.call('GET', user)).body.error.code).toBe('Request_ResourceNotFound');
    expect((await it.graph.call('GET', `${user}/events`)).status).toBe(404);
    const bin = `/directory/deletedItems/${body.id}`;
    expect((await it.graph.call('GET', bin)).body).toMatchObject({ deletedDateTime: expect.any(String) });
    expect((await it.graph.call('POST', `${bin}/restore`)).status).toBe(200);
    expect((await it.graph.call('GET', user)).body).toMatchObject({ displayName: 'Zoe' });
    await it.graph.call('DELETE', user);
    expect((await it.graph.call('DELETE', bin)).status).toBe(204);
    expect((await it.graph.call('POST', `${bin}/restore`)).status).toBe(404);
    const told = (await it.notified()).map(({ changeType }) => changeType);
    expect(told).toEqual(['updated', 'updated', 'updated', 'updated', 'updated', 'deleted']);
  });
});

describe('advanced queries', () => {
  it('are refused without the header and the count that they need', async () => {
    await using it = await setUpGraph();
    for (const filter of ["jobTitle ne 'x'", "not startsWith(mail,'x')", "endsWith(mail,'example')"]) {
      const url = `/users?$filter=${filter}`;
      const { status, body } = await it.graph.call('GET', url, { headers: EVENTUAL });
      expect([status, body.error.code]).toEqual([400, 'Request_UnsupportedQuery']);
      expect((await it.graph.call('GET', `${url}&$count=true`)).status).toBe(400);
      expect((await it.graph.call('GET', `${url}&$count=true`, { headers: EVENTUAL })).status).toBe(200);
    }
    expect((await it.graph.call('GET', "/users?$filter=mail eq 'ne'")).status).toBe(200);
  });

  it('and others have pages of 999 at most', async () => {
    await using it = await setUpGraph();
    expect((await it.graph.call('GET', '/users?$top=999')).status).toBe(200);
    expect((await it.graph.call('GET', '/users?$top=1000')).status).toBe(400);
    expect((await it.graph.call('GET', '/groups?$top=1000')).status).toBe(400);
  });
});

describe('a delta query of groups', () => {
  it('by ids tells of these alone, and of groups among the members as such', async () => {
    await using it = await setUpGraph();
    for (const id of ['g', 'h', 'i']) it.simulator.seed(`groups/${id}`, { displayName: id });
    const url = "/groups/delta?$select=members&$deltatoken=latest&$filter=id eq 'g' or id eq 'h'";
    const begun = await it.graph.call('GET', url);
    expect(begun.body.value).toEqual([]);
    it.simulator.directoryObjects.addMember('i', it.user);
    it.simulator.directoryObjects.softDelete('groups/i');
    const none = await it.graph.call('GET', begun.body['@odata.deltaLink']);
    expect(none.body.value).toEqual([]);
    it.simulator.seed('groups/j', { displayName: 'j' });
    it.simulator.directoryObjects.addMember('h', 'j');
    it.simulator.directoryObjects.softDelete('groups/g');
    const some = await it.graph.call('GET', none.body['@odata.deltaLink']);
    expect(some.body.value).toEqual([
      { id: 'h', 'members@delta': [{ '@odata.type': '#microsoft.graph.group', id: 'j' }] },
      { id: 'g', '@removed': { reason: 'changed' } },
    ]);
  });

  it('is filtered by up to 50 ids alone', async () => {
    await using it = await setUpGraph();
    const ids = (count: number) => Array.from({ length: count }, (_, i) => `id eq '${i}'`).join(' or ');
    const statusOf = async (filter: string) =>
      (await it.graph.call('GET', `/groups/delta?$filter=${filter}`)).status;
    expect(await statusOf(ids(50))).toBe(200);
    expect(await statusOf(ids(51))).toBe(400);
    expect(await statusOf("displayName eq 'x'")).toBe(400);
  });
});

describe('groups', () => {
  it('have members and owners, also through other groups', async () => {
    await using it = await setUpGraph();
    const [one, two] = it.simulator.users();
    const make = async (displayName: string) =>
      (await it.graph.call('POST', '/groups', { body: { displayName } })).body.id as string;
    const [outer, inner] = [await make('Outer'), await make('Inner')];
    const add = (group: string, id: string | undefined, word = 'members') =>
      it.graph.call('POST', `/groups/${group}/${word}/$ref`, {
        body: { '@odata.id': `${it.simulator.url}/v1.0/directoryObjects/${id}` },
      });
    for (const { status } of [
      await add(outer, inner),
      await add(outer, one?.id),
      await add(inner, two?.id),
      await add(inner, outer),
      await add(outer, two?.id, 'owners'),
    ]) {
      expect(status).toBe(204);
    }
    const names = async (path: string) => {
      const { body } = await it.graph.call('GET', `/groups/${outer}/${path}`);
      return body.value.map(({ displayName }: { displayName: string }) => displayName).sort();
    };
    const [first, second] = [one?.displayName, two?.displayName];
    expect(await names('members')).toEqual(['Inner', first].sort());
    expect(await names('transitiveMembers')).toEqual(['Inner', 'Outer', first, second].sort());
    expect(await names('owners')).toEqual([second]);
    expect(await names(`members?$filter=id eq '${one?.id}'`)).toEqual([first]);
    const count = await it.graph.call('GET', `/groups/${outer}/members/$count`, { headers: EVENTUAL });
    expect(count.body).toBe('2');
    expect((await it.graph.call('DELETE', `/groups/${outer}/members/${one?.id}/$ref`)).status).toBe(204);
    expect(await names('members')).toEqual(['Inner']);
    expect((await add(outer, 'nobody')).status).toBe(404);
    expect((await it.graph.call('GET', '/groups/none/members')).status).toBe(404);
  });

  it('tell their watchers who came and who went', async () => {
    await using it = await setUpGraph();
    const [one] = it.simulator.users();
    it.simulator.seed('groups/g', { displayName: 'G' });
    await it.watch('groups/g/members', 'updated');
    it.simulator.items.update('groups/g', { displayName: 'not of its members' });
    it.simulator.directoryObjects.addMember('g', one?.id ?? '');
    it.simulator.directoryObjects.removeMember('g', one?.id ?? '');
    const told = await it.notified();
    expect(told.map(({ resource, resourceData }) => [resource, resourceData['members@delta']])).toEqual([
      ['Groups/g', [{ id: one?.id }]],
      ['Groups/g', [{ id: one?.id, '@removed': 'deleted' }]],
    ]);
  });
});
