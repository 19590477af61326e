/** `subscriptions.yaml`: what it comes to, and that every mistake is named by its place. */
import { describe, expect, it } from 'vitest';
import { WantedSubscriptionsError } from '../../src/declaration/declaration-error.ts';
import {
  parseSubscriptionsFile,
  parseWantedSubscriptions,
  type WishDefaults,
} from '../../src/declaration/read-declaration.ts';

const ADA = '0a0a0a0a-1111-4222-8333-444444444444';
const BOB = '0b0b0b0b-1111-4222-8333-444444444444';

const TENANT = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';

const withoutLifecycle = { topic: 'graph.events', tenantId: TENANT };
const defaults = { ...withoutLifecycle, lifecycleUrl: 'https://hooks.example/lifecycle' };

const parse = (text: string, given: WishDefaults = defaults) =>
  parseWantedSubscriptions(text, 'subscriptions.yaml', given);

/** The lines of the error without their places; fails where there is none. */
function problemsOf(text: string, given?: WishDefaults): string[] {
  try {
    parse(text, given);
  } catch (error) {
    if (!(error instanceof WantedSubscriptionsError)) throw error;
    const places = /^subscriptions\.yaml(:\d+)+: /;
    for (const problem of error.problems) expect(problem).toMatch(places);
    return error.problems.map((problem) => problem.replace(places, ''));
  }
  throw new Error('no problem was found');
}

const calendars = (more: string) => `
subscriptions:
  - name: calendars
    resource: users/{user}/events
    users: [${ADA}]
${more}`;

