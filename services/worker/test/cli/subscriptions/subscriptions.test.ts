/** `g2k plan | apply | list | show | renew | delete | create | export` against simulated Graph and Redis. */
import { randomUUID } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it } from 'vitest';
import { parseSubscriptionsFile } from '../../../src/declaration/read-declaration.ts';
import { addKey } from '../../support/encryption-keys.ts';
import { subscriptionCommands } from '../../support/subscription-commands.ts';

const HOUR = 3_600_000;

describe('plan and apply', () => {
  it('say what is to be made, make it, and then have nothing to do', async () => {
    const { run, users, wantCalendars, settled, atGraph } = await subscriptionCommands();
    await wantCalendars(users.slice(0, 2));
    const planned = await run('plan');
    expect(settled(planned.out).toSorted()).toEqual([
      '  + create    calendars/user-1',
      '  + create    calendars/user-2',
      '2 wanted: 2 to create.',
    ]);
    expect([planned.code, planned.err, atGraph()]).toEqual([2, '', []]);

    const applied = await run('apply', { answer: 'y' });
    expect(settled(applied.out).at(-1)).toBe('Done: 2 created, 0 renewed, 0 adopted, 0 deleted.');
    expect([applied.code, atGraph().length]).toEqual([0, 2]);

    const again = await run('plan');
    expect([again.code, again.out]).toEqual([0, '2 wanted: nothing to do.']);
    const nothing = await run('apply', { answer: 'y' });
    expect([nothing.code, nothing.out, nothing.err]).toEqual([0, '2 wanted: nothing to do.', '']);
  });

  it('name what differs: made anew, no longer wanted, gone at Graph, only shown otherwise', async () => {
    const { run, users, wantCalendars, settled, atGraph, simulator } = await subscriptionCommands();
    await wantCalendars(users);
    await run('apply --yes');
    await wantCalendars(users.slice(1), '    topic: other\n');
    const gone = atGraph().find(({ resource }) => resource.includes(users[2] ?? ''));
    simulator.subscriptions.remove(gone?.id ?? '', 'removed');
    // Whatever was made in the same second as the list was begun is not judged by it.
    const out = await eventually(async () => {
      const planned = (await run('plan --json')).out;
      expect(planned).toContain('gone at Graph');
      return planned;
    });
    const changes = out
      .split('\n')
      .map((line) => JSON.parse(line) as { wish: string; change: string; why: string });
    expect(
      changes.map(({ change, wish, why }) => settled(`${change} ${wish}: ${why}`)[0]).toSorted(),
    ).toEqual([
      'delete calendars/user-1: not wanted any more',
      'recreate calendars/user-2: topic graph.events → other',
      'recreate calendars/user-3: it is gone at Graph, or its secret was taken away',
    ]);
    expect(out).not.toContain('PLANTED');
    const applied = await run('apply --yes');
    expect([applied.code, atGraph().length]).toEqual([0, 2]);
    await wantCalendars(users.slice(1), '    topic: other\n    select: [subject]\n');
    expect(settled((await run('plan')).out)).toContain(
      '  ~ amend     calendars/user-2; records show subject; Graph is not told',
    );
  });

  it('does nothing where nobody says yes, and refuses where nobody can be asked', async () => {
    const { run, users, wantCalendars, atGraph } = await subscriptionCommands();
    await wantCalendars(users);
    const declined = await run('apply', { answer: 'n' });
    expect([declined.code, declined.err.split('\n').at(-1), atGraph()]).toEqual([1, 'nothing was done', []]);
    const alone = await run('apply');
    expect([alone.code, alone.err]).toEqual([
      2,
      'g2k: nobody can be asked here: --yes does it\n`g2k apply --help` says more',
    ]);
  });

  it('name the reason of what cannot be made, and end with 1', async () => {
    const { run, users, wantCalendars, settled, endpoint } = await subscriptionCommands();
    await wantCalendars(users.slice(0, 1));
    endpoint.break(true);
    const { code, err } = await run('apply --yes');
    expect(code).toBe(1);
    expect(settled(err).at(-1)).toMatch(
      /^not done: create calendars\/user-1: handshake: .*; next try in SPAN$/,
    );
    const listed = await run('list --state failing');
    expect(listed.out).toContain('handshake: ');
    endpoint.break(false);
    expect((await run('apply --yes')).code).toBe(0);
    expect((await run('list --state failing')).code).toBe(1);
  });
});

