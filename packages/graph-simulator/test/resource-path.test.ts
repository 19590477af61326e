import { describe, expect, it } from 'vitest';
import { collectionOf, ownerKey, parseResourcePath, ResourcePathError } from '../src/resource-path.ts';

const GUID = '622EAAFF-0683-4862-9de4-f2ec83c2bd98';
const LOWER = GUID.toLowerCase();
const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';

describe('resource paths', () => {
  it.each([
    [`users/${GUID}/events/AAMkAB=`, `users/${LOWER}/events/AAMkAB=`],
    [`/Users/${GUID}/Events/AAMkAB=`, `users/${LOWER}/events/AAMkAB=`],
    [`Users('${GUID}')/Events('AAMkAB=')`, `users/${LOWER}/events/AAMkAB=`],
    [`users/${GUID}@${TENANT}/messages/X`, `users/${LOWER}/messages/X`],
    ['users/AAMkAB%3D/events', 'users/AAMkAB=/events'],
    ["users/a@b.c/mailFolders('Inbox')/messages", 'users/a@b.c/mailfolders/inbox/messages'],
    ["chats('19:x@thread.v2')/messages('1')", 'chats/19:x@thread.v2/messages/1'],
    ["users('o''brien@b.c')/events", "users/o'brien@b.c/events"],
    ['users/a%2Fb/events', 'users/a%2Fb/events'],
    ['users/U/calendar/events/E', 'users/U/calendar/events/E'],
  ])('reads %s as %s', (text, key) => {
    expect(parseResourcePath(text).key).toBe(key);
  });

  it('keeps the case of ids that are no GUIDs, since it tells items apart', () => {
    expect(parseResourcePath('users/u/events/AAa').key).not.toBe(parseResourcePath('users/u/events/AAA').key);
  });

  it('tells collections, items, singletons and functions apart', () => {
    expect(parseResourcePath('users/u/events').isCollection).toBe(true);
    expect(parseResourcePath('users/u/events/e').isCollection).toBe(false);
    expect(parseResourcePath('users/u/calendar').isCollection).toBe(false);
    expect(parseResourcePath('users/delta')).toMatchObject({ operation: 'delta', isCollection: false });
    expect(parseResourcePath('users/u/events/microsoft.graph.delta()').operation).toBe('delta');
  });

  it('names the collection and the owner of an item', () => {
    const path = parseResourcePath('Teams/T/Channels/C/Messages/M');
    expect(collectionOf(path).key).toBe('teams/T/channels/C/messages');
    expect(ownerKey(path)).toBe('teams/T');
  });

  it.each(['', '/', 'users//events', 'users/../events', 'users/%2e%2e/events', 'users/%E0%A4%A'])(
    'refuses %j',
    (text) => {
      expect(() => parseResourcePath(text)).toThrow(ResourcePathError);
    },
  );
});
