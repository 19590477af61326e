/** What is granted, against what is wanted. */
import { describe, expect, it } from 'vitest';
import type { People } from '../../src/declaration/declared-entry.ts';
import { comparePermissions, neededPermissions } from '../../src/doctor/permissions.ts';

const ID = '622eaaff-0683-4862-9de4-f2ec83c2bd98';
const wish = (resource: string) => ({ resource });
const ofNobody = (resources: string[]) => ({ wishes: resources.map(wish), people: [] });
const neededFor = (...resources: string[]) => [...neededPermissions(ofNobody(resources)).needed.keys()];
const compare = (granted: string[], ...resources: string[]) =>
  comparePermissions(neededPermissions(ofNobody(resources)), granted);

describe('what is needed', () => {
  it.each([
    [`users/${ID}/events`, 'Calendars.Read'],
    [`users/${ID}/mailFolders('inbox')/messages`, 'Mail.Read'],
    [`users/${ID}/contacts`, 'Contacts.Read'],
    ['users', 'User.Read.All'],
    [`groups/${ID}/members`, 'Group.Read.All'],
    ['chats/getAllMessages', 'Chat.Read.All'],
    ['teams/getAllMessages', 'ChannelMessage.Read.All'],
    [`teams/${ID}/channels/19:x@thread.tacv2/messages`, 'ChannelMessage.Read.All'],
    [`chats/19:x@thread.v2/members`, 'ChatMember.Read.All'],
    [`teams/${ID}/members`, 'TeamMember.Read.All'],
    [`teams/${ID}/channels/getAllMembers`, 'ChannelMember.Read.All'],
    [`teams/${ID}/channels`, 'Channel.ReadBasic.All'],
    ['teams', 'Team.ReadBasic.All'],
    ['communications/callRecords', 'CallRecords.Read.All'],
    [`users/${ID}/drive/root`, 'Files.ReadWrite.All'],
    ['sites/contoso.sharepoint.com,1,2/lists/3', 'Sites.ReadWrite.All'],
  ])('for %s is %s', (resource, permission) => expect(neededFor(resource)).toEqual([permission]));

  it('for a presence is nothing that an app could have', () => {
    expect(neededPermissions(ofNobody(['communications/presences']))).toEqual({
      needed: new Map(),
      without: ['presence'],
    });
  });
});

describe('to find people', () => {
  const needed = (...people: People[]) => [...neededPermissions({ wishes: [], people }).needed.keys()];

  it.each<[People, string[]]>([
    [{ kind: 'users', ids: [ID], names: [] }, []],
    [{ kind: 'users', ids: [], names: ['ann@example.com'] }, ['User.ReadBasic.All']],
    [{ kind: 'group', group: ID }, ['GroupMember.Read.All']],
    [{ kind: 'filter', filter: 'accountEnabled eq true' }, ['User.Read.All']],
    [{ kind: 'all' }, ['User.Read.All']],
  ])('%j takes %j', (people, permissions) => expect(needed(people)).toEqual(permissions));

  it('takes nothing more where what is wanted takes as much', () => {
    const wanted = {
      wishes: [wish('users')],
      people: [{ kind: 'users', ids: [], names: ['ann@example.com'] } as const],
    };
    expect(comparePermissions(neededPermissions(wanted), ['User.Read.All'])).toEqual({
      missing: [],
      superfluous: [],
      wider: [],
    });
  });
});

describe('what is granted', () => {
  it('is enough where it is what is needed', () => {
    expect(compare(['Calendars.Read'], `users/${ID}/events`)).toEqual({
      missing: [],
      superfluous: [],
      wider: [],
    });
  });

  it('is missing, or needed by nothing', () => {
    expect(compare(['Mail.Read', 'Sites.Read.All'], `users/${ID}/events`, `users/${ID}/messages`)).toEqual({
      missing: ['Calendars.Read (event)'],
      superfluous: ['Sites.Read.All'],
      wider: [],
    });
  });

  it.each([
    ['Calendars.ReadWrite', `users/${ID}/events`, 'Calendars.Read'],
    ['Directory.Read.All', 'users', 'User.Read.All'],
    ['Chat.ReadWrite.All', 'chats/getAllMessages', 'Chat.Read.All'],
  ])('does as %s, though less would', (granted, resource, enough) => {
    expect(compare([granted], resource)).toEqual({
      missing: [],
      superfluous: [],
      wider: [{ held: granted, named: enough }],
    });
  });

  it('does not do as less than is needed', () => {
    expect(compare(['Mail.ReadBasic.All'], `users/${ID}/messages`).missing).toEqual(['Mail.Read (message)']);
  });
});