describe('list and show', () => {
  it('show what serves, what waits, and how long; by user, state and expiry', async () => {
    const { run, users, wantCalendars, settled } = await subscriptionCommands();
    await wantCalendars(users.slice(0, 1));
    await run('apply --yes');
    await wantCalendars(users.slice(0, 2));
    const { code, out, err } = await run('list');
    const [head, ...rows] = settled(out).map((line) => line.replaceAll(/ {2,}/g, '  '));
    expect([head, ...rows.toSorted()]).toEqual([
      'STATE  WISH  EXPIRES  SUBSCRIPTION  WHY',
      'serving  calendars/user-1  in SPAN  ID',
      'waiting  calendars/user-2  -  -',
    ]);
    expect([code, err]).toEqual([0, '1 serving, 1 waiting']);
    const ofUser = await run(`list --json --user ${users[1]?.toUpperCase()}`);
    expect(ofUser.out.split('\n').map((line) => (JSON.parse(line) as { state: string }).state)).toEqual([
      'waiting',
    ]);
    expect((await run('list --expires-within 1h')).err).toBe('none of 2 matches');
    expect((await run('list --expires-within 30d')).code).toBe(0);
    const stranger = await run('list --user somebody@contoso.com');
    expect([stranger.code, stranger.err]).toEqual([
      1,
      'g2k: --user: nobody was looked up by the name "somebody@contoso.com"; write the object id (Entra: "Object ID")',
    ]);
  });

  it('show all of one, by wish or id, without what proves its notifications', async () => {
    const { run, users, wantCalendars, settled, redis, names, atGraph, simulator } =
      await subscriptionCommands();
    await wantCalendars(users.slice(0, 1));
    await run('apply --yes');
    const [made] = atGraph();
    await run(`renew ${made?.id}`);
    const { code, out } = await run(`show calendars/${users[0]}`);
    expect(settled(out).map((line) => line.replace(simulator.tenantId, 'TENANT'))).toEqual([
      'wish          calendars/user-1',
      'state         serving',
      'wanted        yes',
      'tenant        ID',
      'resource      users/user-1/events',
      'changes       created,updated,deleted',
      'topic         graph.events',
      'life          6 d 23 h',
      'next look     TIME (in SPAN )',
      '',
      'subscription  ID',
      '  resource    users/user-1/events',
      '  changes     created,updated,deleted',
      expect.stringMatching(/^ {2}made {8}TIME/),
      expect.stringMatching(/^ {2}renewed {5}TIME/),
      '  expires     TIME (in SPAN )',
    ]);
    expect(code).toBe(0);
    const json = (await run(`show ${made?.id} --json`)).out;
    const stored = JSON.parse((await redis.hget(`${names.prefix}:subscriptions`, made?.id ?? '')) ?? '') as {
      nonce: string;
      secret: string;
    };
    expect(stored.nonce).toMatch(/^[\w-]{22}$/);
    for (const secret of [stored.nonce, stored.secret, 'PLANTED']) expect(out + json).not.toContain(secret);
    expect(JSON.parse(json)).toMatchObject({ subscriptions: [{ id: made?.id }] });
    const unknown = await run('show nothing/here');
    expect([unknown.code, unknown.err]).toEqual([
      1,
      'g2k: there is no wish and no subscription "nothing/here"; `g2k list` names them, `g2k export` what else Graph has',
    ]);
  });
});

