/** What is said of a wrong `subscriptions.yaml`: word for word, with the line, and never a secret. */
import { describe, expect, it } from 'vitest';
import { WantedSubscriptionsError } from '../../src/declaration/declaration-error.ts';
import { parseSubscriptionsFile } from '../../src/declaration/read-declaration.ts';

const ADA = '0a0a0a0a-1111-4222-8333-444444444444';
const defaults = { topic: 'graph.events', tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10' };

function messageFor(text: string): string {
  try {
    parseSubscriptionsFile(text, 'subscriptions.yaml', defaults);
  } catch (error) {
    if (error instanceof WantedSubscriptionsError) return error.message;
    throw error;
  }
  throw new Error('no problem was found');
}

describe('the mistakes of a file', () => {
  it('are told all at once, each with its line, and its column where the line holds several things', () => {
    const text = `tenants:
  - name: contoso
    id: nonsense
    clientId: b7a1e6d4-93c5-4f28-8e0b-61d2f4a9c3e7
    clientSecret: PLANTED-SECRET
    clientSecrets: PLANTED-SECRET
subscriptions:
  # Comments and blank lines count.

  - name: calendars
    resource: users/{user}/events
    users: [ada, ${ADA}, 5]
    changeTypes:
      - created
      - moved
    lifeMinute: 60
  - name: Two
    users: { filtr: x }
    select: subject
    rich: maybe
  - name: three
    resource: users/{user}/events
    users: everybody
    lifeMinutes: 60.5
    topic:
  - 7
`;
    const message = messageFor(text);
    expect(message.split('\n')).toEqual([
      '17 mistakes in what is wanted:',
      '  subscriptions.yaml:3: tenants.contoso.id: must be the id of a tenant (a GUID)',
      '  subscriptions.yaml:5: tenants.contoso.clientSecret: must say where the secret is kept: file:, azurekeyvault:// or gcpsecretmanager://',
      '  subscriptions.yaml:6: tenants.contoso.clientSecrets: there is no such field; did you mean clientSecret?',
      '  subscriptions.yaml:12:13: calendars.users: must be an object id (a GUID), a user principal name or a mail address',
      '  subscriptions.yaml:12:56: calendars.users: must be text',
      '  subscriptions.yaml:15: calendars.changeTypes: must be created, updated or deleted',
      '  subscriptions.yaml:16: calendars.lifeMinute: there is no such field; did you mean lifeMinutes?',
      '  subscriptions.yaml:17: subscriptions[1].name: must be 1 to 40 lower-case letters, digits or -',
      '  subscriptions.yaml:17: subscriptions[1].resource: is missing',
      '  subscriptions.yaml:18: subscriptions[1].users.filter: is missing',
      '  subscriptions.yaml:18:14: subscriptions[1].users.filtr: there is no such field; did you mean filter?',
      '  subscriptions.yaml:19: subscriptions[1].select: must be a list',
      '  subscriptions.yaml:20: subscriptions[1].rich: must be true or false',
      '  subscriptions.yaml:23: three.users: must be a list of users, all, or { filter: … }',
      '  subscriptions.yaml:24: three.lifeMinutes: must be a whole number',
      '  subscriptions.yaml:25: three.topic: must be text',
      '  subscriptions.yaml:26: subscriptions[3]: must be a mapping of fields to values',
    ]);
    expect(message).not.toContain('PLANTED');
  });

  it('are told with their lines also where each part is right, and they do not fit each other', () => {
    const text = `
subscriptions:
  - name: one
    resource: users/{user}/events
    users: &people
      - ${ADA}
      - ${ADA}
  - name: one
    resource: users
  - name: two
    resource: users/{user}/events
    group: sales@contoso.com
  - name: three
    resource: users/{user}/events
    group: Sales@contoso.com
  - name: four
    resource: users/{user}/messages
    users: [eve@contoso.com]
    group: sales@contoso.com
  - name: five
    resource: users/{user}/messages
    users: [eve@contoso.com]
    topic: graph.{user}
  - { name: six, resource: 'users/{user}/mesages', users: all }
  - name: seven
    tenant: contoso
    resource: users
  - name: eight
    resource: users/{user}/events
    users: *people
`;
    expect(messageFor(text).split('\n')).toEqual([
      '9 mistakes in what is wanted:',
      `  subscriptions.yaml:5: one.users: ${ADA} is there twice`,
      '  subscriptions.yaml:8: subscriptions[1].name: one is there twice',
      '  subscriptions.yaml:15: three.group: wants the same changes of group sales@contoso.com as two: Graph makes one subscription for both',
      '  subscriptions.yaml:19: four.group: an entry has users or a group; make two entries of it',
      '  subscriptions.yaml:23: five.topic: {user} needs users as a list of object ids, since topics are made before Graph is asked for people',
      '  subscriptions.yaml:24:18: six.resource: unknown word "mesages"; it can watch users/{id}/messages, users/{id}/mailFolders/{id}/messages, chats/{id}/messages',
      '  subscriptions.yaml:26: seven.tenant: contoso is none of tenants',
      `  subscriptions.yaml:30: eight.users: wants the same changes of ${ADA} as one: Graph makes one subscription for both`,
      `  subscriptions.yaml:30: eight.users: ${ADA} is there twice`,
    ]);
  });

  it.each([
    ['subscriptions:\n  - name: [one\n', '3:1: Flow sequence in block collection must be'],
    ['subscriptions: []\nsubscriptions: []', '2:1: Map keys must be unique'],
    ['subscriptions: *people', '1:16: there is no &people'],
    ['', '1: the file: must be a mapping of fields to values'],
    ['clientSecret: [PLANTED\nx', '2:1: Flow sequence'],
  ])('are told with their line in what is no YAML, or no file of ours: %j', (text, problem) => {
    const [, line = ''] = messageFor(text).split('\n');
    expect(line).toContain(`subscriptions.yaml:${problem}`);
    expect(line).not.toContain('PLANTED');
  });

  it('are no endless work where aliases grow', () => {
    const grows = Array.from({ length: 9 }, (_, i) => `a${i}: &a${i} [${`*a${i - 1}, `.repeat(9)}]`);
    const text = `a: &a-1 [x]\n${grows.join('\n')}\nsubscriptions: *a8`;
    expect(messageFor(text)).toMatch(/^a mistake in what is wanted:\n {2}subscriptions\.yaml: .*alias/);
  });
});

describe('a path that Graph has, and that cannot be watched', () => {
  it.each([
    ['groups/delta', 'must be what is watched, without delta: groups'],
    ['/users/delta()', 'must be what is watched, without delta: /users'],
    ['me/events', 'unknown word "me"; it can watch users/{id}/events'],
    [`users/${ADA}/calendarView`, 'unknown word "calendarView"; it can watch users/{id}/calendar/events'],
    [`groups/${ADA}/events`, `cannot watch groups/${ADA}/events; it can watch users/{id}/events`],
    [`users/${ADA}/drive`, `cannot watch users/${ADA}/drive; it can watch users/{id}/drive/root`],
    ['groups/sales', 'groups/ must be followed by an object id (a GUID)'],
    ['users?$select=id', 'must be a path alone; a filter and a select are fields of their own'],
  ])('%s is answered with what can', (resource, reason) => {
    const message = messageFor(`subscriptions:\n  - name: one\n    resource: ${resource}\n`);
    expect(message).toContain(`\n  subscriptions.yaml:3: one.resource: ${reason}`);
  });
});
