/** What the commands on subscriptions decide without asking anybody. */

import { eventually } from '@graph2kafka/test-harness';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseCommandLine } from '../../../src/cli/command-line.ts';
import { helpText } from '../../../src/cli/help.ts';
import {
  declarationOfList,
  type ExportedSubscription,
} from '../../../src/cli/subscriptions/declaration-of-list.ts';
import { followProgress, pacedMs, progressLine } from '../../../src/cli/subscriptions/follow-progress.ts';
import { changeLine } from '../../../src/cli/subscriptions/planned-changes.ts';
import { SUBSCRIPTION_WORDS } from '../../../src/cli/subscriptions/subscription-words.ts';
import { UsageError } from '../../../src/cli/usage-error.ts';
import { parseSubscriptionsFile } from '../../../src/declaration/read-declaration.ts';
import { fleetRows, matchesRow } from '../../../src/listing/fleet-rows.ts';
import { relative, span } from '../../../src/listing/times.ts';
import type { WishRecord } from '../../../src/subscriptions/fleet.ts';
import type { KnownSubscription } from '../../../src/subscriptions/subscription-store.ts';
import type { Trouble, TroubleReason } from '../../../src/subscriptions/troubles.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const HOUR = 3_600_000;
const TENANT = '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10';
const USER = '479cb86d-fe74-4d23-a73f-277d1165c449';

const parse = (line: string) => parseCommandLine(line.split(' '));

describe('the words of commands on subscriptions', () => {
  it.each<[string, object]>([
    ['plan --offline --json', { name: 'plan', offline: true, json: true }],
    ['apply', { name: 'apply', yes: false }],
    [
      'list --user a@b.c --state failing --tenant contoso --expires-within 24h',
      {
        name: 'list-subscriptions',
        user: 'a@b.c',
        state: 'failing',
        tenant: 'contoso',
        expiresWithinMs: 24 * HOUR,
      },
    ],
    ['show x --json', { name: 'show-subscription', subject: 'x', json: true }],
    ['renew a b', { name: 'renew', subjects: ['a', 'b'] }],
    ['renew --all-expiring-within 30m', { name: 'renew', expiringWithinMs: HOUR / 2 }],
    ['delete a --yes', { name: 'delete', subjects: ['a'], yes: true }],
    ['export --tenant contoso', { name: 'export', tenant: 'contoso' }],
    [
      'create --resource /users/x/events --change-type created,updated --expires 2026-11-24T12:00:00Z',
      {
        name: 'create',
        resource: 'users/x/events',
        changeTypes: ['created', 'updated'],
        expires: { at: NOW + 24 * HOUR },
        tls: 'v1_2',
      },
    ],
    ...SUBSCRIPTION_WORDS.map(
      (word) => [`${word} --help`, { name: 'help', topic: `g2k ${word}` }] as [string, object],
    ),
  ])('%j are understood', (line, command) => expect(parse(line)).toMatchObject(command));

  it.each([
    ['list --state dead', '--state: must be serving, failing, skipped, waiting, replaced, by-hand'],
    ['list --expires-within soon', '--expires-within: write how long: 90s, 30m, 24h, 3d'],
    ['show', 'show takes one subscription'],
    ['show a b', 'show takes one subscription'],
    ['renew', 'renew wants to know which'],
    ['renew a --all-expiring-within 1h', 'renew wants to know which'],
    ['delete', 'delete wants to know which'],
    ['create --resource users/x/events', 'create needs --resource, --change-type and --expires'],
    ['create --resource r --change-type gone --expires 1h', '--change-type: must be'],
    ['create --resource r --change-type created --expires tomorrow', '--expires: write how long'],
    ['create --resource r --change-type created --expires 1h --tls 1.2', '--tls: must be v1_0'],
    [
      'create --resource r --change-type created --expires 1h --notification-url here',
      '--notification-url: must be',
    ],
    ['plan now', "Unexpected argument 'now'"],
  ])('%j are refused with what is wrong', (line, problem) => {
    expect(() => parse(line)).toThrow(UsageError);
    expect(() => parse(line)).toThrow(problem);
  });

  it.each(SUBSCRIPTION_WORDS)('have a help for %s with an example and all exit codes', (word) => {
    const help = helpText(`g2k ${word}`);
    expect(help).toMatch(/Examples?:\n {2}g2k /);
    expect(help).toMatch(/Exit code: 0 .*, 1 failed|Exit code: 0 .*1 .*2 not a command\.$/);
    const long = help.split('\n').filter((line) => line.length > 120);
    expect(long).toEqual([]);
  });
});