describe('renew and delete', () => {
  it('prolong what is named or ends soon, and say what is gone', async () => {
    const { run, users, wantCalendars, atGraph, simulator, settled } = await subscriptionCommands();
    await wantCalendars(users.slice(0, 2), '    lifeMinutes: 60\n');
    await run('apply --yes');
    await wantCalendars(users.slice(0, 2), '    lifeMinutes: 120\n');
    const before = Math.min(...atGraph().map(({ expiresAtMs }) => expiresAtMs));
    const renewed = await run('renew --all-expiring-within 2h');
    expect([renewed.code, renewed.out.split('\n').length]).toEqual([0, 2]);
    expect(Math.min(...atGraph().map(({ expiresAtMs }) => expiresAtMs))).toBeGreaterThan(before + HOUR / 2);
    expect((await run('renew --all-expiring-within 1m')).err).toBe(
      'nothing that lives ends within that time',
    );
    const [gone] = atGraph();
    simulator.subscriptions.remove(gone?.id ?? '', 'removed');
    const failed = await run(`renew ${gone?.id}`);
    expect([failed.code, settled(failed.err)[0]]).toEqual([
      1,
      expect.stringMatching(
        /^calendars\/user-\d \(ID\): not renewed: it is gone at Graph; `g2k apply` makes it anew$/,
      ),
    ]);
  });

  it('delete what is named after a yes, and remember it for what is on its way', async () => {
    const { run, users, wantCalendars, atGraph, settled } = await subscriptionCommands();
    await wantCalendars(users.slice(0, 1));
    await run('apply --yes');
    const wish = `calendars/${users[0]}`;
    const declined = await run(`delete ${wish}`, { answer: '' });
    expect([declined.code, atGraph().length]).toEqual([1, 1]);
    const { code, out, err } = await run(`delete ${wish}`, { answer: 'yes' });
    expect([code, settled(out), atGraph()]).toEqual([0, ['calendars/user-1 (ID): deleted'], []]);
    expect(err).toContain('What is still wanted is made anew by a worker');
    expect((await run('list --state replaced')).code).toBe(0);
    expect((await run(`delete ${wish} --yes`)).err).toBe(
      'there is nothing to delete: what was named has no subscription',
    );
  });
});

describe('create', () => {
  it('makes one as it is asked for, which is neither planned away, nor swept, nor renewed', async () => {
    const { run, users, wantCalendars, atGraph, settled } = await subscriptionCommands();
    await wantCalendars(users.slice(0, 1));
    const words = `create --resource /users/${users[1]}/events --change-type created,updated,deleted --expires 1h`;
    const { code, out } = await run(`${words} --tls v1_3`);
    expect([code, settled(out)]).toEqual([0, ['Made ID for users/user-2/events; it ends TIME (in SPAN ).']]);
    const [made] = atGraph();
    expect(made).toMatchObject({
      resource: `users/${users[1]}/events`,
      changeType: 'created,updated,deleted',
      latestSupportedTlsVersion: 'v1_3',
      clientState: expect.stringMatching(/^v1\.[\w-]{22}\.[\w-]{43}$/),
    });
    await run('apply --yes');
    expect(atGraph().map(({ id }) => id)).toContain(made?.id);
    expect((await run('list --state by-hand')).out).toContain(made?.id);
    expect((await run('plan')).code).toBe(0);
    expect((await run(`renew ${made?.id}`)).code).toBe(0);
    expect(atGraph().find(({ id }) => id === made?.id)?.expiresAtMs).toBeGreaterThan(Date.now() + 2 * HOUR);
    expect((await run('list --state by-hand')).code).toBe(0);
    expect((await run(`delete ${made?.id} --yes`)).code).toBe(0);
    expect(atGraph()).toHaveLength(1);
    expect((await run('list --state by-hand')).code).toBe(1);
  });

  it('with --keep is a wish that is kept until it is deleted', async () => {
    const { run, users, wantCalendars, atGraph } = await subscriptionCommands();
    await wantCalendars(users.slice(0, 1));
    const words = `create --resource users/${users[1]}/messages?$filter=isRead%20eq%20false --change-type created --expires 2h --keep`;
    const noted = await run(`${words} --json`);
    const { wish } = JSON.parse(noted.out) as { wish: string };
    expect([noted.code, atGraph()]).toEqual([0, []]);
    expect((await run('plan')).out).toContain(`+ create    ${wish}`);
    expect((await run('apply --yes')).code).toBe(0);
    expect((await run('plan')).code).toBe(0);
    const made = atGraph().find(({ resource }) => resource.includes('messages'));
    expect(made?.resource).toContain('isRead');
    expect((await run(`delete ${made?.id} --yes`)).out).toContain(`${wish}: not wanted any more`);
    expect([(await run('plan')).code, atGraph().length]).toEqual([0, 1]);
    const refused = await run(`${words} --client-state x`);
    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringContaining('--keep and --client-state exclude'),
    ]);
    const long = await run(
      `create --resource users/${users[1]}/events --change-type created --expires 30d --keep`,
    );
    expect([long.code, long.err]).toEqual([1, expect.stringContaining('lifeMinutes: Graph lets it live')]);
  });

  it('takes a clientState and an address of others, and keeps the former to itself', async () => {
    const { run, users, want, atGraph, endpoint, redis, names } = await subscriptionCommands();
    await want('subscriptions: [{ name: people, resource: users }]');
    const { code, out, err } = await run(
      `create --resource users/${users[0]}/messages --change-type created --expires 2h --json --client-state PLANTED-state --notification-url ${endpoint.url}?mine`,
    );
    expect([code, err]).toEqual([0, '']);
    expect(atGraph()[0]).toMatchObject({
      clientState: 'PLANTED-state',
      notificationUrl: `${endpoint.url}?mine`,
    });
    const stored = await redis.hgetall(`${names.prefix}:subscriptions`);
    expect(out + JSON.stringify(stored)).not.toContain('PLANTED');
    expect(JSON.parse(out)).toMatchObject({ id: atGraph()[0]?.id });
  });

  it('says in one line why Graph refuses it', async () => {
    const { run, users, want, endpoint } = await subscriptionCommands();
    await want('subscriptions: [{ name: people, resource: users }]');
    endpoint.break(true);
    const { code, err } = await run(
      `create --resource users/${users[0]}/events --change-type created --expires 1h`,
    );
    expect([code, err.split('\n').length]).toEqual([1, 1]);
    expect(err).toMatch(/^g2k: Graph did not reach NOTIFICATION_URL.*: rejected .*; cure: /);
    const nonsense = await run('create --resource users/x/nonsense --change-type created --expires 1h');
    expect([nonsense.code, nonsense.err]).toEqual([1, expect.stringMatching(/^g2k: --resource: /)]);
  });
});

