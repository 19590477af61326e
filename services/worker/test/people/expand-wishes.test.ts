/** Entries and people, and what is wanted of each. */
import { describe, expect, it } from 'vitest';
import { parseSubscriptionsFile } from '../../src/declaration/read-declaration.ts';
import { expandWishes, type KnownPeople } from '../../src/people/expand-wishes.ts';
import { sourcesOf } from '../../src/people/people-source.ts';

const TENANT = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';
const [ADA, BOB, EVE] = ['a', 'b', 'e'].map((letter) => `0${letter}0a0a0a-1111-4222-8333-444444444444`) as [
  string,
  string,
  string,
];

const entriesOf = (text: string) =>
  parseSubscriptionsFile(`subscriptions:\n${text}`, 'f', { tenantId: TENANT, topic: 'graph.events' }).entries;

const SALES = `  - { name: sales, resource: 'users/{user}/events', group: sales@contoso.com }`;
const EVERYONE = `  - { name: everyone, resource: 'users/{user}/events', users: all, topic: all }`;
const NAMED = `  - { name: named, resource: 'users/{user}/contacts', users: [${ADA}, eve@contoso.com, bob@contoso.com] }`;

const group = (...ids: string[]): [string, KnownPeople] => [
  `${TENANT}:group:sales@contoso.com`,
  { kind: 'ids', ids },
];
const all = (...ids: string[]): [string, KnownPeople] => [`${TENANT}:all`, { kind: 'ids', ids }];
const names = (...of: [string, string | undefined][]): [string, KnownPeople] => [
  `${TENANT}:names`,
  { kind: 'names', idOf: new Map(of) },
];

const keys = (text: string, ...people: [string, KnownPeople][]) => {
  const { wishes, unread } = expandWishes(entriesOf(text), new Map(people));
  return { keys: wishes.map(({ key }) => key), unread };
};

describe('the wishes of an entry', () => {
  it('are one for each of its people, with the topic and the resource of each', () => {
    const { wishes } = expandWishes(entriesOf(SALES), new Map([group(ADA, BOB)]));
    expect(wishes).toMatchObject([
      { key: `sales/${ADA}`, resource: `users/${ADA}/events`, tenantId: TENANT },
      { key: `sales/${BOB}`, resource: `users/${BOB}/events`, topic: 'graph.events', whole: true },
    ]);
  });

  it('are not known before its people are, which is another thing than nobody', () => {
    expect(keys(SALES)).toEqual({ keys: [], unread: ['sales'] });
    expect(keys(SALES, group())).toEqual({ keys: [], unread: [] });
  });

  it('are those of whom names mean, and of ids at once', () => {
    expect(keys(NAMED)).toEqual({ keys: [`named/${ADA}`], unread: ['named'] });
    const halfKnown = names(['eve@contoso.com', EVE]);
    expect(keys(NAMED, halfKnown)).toEqual({ keys: [`named/${ADA}`, `named/${EVE}`], unread: ['named'] });
    const known = names(['eve@contoso.com', ADA], ['bob@contoso.com', undefined]);
    expect(keys(NAMED, known)).toEqual({ keys: [`named/${ADA}`], unread: [] });
  });

  it('leave out whom an entry before has for the same changes', () => {
    const both = `${SALES}\n${EVERYONE}`;
    expect(keys(both, group(BOB), all(ADA, BOB, EVE)).keys).toEqual([
      `sales/${BOB}`,
      `everyone/${ADA}`,
      `everyone/${EVE}`,
    ]);
    expect(
      keys(`${SALES}\n${EVERYONE.replace('events', 'messages')}`, group(BOB), all(BOB)).keys,
    ).toHaveLength(2);
  });
});

describe('the sources of people', () => {
  it('are one for all entries that name the same, and none for what is in the file', () => {
    const more = `
  - { name: alone, resource: users }
  - { name: listed, resource: 'users/{user}/contacts', users: [${BOB}] }
  - { name: other, resource: 'users/{user}/messages', users: [ada@contoso.com, eve@contoso.com] }
  - { name: mail, resource: 'users/{user}/messages', group: Sales@contoso.com }
  - { name: filtered, resource: 'users/{user}/messages', users: { filter: "city eq 'Berlin'" } }`;
    const sources = sourcesOf(entriesOf(`${SALES}\n${NAMED}${more}`));
    expect(sources.map(({ label }) => label)).toEqual([
      'group sales@contoso.com',
      'users by name',
      "filter city eq 'Berlin'",
    ]);
    expect(sources[1]).toMatchObject({ names: ['eve@contoso.com', 'bob@contoso.com', 'ada@contoso.com'] });
    expect(new Set(sources.map(({ key }) => key)).size).toBe(3);
  });
});
