/** The status page, as text. */
import { describe, expect, it } from 'vitest';
import { renderStatus, type Status } from '../../src/admin/status-page.ts';
import type { FleetNumbers } from '../../src/subscriptions/fleet-numbers.ts';
import type { SecretsInUse } from '../../src/subscriptions/rotations.ts';
import type { KnownSubscription } from '../../src/subscriptions/subscription-store.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const MINUTE = 60_000;

const subscription = (more: Partial<KnownSubscription> = {}): KnownSubscription => ({
  id: 'id',
  wish: 'calendars/ada',
  tenantId: '5d0f2c1e-7a44-4b0e-9a53-2f6d1c7e8b10',
  resource: 'users/ada/events',
  changeType: 'created',
  topic: 'graph.events',
  whole: true,
  nonce: 'PLANTED-NONCE',
  expiresAt: NOW + 90 * MINUTE,
  ...more,
});

const page = (
  more: Partial<Status> = {},
  subscriptions: readonly KnownSubscription[] = [subscription()],
  jobs: Record<string, number> = { waiting: 1234 },
  bySecret: SecretsInUse = { current: 1, old: 0, replaced: 0 },
  troubles: FleetNumbers['troubles'] = {},
) =>
  renderStatus({
    ready: true,
    problems: [],
    pauses: [],
    durability: 'strict',
    backlog: {
      ...{ ownersWithNews: 17, jobs, deadLetters: 5, subscriptions, bySecret, troubles },
      serving: subscriptions.filter(({ replacedAt }) => replacedAt === undefined).length,
    },
    wanted: 3,
    at: NOW,
    ...more,
  });

describe('the status page', () => {
  it('says whether all is well, and what is waiting', () => {
    const text = page();
    expect(text).toMatch(/class="well">ready</);
    for (const part of ['1234', '>17<', '>5<', '1 of 3 wanted', 'calendars/ada', '1 h 30 min']) {
      expect(text).toContain(part);
    }
    expect(page({ ready: false, problems: ['Kafka: no answer'] })).toMatch(
      /class="ill">not ready<[\s\S]*Kafka: no answer/,
    );
  });

  it('names the tenants that Graph refuses, though all else is well', () => {
    const text = page({ pauses: ['everything of tenant t1 waits'] });
    expect(text).toMatch(/class="well">ready<[\s\S]*everything of tenant t1 waits/);
  });

  it('shows what others wrote as text, never as HTML', () => {
    const hostile = `<script>alert("1")</script>&'`;
    const text = page(
      { ready: false, problems: [hostile] },
      [subscription({ wish: hostile, resource: hostile, topic: hostile })],
      { [hostile]: 1 },
    );
    expect(text).not.toContain('<script');
    expect(text.match(/&lt;script&gt;alert\(&quot;1&quot;\)&lt;\/script&gt;&amp;&#39;/g)).toHaveLength(5);
  });

  it('leaves out what was replaced, and every nonce', () => {
    const text = page({}, [subscription(), subscription({ wish: 'gone/bob', replacedAt: 1 })]);
    expect(text).not.toContain('gone/bob');
    expect(text).not.toContain('PLANTED-NONCE');
  });

  it('says which clientState secrets the subscriptions carry, and that an older one is needed', () => {
    expect(page()).toContain('clientState: 1 carry the current secret, 0 an older one</p>');
    expect(page({}, [], {}, { current: 4, old: 3, replaced: 2 })).toContain(
      'clientState: 4 carry the current secret, 3 an older one; 2 replaced within 4 hours carried an older one. ' +
        'It is needed until there is none.',
    );
  });

  it.each([
    [-1, 'expired'],
    [0, 'expired'],
    [59 * MINUTE + 59_999, '59 min'],
    [60 * MINUTE, '1 h 0 min'],
    [47 * 60 * MINUTE, '47 h 0 min'],
    [50 * 60 * MINUTE, '2 d 2 h'],
  ])('calls %i ms of life "%s"', (ms, words) => {
    expect(page({}, [subscription({ expiresAt: NOW + ms })])).toContain(`<td>${words}</td>`);
  });

  it('says why wanted subscriptions are not served, and of how many', () => {
    expect(page()).not.toContain('Not served');
    const text = page({}, [], {}, undefined, { quota: 12, handshake: 0 });
    expect(text).toMatch(/Not served.*quota: a quota of Graph is full<\/td><td>12</s);
    expect(text).not.toContain('handshake');
  });

  it('stays a page that a browser shows at once, however many subscriptions there are', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => subscription({ wish: `calendars/${i}` }));
    const text = page({ wanted: 10_000 }, many);
    expect(text).toContain('10000 of 10000 wanted');
    expect(text).toContain('and 9800 more');
    expect(text.length).toBeLessThan(100_000);
  });

  it('says so where Redis has no numbers to give', () => {
    expect(page({ ready: false, backlog: undefined })).toContain('Redis does not answer');
  });
});
