/** What people see of commands on subscriptions: in a terminal of 80 or 120 columns, in a pipe, without colours. */
import { randomUUID } from 'node:crypto';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { rowLines } from '../../../src/cli/subscriptions/row-lines.ts';
import type { FleetRow } from '../../../src/listing/fleet-rows.ts';
import { commandProcess, hasTerminal } from '../../support/command-process.ts';
import { subscriptionCommands } from '../../support/subscription-commands.ts';

const NOW = Date.UTC(2026, 10, 23, 12);
const ID = '622eaaff-0683-4862-9de4-f2ec83c2bd98';
const ESCAPE = '\u001b[';

const serving: FleetRow = {
  ...{ state: 'serving', wish: `calendars/${ID}`, tenant: 'own', resource: 'r', subscription: ID },
  expires: '2026-11-24T12:00:00Z',
};
const failing: FleetRow = {
  ...{ state: 'failing', wish: `calendars/${ID}`, tenant: 'own', resource: 'r' },
  ...{ reason: 'handshake', detail: 'no\u001b[2J answer', nextTry: '2026-11-23T12:10:00Z' },
};
const look = { now: NOW, names: new Map([['own', '-']]), coloured: false };

describe('the table of subscriptions', () => {
  it('has ids and reasons where there is room for them', () => {
    expect(rowLines([serving, failing], { ...look, columns: 160 })).toEqual([
      `STATE    WISH${' '.repeat(44)}EXPIRES  SUBSCRIPTION${' '.repeat(26)}WHY`,
      `serving  calendars/${ID}  in 1 d   ${ID}`,
      `failing  calendars/${ID}  -        -${' '.repeat(37)}handshake: no\ufffd[2J answer; next try in 10 min`,
    ]);
  });

  it('leaves the ids out where there is none, and gives a reason its own line', () => {
    expect(rowLines([serving, failing], { ...look, columns: 80 })).toEqual([
      `STATE    WISH${' '.repeat(44)}EXPIRES`,
      `serving  calendars/${ID}  in 1 d`,
      `failing  calendars/${ID}  -`,
      '  handshake: no\ufffd[2J answer; next try in 10 min',
    ]);
  });

  it('names the tenant where there are several', () => {
    const other = { ...serving, tenant: 'theirs' };
    const lines = rowLines([serving, other], {
      ...look,
      names: new Map([...look.names, ['theirs', 'contoso']]),
    });
    expect(lines.map((line) => line.slice(0, 28))).toEqual([
      'STATE    TENANT   WISH'.padEnd(28),
      'serving  -        calendars/',
      'serving  contoso  calendars/',
    ]);
  });

  it('shows the state in colour, and lines no wider for that', () => {
    const [, line] = rowLines([serving], { ...look, coloured: true, columns: 160 });
    expect(line?.startsWith(`${ESCAPE}32mserving${ESCAPE}39m  calendars/`)).toBe(true);
  });
});

describe('a command in a pipe', () => {
  it('ends quietly when nobody reads on, however many lines there are', async () => {
    const { environment, want, simulator } = await subscriptionCommands();
    const users = Array.from({ length: 3000 }, () => randomUUID());
    await want(
      `subscriptions:\n  - { name: c, resource: "users/{user}/events", users: [${users.join(', ')}] }\n`,
    );
    const { shell } = await commandProcess(environment, simulator.caCertificate);
    const listed = await shell('g2k list | head -2');
    expect(listed).toMatchObject({ code: 0, out: expect.stringMatching(/^STATE .*\nwaiting .*\n$/) });
    expect(listed.err).not.toMatch(/EPIPE|\n\s+at /);
    const planned = await shell('g2k plan --json | head -1');
    expect(planned.out).toMatch(/^\{"change":"create",.*\}\n$/);
    expect(planned.err).not.toMatch(/EPIPE|\n\s+at /);
    expect((await shell('g2k list')).out.split('\n')).toHaveLength(3002);
  }, 60_000);
});

describe.skipIf(!hasTerminal)('a command in a terminal', () => {
  it('has colours, lines that fit, a question and a bar', async () => {
    const { environment, users, wantCalendars, simulator, atGraph } = await subscriptionCommands();
    await wantCalendars(users);
    const { terminal } = await commandProcess(environment, simulator.caCertificate);
    const planned = await terminal('g2k plan', 80);
    expect(planned.out).toContain(`${ESCAPE}32m  + create  ${ESCAPE}39m  calendars/${users[0]}`);
    expect(planned.code).toBe(2);
    expect((await terminal('g2k plan', 80, { NO_COLOR: '1' })).out).not.toContain(`${ESCAPE}32m`);
    expect((await terminal('g2k plan', 80, { TERM: 'dumb' })).out).not.toContain(`${ESCAPE}32m`);
    const applied = await terminal('g2k apply', 80, { input: 'y\\n' });
    for (const part of ['Do this? [y/N]', '[------------------------] 0 of 3', 'Done: 3 created'])
      expect(applied.out).toContain(part);
    expect([applied.code, atGraph().length]).toEqual([0, 3]);
    const narrow = stripVTControlCharacters((await terminal('g2k list', 80)).out).split('\r\n');
    expect(narrow.filter((line) => line.length > 80)).toEqual([]);
    expect(narrow.join()).not.toContain('SUBSCRIPTION');
    expect((await terminal('g2k list', 120)).out).toContain('SUBSCRIPTION');
  }, 60_000);
});
