import { describe, expect, it } from 'vitest';
import type { GraphSimulator } from '../src/index.ts';
import { mailboxOf, resourceUnits } from '../src/request-limits.ts';
import { parseResourcePath } from '../src/resource-path.ts';
import { letTimePass, setUpGraph } from './graph-setup.ts';

const HOUR_MS = 3_600_000;

/** Calls that have come to the API, answered or not. */
const graphCalls = ({ requests }: GraphSimulator) =>
  requests.filter(({ path }) => path.startsWith('/v1.0')).length;

const retryAfter = ({ headers }: { headers: { get(name: string): string | null } }) =>
  headers.get('retry-after');

describe('the limit of simultaneous calls for a mailbox', () => {
  it('refuses the fifth of an app, while another mailbox and another app are not hindered', async () => {
    await using it = await setUpGraph({ graphLatencyMs: HOUR_MS });
    const [one, two] = it.simulator.users().map(({ id }) => `/users/${id}/events`);
    const calls = Promise.all([
      ...Array.from({ length: 6 }, () => it.graph.call('GET', `${one}`)),
      ...Array.from({ length: 4 }, () => it.graph.call('GET', `${two}`)),
      it.graph.call('GET', `/users/${it.user}`),
    ]);
    await expect.poll(() => graphCalls(it.simulator)).toBe(11);
    const answers = await letTimePass(it.simulator, calls);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.slice(0, 6).filter((status) => status === 429)).toHaveLength(2);
    expect(statuses.slice(6)).toEqual([200, 200, 200, 200, 200]);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.body.error).toMatchObject({
      code: 'ApplicationThrottled',
      message: 'Application is over its MailboxConcurrency limit.',
    });
  });

  it('lets the next in when one is over', async () => {
    await using it = await setUpGraph({ requestLimits: { mailboxConcurrency: 1 } });
    for (let i = 0; i < 5; i += 1) {
      expect((await it.graph.call('GET', `/users/${it.user}/events`)).status).toBe(200);
    }
  });

  it('counts all spellings of a mailbox together, and calls that hang until they are left', async () => {
    await using it = await setUpGraph({ requestLimits: { mailboxConcurrency: 1 } });
    const [user] = it.simulator.users();
    it.simulator.faults.add({ path: /\/events/, kind: 'hang' });
    const leaving = new AbortController();
    const hanging = it.graph.call('GET', `/users/${it.user}/events`, { signal: leaving.signal });
    hanging.catch(() => undefined);
    await expect.poll(() => it.simulator.maxConcurrent(`users/${it.user}`)).toBe(1);
    const other = `/Users('${user?.userPrincipalName}')/messages`;
    expect((await it.graph.call('GET', other)).status).toBe(429);
    leaving.abort();
    await expect.poll(async () => (await it.graph.call('GET', other)).status).toBe(200);
  });

  it('can be lifted', async () => {
    await using it = await setUpGraph({ graphLatencyMs: HOUR_MS, requestLimits: false });
    const calls = Array.from({ length: 8 }, () => it.graph.call('GET', `/users/${it.user}/events`));
    await expect.poll(() => it.simulator.maxConcurrent(`users/${it.user}`)).toBe(8);
    const answers = await letTimePass(it.simulator, Promise.all(calls));
    expect(answers.map(({ status }) => status)).toEqual(Array(8).fill(200));
  });
});

