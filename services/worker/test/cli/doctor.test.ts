/** `g2k doctor`: its lines, its exit codes, and that it shows no secret. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GraphSimulatorOptions } from '@graph2kafka/graph-simulator';
import { freePort, RedisServer } from '@graph2kafka/test-harness';
import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { countsOf, lineOf } from '../../src/cli/doctor-lines.ts';
import { runCommand } from '../../src/cli/run-command.ts';
import { isColoured } from '../../src/cli/terminal.ts';
import { echo, serve } from '../doctor/https-stand-ins.ts';
import { g2k } from '../support/dead-letters.ts';
import { ownTopic } from '../support/own-topic.ts';
import { simulateGraph } from '../support/simulated-graph.ts';

/** A deployment of which all is there, as far as one machine has it. */
async function deployment(options: GraphSimulatorOptions = {}): Promise<Record<string, string>> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-doctor-'));
  const redis = await RedisServer.start({ dir: join(dir, 'redis'), maxmemory: '100mb' });
  onTestFinished(async () => {
    await redis.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const { simulator, user } = await simulateGraph({ clientSecret: 'PLANTED-client-secret', ...options });
  const receiver = await serve(undefined, echo);
  await writeFile(join(dir, 'subscriptions.yaml'), wants(`users/${user}/events`));
  await writeFile(join(dir, 'secret'), 'PLANTED-client-secret\n');
  return {
    REDIS_URL: redis.url,
    CLIENT_STATE_SECRETS: 'PLANTED-client-state-secret',
    AZURE_TENANT_ID: simulator.tenantId,
    AZURE_CLIENT_ID: simulator.clientId,
    AZURE_CLIENT_SECRET: `file:${join(dir, 'secret')}`,
    AZURE_AUTHORITY_HOST: simulator.url,
    GRAPH_URL: simulator.url,
    SUBSCRIPTIONS_FILE: join(dir, 'subscriptions.yaml'),
    NOTIFICATION_URL: `${receiver}/events`,
    LIFECYCLE_NOTIFICATION_URL: `${receiver}/lifecycle`,
    KAFKA_BROKERS: inject('kafkaBrokers'),
    KAFKA_TOPIC: await ownTopic(3),
    KAFKA_DEAD_LETTER_TOPIC: await ownTopic(),
  };
}

const wants = (resource: string) => `subscriptions:\n  - name: calendar\n    resource: ${resource}\n`;

/** What differs from run to run. */
function settled(text: string, names: Readonly<Record<string, string>>): string[] {
  let plain = text;
  for (const [name, value] of Object.entries(names)) plain = plain.replaceAll(value, name);
  return plain
    .replaceAll(/(127\.0\.0\.1|localhost):\d+/g, '$1:PORT')
    .replaceAll(/\b[\d.]+ ms\b/g, 'N ms')
    .replaceAll(/\b\d+ MB of 100/g, 'N MB of 100')
    .replaceAll(/Redis \d+\.\d+\.\d+/g, 'Redis N')
    .replaceAll(/is \d s off/g, 'is 0 s off')
    .split('\n')
    .filter((line) => !line.includes('the slowest of 50 pings'));
}

describe('the doctor', () => {
  it('has a line for each thing that it looked at, and ends with 0 where there are warnings alone', async () => {
    const environment = await deployment();
    const {
      AZURE_TENANT_ID = '',
      AZURE_CLIENT_ID = '',
      KAFKA_TOPIC = '',
      KAFKA_DEAD_LETTER_TOPIC = '',
    } = environment;
    const { code, out, err } = await g2k(['doctor'], environment);
    const names = {
      RECORDS: KAFKA_TOPIC,
      LETTERS: KAFKA_DEAD_LETTER_TOPIC,
      TENANT: AZURE_TENANT_ID,
      APP: AZURE_CLIENT_ID,
    };
    expect(settled(out, names)).toEqual([
      'ok       settings       all are as the worker takes them; 1 secret kept elsewhere and read: AZURE_CLIENT_SECRET',
      'ok       subscriptions  1 subscription wanted (1 event) of 1 mailbox, at most 1 of the 1,000 of one; Graph lets that many be made in 1 s',
      'ok       sign-in        app APP signs in to tenant TENANT; the token lasts 60 minutes',
      "ok       sign-in        this login is none of Microsoft's, and its token names no permissions",
      'ok       graph          127.0.0.1:PORT answers in N ms; its clock is 0 s off ours',
      'ok       public-url     NOTIFICATION_URL is plain http, which only a simulator takes',
      'ok       public-url     localhost:PORT/events answers the handshake in N ms',
      'ok       public-url     LIFECYCLE_NOTIFICATION_URL is plain http, which only a simulator takes',
      'ok       public-url     localhost:PORT/lifecycle answers the handshake in N ms',
      'ok       redis          Redis N at 127.0.0.1:PORT without TLS, REDIS_DURABILITY=strict, N MB of 100 MB used; 99 % of 50 pings within N ms',
      'ok       kafka          127.0.0.1:PORT answers: 1 broker, PLAINTEXT',
      'ok       kafka          2 topics: RECORDS (3 partitions, 1 replica, min.insync.replicas 1, 1,048,588 bytes, delete), LETTERS (1 partition, 1 replica, min.insync.replicas 1, 1,048,588 bytes, delete)',
      'warning  kafka          one replica alone for RECORDS, LETTERS: what is on a broker that is lost is lost; cure: give it three replicas (kafka-reassign-partitions) and min.insync.replicas=2',
    ]);
    // One more where a ping was slow.
    const warnings = out.split('\n').filter((line) => line.startsWith('warning')).length;
    expect([code, err]).toEqual([0, `0 errors, ${warnings === 1 ? '1 warning' : `${warnings} warnings`}`]);
    expect(out).not.toContain('PLANTED');
  });

  it('goes on where things are wrong, says what and the cure of each, and ends with 1', async () => {
    const environment = await deployment();
    const nowhere = `127.0.0.1:${await freePort()}`;
    await writeFile(environment.SUBSCRIPTIONS_FILE ?? '', wants('users/me/event'));
    const { code, out, err } = await g2k(['doctor'], {
      ...environment,
      AZURE_CLIENT_SECRET: 'PLANTED-wrong-secret',
      NOTIFICATION_URL: `http://${nowhere}/event`,
      LIFECYCLE_NOTIFICATION_URL: '',
      REDIS_URL: `redis://:PLANTED-password@${nowhere}`,
      KAFKA_TOPIC: 'nobody-made-this',
      ADMIN_PORT: 'PLANTED',
    });
    const problems = settled(out, {}).filter((line) => !line.startsWith('ok'));
    expect(problems.map((line) => line.replace(/; cure: .+/, ' …'))).toEqual([
      'error    settings       ADMIN_PORT: must be a whole number from 0 to 65535, or off …',
      'warning  settings       LIFECYCLE_NOTIFICATION_URL is not set: Graph cannot say that it missed or removed something …',
      expect.stringMatching(/^error {4}subscriptions {2}.*subscriptions\.yaml:3: calendar\.resource: .* …$/),
      expect.stringMatching(
        /^error {4}sign-in {8}no token for app .*: the client secret is wrong \(AADSTS7000215\) …$/,
      ),
      'warning  public-url     the path of NOTIFICATION_URL is /event, and the receiver listens on /events …',
      'error    public-url     127.0.0.1:PORT/event refuses connections (ECONNREFUSED) …',
      'error    redis          Redis: 127.0.0.1:PORT refuses connections (ECONNREFUSED) …',
      'error    kafka          Kafka has no topic nobody-made-this …',
      expect.stringMatching(/^warning {2}kafka {10}one replica alone for /),
    ]);
    expect([code, err]).toEqual([1, '6 errors, 3 warnings']);
    expect(out + err).not.toContain('PLANTED');
  });

  it('names every setting that is missing, and what it could therefore not look at', async () => {
    const { code, out } = await g2k(['doctor'], {});
    expect(out.split('\n')).toEqual([
      ...['REDIS_URL', 'CLIENT_STATE_SECRETS', 'AZURE_TENANT_ID', 'AZURE_CLIENT_ID', 'KAFKA_BROKERS'].map(
        (name) =>
          `error    settings       ${name} is required; cure: correct it in the environment of the worker (docs/operations.md, Settings)`,
      ),
      ...['subscriptions', 'sign-in      ', 'graph        '].map(notLooked),
      'ok       public-url     NOTIFICATION_URL is not set',
      ...['redis        ', 'kafka        '].map(notLooked),
    ]);
    expect(code).toBe(1);
  });

  it('signs in to each tenant by itself, and says of whom Graph has to be asked', async () => {
    const [there, elsewhere, app] = [randomUUID(), randomUUID(), randomUUID()];
    const applications = [{ clientId: app, clientSecret: 'PLANTED-of-contoso' }];
    const environment = await deployment({ tenants: [{ tenantId: there, applications }] });
    const file = environment.SUBSCRIPTIONS_FILE ?? '';
    await writeFile(`${file}.contoso`, 'PLANTED-of-contoso');
    await writeFile(
      file,
      [
        'tenants:',
        `  - { name: contoso, id: ${there}, clientId: ${app}, clientSecret: "file:${file}.contoso" }`,
        `  - { name: fabrikam, id: ${elsewhere}, clientId: ${app}, clientSecret: "file:${file}.fabrikam" }`,
        'subscriptions:',
        `  - { name: staff, tenant: contoso, resource: "users/{user}/events", group: ${randomUUID()} }`,
        '',
      ].join('\n'),
    );
    const { code, out } = await g2k(['doctor'], environment);
    const lines = settled(out, { CONTOSO: there, APP: app });
    expect(lines.filter((line) => /settings|subscriptions {2}|sign-in.*token/.test(line))).toEqual([
      expect.stringMatching(
        /^error {4}settings {7}tenants\.fabrikam\.clientSecret: file:.*\.fabrikam .*; cure: /,
      ),
      'ok       subscriptions  for staff Graph says whose, one for each: not counted here',
      expect.stringMatching(/^ok {7}sign-in {8}app .* signs in to tenant .{36}; the token lasts 60 minutes$/),
      expect.stringContaining('names no permissions'),
      'ok       sign-in        app APP signs in to tenant contoso; the token lasts 60 minutes',
      expect.stringContaining('names no permissions'),
    ]);
    expect(code).toBe(1);
    expect(out).not.toContain('PLANTED');
  });

  it('has a JSON object a line for scripts', async () => {
    const { code, out, err } = await g2k(['doctor', '--json'], {});
    expect(out.split('\n').map((line) => JSON.parse(line))[0]).toEqual({
      check: 'settings',
      level: 'error',
      found: 'REDIS_URL is required',
      cure: expect.any(String),
    });
    expect([code, err]).toEqual([1, '']);
  });
});

const notLooked = (check: string) =>
  `warning  ${check}  not looked at: a setting that it takes is wrong; cure: correct the settings first`;

describe('a line', () => {
  const wrong = { check: 'kafka', level: 'error', found: 'no \u001b[2Jbroker', cure: 'start\none' } as const;

  it('is one line, whatever others have put into it', () => {
    expect(lineOf(wrong, false)).toBe('error    kafka          no \ufffd[2Jbroker; cure: start\ufffdone');
  });

  it('is coloured where that is wanted: the level alone', () => {
    expect(lineOf(wrong, true).startsWith('\u001b[31merror  \u001b[39m  kafka')).toBe(true);
    expect(lineOf({ check: 'redis', level: 'ok', found: 'x' }, true)).toContain('\u001b[32mok');
  });

  it('is coloured on a terminal, and not in a pipe, with NO_COLOR, or on a terminal without colours', async () => {
    const shown = { showsResult: true };
    expect(isColoured(shown, {})).toBe(true);
    expect(isColoured({}, {})).toBe(false);
    expect(isColoured(shown, { NO_COLOR: '1' })).toBe(false);
    expect(isColoured(shown, { TERM: 'dumb' })).toBe(false);
    const out: string[] = [];
    const terminal = {
      ...shown,
      out: (line: string) => void out.push(line),
      err: () => undefined,
      isInteractive: false,
    };
    await runCommand(['doctor'], {
      environment: {},
      now: Date.now,
      terminal: { ...terminal, ask: async () => '' },
    });
    expect(out[0]).toContain('\u001b[31merror');
  });

  it('at the end counts what is wrong', () => {
    const warning = { check: 'kafka', level: 'warning', found: 'x', cure: 'y' } as const;
    expect([countsOf([]), countsOf([wrong]), countsOf([warning, warning])]).toEqual([
      'all is well',
      '1 error, 0 warnings',
      '0 errors, 2 warnings',
    ]);
  });
});

describe('the command line', () => {
  it('knows the doctor, its JSON and its help', async () => {
    expect(parseCommandLine(['doctor'])).toEqual({ name: 'doctor', json: false });
    expect(parseCommandLine(['doctor', '--json'])).toEqual({ name: 'doctor', json: true });
    expect(parseCommandLine(['doctor', '-h'])).toEqual({ name: 'help', topic: 'doctor' });
    const { code, err } = await g2k(['doctor', 'redis'], {});
    expect([code, err]).toEqual([2, expect.stringContaining('`g2k doctor --help` says more')]);
  });
});
