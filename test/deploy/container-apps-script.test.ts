// deploy/container-apps/deploy.sh: which commands it gives, in which order, and what it refuses. A stand-in for `az` notes
// the calls and answers as a new subscription would; options are checked against those of the Azure CLI itself.
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readRepositoryFile } from '../settings/repository-file.ts';

type Command = {
  readonly options: readonly string[];
  /** Each by all its names. */
  readonly required: readonly (readonly string[])[];
  readonly positional: boolean;
};

/** Written by deploy/validate/container-apps-az.py from the Azure CLI. */
const { commands: COMMANDS } = JSON.parse(readRepositoryFile('test/deploy/container-apps-az.json')) as {
  commands: Readonly<Record<string, Command>>;
};
/** Of every command. */
const EVERYWHERE = ['--output', '--query', '--only-show-errors', '--subscription', '--help'];

type Call = {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** What the file of `--file` held, where there is one that can be read. */
  readonly file?: string;
};

/** Notes the call in CALLS, and answers from ANSWERS: by the first pattern that the words match. */
const STAND_IN = `#!${process.execPath}
const fs = require('node:fs');
const words = process.argv.slice(2);
const { NAME, IMAGE_TAG, KAFKA_SIGN_IN, SECRETS_FROM, OPERATOR_ID } = process.env;
const path = words[words.indexOf('--file') + 1];
const file = words.includes('--file') && fs.existsSync(path) ? fs.readFileSync(path, 'utf8') : undefined;
const env = { NAME, IMAGE_TAG, KAFKA_SIGN_IN, SECRETS_FROM, OPERATOR_ID };
fs.appendFileSync(process.env.CALLS, JSON.stringify({ words, env, file }) + '\\n');
const answer = JSON.parse(process.env.ANSWERS).find(([pattern]) => new RegExp(pattern).test(words.join(' ')));
process.stdout.write(answer ? answer[1] : '');
`;

const ANSWERS: readonly (readonly [string, string])[] = [
  ['outputs.registryName', 'g2kabc\n'],
  ['outputs.vaultName', 'g2k-abc\n'],
  ['outputs.workerPrincipalId', 'principal-of-worker\n'],
  ['outputs.notificationUrl', 'https://g2k-receiver.example/events\n'],
  ['signed-in-user', 'operator\n'],
  ['ad sp show .*--query id', 'graph-here\n'],
  ['ad sp show .*Calendars.Read', 'role-calendars\n'],
  ['ad sp show .*Mail.Read', 'role-mail\n'],
];

const roots: string[] = [];
afterAll(() => {
  for (const root of roots) rmSync(root, { recursive: true, force: true });
});

/** A copy of what the script needs, with or without a subscriptions.yaml, and a way to run it. */
function sandbox({ subscriptions = true, answers = ANSWERS } = {}) {
  const root = mkdtempSync(join(tmpdir(), 'graph2kafka-container-apps-'));
  roots.push(root);
  cpSync('deploy/container-apps', join(root, 'deploy/container-apps'), { recursive: true });
  if (subscriptions) writeFileSync(join(root, 'subscriptions.yaml'), 'subscriptions: []\n');
  const az = join(root, 'az');
  writeFileSync(az, STAND_IN);
  chmodSync(az, 0o755);
  const calls = join(root, 'calls');
  return {
    root,
    run(args: string, env: Record<string, string> = {}) {
      const words = args.split(' ').filter(Boolean);
      const { status, stdout, stderr } = spawnSync(join(root, 'deploy/container-apps/deploy.sh'), words, {
        encoding: 'utf8',
        env: {
          PATH: `${root}:${process.env.PATH}`,
          TMPDIR: root,
          CALLS: calls,
          ANSWERS: JSON.stringify(answers),
          ...env,
        },
      });
      return { status, stdout, stderr };
    },
    calls: () =>
      existsSync(calls)
        ? readFileSync(calls, 'utf8')
            .trim()
            .split('\n')
            .map((line) => JSON.parse(line) as Call)
        : [],
  };
}

const ALL = '--resource-group rg --location westeurope --tag v1 --permissions Calendars.Read,Mail.Read all';