describe('the limits of calls in a time', () => {
  it('refuse a mailbox that had its calls until its ten minutes are over', async () => {
    await using it = await setUpGraph({ requestLimits: { mailboxRequests: 3 } });
    const path = `/users/${it.user}/messages`;
    for (let i = 0; i < 3; i += 1) expect((await it.graph.call('GET', path)).status).toBe(200);
    it.simulator.clock.advance(60_000);
    const refused = await it.graph.call('GET', path);
    expect(refused.status).toBe(429);
    expect(refused.body.error.code).toBe('TooManyRequests');
    expect(Number(retryAfter(refused))).toBeGreaterThan(500);
    expect(Number(retryAfter(refused))).toBeLessThanOrEqual(540);
    it.simulator.clock.advance(Number(retryAfter(refused)) * 1000);
    expect((await it.graph.call('GET', path)).status).toBe(200);
  });

  it('refuse an app in all tenants together', async () => {
    await using it = await setUpGraph({ requestLimits: { requests: 2 } });
    for (const path of ['/users', '/groups']) expect((await it.graph.call('GET', path)).status).toBe(200);
    expect((await it.graph.call('GET', '/users')).status).toBe(429);
    it.simulator.clock.advance(10_000);
    expect((await it.graph.call('GET', '/users')).status).toBe(200);
  });

  it('count the directory in resource units, which answers tell of', async () => {
    await using it = await setUpGraph({
      requestLimits: { identityUnits: { small: 10, medium: 1000, large: 1000 } },
    });
    const units = async (path: string) =>
      (await it.graph.call('GET', path)).headers.get('x-ms-resource-unit');
    expect(await units('/users')).toBe('2');
    expect(await units('/users?$select=id')).toBe('1');
    expect(await units(`/users/${it.user}`)).toBe('1');
    expect(await units(`/users/${it.user}/events`)).toBeNull();
    it.simulator.seed('/groups/g', { displayName: 'G' });
    const dear = await it.graph.call('GET', '/groups/g/transitiveMembers');
    expect(dear.headers.get('x-ms-resource-unit')).toBe('5');
    expect(dear.headers.get('x-ms-throttle-limit-percentage')).toBe('0.9');
    expect((await it.graph.call('GET', '/users/delta')).status).toBe(200);
    const refused = await it.graph.call('GET', '/users');
    expect(refused.status).toBe(429);
    expect(refused.headers.get('x-ms-throttle-scope')).toContain(it.simulator.clientId);
    expect(Number(refused.headers.get('x-ms-throttle-limit-percentage'))).toBeGreaterThan(1);
  });

  it.each([
    ['GET', 'users', '', 2],
    ['GET', 'users', '$top=5', 1],
    ['GET', 'groups/g/members', '$expand=x', 4],
    ['GET', 'groups/g/members', '$select=id&$top=5', 1],
    ['PATCH', 'users/u', '', 1],
  ])('cost by the table: %s %s?%s is %i', (method, path, query, cost) => {
    const call = { method, path: parseResourcePath(path), query: new URLSearchParams(query) };
    expect(resourceUnits(call)).toBe(cost);
  });

  it.each([
    ['users/u/events/e', 'users/u'],
    ['users/u/calendarView/delta', 'users/u'],
    ['groups/g/events', 'groups/g'],
    ['users/u', undefined],
    ['users/u/drive/root', undefined],
    ['chats/c/messages', undefined],
  ])('know the mailbox of %s: %s', (path, mailbox) => {
    expect(mailboxOf(parseResourcePath(path))).toBe(mailbox);
  });
});

describe('Retry-After', () => {
  const refusedWith = async (form: 'integer' | 'fraction' | 'date' | 'absent' | 'mixed', count = 1) => {
    await using it = await setUpGraph({ retryAfter: form, requestLimits: { mailboxRequests: 1 } });
    const path = `/users/${it.user}/messages`;
    await it.graph.call('GET', path);
    const answers = [];
    for (let i = 0; i < count; i += 1) answers.push(retryAfter(await it.graph.call('GET', path)));
    return { answers, nowMs: it.simulator.clock.now() };
  };

  it('is a whole number of seconds, a fraction, a date, or not there', async () => {
    const integer = (await refusedWith('integer')).answers[0];
    expect(integer).toMatch(/^\d+$/);
    const fraction = (await refusedWith('fraction')).answers[0];
    expect(fraction).toMatch(/^\d+\.\d{3}$/);
    const date = await refusedWith('date');
    const aheadMs = Date.parse(date.answers[0] ?? '') - date.nowMs;
    expect(date.answers[0]).toMatch(/ GMT$/);
    expect(aheadMs).toBeGreaterThan(590_000);
    expect(aheadMs).toBeLessThanOrEqual(601_000);
    expect((await refusedWith('absent')).answers[0]).toBeNull();
  });

  it('comes in all forms by the seed', async () => {
    const { answers } = await refusedWith('mixed', 40);
    const formOf = (text: string | null) =>
      text === null ? 'absent' : /^\d+$/.test(text) ? 'integer' : text.endsWith('GMT') ? 'date' : 'fraction';
    expect(new Set(answers.map(formOf))).toEqual(new Set(['integer', 'fraction', 'date', 'absent']));
  });
});