describe('export', () => {
  it("prints Graph's subscriptions as a file that wants the same", async () => {
    const { run, users, want, wantCalendars, atGraph, simulator, settled, dir } =
      await subscriptionCommands();
    await wantCalendars(users);
    await run('apply --yes');
    await run(
      `create --resource users/${users[0]}/messages --change-type created --expires 2h --client-state x`,
    );
    const { code, out, err } = await run('export');
    expect([code, err]).toEqual([0, '4 subscriptions in 2 entries']);
    expect(settled(out).filter((line) => !line.startsWith('#'))).toEqual([
      'subscriptions:',
      '  - name: events',
      '    resource: users/{user}/events',
      '    users:',
      ...users.toSorted().map((id) => `      - ${settled(id)[0]}`),
      '    changeTypes:',
      ...['created', 'deleted', 'updated'].map((type) => `      - ${type}`),
      '  # One of these has a clientState that is not ours: Graph refuses ours until it is deleted or has ended.',
      '  - name: messages',
      '    resource: users/{user}/messages',
      '    users:',
      '      - user-1',
      '    changeTypes:',
      '      - created',
    ]);
    const parsed = parseSubscriptionsFile(out, dir, { tenantId: simulator.tenantId, topic: 't' });
    expect(parsed.samples).toHaveLength(atGraph().length);
    await want('subscriptions: [{ name: people, resource: users }]');
    expect((await run('export')).out).toBe(out);
  });
});

describe('every command on subscriptions', () => {
  it('says in one line what is not set, not there, or wrong in the file', async () => {
    const { run, want, environment } = await subscriptionCommands();
    const missing = await run('list');
    expect([missing.code, missing.err]).toEqual([1, expect.stringContaining('cannot be read (ENOENT)')]);
    await want('subscriptions: [{ name: people, resource: nonsense }]');
    expect((await run('plan')).err).toMatch(/subscriptions\.yaml:1:\d+: people\.resource: /);
    delete environment.SUBSCRIPTIONS_FILE;
    const unset = await run('plan');
    expect([unset.code, unset.err]).toEqual([1, expect.stringContaining('SUBSCRIPTIONS_FILE: is not set')]);
    const empty = await run('list');
    expect([empty.code, empty.err]).toEqual([1, 'no subscription is known here']);
    environment.AZURE_CLIENT_SECRET = 'PLANTED-wrong';
    const refused = await run('export');
    expect([refused.code, refused.err.split('\n').length]).toEqual([1, 1]);
    expect(refused.err).not.toContain('PLANTED');
  });
});

