/** The table of resources: what can be watched, and what a subscription can have notified. */
import { canonicalResource, ownerOf, parseResourcePath, type ResourcePath } from '@graph2kafka/shared';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { resourceType } from '../../src/records/resource-types.ts';
import {
  canNotify,
  isCollection,
  isWhole,
  kindOfItem,
  kindOfNotified,
  kindOfWatched,
} from '../../src/resources/find-kind.ts';
import { shapeOf } from '../../src/resources/resource-kind.ts';
import { RESOURCE_TABLE } from '../../src/resources/resource-table.ts';

const GUID = '0a0a0a0a-1111-4222-8333-444444444444';

function parsed(text: string): ResourcePath {
  const result = parseResourcePath(text);
  if (!result.ok) throw new Error(`${text}: ${result.reason}`);
  return result.path;
}

/** The shape with this id in each place. */
const filled = (shape: string, id = GUID) => parsed(shape.replaceAll('{id}', id));

const watchedShapes = RESOURCE_TABLE.flatMap((kind) => kind.watched.map((shape) => ({ shape, kind })));
const notifiedShapes = RESOURCE_TABLE.flatMap((kind) => kind.notified.map((shape) => ({ shape, kind })));

/** What Graph's pages say, with the life that the field has seen for Outlook. */
const ALL = 'created,updated,deleted';
const SAID: Readonly<Record<string, readonly [changes: string, plain: number, rich: number | undefined]>> = {
  event: [ALL, 10_070, 1_440],
  message: [ALL, 10_070, 1_440],
  contact: [ALL, 10_070, 1_440],
  user: ['updated,deleted', 41_760, undefined],
  group: ['updated,deleted', 41_760, undefined],
  conversation: [ALL, 4_230, undefined],
  'drive item': ['updated', 42_300, undefined],
  'list item': ['updated', 42_300, undefined],
  chat: [ALL, 4_320, 4_320],
  'chat message': [ALL, 4_320, 4_320],
  'conversation member': [ALL, 4_320, 4_320],
  channel: [ALL, 4_320, 4_320],
  team: [ALL, 4_320, 4_320],
  presence: ['updated', 60, 60],
  'call record': ['created,updated', 4_230, undefined],
  'to-do task': [ALL, 4_230, undefined],
  'security alert': ['created,updated', 43_200, undefined],
  'print job': ['created,updated', 4_230, undefined],
  'print task': ['created,updated', 4_230, undefined],
};

describe('the table', () => {
  it('has the change types and lives that Graph has', () => {
    const has = RESOURCE_TABLE.map(({ name, changeTypes, lifeMinutes, rich }) => {
      const ofRich = rich === 'no' ? undefined : (lifeMinutes.rich ?? lifeMinutes.plain);
      return [name, [changeTypes.join(), lifeMinutes.plain, ofRich]];
    });
    expect(Object.fromEntries(has)).toEqual(SAID);
    expect(has).toHaveLength(Object.keys(SAID).length);
  });

  it('names each shape once among those that are watched, and once among those that are notified', () => {
    for (const shapes of [watchedShapes, notifiedShapes]) {
      const all = shapes.map(({ shape }) => shape);
      expect(new Set(all).size).toBe(all.length);
    }
  });

  it('names each kind and each type of record once', () => {
    for (const of of ['name', 'recordType'] as const) {
      expect(new Set(RESOURCE_TABLE.map((kind) => kind[of])).size).toBe(RESOURCE_TABLE.length);
    }
  });

  it('needs a filter only where it can be watched', () => {
    for (const { filter, watched } of RESOURCE_TABLE) {
      expect(watched).toEqual(expect.arrayContaining([...(filter?.neededBy ?? [])]));
    }
  });
});

describe.each(watchedShapes)('$shape, watched', ({ shape, kind }) => {
  it('is found, in any spelling', () => {
    expect(shapeOf(filled(shape))).toBe(shape);
    expect(kindOfWatched(filled(shape))).toBe(kind);
    expect(kindOfWatched(filled(shape.toUpperCase().replaceAll('{ID}', '{id}')))).toBe(kind);
  });

  it('has an owner, or a lane of its own', () => {
    const path = filled(shape);
    expect(ownerOf(path)).toMatch(
      shape.split('/')[1] === '{id}' ? `${shape.split('/')[0]}/${GUID}` : /^lanes\/[0-7]$/,
    );
  });

  it('can have notified at least one shape of its kind', () => {
    const named = kind.notified.map((one) => filled(one));
    expect(named.some((path) => canNotify(filled(shape), path))).toBe(true);
  });

  it('can have notified no other kind', () => {
    const others = notifiedShapes.filter((one) => one.kind !== kind);
    for (const other of others) expect(canNotify(filled(shape), filled(other.shape))).toBe(false);
  });
});

describe.each(notifiedShapes)('$shape, notified', ({ shape, kind }) => {
  it('is found, and is the type of its records', () => {
    expect(kindOfNotified(filled(shape))).toBe(kind);
    expect(resourceType(filled(shape), undefined)).toBe(kind.recordType);
  });

  it('is worked with its owner: what its path begins with, or a lane', () => {
    const [word, second] = shape.split('/');
    expect(ownerOf(filled(shape))).toMatch(second === '{id}' ? `${word}/${GUID}` : /^lanes\/[0-7]$/);
  });
});

