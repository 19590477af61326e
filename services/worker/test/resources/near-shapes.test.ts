/** What somebody may have meant. */
import { describe, expect, it } from 'vitest';
import { nearShapes, spellOut } from '../../src/resources/near-shapes.ts';

describe('a resource that cannot be watched', () => {
  it.each([
    ['users/{user}/event', 'users/{id}/events'],
    ['user/{user}/events', 'users/{id}/events'],
    ['users/0a0a0a0a-1111-4222-8333-444444444444/mails/messages', 'users/{id}/messages'],
    ['presences', 'communications/presences'],
    ['callrecords', 'communications/callRecords'],
    ['security/alert', 'security/alerts'],
    ['chats/allMessages', 'chats/getAllMessages'],
  ])('%s is most like %s', (resource, meant) => {
    expect(nearShapes(resource)[0]).toBe(meant);
  });

  it.each(['', 'x', 'me/zzz', 'users/{user}/onlineMeetings', '/'.repeat(50)])(
    '%j is like none',
    (resource) => {
      expect(nearShapes(resource)).toEqual([]);
    },
  );
});

describe('a shape', () => {
  it("is spelled out with Graph's words", () => {
    expect(spellOut('users/{id}/mailfolders/{id}/messages')).toBe('users/{id}/mailFolders/{id}/messages');
    expect(spellOut('teams/{id}/channels/getallmembers')).toBe('teams/{id}/channels/getAllMembers');
  });
});
