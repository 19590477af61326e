/** What a subscription watches, written for Graph and read from its lists. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  filterKey,
  readWatched,
  sameFilter,
  writeWatched,
} from '../../src/subscriptions/watched-resource.ts';

describe('what is watched', () => {
  it('is written with its filter percent-encoded, before the properties', () => {
    expect(
      writeWatched({ resource: 'users/a/messages', filter: 'isRead eq false', select: ['a', 'b'] }),
    ).toBe('users/a/messages?$filter=isRead%20eq%20false&$select=a,b');
    expect(writeWatched({ resource: 'users/a/messages' })).toBe('users/a/messages');
  });

  it('is read from what was written, whatever the filter says', () => {
    const watched = fc.record(
      {
        resource: fc.constantFrom('users/a/messages', 'security/alerts_v2'),
        filter: fc.string({ unit: 'grapheme', minLength: 1 }),
        select: fc.uniqueArray(fc.constantFrom('subject', 'start', 'end'), { minLength: 1 }),
      },
      { requiredKeys: ['resource'] },
    );
    fc.assert(
      fc.property(watched, (one) => {
        const { filter, ...rest } = readWatched(writeWatched(one));
        expect(rest).toEqual({ resource: one.resource, ...(one.select && { select: one.select }) });
        expect(filterKey(filter)).toBe(filterKey(one.filter));
      }),
    );
  });

  it.each([
    ['users/a/events?$select=subject, start', { resource: 'users/a/events', select: ['subject', 'start'] }],
    ["security/alerts/?$filter=status eq 'a&b'", { resource: 'security/alerts', filter: "status eq 'a&b'" }],
    ['users/a/events?%24filter=isAllDay+eq+true', { resource: 'users/a/events', filter: 'isAllDay eq true' }],
    ['a?$SELECT=b&$Filter=c%20eq%20%27d%27', { resource: 'a', select: ['b'], filter: "c eq 'd'" }],
    ['a?$filter=100%', { resource: 'a', filter: '100%' }],
    ['a?$top=5', { resource: 'a?$top=5' }],
    ['a?$filter=b&$top=5', { resource: 'a?$filter=b&$top=5' }],
    ['chats/1?model=B', { resource: 'chats/1?model=B' }],
  ])('is read from what Graph lists: %s', (text, watched) => {
    expect(readWatched(text)).toEqual(watched);
  });

  it('is another one with another filter, and with none', () => {
    expect(sameFilter('isRead eq false', 'isRead%20eq%20false')).toBe(true);
    expect(sameFilter('isRead eq false', 'isRead eq true')).toBe(false);
    expect(sameFilter('isRead eq false', undefined)).toBe(false);
    expect(sameFilter(undefined, undefined)).toBe(true);
  });
});