const known = (more: Partial<KnownSubscription> = {}): KnownSubscription => ({
  id: 's1',
  wish: `calendars/${USER}`,
  tenantId: TENANT,
  resource: `users/${USER}/events`,
  changeType: 'created',
  topic: 't',
  whole: true,
  nonce: 'n',
  expiresAt: NOW + HOUR,
  ...more,
});
const trouble = (reason: TroubleReason): Trouble => ({
  reason,
  detail: 'said',
  since: NOW - HOUR,
  tries: 2,
  until: NOW + HOUR,
});
const record = (more: Partial<WishRecord> = {}): WishRecord => ({
  wish: `calendars/${USER}`,
  subscriptions: [],
  ...more,
});
const rowsOf = (...records: WishRecord[]) => fleetRows(records, undefined, NOW);

describe('a row of the list', () => {
  it.each<[string, WishRecord, object[]]>([
    ['what is there', record({ subscriptions: [known()] }), [{ state: 'serving', subscription: 's1' }]],
    [
      'what has expired',
      record({ subscriptions: [known({ expiresAt: NOW - 1 })] }),
      [{ state: 'failing', reason: 'expired' }],
    ],
    [
      'what lives but cannot be renewed',
      record({ subscriptions: [known()], trouble: trouble('graph-away') }),
      [{ state: 'failing', reason: 'graph-away', nextTry: '2026-11-23T13:00:00Z' }],
    ],
    ['whoever has no mailbox', record({ trouble: trouble('no-mailbox') }), [{ state: 'skipped' }]],
    ['what was asked for', record({ intent: { nonce: 'n', settlesAt: NOW } }), [{ state: 'waiting' }]],
    [
      'what was replaced beside what serves',
      record({ subscriptions: [known({ id: 's0', replacedAt: NOW - 1 }), known()] }),
      [{ state: 'serving' }, { state: 'replaced', subscription: 's0' }],
    ],
    ['what nobody wants and nothing is known of', record(), []],
    [
      'what was made by hand',
      record({ wish: 'by hand s1', subscriptions: [known({ wish: 'by hand s1', replacedAt: NOW + HOUR })] }),
      [{ state: 'by-hand', subscription: 's1' }],
    ],
  ])('shows %s', (_what, one, rows) => {
    const shown = rowsOf(one);
    expect(shown).toHaveLength(rows.length);
    expect(shown).toMatchObject(rows);
    expect(JSON.stringify(shown)).not.toContain('nonce');
  });

  it('matches by user, state, tenant and expiry', () => {
    const [row] = rowsOf(record({ subscriptions: [known()] }));
    if (!row) throw new Error('no row');
    const matching = { user: USER, state: 'serving', tenant: TENANT, expiresWithinMs: HOUR } as const;
    expect(matchesRow(row, matching, NOW)).toBe(true);
    const others = { user: TENANT, state: 'failing', tenant: USER, expiresWithinMs: HOUR - 1 } as const;
    for (const [name, value] of Object.entries(others))
      expect(matchesRow(row, { ...matching, [name]: value }, NOW)).toBe(false);
  });
});

describe('times for people', () => {
  it.each([
    [0, '0 s'],
    [90_000, '1 min 30 s'],
    [49 * HOUR, '2 d 1 h'],
    [25 * 60_000, '25 min'],
  ])('%i ms are %s', (ms, text) => expect(span(ms)).toBe(text));

  it('say which way', () => {
    expect([relative(NOW + HOUR, NOW), relative(NOW - HOUR, NOW)]).toEqual(['in 1 h', '1 h ago']);
  });
});

describe('progress', () => {
  it('is estimated by the pace that Graph takes, until what was done tells', () => {
    expect(progressLine(undefined, 10_040, 0)).toBe(
      '[------------------------] 0 of 10040, about 9 min 16 s left',
    );
    expect(pacedMs(40)).toBe(0);
    const progress = { startedAt: 0, at: 1, done: 500, left: 500, rate: 10, leftMs: 50_000 };
    expect(progressLine(progress, 1000, 0)).toBe('[############------------] 500 of 1000, about 50 s left');
  });

  it('counts down between what is noted, and never below nothing', () => {
    const progress = { startedAt: 0, at: 1, done: 500, left: 500, rate: 10, leftMs: 50_000 };
    expect(progressLine(progress, 1000, 20_000)).toContain('about 30 s left');
    expect(progressLine(progress, 1000, 60_000)).toContain('about 0 s left');
  });

  it('of one that was cut off is not shown as that of the next', async () => {
    const shown: string[] = [];
    const left = { startedAt: 0, at: 900, done: 400, left: 600, rate: 10, leftMs: 50_000 };
    const said = { err: () => undefined, status: (line = '') => void shown.push(line) };
    const following = followProgress({ progress: async () => left }, said, { writes: 7, now: () => 1000 });
    onTestFinished(() => following.end());
    following.list(3);
    await eventually(() => expect(shown).toContain('asking Graph for its list, page 3'));
    following.list(undefined);
    await eventually(() => expect(shown.at(-1)).toContain('0 of 7'));
    expect(shown.join()).not.toContain('400 of 1000');
  });
});