describe('a file of wanted subscriptions', () => {
  it('comes to one wish per user and resource, with defaults that suit Outlook', () => {
    const wishes = parse(`
subscriptions:
  - name: calendars
    resource: users/{user}/events
    users: [${ADA.toUpperCase()}, ${BOB}]
  - name: inbox
    resource: users/{user}/mailFolders/inbox/messages
    users: [${ADA}]
    changeTypes: [created, deleted]
    topic: mail
    lifeMinutes: 60
`);
    expect(wishes).toEqual([
      ...[ADA, BOB].map((user) => ({
        key: `calendars/${user}`,
        tenantId: TENANT,
        resource: `users/${user}/events`,
        changeType: 'created,updated,deleted',
        topic: 'graph.events',
        lifeMinutes: 10_060,
        whole: true,
      })),
      {
        key: `inbox/${ADA}`,
        tenantId: TENANT,
        resource: `users/${ADA}/mailFolders/inbox/messages`,
        changeType: 'created,deleted',
        topic: 'mail',
        lifeMinutes: 60,
        whole: false,
      },
    ]);
  });

  it('asks for a change once that it names twice, since Graph answers it once', () => {
    expect(parse(calendars('    changeTypes: [deleted, deleted]'))).toMatchObject([
      { changeType: 'deleted' },
    ]);
  });

  it.each([
    ['is empty', '', /^the file: must be a mapping/],
    ['is no mapping', '- a\n- b', /^the file: must be a mapping/],
    ['is no YAML', 'subscriptions: [', /^Flow sequence/],
    ['names an alias that is nowhere', 'subscriptions: *nowhere', /^there is no &nowhere$/],
    ['holds no subscription', 'subscriptions: []', /^subscriptions: must hold at least one/],
    [
      'has a field that does not exist',
      calendars('    lifeMinute: 60'),
      /^calendars\.lifeMinute: there is no such field; did you mean lifeMinutes\?$/,
    ],
    [
      'has a name that could not be a key',
      calendars('').replace('calendars', 'My calendars'),
      /^subscriptions\[0\]\.name: /,
    ],
    [
      'names a user by neither id nor address',
      calendars('').replace(ADA, 'ada'),
      /^calendars\.users: must be an object id/,
    ],
    ['names no user', calendars('').replace(ADA, ''), /^calendars\.users: must name at least one user/],
    [
      'has an unknown change type',
      calendars('    changeTypes: [moved]'),
      /^calendars\.changeTypes: must be created/,
    ],
    ['has no change type', calendars('    changeTypes: []'), /^calendars\.changeTypes: /],
    [
      'has a topic that Kafka would not take',
      calendars('    topic: a b'),
      /^calendars\.topic: "a b" is no topic name/,
    ],
    [
      'asks for less life than Graph gives',
      calendars('    lifeMinutes: 44'),
      /^calendars\.lifeMinutes: must be 45 at least$/,
    ],
    [
      'asks for more',
      calendars('    lifeMinutes: 10061'),
      /^calendars\.lifeMinutes: Graph lets it live 10060 minutes at most/,
    ],
    [
      'asks for more than a rich one may have',
      calendars('    rich: true\n    select: [subject]\n    lifeMinutes: 1431'),
      /^calendars\.lifeMinutes: Graph lets it live 1430 minutes at most/,
    ],
    [
      'is rich and selects nothing',
      calendars('    rich: true'),
      /^calendars\.select: must name the properties/,
    ],
    [
      'is rich and selects a body',
      calendars('    rich: true\n    select: [subject, Body]'),
      /^calendars\.select: Graph does not send Body/,
    ],
    [
      'is rich and of a kind that never is',
      calendars('    rich: true').replace('/events', '/drive/root'),
      /^calendars\.rich: Graph sends data with events, messages, contacts and what is in Teams only/,
    ],
    [
      'selects in Teams',
      calendars('    select: [subject]').replace('/events', '/chats/getAllMessages'),
      /^calendars\.select: Graph takes none for what is in Teams/,
    ],
    [
      'selects what is no property',
      calendars('    select: ["subject&$top=1"]'),
      /^calendars\.select: must be the name of a property/,
    ],
    ['selects nothing', calendars('    select: []'), /^calendars\.select: must name at least one/],
    [
      'has users and a resource without {user}',
      calendars('').replace('{user}', ADA),
      /^calendars\.resource: must hold \{user\}/,
    ],
    [
      'has {user} in its resource and no users',
      calendars('').replace(/ {4}users.*/, ''),
      /^calendars\.users: must name the users that \{user\} stands for/,
    ],
    [
      'has a resource that is no path',
      calendars('').replace('users/{user}', 'https://h/{user}'),
      /^calendars\.resource: /,
    ],
    [
      'has a resource with a filter',
      calendars('').replace('events', 'events?$filter=x'),
      /^calendars\.resource: must be a path alone; a filter and a select are fields of their own$/,
    ],
  ])('that %s is refused with a line for its place', (_name, text, line) => {
    expect(problemsOf(text)).toEqual([expect.stringMatching(line)]);
  });

  it('names every problem at once, those of paths and of repetition too', () => {
    const twoPlaces = `
subscriptions:
  - { name: one, resource: users/x/events, users: [nobody], topic: a b }
  - { name: Two, resource: 'users/{user}/events', users: [${ADA}] }`;
    expect(problemsOf(twoPlaces).map((problem) => problem.split(':')[0])).toEqual([
      'one.users',
      'subscriptions[1].name',
    ]);
    const badPaths = `
subscriptions:
  - { name: one, resource: users/x/events, users: [${ADA}, ${BOB}] }
  - { name: two, resource: 'users/{user}/nonsense', users: [${ADA}, ${BOB}] }
  - { name: three, resource: 'users/{user}/events', users: [${ADA}, ${ADA}] }
  - { name: four, resource: 'users/{user}/events', users: [${BOB}], topic: 'graph.{team}' }`;
    expect(problemsOf(badPaths)).toEqual([
      expect.stringMatching(/^one\.resource: must hold \{user\}/),
      expect.stringMatching(/^two\.resource: unknown word "nonsense"/),
      `three.users: ${ADA} is there twice`,
      'four.topic: {team} is none of {tenant}, {resource}, {user}, {name}',
    ]);
  });

  it('refuses two wishes for one resource and the same changes: Graph gives them one subscription only', () => {
    const [problem, ...others] = problemsOf(`
subscriptions:
  - { name: one, resource: 'users/{user}/events', users: [${ADA}], topic: a }
  - { name: two, resource: 'Users/{user}/events', users: [${ADA}], topic: b, changeTypes: [deleted, updated, created] }
  - { name: three, resource: 'users/{user}/events', users: [${ADA}], changeTypes: [deleted] }`);
    expect(problem).toMatch(new RegExp(`^two.users: wants the same changes of ${ADA} as one: `));
    expect(others).toEqual([]);
  });
});