describe('what a delta query finds', () => {
  const foundShapes = RESOURCE_TABLE.flatMap((kind) => (kind.found ?? []).map((shape) => ({ shape, kind })));

  it('is named where a notification does not name it, and there alone', () => {
    const unnamed = RESOURCE_TABLE.filter(({ fetch }) => fetch === 'delta');
    expect([...new Set(foundShapes.map(({ kind }) => kind))]).toEqual(unnamed);
  });

  it.each(foundShapes)(
    '$shape is of its kind, and within what is watched of the same owner',
    ({ shape, kind }) => {
      expect(kindOfItem(filled(shape))).toBe(kind);
      expect(kindOfNotified(filled(shape))).toBeUndefined();
      const watched = kind.watched.filter((one) => shape.startsWith(one.replace(/root$/, '')));
      expect(watched).toHaveLength(1);
      expect(canNotify(filled(watched[0] ?? ''), filled(shape))).toBe(true);
      expect(canNotify(filled(watched[0] ?? '', 'other'), filled(shape))).toBe(false);
    },
  );
});

describe('what is watched as a list', () => {
  it.each(watchedShapes)('$shape has members that are notified, or is no list', ({ shape, kind }) => {
    const isList = kind.notified.some((one) => one === `${shape}/{id}`);
    expect(isCollection(filled(shape))).toBe(isList);
    if (/\/(getall\w+|root|\{id\})$|\/lists\/\{id\}$/.test(shape)) expect(isList).toBe(false);
  });
});

describe('what a subscription can have notified', () => {
  const anyId = fc.uuid();
  const pair = fc.constantFrom(
    ...watchedShapes.flatMap(({ shape, kind }) => kind.notified.map((named) => [shape, named] as const)),
  );

  it('is never of another owner than the one that is watched', () => {
    fc.assert(
      fc.property(pair, anyId, anyId, ([watched, named], one, other) => {
        fc.pre(one !== other);
        const [watchedPath, namedPath] = [filled(watched, one), filled(named, other)];
        const [owner, foreign] = [watchedPath[0], namedPath[0]];
        // What belongs to nobody can be anybody's; the chats of a user are not named by the user.
        if (owner?.id === undefined || (owner.word === 'users' && foreign?.word === 'chats')) return;
        expect(canNotify(watchedPath, namedPath)).toBe(false);
      }),
    );
  });

  it.each([
    [`users/${GUID}/messages`, `users/${GUID}/mailFolders/f/messages/m`, true],
    [`users/${GUID}/mailFolders/inbox/messages`, `users/${GUID}/messages/m`, true],
    // Graph may name the inbox by its id.
    [`users/${GUID}/mailFolders/inbox/messages`, `users/${GUID}/mailFolders/AAMk/messages/m`, true],
    [`users/${GUID}/mailFolders/inbox/messages`, 'users/u/mailFolders/inbox/messages/m', false],
    [`users/${GUID}/calendars/c/events`, `users/${GUID}/events/e`, true],
    [`users/${GUID}/events`, `users/${GUID}/messages/m`, false],
    [`users/${GUID}/chats/getAllMessages`, 'chats/c/messages/m', true],
    [`users/${GUID}/chats`, 'chats/c', true],
    ['chats/c/messages', 'chats/c/messages/m', true],
    ['chats/c/messages', 'chats/d/messages/m', false],
    ['chats/getAllMessages', 'chats/c/messages/m', true],
    ['chats/c/messages', 'teams/t/channels/c/messages/m', false],
    ['teams/t/channels/c/messages', 'teams/t/channels/c/messages/m/replies/r', true],
    ['teams/t/channels/c/messages', 'teams/t/channels/d/messages/m', false],
    ['teams/t/channels/getAllMessages', 'teams/t/channels/d/messages/m', true],
    ['teams/t/channels/getAllMessages', 'teams/u/channels/d/messages/m', false],
    ['teams/getAllChannels', 'teams/u/channels/d', true],
    ['groups', `groups/${GUID}`, true],
    [`groups/${GUID}/members`, `groups/${GUID}`, true],
    [`groups/${GUID}/members`, 'groups/other', false],
    ['users', `users/${GUID}`, true],
    [`users/${GUID}`, 'users/other', false],
    [`users/${GUID}/drive/root`, `users/${GUID}/drive/root`, true],
    [`users/${GUID}/drive/root`, 'users/other/drive/root', false],
    [`users/${GUID}/drive/root`, 'drives/d/root', false],
    ['drives/d/root', `users/${GUID}/drive/root`, false],
    ['sites/s/lists/a', 'sites/s/lists/b', false],
    ['print/printers/p/jobs', 'print/printers/q/jobs/j', false],
    ['communications/presences', 'communications/presences/p', true],
    ['communications/presences/p', 'communications/presences/q', false],
    [`users/${GUID}/todo/lists/l/tasks`, `users/${GUID}/todo/lists/l/tasks/t`, true],
    [`users/${GUID}/todo/lists/l/tasks`, `users/${GUID}/todo/lists/k/tasks/t`, false],
  ])('of %s is %s: %s', (watched, named, expected) => {
    expect(canNotify(parsed(watched), parsed(named))).toBe(expected);
  });
});

describe('a part of a mailbox', () => {
  const PARTS = [
    'users/{id}/mailfolders/{id}/messages',
    'users/{id}/contactfolders/{id}/contacts',
    'users/{id}/calendars/{id}/events',
  ];

  it.each(watchedShapes)('is $shape, or it is whole', ({ shape }) => {
    expect(isWhole(filled(shape))).toBe(!PARTS.includes(shape));
  });

  it('has the same shape in a folder of a folder', () => {
    const nested = parsed('users/u/mailFolders/inbox/childFolders/f/messages');
    expect(shapeOf(nested)).toBe('users/{id}/mailfolders/{id}/messages');
    expect(isWhole(nested)).toBe(false);
    expect(canonicalResource(nested)).toContain('childfolders');
  });
});