/** The longest command that the words begin with. */
function commandOf(words: readonly string[]): string {
  const names = words.map((_, i) => words.slice(0, words.length - i).join(' '));
  const name = names.find((candidate) => candidate in COMMANDS);
  if (name === undefined) throw new Error(`no command of the Azure CLI: az ${words.join(' ')}`);
  return name;
}

/** What the Azure CLI would not take, a line each. */
function refusals(words: readonly string[]): string[] {
  const name = commandOf(words);
  const command = COMMANDS[name];
  const given = words.slice(name.split(' ').length);
  const options = given.filter((word) => word.startsWith('-'));
  const unknown = options.filter(
    (option) => !command?.options.includes(option) && !EVERYWHERE.includes(option),
  );
  const missing =
    command?.required.filter((names) => !names.some((option) => options.includes(option))).flat() ?? [];
  const first = given.find((word) => !word.startsWith('-'));
  const stray = given[0] === first && first !== undefined && !command?.positional ? [first] : [];
  return [...unknown, ...missing, ...stray].map((word) => `az ${name}: ${word}`);
}

const named = (calls: readonly Call[]) => calls.map(({ words }) => commandOf(words));

describe('deploy.sh all', () => {
  const { root, run, calls } = sandbox();
  let outcome: ReturnType<typeof run>;
  // Two dozen programs, one after the other: once for all that is said of it.
  beforeAll(() => {
    outcome = run(`--name abc --kafka-sign-in connectionString ${ALL}`);
  });

  it('gives the commands of all steps in order, with options that the Azure CLI has', () => {
    expect(outcome).toMatchObject({ status: 0, stdout: 'https://g2k-receiver.example/events\n' });
    expect(calls().flatMap(({ words }) => refusals(words))).toEqual([]);
    const perPermission = ['ad sp show', 'rest', 'rest'];
    expect(named(calls())).toEqual([
      ...Array(7).fill('provider register'),
      'group create',
      ...['ad signed-in-user show', 'deployment group create', 'deployment group show'],
      ...['acr build', 'acr build'],
      ...['deployment group show', 'keyvault secret list', 'keyvault secret set'],
      ...['keyvault secret list', 'keyvault secret set'],
      ...['deployment group show', 'ad sp show', ...perPermission, ...perPermission],
      ...['deployment group create', 'deployment group show'],
    ]);
  });

  it('tells the parameter files what it was told', () => {
    const [platform, apps] = calls().filter(({ words }) => words.includes('--parameters'));
    expect(platform?.env).toMatchObject({
      NAME: 'abc',
      KAFKA_SIGN_IN: 'connectionString',
      OPERATOR_ID: 'operator',
    });
    expect(apps?.env).toMatchObject({ NAME: 'abc', IMAGE_TAG: 'v1', SECRETS_FROM: 'keyVault' });
  });

  it('makes secrets of which none is in a command line, on the screen, or left in a file', () => {
    const { stdout, stderr } = outcome;
    const made = calls().flatMap(({ words, file }) =>
      words[2] === 'set' && file !== undefined ? [file] : [],
    );
    expect(made.map((secret) => secret.length)).toEqual([64, 32]);
    const seen = `${stdout}${stderr}${calls()
      .map(({ words }) => words.join(' '))
      .join('\n')}`;
    for (const secret of made) expect(seen).not.toContain(secret);
    const [path = ''] =
      calls()
        .find(({ words }) => words[2] === 'set')
        ?.words.filter((word) => word.startsWith(root)) ?? [];
    expect(path).not.toBe('');
    expect(existsSync(path)).toBe(false);
  });

  it('gives the identity each permission by the ids that Graph has for it', () => {
    const bodies = calls()
      .filter(({ words }) => words[0] === 'rest' && words.includes('POST'))
      .map(({ words }) => JSON.parse(words[words.indexOf('--body') + 1] ?? '') as unknown);
    const assignment = { principalId: 'principal-of-worker', resourceId: 'graph-here' };
    expect(bodies).toEqual([
      { ...assignment, appRoleId: 'role-calendars' },
      { ...assignment, appRoleId: 'role-mail' },
    ]);
  });
});

