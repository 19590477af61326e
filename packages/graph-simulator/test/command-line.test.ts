import { describe, expect, it } from 'vitest';
import { CommandLineError, HELP, parseCommandLine } from '../src/command-line.ts';
import { PLANNED_KINDS } from '../src/fault-plan.ts';

it('lifts the limits of calls and of slow endpoints by one option', () => {
  expect(parseCommandLine(['--no-limits'])).toMatchObject({
    options: {
      requestLimits: false,
      subscriptionThrottling: false,
      delivery: { endpoints: { isRated: false } },
    },
  });
  const usual = parseCommandLine([]);
  expect(usual === 'help' ? {} : usual.options).not.toHaveProperty('requestLimits');
});

describe('the command line', () => {
  it('gives the simulator what was said and nothing else', () => {
    const args = [
      '--port',
      '4443',
      '--users',
      '7',
      '--rate',
      '2.5',
      '--ca-file',
      'ca.pem',
      '--graph-latency',
      '50',
    ];
    expect(parseCommandLine([...args, '--host-name', 'graph', '--host-name', 'graph.local'])).toEqual({
      rate: 2.5,
      caFile: 'ca.pem',
      faultsFile: undefined,
      chaos: undefined,
      options: {
        port: 4443,
        users: 7,
        graphLatencyMs: 50,
        hostNames: ['graph', 'graph.local'],
        changeLogKeepEntries: 1_000,
      },
    });
  });

  it('can ask for faults, written in a file or drawn from a seed', () => {
    expect(parseCommandLine(['--faults', 'faults.json'])).toMatchObject({ faultsFile: 'faults.json' });
    expect(parseCommandLine(['--chaos', '7'])).toMatchObject({ chaos: { seed: 7, minutes: 60 } });
    const args = ['--chaos', '7', '--chaos-minutes', '0.5', '--chaos-kinds', '5xx, silence'];
    expect(parseCommandLine(args)).toMatchObject({
      chaos: { seed: 7, minutes: 0.5, kinds: ['5xx', 'silence'] },
    });
  });

  it('can choose the validation tokens', () => {
    const validationIssuer = 'https://login.example.com/{tenantid}/';
    const args = ['--validation-token-version', '2.0', '--validation-issuer', validationIssuer];
    expect(parseCommandLine(args)).toMatchObject({
      options: { validationTokenVersion: '2.0', validationIssuer },
    });
  });

  it('reads tenants, each with an app, a secret that may hold colons, and as many users', () => {
    const [tenantId, clientId] = [
      '7c1e9c52-1d5b-4f8e-9b3a-0f4e2d6a8c33',
      '9a8b7c6d-1111-4222-8333-444455556666',
    ];
    const command = parseCommandLine(['--tenant', `${tenantId}:${clientId}:a:b`, '--users', '4']);
    expect(command).toMatchObject({
      options: {
        users: 4,
        tenants: [{ tenantId, users: 4, applications: [{ clientId, clientSecret: 'a:b' }] }],
      },
    });
  });

  it('reads what makes another cloud', () => {
    const command = parseCommandLine([
      ...['--login-host', 'login.example.com', '--graph-resource', 'https://graph.example.com'],
      ...['--token-issuer', 'https://sts.example.com/{tenantid}/'],
    ]);
    expect(command).toMatchObject({
      options: {
        loginHost: 'login.example.com',
        graphResource: 'https://graph.example.com',
        accessTokenIssuer: 'https://sts.example.com/{tenantid}/',
      },
    });
  });

  it('names every option in its help', () => {
    for (const name of [
      'faults',
      'chaos',
      'chaos-minutes',
      'chaos-kinds',
      'validation-issuer',
      'tenant',
      'login-host',
      'token-issuer',
      'graph-resource',
    ]) {
      expect(HELP).toContain(`  --${name} `);
    }
    for (const kind of PLANNED_KINDS) expect(HELP).toContain(` ${kind}`);
    for (const line of HELP.split('\n')) expect(line.length).toBeLessThan(120);
  });

  it('asks for help', () => {
    expect(parseCommandLine(['--help'])).toBe('help');
  });

  it.each([
    [['--colour', 'red'], /^Unknown option '--colour'/],
    [['left over'], /^Unexpected argument 'left over'/],
    [['--port'], /port/],
    [['--port', 'many'], /^--port: must be a number/],
    [['--port', '65536'], /^--port: /],
    [['--users', '0'], /^--users: /],
    [['--users', '1.5'], /^--users: /],
    [['--rate=-1'], /^--rate: /],
    [['--tenant-id', 'home'], /^--tenant-id: /],
    [['--chaos', 'some'], /^--chaos: must be a number/],
    [['--chaos', '1', '--chaos-kinds', '5xx,colour'], /^--chaos-kinds: can be drop, .*clock/],
    [['--chaos-kinds', '5xx'], /^--chaos-kinds: needs --chaos/],
    [['--chaos-minutes', '5'], /^--chaos-minutes: needs --chaos/],
    [['--chaos', '1', '--faults', 'file'], /^--chaos: cannot be combined with --faults/],
    [['--validation-token-version', '3.0'], /^--validation-token-version: /],
    [['--token-issuer', 'https://login.example.com/'], /^--token-issuer: must have {tenantid}/],
    [['--graph-resource', 'graph.example.com'], /^--graph-resource: must be a URL with https/],
    [['--tenant', 'a:b'], /^--tenant: must be a tenant, a client \(both GUIDs\) and a secret, as A:B:C/],
    [['--validation-issuer', 'https://login.example.com/'], /^--validation-issuer: must have {tenantid}/],
  ])('refuses %j in one sentence', (args, sentence) => {
    const parse = () => parseCommandLine(args);
    expect(parse).toThrow(CommandLineError);
    expect(parse).toThrow(sentence);
    expect(parse).not.toThrow('\n');
  });
});
