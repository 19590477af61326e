/** `subscriptions.yaml`: what it comes to, and that every mistake is named by its place. */
import { describe, expect, it } from 'vitest';
import {
  parseWantedSubscriptions,
  sameResource,
  WantedSubscriptionsError,
} from '../../src/subscriptions/wanted-subscriptions.ts';

const ADA = '0a0a0a0a-1111-4222-8333-444444444444';
const BOB = '0b0b0b0b-1111-4222-8333-444444444444';

const TENANT = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';

const parse = (text: string) =>
  parseWantedSubscriptions(text, 'subscriptions.yaml', { topic: 'graph.events', tenantId: TENANT });

/** The lines of the error; fails where there is none. */
function problemsOf(text: string): string[] {
  try {
    parse(text);
  } catch (error) {
    if (!(error instanceof WantedSubscriptionsError)) throw error;
    const [file, ...problems] = error.message.split('\n');
    expect(file).toBe('subscriptions.yaml:');
    return problems.map((problem) => problem.trim());
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
        resource: `users/${user}/events`,
        changeType: 'created,updated,deleted',
        topic: 'graph.events',
        lifeMinutes: 10_060,
        whole: true,
      })),
      {
        key: `inbox/${ADA}`,
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
    ['is empty', '', /^file: /],
    ['is no mapping', '- a\n- b', /^file: /],
    ['is no YAML', 'subscriptions: [', /line 1/],
    ['names an alias that is nowhere', 'subscriptions: *nowhere', /nowhere/],
    ['holds no subscription', 'subscriptions: []', /^subscriptions: must hold at least one/],
    ['has a field that does not exist', calendars('    lifeMinute: 60'), /^subscriptions\.0: .*lifeMinute/],
    [
      'has a name that could not be a key',
      calendars('').replace('calendars', 'My calendars'),
      /^subscriptions\.0\.name: /,
    ],
    [
      'names a user by mail address',
      calendars('').replace(ADA, 'ada@contoso.com'),
      /^subscriptions\.0\.users\.0: .*object id/,
    ],
    [
      'names no user',
      calendars('').replace(ADA, ''),
      /^subscriptions\.0\.users: must name at least one user/,
    ],
    [
      'has an unknown change type',
      calendars('    changeTypes: [moved]'),
      /^subscriptions\.0\.changeTypes\.0: must be created/,
    ],
    ['has no change type', calendars('    changeTypes: []'), /^subscriptions\.0\.changeTypes: /],
    [
      'has a topic that Kafka would not take',
      calendars('    topic: a b'),
      /^calendars\.topic: "a b" is no topic name/,
    ],
    [
      'asks for less life than Graph gives',
      calendars('    lifeMinutes: 44'),
      /^subscriptions\.0\.lifeMinutes: /,
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
      calendars('    select: [subject]').replace('/events', '/chats'),
      /^calendars\.select: Graph takes none for what is in Teams/,
    ],
    [
      'selects what is no property',
      calendars('    select: ["subject&$top=1"]'),
      /^subscriptions\.0\.select\.0: must be the name of a property/,
    ],
    ['selects nothing', calendars('    select: []'), /^subscriptions\.0\.select: must name at least one/],
    [
      'has a resource without {user}',
      calendars('').replace('{user}', ADA),
      /^calendars\.resource: must hold \{user\}/,
    ],
    [
      'has a resource that is no path',
      calendars('').replace('users/{user}', 'https://h/{user}'),
      /^calendars\.resource: /,
    ],
    [
      'has a resource with a filter',
      calendars('').replace('events', 'events?$filter=x'),
      /^calendars\.resource: /,
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
      'subscriptions.0.users.0',
      'subscriptions.1.name',
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
      'four.topic: {team} is none of {tenant}, {resource}, {user}, {name}',
      `three/${ADA} is wanted twice`,
    ]);
  });

  it('refuses two wishes for one resource and the same changes: Graph gives them one subscription only', () => {
    const [problem, ...others] = problemsOf(`
subscriptions:
  - { name: one, resource: 'users/{user}/events', users: [${ADA}], topic: a }
  - { name: two, resource: 'Users/{user}/events', users: [${ADA}], topic: b, changeTypes: [deleted, updated, created] }
  - { name: three, resource: 'users/{user}/events', users: [${ADA}], changeTypes: [deleted] }`);
    expect(problem).toMatch(new RegExp(`two/${ADA}.*one/${ADA}`));
    expect(others).toEqual([]);
  });
});

describe('a rich subscription', () => {
  it('selects what comes with its notifications, and lives a day', () => {
    const [wish] = parse(calendars('    rich: true\n    select: [subject, start, subject]'));
    expect(wish).toMatchObject({ rich: true, select: ['subject', 'start'], lifeMinutes: 1430, whole: true });
  });

  it('selects nothing in Teams, and lives as long as others there', () => {
    const [wish] = parse(calendars('    rich: true').replace('/events', '/chats'));
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
    expect(problem).toMatch(new RegExp(`two/${ADA} wants the same changes as one/${ADA}`));
  });
});

describe('a wanted subscription of another kind', () => {
  it.each([
    ['users/{user}', 41_750],
    ['users/{user}/drive/root', 42_290],
    ['users/{user}/presence', 50],
    ['users/{user}/onlineMeetings', 4_220],
  ])('%s lives as long as Graph allows', (resource, minutes) => {
    expect(parse(calendars('').replace('users/{user}/events', resource))).toMatchObject([
      { lifeMinutes: minutes },
    ]);
  });
});

describe('a topic', () => {
  it('may be a template of tenant, resource, user and name', () => {
    const [wish] = parse(calendars(`    topic: '{name}.{resource}.{tenant}.{user}'`));
    expect(wish?.topic).toBe(`calendars.events.${TENANT}.${ADA}`);
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

describe('the same resource', () => {
  it('is the same in every spelling, and another one with another id', () => {
    expect(sameResource(`users/${ADA}/events`, `/Users('${ADA.toUpperCase()}')/Events`)).toBe(true);
    expect(sameResource(`users/${ADA}/events`, `users/${BOB}/events`)).toBe(false);
  });

  it('is compared as text where it cannot be parsed', () => {
    expect(sameResource('me/events?$filter=x', 'me/events?$filter=x')).toBe(true);
    expect(sameResource('me/events?$filter=x', 'me/events?$filter=y')).toBe(false);
  });
});
