/** What is wanted against what Graph gives. */
import { randomUUID } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { judgeQuotas } from '../../src/doctor/quotas.ts';
import { TENANT } from './access-token.ts';

const wish = (resource: string, filter?: string) => ({
  resource,
  tenantId: TENANT,
  ...(filter && { filter }),
});
const many = (count: number, resource: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => wish(resource(n)));
const judge = (wishes: ReturnType<typeof wish>[]) =>
  judgeQuotas(wishes).map(({ level, found }) => `${level}: ${found}`);

const USER = randomUUID();
const folders = (n: number) => `users/${USER}/mailFolders/folder${n}/messages`;
const users = () => `users/${randomUUID()}`;

describe('wanted subscriptions', () => {
  it('are counted by kind and mailbox, with the time that Graph lets them be made in', () => {
    const wishes = [
      ...many(2000, (n) => `users/00000000-0000-4000-8000-${String(n).padStart(12, '0')}/events`),
      wish('users'),
    ];
    expect(judge(wishes)).toEqual([
      'ok: 2,001 subscriptions wanted (2,000 event, 1 user) of 2,000 mailboxes, at most 1 of the 1,000 of one; Graph lets that many be made in 81 s',
    ]);
  });

  it.each([
    [800, undefined],
    [801, 'warning: mailbox'],
    [1000, 'warning: mailbox'],
    [1001, 'error: mailbox'],
  ])('%i of one mailbox are told as %j', (count, begins) => {
    const [, problem] = judge(many(count, folders));
    if (begins === undefined) expect(problem).toBeUndefined();
    else
      expect(problem).toMatch(
        new RegExp(`^${begins} ${USER}: ${count.toLocaleString('en-US')} of 1,000 subscriptions`),
      );
  });

  it('count events, messages and contacts of a mailbox together', () => {
    const mixed = [...many(999, folders), wish(`users/${USER}/events`), wish(`users/${USER}/contacts`)];
    expect(judge(mixed)[1]).toMatch(/^error: mailbox .*: 1,001 of 1,000/);
  });

  it('of single users are bounded for an app in a tenant', () => {
    expect(judge(many(101, users))[1]).toMatch(new RegExp(`^error: tenant ${TENANT}: 101 of 100`));
  });

  it('of what is in Teams are bounded for an organisation', () => {
    expect(judge(many(10_001, (n) => `chats/19:${n}@thread.v2/messages`))[1]).toMatch(
      /^error: tenant .*: 10,001 of 10,000/,
    );
  });

  it('of presences name 650 users at most', () => {
    const filter = (count: number) =>
      `id in (${Array.from({ length: count }, () => `'${randomUUID()}'`).join(',')})`;
    expect(judge([wish('communications/presences', filter(650))])).toHaveLength(1);
    expect(judge([wish('communications/presences', filter(651))])[1]).toMatch(
      /^error: a filter of presences names 651 users/,
    );
  });
});
