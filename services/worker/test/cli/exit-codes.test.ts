/** What scripts and people get of a command that cannot be done: a line with the cure, no stack trace, the exit code. */
import { randomUUID } from 'node:crypto';
import { freePort } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { g2k } from '../support/dead-letters.ts';
import { subscriptionCommands } from '../support/subscription-commands.ts';

/** Of a deployment in which all is well but for what a row says. */
type Row = readonly [
  words: string,
  settings: Readonly<Record<string, string | undefined>>,
  code: number,
  line: RegExp,
];

const NOBODY = `users/${randomUUID()}/events`;
const CREATE = `create --resource ${NOBODY} --change-type created --expires 1h`;
const AWAY = `127.0.0.1:${await freePort()}`;

const ROWS: readonly Row[] = [
  ['plan --frob', {}, 2, /^g2k: Unknown option '--frob'\n`g2k plan --help` says more$/],
  ['frob', {}, 2, /^g2k: there is no command "frob": write plan, apply, .*\n`g2k --help` says more$/],
  ['list --state gone', {}, 2, /^g2k: --state: must be serving, failing, .*\n/],
  ['list --expires-within soon', {}, 2, /^g2k: --expires-within: write how long: 90s, 30m, 24h, 3d\n/],
  ['apply', {}, 2, /^g2k: nobody can be asked here: --yes does it\n/],
  ['renew', {}, 2, /^g2k: renew wants to know which: ids or wishes, or --all-expiring-within 24h\n/],
  ['show no-such', {}, 1, /^g2k: there is no wish and no subscription "no-such"; `g2k list` names them/],
  ['delete no-such --yes', {}, 1, /^g2k: there is no wish and no subscription "no-such"/],
  ['list --tenant nobody', {}, 1, /^g2k: --tenant: subscriptions\.yaml names no "nobody"; write its id$/],
  ['export --tenant nobody', {}, 1, /^g2k: --tenant: nobody signs in to "nobody" here$/],
  ['list', { AZURE_TENANT_ID: undefined }, 1, /^g2k: a setting is wrong:\n {2}AZURE_TENANT_ID is required$/],
  ['plan', { CLIENT_STATE_SECRETS: undefined }, 1, /\n {2}CLIENT_STATE_SECRETS is required$/],
  [
    'plan',
    { NOTIFICATION_URL: undefined },
    1,
    /\n {2}NOTIFICATION_URL: is required: where Graph is to notify$/,
  ],
  [
    'plan',
    { SUBSCRIPTIONS_FILE: undefined },
    1,
    /SUBSCRIPTIONS_FILE: is not set, .*`g2k export` makes a first/,
  ],
  ['plan', { SUBSCRIPTIONS_FILE: '/nowhere.yaml' }, 1, /\/nowhere\.yaml: cannot be read \(ENOENT\): correct/],
  ['plan', { AZURE_CLIENT_SECRET: 'file:/nowhere' }, 1, /AZURE_CLIENT_SECRET: file:\/nowhere cannot be read/],
  [
    'list',
    { REDIS_URL: `redis://:PLANTED@${AWAY}` },
    1,
    /^g2k: Redis is not reachable at .*; cure: start it/,
  ],
  ['plan', { REDIS_URL: `redis://${AWAY}` }, 1, /^g2k: Redis is not reachable at .*; cure: start it/],
  [
    'plan',
    { GRAPH_URL: `https://${AWAY}` },
    1,
    /^g2k: Graph does not answer, or not as it should: ECONNREFUSED; cure: try again later; `g2k doctor`/,
  ],
  [
    'export',
    { AZURE_AUTHORITY_HOST: `https://${AWAY}` },
    1,
    /^g2k: no token, .*: 127\.0\.0\.1:\d+ refuses connections \(ECONNREFUSED\); cure: `g2k doctor`/,
  ],
  [
    'plan',
    { AZURE_CLIENT_SECRET: 'PLANTED-wrong' },
    1,
    /^g2k: no token, .*: the client secret is wrong \(AADSTS7000215\); cure: `g2k doctor` says/,
  ],
  [CREATE.replace('1h', '60d'), {}, 1, /^g2k: Graph lets it live less long: .*; cure: ask for less$/],
  [`${CREATE}0000d`, {}, 2, /^g2k: --expires: write how long/],
  [
    'dead-letters list',
    { KAFKA_BROKERS: AWAY },
    1,
    /^g2k: cannot read graph\.events\.dlq from Kafka at 127\.0\.0\.1:\d+: .*; cure: `g2k doctor`/,
  ],
  ['dead-letters show', {}, 2, /^g2k: show takes one dead letter/],
  ['certificates list', {}, 1, /\n {2}ENCRYPTION_KEYS is required$/],
];

describe('a command that cannot be done', () => {
  it.each(ROWS)('%s with %j ends with %i and says why', async (words, settings, code, line) => {
    const { environment, users, wantCalendars } = await subscriptionCommands();
    await wantCalendars(users.slice(0, 1));
    const ran = await g2k(words.split(' '), { ...environment, ...settings });
    expect(ran).toMatchObject({ code, out: '' });
    expect(ran.err).toMatch(line);
    expect(ran.err).not.toMatch(/\n\s+at |PLANTED/);
  });

  it('names the permission’s cure where Graph gives no consent', async () => {
    const { run, simulator, users, wantCalendars } = await subscriptionCommands();
    await wantCalendars(users);
    simulator.faults.add({ on: 'consent', resource: 'events' });
    const { code, err } = await run(
      `create --resource users/${users[0]}/events --change-type created --expires 1h`,
    );
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(
        /^g2k: the app may not read this: .*; cure: grant the permission that `g2k doctor`/,
      ),
    ]);
  });

  it('says what a Redis that refuses says', async () => {
    const { run, redis, names, users, wantCalendars } = await subscriptionCommands();
    await wantCalendars(users);
    await redis.set(`${names.prefix}:subscriptions`, 'not a hash');
    const { code, err } = await run('list');
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^g2k: Redis refuses: WRONGTYPE.*; cure: `g2k doctor`/),
    ]);
  });

  it('of a mistake of ours tells the place, and no text that could hold a secret', async () => {
    const { run, redis, names, users, wantCalendars } = await subscriptionCommands();
    await wantCalendars(users);
    await redis.hset(`${names.prefix}:subscriptions`, 'id', '{PLANTED');
    const { code, err } = await run('list');
    expect([code, err]).toEqual([
      1,
      expect.stringMatching(/^g2k: a mistake of ours: SyntaxError at [\w.-]+:\d+:\d+; report it/),
    ]);
    expect(err).not.toContain('PLANTED');
  });
});