describe('a rich subscription', () => {
  it('selects what comes with its notifications, and lives a day', () => {
    const [wish] = parse(calendars('    rich: true\n    select: [subject, start, subject]'));
    expect(wish).toMatchObject({ rich: true, select: ['subject', 'start'], lifeMinutes: 1430, whole: true });
  });

  it('selects nothing in Teams, and lives as long as others there', () => {
    const [wish] = parse(calendars('    rich: true').replace('/events', '/chats/getAllMessages'));
    expect(wish).toMatchObject({ rich: true, lifeMinutes: 4310 });
    expect(wish).not.toHaveProperty('select');
  });

  it('goes beside an ordinary one of the same resource, and beside another that selects something else', () => {
    const wishes = parse(`
subscriptions:
  - { name: one, resource: 'users/{user}/events', users: [${ADA}] }
  - { name: two, resource: 'users/{user}/events', users: [${ADA}], rich: true, select: [subject] }
  - { name: three, resource: 'users/{user}/events', users: [${ADA}], rich: true, select: [start] }`);
    expect(wishes).toHaveLength(3);
    const [problem] = problemsOf(`
subscriptions:
  - { name: one, resource: 'users/{user}/events', users: [${ADA}], rich: true, select: [start, subject] }
  - { name: two, resource: 'users/{user}/events', users: [${ADA}], rich: true, select: [Subject, start] }`);
    expect(problem).toMatch(new RegExp(`^two.users: wants the same changes of ${ADA} as one: `));
  });
});

/** An entry for what is nobody's mailbox. */
const alone = (resource: string, more = '') =>
  `subscriptions: [{ name: one, resource: ${JSON.stringify(resource)}${more && `, ${more}`} }]`;