describe('several tenants, and rich subscriptions', () => {
  it('are planned, made, listed and shown each with its own', async () => {
    const contoso = { tenantId: randomUUID(), clientId: randomUUID(), clientSecret: 'PLANTED-of-contoso' };
    const { run, want, users, dir, environment, simulator, atGraph } = await subscriptionCommands({
      tenants: [{ tenantId: contoso.tenantId, users: 1, applications: [contoso] }],
    });
    const keys = join(dir, 'keys');
    await mkdir(keys);
    await addKey(keys, 'key-1');
    environment.ENCRYPTION_KEYS = `file:${keys}/`;
    await writeFile(join(dir, 'contoso'), contoso.clientSecret);
    await want(`tenants:
  - { name: contoso, id: ${contoso.tenantId}, clientId: ${contoso.clientId}, clientSecret: "file:${dir}/contoso" }
subscriptions:
  - { name: mail, resource: "users/{user}/messages", users: [${users[0]}], rich: true, select: [subject] }
  - { name: people, tenant: contoso, resource: users, topic: "{tenant}.people" }
`);
    const planned = await run('plan --json');
    const changes = planned.out
      .split('\n')
      .map((line) => JSON.parse(line) as { wish: string; tenant: string });
    expect(changes.map(({ wish, tenant }) => [wish, tenant]).toSorted()).toEqual([
      [`mail/${users[0]}`, simulator.tenantId],
      ['people', contoso.tenantId],
    ]);
    expect((await run('apply --yes')).out.split('\n').at(-1)).toMatch(/^Done: 2 created/);
    expect(atGraph()).toHaveLength(2);
    const listed = await run('list');
    expect(listed.out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 3))).toEqual([
      ['STATE', 'TENANT', 'WISH'],
      ['serving', '-', `mail/${users[0]}`],
      ['serving', 'contoso', 'people'],
    ]);
    expect((await run('list --tenant contoso')).err).toBe('1 serving');
    expect((await run(`list --tenant ${contoso.tenantId.toUpperCase()}`)).err).toBe('1 serving');
    const rich = (await run(`show mail/${users[0]}`)).out;
    for (const line of [
      /^rich {10}yes$/m,
      /^select {8}subject$/m,
      /^ {2}certificate {1,}key-1$/m,
      /^life {10}23 h 50 min$/m,
    ])
      expect(rich).toMatch(line);
    expect((await run('show people')).out).toContain(`${contoso.tenantId}.people`);
    expect(await run('plan')).toMatchObject({ code: 0, out: '2 wanted: nothing to do.' });
    const exported = await run('export');
    expect(exported.out).toContain('name: contoso');
    expect(exported.out).not.toContain('PLANTED');
    // What is rich no more is made anew; a renewal is for as long as it is wanted.
    expect((await run(`renew mail/${users[0]} people`)).code).toBe(0);
    await want(`subscriptions:
  - { name: mail, resource: "users/{user}/messages", users: [${users[0]}] }
`);
    expect((await run('plan')).out).toContain(`-/+ recreate  mail/${users[0]}; rich yes → no`);
  });
});

describe('another NOTIFICATION_URL', () => {
  it('is planned for each living subscription, and carried into it', async () => {
    const { run, wantCalendars, users, environment, endpoint, atGraph } = await subscriptionCommands();
    await wantCalendars(users.slice(0, 1));
    await run('apply --yes');
    environment.NOTIFICATION_URL = `${endpoint.url}?moved`;
    // Whatever was made in the same second as the list was begun is not judged by it.
    const planned = await eventually(async () => {
      const ran = await run('plan');
      expect(ran.code).toBe(2);
      return ran;
    });
    expect(planned.out).toContain(
      `~ renew     calendars/${users[0]}; it notifies another address than NOTIFICATION_URL`,
    );
    expect((await run('apply --yes')).code).toBe(0);
    expect(atGraph().map(({ notificationUrl }) => notificationUrl)).toEqual([environment.NOTIFICATION_URL]);
  });
});
