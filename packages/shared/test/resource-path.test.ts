import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  canonicalResource,
  isGuid,
  laneOf,
  ownerOf,
  parseResourcePath,
  type ResourcePath,
  requestPath,
  subjectOf,
} from '../src/index.ts';
import { hostilePaths } from './hostile-paths.ts';

const USER = '622eaaff-0683-4862-9de4-f2ec83c2bd98';
const TENANT = '84bd8158-6d4d-4958-8b9f-9d6445542f95';
const EVENT = 'AAMkAGUwNjQ4ZjIxAAA=';

function parsed(text: string): ResourcePath {
  const result = parseResourcePath(text);
  if (!result.ok) throw new Error(`refused ${JSON.stringify(text)}: ${result.reason}`);
  return result.path;
}

const canonical = (text: string) => canonicalResource(parsed(text));

describe('parseResourcePath', () => {
  it.each([
    ['as Outlook writes it', `Users/${USER}/Events/${EVENT}`],
    ['in lower case', `users/${USER}/events/${EVENT}`],
    ['in upper case', `USERS/${USER}/EVENTS/${EVENT}`],
    ['with a leading slash', `/users/${USER}/events/${EVENT}`],
    ['with a GUID in capitals', `Users/${USER.toUpperCase()}/Events/${EVENT}`],
    ['with the tenant behind the user', `users/${USER}@${TENANT}/events/${EVENT}`],
    ['with the tenant in capitals', `users/${USER}@${TENANT.toUpperCase()}/events/${EVENT}`],
    ['as keys', `users('${USER}')/events('${EVENT}')`],
    ['as keys of capitals', `Users('${USER.toUpperCase()}')/Events('${EVENT}')`],
    ['as keys with the tenant', `Users('${USER}@${TENANT}')/Events('${EVENT}')`],
    ['half and half', `Users('${USER}')/Events/${EVENT}`],
    ['the other way round', `/users/${USER}/events('${EVENT}')`],
  ])('joins the spellings of one event: %s', (_how, text) => {
    expect(canonical(text)).toBe(`users/${USER}/events/${EVENT}`);
  });

  it.each([
    ['chats', "chats('19:a@thread.v2')/messages('1')", 'chats/19:a@thread.v2/messages/1'],
    [
      'channels',
      "teams('FBE2BF47-16C8-47CF-B4A5-4B9B187C508B')/channels('19:4a@thread.tacv2')/messages('16')",
      'teams/fbe2bf47-16c8-47cf-b4a5-4b9b187c508b/channels/19:4a@thread.tacv2/messages/16',
    ],
    [
      'replies',
      "teams('t')/channels('c')/messages('1')/replies('2')",
      'teams/t/channels/c/messages/1/replies/2',
    ],
    ['members', "teams('t')/members('ZWUw=')", 'teams/t/members/ZWUw='],
    [
      'folders',
      `users/${USER}/mailFolders('inbox')/messages/m`,
      `users/${USER}/mailfolders/inbox/messages/m`,
    ],
    ['contacts', 'users/u/contactFolders/f/contacts/c', 'users/u/contactfolders/f/contacts/c'],
    ['calendars', 'users/u/calendars/c/events/e', 'users/u/calendars/c/events/e'],
    ['call records', 'communications/callRecords/c', 'communications/callrecords/c'],
    ['presences', "communications/presences('p')", 'communications/presences/p'],
    ['online meetings', 'communications/onlineMeetings/o', 'communications/onlinemeetings/o'],
    ['alerts', 'security/alerts_v2/a', 'security/alerts_v2/a'],
    ['drives', 'drives/b!x/root', 'drives/b!x/root'],
    ["a user's drive", 'users/u/drive/root', 'users/u/drive/root'],
    ['lists', 'sites/contoso.sharepoint.com,a,b/lists/l', 'sites/contoso.sharepoint.com,a,b/lists/l'],
    ['tasks', 'users/u/todo/lists/l/tasks/t', 'users/u/todo/lists/l/tasks/t'],
    ['printers', 'print/printers/p', 'print/printers/p'],
    ['print jobs', "print/printers('p')/jobs('j')", 'print/printers/p/jobs/j'],
    ['print tasks', 'print/taskDefinitions/d/tasks/t', 'print/taskdefinitions/d/tasks/t'],
    ['conversations', 'groups/g/conversations/c', 'groups/g/conversations/c'],
    ['shifts', 'teams/t/schedule/shifts/s', 'teams/t/schedule/shifts/s'],
    ['time off', 'teams/t/schedule/timeOffRequests/r', 'teams/t/schedule/timeoffrequests/r'],
    [
      'transcripts',
      "users('u')/onlineMeetings('o')/transcripts('t')",
      'users/u/onlinemeetings/o/transcripts/t',
    ],
    ['all messages of all chats', 'chats/getAllMessages', 'chats/getallmessages'],
    ['all messages of chats of a user', "users('u')/Chats/GETALLMESSAGES", 'users/u/chats/getallmessages'],
    ['all messages of a team', 'teams/t/channels/getAllMessages', 'teams/t/channels/getallmessages'],
    ['all members of all chats', 'chats/getAllMembers', 'chats/getallmembers'],
    ['all channels of all teams', 'teams/getAllChannels', 'teams/getallchannels'],
    ['a collection', 'users/u/events', 'users/u/events'],
    ['all users', 'users', 'users'],
  ])('understands %s', (_kind, text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  it.each([
    "chats('getAllMessages')/messages('1')",
    "teams('t')/channels('GETALLMEMBERS')",
    "users('getAllChannels')",
  ])('refuses the id in %s, which without its quotes would be a function', (text) => {
    expect(parseResourcePath(text)).toEqual({ ok: false, reason: 'an id that looks like a function' });
  });

  it.each([
    'chats/getAllMessages/messages',
    "chats('getAllMessages')/getAllMessages",
    "chats/getAllMessages('x')",
    'users/getAllMessages/events',
    'getAllMessages',
    'security/getAllMessages',
    'chats/getAllMessages/getAllMessages',
    'chats/getAllMessages/x',
  ])('finds no resource in %s', (text) => {
    expect(parseResourcePath(text).ok).toBe(false);
  });

  it('reads two quotes inside a key as one', () => {
    expect(canonical("users('o''neil')/events('a''''b')")).toBe("users/o'neil/events/a''b");
  });

  it('keeps ids as they are: opaque, and different where their case differs', () => {
    expect(canonical('users/u/events/AAMkAbC=')).not.toBe(canonical('users/u/events/AAMkABC='));
    expect(canonical('users/Ann@Contoso.com')).toBe('users/Ann@Contoso.com');
    expect(canonical(`users/${USER}@contoso.com`)).toBe(`users/${USER}@contoso.com`);
    expect(canonical(`users/${USER}@${TENANT}@${TENANT}`)).toBe(`users/${USER}@${TENANT}@${TENANT}`);
  });

  it.each(hostilePaths.map((text) => [text.slice(0, 60), text]))(
    'refuses %j, with a reason',
    (_start, text) => {
      const result = parseResourcePath(text);
      expect(result.ok).toBe(false);
      expect(!result.ok && result.reason.length).toBeGreaterThan(0);
    },
  );

  it('does not repeat a long text in its reason', () => {
    const result = parseResourcePath('x'.repeat(2000));
    expect(!result.ok && result.reason.length).toBeLessThan(100);
  });

  it('joins every spelling of a path with its plain one', () => {
    fc.assert(
      fc.property(anyPath, fc.infiniteStream(fc.boolean()), (path, choices) => {
        const choose = () => choices.next().value;
        expect(canonical(respell(path, choose))).toBe(canonical(plain(path)));
      }),
    );
  });

  it('reads its own canonical form as that form', () => {
    fc.assert(
      fc.property(anyPath, (path) => {
        const once = canonical(plain(path));
        expect(canonical(once)).toBe(once);
      }),
    );
  });

  it('reads what it accepts of any text as the same path again', () => {
    fc.assert(
      fc.property(anyPathLikeText, (text) => {
        const result = parseResourcePath(text);
        if (!result.ok) return;
        expect(parsed(canonicalResource(result.path))).toEqual(result.path);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('requestPath', () => {
  it('writes functions as Graph does', () => {
    expect(requestPath(parsed('TEAMS/t/CHANNELS/getallmessages'))).toBe('/teams/t/channels/getAllMessages');
  });

  it("uses Graph's spelling, and encodes each id", () => {
    expect(requestPath(parsed("USERS('a b')/MAILFOLDERS('ü')/messages/x=+&"))).toBe(
      '/users/a%20b/mailFolders/%C3%BC/messages/x%3D%2B%26',
    );
    expect(requestPath(parsed('communications/callrecords/1'))).toBe('/communications/callRecords/1');
  });

  it.each([
    'users/http:',
    'users/evil.example:443',
    'users/1@evil.example',
    'users/a;b/events/c,d',
    'users/…/events/．．',
    "users('https:')/events(':@')",
    'users/$batch',
    'users/ /events/ ',
    'users/...',
    'users/..;/events/;',
  ])('keeps the odd ids of %j where they are', (text) => {
    stayBelow(parsed(text));
  });

  it('never leaves its host or its prefix, and gives each id back to who decodes it', () => {
    fc.assert(fc.property(anyPath, (path) => stayBelow(parsed(plain(path)))));
    fc.assert(
      fc.property(anyPathLikeText, (text) => {
        const result = parseResourcePath(text);
        if (result.ok) stayBelow(result.path);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('subjectOf', () => {
  it('names a resource as Azure Event Grid does', () => {
    expect(subjectOf(parsed(`users('${USER}')/events('${EVENT}')`))).toBe(`Users/${USER}/Events/${EVENT}`);
    expect(subjectOf(parsed('communications/callRecords/1'))).toBe('Communications/CallRecords/1');
  });
});

describe('ownerOf', () => {
  it('is what the path begins with, one for all spellings', () => {
    expect(ownerOf(parsed(`Users('${USER.toUpperCase()}@${TENANT}')/Messages/m`))).toBe(`users/${USER}`);
    expect(ownerOf(parsed('groups/g/members/m'))).toBe('groups/g');
    expect(ownerOf(parsed('users/u'))).toBe('users/u');
  });

  it('is one of eight lanes where the resource belongs to nobody, always the same one', () => {
    const lanes = Array.from({ length: 200 }, (_, n) => ownerOf(parsed(`communications/callRecords/${n}`)));
    expect(new Set(lanes)).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7].map((lane) => `lanes/${lane}`)));
    expect(ownerOf(parsed("Communications/CALLRECORDS('7')"))).toBe(lanes[7]);
  });

  it('is a lane for all messages of an organisation, and the team or user for theirs', () => {
    expect(ownerOf(parsed('chats/getAllMessages'))).toMatch(/^lanes\/[0-7]$/);
    expect(ownerOf(parsed('users/u/chats/getAllMessages'))).toBe('users/u');
    expect(ownerOf(parsed('teams/t/channels/getAllMessages'))).toBe('teams/t');
  });

  it('tells a lane from an owner of that name', () => {
    expect(parseResourcePath('lanes/3').ok).toBe(false);
  });
});

describe('laneOf', () => {
  it('is a number from 0 to 7 for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => [0, 1, 2, 3, 4, 5, 6, 7].includes(laneOf(text))),
    );
  });
});

describe('isGuid', () => {
  it.each([
    [USER, true],
    [USER.toUpperCase(), true],
    [`${USER}0`, false],
    [USER.replaceAll('-', ''), false],
    [`{${USER}}`, false],
    [`${USER}\n`, false],
    ['', false],
  ])('of %j is %s', (text, expected) => {
    expect(isGuid(text)).toBe(expected);
  });
});

function stayBelow(path: ResourcePath): void {
  const url = new URL(`https://graph.example/v1.0${requestPath(path)}`);
  expect(url.origin).toBe('https://graph.example');
  const parts = path.flatMap(({ word, id }) => (id === undefined ? [word] : [word, id]));
  expect(url.pathname.split('/').map(decodeURIComponent)).toEqual(['', 'v1.0', ...parts]);
  expect([url.search, url.hash, url.username]).toEqual(['', '', '']);
  expect(new URL(requestPath(path), 'https://graph.example/v1.0/').origin).toBe('https://graph.example');
}

type PlainPath = readonly { readonly word: string; readonly id?: string }[];

/** A path as written here, its ids as they are. */
const plain = (path: PlainPath) =>
  path.flatMap(({ word, id }) => (id === undefined ? [word] : [word, id])).join('/');

/** The same path in one of the spellings that Graph uses; `choose` decides each time. */
function respell(path: PlainPath, choose: () => boolean): string {
  const recase = (text: string) =>
    [...text].map((letter) => (choose() ? letter.toUpperCase() : letter)).join('');
  const respellId = (id: string) => {
    if (!isGuid(id)) return id;
    return choose() ? recase(id) : `${recase(id)}@${recase(TENANT)}`;
  };
  const segments = path.map(({ word, id }) => {
    if (id === undefined) return recase(word);
    const spelling = respellId(id);
    return choose() ? `${recase(word)}/${spelling}` : `${recase(word)}('${spelling.replaceAll("'", "''")}')`;
  });
  return (choose() ? '/' : '') + segments.join('/');
}

const shapes = [
  'users/{}/events/{}',
  'users/{}/messages/{}',
  'users/{}/mailFolders/{}/messages/{}',
  'users/{}/calendar/events/{}',
  'users/{}',
  'groups/{}/members/{}',
  'chats/{}/messages/{}',
  'teams/{}/channels/{}/messages/{}/replies/{}',
  'drives/{}/root',
  'communications/callRecords/{}',
  'security/alerts_v2/{}',
  'users/{}/events',
  'users/{}/chats/getAllMessages',
  'teams/{}/channels/getAllMembers',
];

/** Any text that can be an id in the plain spelling. */
const anyId = fc.oneof(
  fc.uuid(),
  fc.base64String({ minLength: 4, maxLength: 60 }).map((text) => text.replaceAll('/', '-')),
  fc
    .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
    .filter((text) => !/[\p{Cc}\\%?#/]/u.test(text) && !/^\.{1,2}$/.test(text))
    .filter((text) => !/^\w+\('.*'\)$/.test(text)),
);

const anyPath: fc.Arbitrary<PlainPath> = fc
  .tuple(fc.constantFrom(...shapes), fc.array(anyId, { minLength: 4, maxLength: 4 }))
  .map(([shape, ids]) => {
    const left = [...ids];
    return shape.split(/\/(?!\{\})/).map((part) => {
      const [word, hole] = part.split('/') as [string, string?];
      return hole === undefined ? { word } : { word, id: left.shift() as string };
    });
  });

/** Texts made of the pieces that paths and attacks on them are made of. */
const anyPathLikeText = fc
  .array(
    fc.constantFrom(
      ...['users', 'Events', 'calendar', 'chats', '/', '/', '/', '(', ')', "('", "')", "''", "'", '.', '..'],
      ...['getAllMessages', 'GETALLMEMBERS'],
      ...['@', ':', ';', ' ', 'x', 'é', '$batch', '~', '*', '!', USER, '\ufeff', '\u202e', '＃', '\u3002'],
    ),
    { maxLength: 14 },
  )
  .map((pieces) => pieces.join(''));