describe('a wanted subscription of another kind', () => {
  it.each([
    ['users', 41_750, 'updated,deleted'],
    ['groups', 41_750, 'updated,deleted'],
    [`groups/${ADA}/members`, 41_750, 'updated,deleted'],
    ['drives/b!x/root', 42_290, 'updated'],
    ['sites/contoso.sharepoint.com,a,b/lists/l', 42_290, 'updated'],
    ['communications/callRecords', 4_220, 'created,updated'],
    [`communications/presences/${ADA}`, 50, 'updated'],
    ['chats/getAllMessages', 4_310, 'created,updated,deleted'],
    [`/teams/${ADA}/channels`, 4_310, 'created,updated,deleted'],
    ['security/alerts_v2', 43_190, 'created,updated'],
    ['print/printers/p/jobs', 4_220, 'created,updated'],
  ])('%s stands alone, and has the life and the changes of its kind', (resource, lifeMinutes, changeType) => {
    expect(parse(alone(resource))).toEqual([
      {
        key: 'one',
        tenantId: TENANT,
        resource: resource.replace(/^\//, ''),
        changeType,
        topic: 'graph.events',
        lifeMinutes,
        whole: true,
      },
    ]);
  });

  it.each([
    ['users/{user}', 41_750],
    ['users/{user}/drive/root', 42_290],
    ['communications/presences/{user}', 50],
    ['users/{user}/todo/lists/l/tasks', 4_220],
  ])('%s is watched for each user', (resource, lifeMinutes) => {
    const [wish] = parse(calendars('').replace('users/{user}/events', resource));
    expect(wish).toMatchObject({
      key: `calendars/${ADA}`,
      resource: resource.replace('{user}', ADA),
      lifeMinutes,
    });
  });

  it.each([
    ['users/{user}/presence', 'communications/presences/{id}'],
    ['users/{user}/event', 'users/{id}/events'],
    ['users/{user}/mailFolder/inbox/messages', 'users/{id}/mailFolders/{id}/messages'],
    ['teams/{user}/getAllMessages', 'teams/getAllMessages'],
    ['drives/{user}/roots', 'drives/{id}/root'],
  ])('%s is refused, and %s named as what could be meant', (resource, meant) => {
    const [problem, ...others] = problemsOf(calendars('').replace('users/{user}/events', resource));
    expect(problem).toMatch(/^calendars\.resource: /);
    expect(problem?.split('; it can watch ')[1]?.split(', ')).toContain(meant);
    expect(others).toEqual([]);
  });

  it.each([
    [
      'users',
      'changeTypes: [created]',
      'one.changeTypes: Graph tells of a user that it is updated or deleted only, which created ones are as well',
    ],
    [
      'drives/d/root',
      'changeTypes: [deleted]',
      'one.changeTypes: Graph tells of a drive item that it is updated only, which deleted ones are as well',
    ],
    [
      'communications/callRecords',
      'changeTypes: [updated, deleted]',
      'one.changeTypes: Graph tells of a call record that it is created or updated only',
    ],
    ['users/ada@contoso.com/events', '', 'one.resource: users/ must be followed by an object id (a GUID)'],
    ['groups/all-company', '', 'one.resource: groups/ must be followed by an object id (a GUID)'],
    ['communications/presences', '', "one.filter: must say which, as in id in ('{id}','{id}')"],
    ['chats', 'filter: x', 'one.filter: Graph takes none for a chat'],
    [
      'communications/presences',
      `filter: "id in ('{user}')"`,
      'one.filter: {user} stands for the users in resource alone',
    ],
    ['groups', 'immutableIds: true', 'one.immutableIds: only for events, messages and contacts'],
    ['users', 'body: text', 'one.body: only for events, messages and contacts'],
    ['security/alerts_v2', 'timeZone: UTC', 'one.timeZone: only for events, messages and contacts'],
    [
      'groups',
      'fetch: false, select: [displayName]',
      'one.select: not with fetch: false, by which records hold the notification alone',
    ],
    [
      'chats',
      'fetch: false, rich: true',
      'one.rich: not with fetch: false, by which records hold the notification alone',
    ],
    [
      'drives/d/root',
      'fetch: false',
      'one.fetch: a notification of a drive item does not say what has changed',
    ],
    ['users', 'topic: "{user}"', 'one.topic: {user} is none of {tenant}, {resource}, {name}'],
    [
      'communications/presences/x',
      'lifeMinutes: 51',
      'one.lifeMinutes: Graph lets it live 50 minutes at most',
    ],
  ])('%s with %s is refused with the reason', (resource, more, problem) => {
    expect(problemsOf(alone(resource, more))).toEqual([problem]);
  });

  it('that is in Teams needs an address for lifecycle notifications to live for more than an hour', () => {
    const refused =
      /^one\.lifeMinutes: what is in Teams lives 60 minutes at most without LIFECYCLE_NOTIFICATION_URL$/;
    expect(problemsOf(alone('chats'), withoutLifecycle)).toEqual([expect.stringMatching(refused)]);
    expect(problemsOf(alone('teams', 'lifeMinutes: 61'), withoutLifecycle)).toHaveLength(1);
    expect(parse(alone('chats', 'lifeMinutes: 60'), withoutLifecycle)).toHaveLength(1);
    expect(parse(alone('users'), withoutLifecycle)).toHaveLength(1);
  });
});

describe('a part of what could be watched', () => {
  it('is what a filter leaves, and no deletion in it is certain', () => {
    expect(parse(calendars('    filter: isAllDay eq true'))).toMatchObject([
      { filter: 'isAllDay eq true', resource: `users/${ADA}/events`, whole: false },
    ]);
    expect(parse(alone('security/alerts_v2', `filter: "severity eq 'high'"`))).toMatchObject([
      { whole: false },
    ]);
    const presences = `filter: "id in ('${ADA}','${BOB}')"`;
    expect(parse(alone('communications/presences', presences))).toMatchObject([{ whole: false }]);
  });

  it('goes beside the whole, and beside another part, but not beside itself', () => {
    const two = (one: string, other: string) => `
subscriptions:
  - { name: one, resource: 'users/{user}/messages', users: [${ADA}]${one} }
  - { name: two, resource: 'users/{user}/messages', users: [${ADA}]${other} }`;
    expect(parse(two('', ', filter: isRead eq false'))).toHaveLength(2);
    expect(parse(two(', filter: isRead eq true', ', filter: isRead eq false'))).toHaveLength(2);
    expect(problemsOf(two(', filter: isRead eq false', ', filter: isRead%20eq%20false'))).toHaveLength(1);
  });

  it.each([
    ['$filter=isRead eq false', 'must be what stands behind $filter='],
    ['"a\\nb"', 'must be one line'],
    ["' '", 'must not be empty'],
  ])('with the filter %s is refused', (filter, reason) => {
    const [problem] = problemsOf(calendars(`    filter: ${filter}`));
    expect(problem).toBe(`calendars.filter: ${reason}`);
  });
});

describe('how resources are looked at', () => {
  it('becomes values of the Prefer header', () => {
    const [wish] = parse(
      calendars('    body: text\n    timeZone: W. Europe Standard Time\n    immutableIds: true'),
    );
    expect(wish).toMatchObject({
      prefer: ['outlook.body-content-type="text"', 'outlook.timezone="W. Europe Standard Time"'],
      immutableIds: true,
      whole: true,
    });
  });

  it('is not at all where nothing is to be fetched', () => {
    expect(parse(calendars('    fetch: false'))).toMatchObject([{ notificationOnly: true }]);
    expect(parse(calendars('    fetch: true'))[0]).not.toHaveProperty('notificationOnly');
  });

  it('is as Graph does it where nothing is said', () => {
    const [wish] = parse(calendars('    immutableIds: false'));
    expect(wish).not.toHaveProperty('prefer');
    expect(wish).not.toHaveProperty('immutableIds');
  });

  it.each([
    'Europe/Berlin',
    'Etc/GMT+8',
    'UTC',
    'UTC-02',
    'Tokyo Standard Time',
    'Central Standard Time (Mexico)',
  ])('may be in the zone %s', (timeZone) => {
    const [wish] = parse(calendars(`    timeZone: ${timeZone}`));
    expect(wish?.prefer).toEqual([`outlook.timezone="${timeZone}"`]);
  });

  it.each(['Europe/Berlim', "'UTC\"'", '"UTC\\r\\nX: y"', '\'UTC", x="\'', "''", 'Standard Time', '+01:00'])(
    'is not in a zone that there is not: %s',
    (timeZone) => {
      expect(problemsOf(calendars(`    timeZone: ${timeZone}`))).toEqual([
        'calendars.timeZone: must be a name of IANA (Europe/Berlin) or of Windows (W. Europe Standard Time)',
      ]);
    },
  );

  it("is Graph's own for what comes with a notification", () => {
    const rich = calendars('    rich: true\n    select: [subject]\n    body: text');
    expect(problemsOf(rich)).toEqual([
      'calendars.body: not for rich notifications, which Graph does not convert',
    ]);
  });
});

describe('a topic', () => {
  it('may be a template of tenant, resource, user and name', () => {
    const [wish] = parse(calendars(`    topic: '{name}.{resource}.{tenant}.{user}'`));
    expect(wish?.topic).toBe(`calendars.events.${TENANT}.${ADA}`);
  });

  it.each([
    ['chats/getAllMessages', 'messages'],
    ['drives/d/root', 'driveitems'],
    ['communications/callRecords', 'callrecords'],
    ['users', 'users'],
  ])('names what %s is about: %s', (resource, name) => {
    expect(parse(alone(resource, 'topic: "graph.{resource}"'))).toMatchObject([{ topic: `graph.${name}` }]);
  });

  it.each([
    ['graph.{Resource}', '{Resource} is none of'],
    ['graph.{}', '{} is none of'],
    ['graph.{resource', '"graph.{resource" is no topic name'],
    ['..', '".." is no topic name'],
    ["''", '"" is no topic name'],
    [`{user}${'x'.repeat(214)}`, 'is no topic name'],
  ])('that cannot be meant (%s) is refused with the reason', (topic, reason) => {
    const text = topic === "''" ? `    topic: ''` : `    topic: '${topic}'`;
    expect(problemsOf(calendars(text))).toEqual([expect.stringContaining(reason)]);
  });
});

describe('further tenants', () => {
  const OTHER = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
  const contoso = (more: string) => `
tenants:
  - { name: contoso, id: ${OTHER.toUpperCase()}, clientId: b7a1e6d4-93c5-4f28-8e0b-61d2f4a9c3e7${more} }
subscriptions:
  - { name: ours, resource: users }
  - { name: theirs, tenant: contoso, resource: users }
`;

  it('have what they want, in their own topic where they name one', () => {
    const defaults = { topic: 'graph.{tenant}', tenantId: TENANT };
    const { tenants, samples: wishes } = parseSubscriptionsFile(contoso(''), 'f', defaults);
    expect(tenants).toMatchObject([{ name: 'contoso', id: OTHER }]);
    expect(wishes).toMatchObject([
      { key: 'ours', tenantId: TENANT, topic: `graph.${TENANT}` },
      { key: 'theirs', tenantId: OTHER, topic: `graph.${OTHER}` },
    ]);
    const { samples: own } = parseSubscriptionsFile(contoso(', topic: contoso.changes'), 'f', defaults);
    expect(own.map(({ topic }) => topic)).toEqual([`graph.${TENANT}`, 'contoso.changes']);
  });

  it('are refused where they are there twice, hold a secret, or are wanted without being there', () => {
    expect(problemsOf(contoso(', clientSecret: PLANTED'))).toEqual([
      'tenants.contoso.clientSecret: must say where the secret is kept: file:, azurekeyvault:// or gcpsecretmanager://',
    ]);
    expect(problemsOf(contoso('').replace(OTHER.toUpperCase(), TENANT))).toContain(
      `tenants.contoso.id: ${TENANT} is there already, as AZURE_TENANT_ID`,
    );
    expect(problemsOf(contoso('').replace('tenant: contoso', 'tenant: fabrikam'))).toEqual([
      'theirs.tenant: fabrikam is none of tenants',
    ]);
  });
});

describe('people', () => {
  const entry = (who: string, more = '') =>
    parseSubscriptionsFile(
      `subscriptions: [{ name: calendars, resource: 'users/{user}/events', ${who}${more} }]`,
      'subscriptions.yaml',
      defaults,
    );

  it.each([
    [`users: [${ADA.toUpperCase()}]`, { kind: 'users', ids: [ADA], names: [] }],
    [
      `users: [Eve@Contoso.com, ${ADA}, "o'neill_fabrikam.com#EXT#@contoso.com"]`,
      { kind: 'users', ids: [ADA], names: ['eve@contoso.com', "o'neill_fabrikam.com#ext#@contoso.com"] },
    ],
    [`group: ${ADA.toUpperCase()}`, { kind: 'group', group: ADA }],
    ['group: Sales@contoso.com', { kind: 'group', group: 'sales@contoso.com' }],
    ['users: { filter: " department eq \'Sales\' " }', { kind: 'filter', filter: "department eq 'Sales'" }],
    ['users: all', { kind: 'all' }],
  ])('are named by %s', (who, people) => {
    expect(entry(who).entries).toMatchObject([{ name: 'calendars', people }]);
  });

  it('that Graph has to name are one wish of nobody among the samples, with kind and topic', () => {
    const { samples } = entry('group: sales@contoso.com', ", topic: 'graph.{resource}'");
    expect(samples).toMatchObject([
      {
        key: 'calendars',
        topic: 'graph.events',
        resource: 'users/00000000-0000-0000-0000-000000000000/events',
      },
    ]);
    const [wish] = entry(`users: [${ADA}]`).samples;
    expect(wish).toMatchObject({ key: `calendars/${ADA}`, resource: `users/${ADA}/events` });
  });

  it('that may overlap are wanted by two entries, as far as the file does not say that they are the same', () => {
    const text = `
subscriptions:
  - { name: one, resource: 'users/{user}/events', group: sales@contoso.com }
  - { name: two, resource: 'users/{user}/events', users: all }
  - { name: three, resource: 'users/{user}/events', users: [eve@contoso.com] }`;
    expect(parseSubscriptionsFile(text, 'subscriptions.yaml', defaults).entries).toHaveLength(3);
  });
});