describe('deploy.sh, run again', () => {
  it('leaves secrets and permissions that are there', () => {
    const there: [string, string][] = [
      ['keyvault secret list', 'there\n'],
      ['rest --method GET', 'there\n'],
    ];
    const { run, calls } = sandbox({ answers: [...there, ...ANSWERS] });
    expect(run('--resource-group rg --permissions Calendars.Read secrets graph')).toMatchObject({
      status: 0,
    });
    expect(named(calls())).not.toContain('keyvault secret set');
    expect(calls().filter(({ words }) => words.includes('POST'))).toEqual([]);
  });
});

describe('deploy.sh --dry-run', () => {
  it('prints the commands and runs none', () => {
    const { run, calls } = sandbox();
    const { status, stderr } = run(`--dry-run ${ALL}`);
    expect(status).toBe(0);
    expect(calls()).toEqual([]);
    const printed = stderr.split('\n').filter((line) => line.startsWith('az '));
    expect(printed).toHaveLength(28);
    expect(printed).toContain('az group create --name rg --location westeurope --output none');
  });
});

describe('deploy.sh what-if', () => {
  it('asks what both files would change, and changes nothing', () => {
    const { run, calls } = sandbox();
    expect(run('--resource-group rg --tag v1 what-if')).toMatchObject({ status: 0 });
    expect(calls().flatMap(({ words }) => refusals(words))).toEqual([]);
    expect(named(calls())).toEqual([
      'ad signed-in-user show',
      'deployment group what-if',
      'deployment group what-if',
    ]);
  });
});

describe('deploy.sh refuses, before anything is done,', () => {
  it.each([
    ['no step', '--resource-group rg', 'which step'],
    ['no resource group', 'apps', '--resource-group'],
    ['an option without its value', '--resource-group --tag v1 apps', '--resource-group needs a value'],
    ['an unknown step', '--resource-group rg deploy', 'no step or option deploy'],
    ['a name that is no resource name', `--name My-App ${ALL}`, '--name'],
    ['a tag that is none', `${ALL} --tag a/b`, '--tag'],
    ['a permission that is none', `${ALL} --permissions x'y`, '--permissions'],
    [
      'images without a tag',
      '--resource-group rg --location westeurope prepare images',
      'images needs --tag',
    ],
    ['graph without permissions', '--resource-group rg graph', 'graph needs --permissions'],
    ['secrets of the environment that are not there', `${ALL} --secrets-from app`, 'CLIENT_STATE_SECRETS'],
    [
      'an app registration without its secret',
      `${ALL} --graph-client-id x`,
      'GRAPH_CLIENT_SECRET in the environment',
    ],
  ])('%s', (_, args, words) => {
    const { run, calls } = sandbox();
    const { status, stderr } = run(args);
    expect(status).toBe(2);
    expect(stderr).toContain(words);
    expect(calls()).toEqual([]);
  });

  it('apps without a subscriptions.yaml', () => {
    const { run, calls } = sandbox({ subscriptions: false });
    const { status, stderr } = run(ALL);
    expect(status).toBe(2);
    expect(stderr).toContain('there is no subscriptions.yaml');
    expect(calls()).toEqual([]);
  });

  it('and ends where a command fails', () => {
    const { root, run, calls } = sandbox();
    writeFileSync(join(root, 'az'), `${STAND_IN}process.exitCode = 3;\n`);
    expect(run('--resource-group rg --location westeurope prepare platform').status).toBe(3);
    expect(named(calls())).toEqual(['provider register']);
  });
});

describe('the commands of docs/deploy/container-apps.md', () => {
  it('have options that the Azure CLI has', () => {
    const text = readRepositoryFile('docs/deploy/container-apps.md').replaceAll('\\\n', ' ');
    const commands = [...text.matchAll(/^\s*(?:az ([^#\n]+?)|\w+=\$\(az (.*)\))\s*(?:#.*)?$/gm)]
      .map(([, plain, nested]) => wordsOf(plain ?? nested ?? ''))
      .filter((words) => words.length > 0);
    expect(commands.length).toBeGreaterThan(12);
    expect(commands.flatMap(refusals)).toEqual([]);
  });
});

/** Words of a command line; quotes hold one together. */
function wordsOf(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replace(/['"]/g, ''));
}