describe('a line of the plan', () => {
  it('has its sign, in colour where that is wanted, and nothing of others that moves the cursor', () => {
    const change = {
      change: 'recreate',
      wish: 'w',
      tenant: TENANT,
      resource: 'r',
      why: 'a \u001b[2J',
    } as const;
    expect(changeLine(change, false)).toBe('-/+ recreate  w; a \ufffd[2J');
    expect(changeLine(change, true).startsWith('\u001b[31m-/+ recreate\u001b[39m  w')).toBe(true);
  });
});

const one = (more: Partial<ExportedSubscription> = {}): ExportedSubscription => ({
  id: 'b1a0c9f2-0000-4000-8000-000000000001',
  resource: `/users/${USER}/events`,
  changeType: 'created,updated',
  notificationUrl: 'https://here.example/events',
  rich: false,
  expiresAt: NOW,
  isOurs: true,
  ...more,
});
const marks = { notificationUrl: 'https://here.example/events', hasLifecycleUrl: true };
const parseFile = (text: string) =>
  parseSubscriptionsFile(text, 'f', { tenantId: TENANT, topic: 't', lifecycleUrl: 'x' });

describe('the export', () => {
  it('says in comments what cannot be said otherwise, each with its reason', () => {
    const { text, ...counts } = declarationOfList(
      [
        {
          subscriptions: [
            one(),
            one({ resource: 'me/messages' }),
            one({ resource: `users/${USER}/messages?$filter=isRead eq false&$top=3\nsubscriptions: []` }),
            one({ resource: `users('${USER}')/mailFolders('inbox')/messages?$select=subject`, rich: true }),
            one({
              resource: 'communications/callRecords',
              changeType: 'created',
              notificationUrl: 'https://there.example/',
            }),
          ],
        },
      ],
      marks,
    );
    expect(counts).toEqual({ entries: 3, said: 3, unsaid: 2 });
    const { entries } = parseFile(text);
    expect(entries.map(({ name, pattern }) => [name, pattern.rich ?? false, pattern.select])).toEqual([
      ['events', false, undefined],
      ['messages', true, ['subject']],
      ['call-records', false, undefined],
    ]);
    const comments = text.split('\n').filter((line) => /^ *# {3}|One of/.test(line));
    expect(comments).toEqual([
      '  # One of these notifies there.example: Graph refuses ours until it is deleted or has ended.',
      expect.stringMatching(/^# {3}b1a0.* on me\/messages, until 2026-11-23T12:00:00Z: ./),
      expect.stringMatching(/^# {3}b1a0.*\ufffdsubscriptions: \[\].*: ./),
    ]);
  });

  it('is a valid file for whatever Graph lists, or has no entry', () => {
    const resource = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        `users/${USER}/events`,
        `users('${USER}')/messages?$filter=isRead%20eq%20false`,
        'users/a@b.example/contacts',
        'groups',
        'teams/getAllMessages',
        `users/${USER}/mailFolders('in: box')/messages`,
      ),
      fc.string().map((rest) => `users/${USER}/events?$filter=${rest}`),
    );
    const subscription = fc.record({
      id: fc.string({ unit: 'binary' }),
      resource,
      changeType: fc.oneof(fc.constantFrom('created', 'Updated,Deleted', 'created,created'), fc.string()),
      notificationUrl: fc.oneof(fc.webUrl(), fc.string()),
      rich: fc.boolean(),
      expiresAt: fc.constant(NOW),
      isOurs: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(subscription, { maxLength: 6 }), (subscriptions) => {
        const { text, entries, said, unsaid } = declarationOfList([{ subscriptions }], marks);
        expect(said + unsaid).toBe(subscriptions.length);
        if (entries > 0) expect(parseFile(text).entries).toHaveLength(entries);
        else expect(text.split('\n').every((line) => line.startsWith('#'))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });
});
