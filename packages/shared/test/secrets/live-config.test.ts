import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@graph2kafka/test-harness';
import { describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { createLogger } from '../../src/logger.ts';
import { type ConfigError, type Environment, integer, list } from '../../src/parse-config.ts';
import { loadConfig } from '../../src/secrets/live-config.ts';
import { createSecretReader } from '../../src/secrets/read-secret.ts';

const schema = z.object({
  SECRETS: list().refine((secrets) => secrets.every(({ length }) => length >= 8), 'must be longer'),
  PASSWORD: z.string().optional(),
  ADDRESS: z.string().default('somewhere'),
  COUNT: integer(1, 9).default(1),
  PLACE: z.string().default('a place').meta({ verbatim: true }),
});

const read = createSecretReader({ tokenFor: () => Promise.reject(new Error('nobody')) });
const load = (environment: Environment) =>
  loadConfig({
    schema,
    environment,
    atStartOnly: ['ADDRESS', 'COUNT'],
    read,
  });

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'live-config-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

/** A file that is replaced in one step, so that nobody reads half of it. */
async function put(path: string, content: string): Promise<void> {
  await writeFile(`${path}.new`, content);
  await rename(`${path}.new`, path);
}

type Line = Readonly<Record<string, unknown>>;

/** Settings of which one is in a file, looked at often. */
async function watched(content: string, environment: Environment = {}) {
  const dir = await folder();
  const file = join(dir, 'secret');
  await put(file, content);
  const live = await load({ SECRETS: `file:${file}`, ...environment });
  const lines: string[] = [];
  const changes: string[] = [];
  const log = createLogger('test', 'trace', { write: (line: string) => void lines.push(line) });
  const watch = live.watch(log, { filesEveryMs: 10, onChange: (settings) => changes.push(...settings) });
  onTestFinished(() => watch.close());
  const logged = (name: string) =>
    lines.map((line) => JSON.parse(line) as Line).filter(({ message }) => message === name);
  return { dir, file, config: live.config, lines, changes, logged, watch };
}

describe('loadConfig', () => {
  it('takes secrets as they are, and from where references say', async () => {
    const dir = await folder();
    await put(join(dir, 'new'), 'the new secret\n');
    await put(join(dir, 'old'), 'the old secret,one still older');
    const { config } = await load({
      SECRETS: `file:${dir}/new, file:${dir}/old,of its own`,
      PASSWORD: 'a,b',
    });
    expect(config.SECRETS).toEqual(['the new secret', 'the old secret', 'one still older', 'of its own']);
    expect([config.PASSWORD, config.ADDRESS]).toEqual(['a,b', 'somewhere']);
  });

  it('takes any setting from where a reference says, also one that is no secret, and tells which', async () => {
    const dir = await folder();
    await put(join(dir, 'address'), 'kept elsewhere');
    await put(join(dir, 'count'), '7\n');
    const { config, referring } = await load({
      SECRETS: 'long enough',
      ADDRESS: `file:${dir}/address`,
      COUNT: `file:${dir}/count`,
    });
    expect([config.ADDRESS, config.COUNT]).toEqual(['kept elsewhere', 7]);
    expect(referring).toEqual(['ADDRESS', 'COUNT']);
  });

  it('leaves a setting as it is whose schema says so', async () => {
    const { config } = await load({ SECRETS: 'long enough', PLACE: 'file:/nowhere' });
    expect(config.PLACE).toBe('file:/nowhere');
  });

  it.each([
    [
      'cannot be had',
      { SECRETS: 'file:/nowhere/a,file:/nowhere/b', PASSWORD: 'file:/nowhere/c' },
      [
        'PASSWORD: file:/nowhere/c cannot be read (ENOENT)',
        'SECRETS: file:/nowhere/a cannot be read (ENOENT)',
        'SECRETS: file:/nowhere/b cannot be read (ENOENT)',
      ],
    ],
    [
      'are spelt wrong',
      { SECRETS: 'file:nowhere', PASSWORD: 'file:' },
      [
        'PASSWORD: a file is named with its whole path: file:/run/secrets/name',
        'SECRETS: a file is named with its whole path: file:/run/secrets/name',
      ],
    ],
  ])('names every setting whose references %s', async (_what, environment, problems) => {
    const error = await load(environment).catch((thrown: unknown) => thrown as ConfigError);
    expect((error as ConfigError).problems.toSorted()).toEqual(problems);
  });

  it('names the setting, and not the value, where a secret is none that it takes', async () => {
    const dir = await folder();
    await put(join(dir, 'secret'), 'canary');
    const error = await load({ SECRETS: `file:${dir}/secret` }).catch((thrown: unknown) => thrown);
    expect((error as ConfigError).problems).toEqual(['SECRETS: must be longer']);
  });
});

describe('a watched secret', () => {
  it('is the new one once its file was replaced, and the log names the setting alone', async () => {
    const { file, config, lines, changes, logged } = await watched('the old secret');
    await put(file, 'the new secret');
    await eventually(() => config.SECRETS[0] === 'the new secret');
    expect(changes).toEqual(['SECRETS']);
    expect(logged('secret.replaced')).toMatchObject([{ settings: ['SECRETS'] }]);
    expect(lines.join()).not.toContain('the new secret');
  });

  it('is the new one once its folder was replaced, as Kubernetes does it', async () => {
    const dir = await folder();
    for (const version of ['one', 'two']) {
      await mkdir(join(dir, version));
      await put(join(dir, version, 'secret'), `secret number ${version}`);
    }
    await symlink('one', join(dir, '..data'));
    await symlink('..data/secret', join(dir, 'secret'));
    const { config } = await watched('not looked at', { SECRETS: `file:${dir}/secret` });
    expect(config.SECRETS).toEqual(['secret number one']);
    await symlink('two', join(dir, '..data_tmp'));
    await rename(join(dir, '..data_tmp'), join(dir, '..data'));
    await eventually(() => config.SECRETS[0] === 'secret number two');
  });

  it.each([
    ['is empty', '', 'secret.not-read'],
    ['is cut short', 'short', 'secret.not-taken'],
    ['holds two lines', 'long enough\nsecond line', 'secret.not-read'],
  ])('stays the old one while the file %s, and this is said once', async (_what, content, line) => {
    const { file, config, lines, logged, changes } = await watched('the old secret');
    await put(file, content);
    await eventually(() => logged(line).length > 0);
    expect(config.SECRETS).toEqual(['the old secret']);
    expect(logged(line)).toMatchObject([{ level: 'error' }]);
    if (content !== '') expect(lines.join()).not.toContain(content);
    await put(file, 'the new secret');
    await eventually(() => config.SECRETS[0] === 'the new secret');
    expect([logged(line).length, changes]).toEqual([1, ['SECRETS']]);
  });

  it('stays the old one while the file is gone, and the log names setting and reference', async () => {
    const { file, config, logged } = await watched('the old secret');
    await rm(file);
    await eventually(() => logged('secret.not-read').length > 0);
    expect(logged('secret.not-read')).toMatchObject([
      { setting: 'SECRETS', reference: `file:${file}`, err: { message: 'cannot be read (ENOENT)' } },
    ]);
    expect(config.SECRETS).toEqual(['the old secret']);
  });

  it('is taken together with the others of its setting, while one of them cannot be had', async () => {
    const dir = await folder();
    await put(join(dir, 'a'), 'secret of file a');
    await put(join(dir, 'b'), 'secret of file b');
    const { config } = await watched('not looked at', { SECRETS: `file:${dir}/a,file:${dir}/b` });
    await rm(join(dir, 'b'));
    await put(join(dir, 'a'), 'another secret of a');
    await eventually(() => config.SECRETS[0] === 'another secret of a');
    expect(config.SECRETS[1]).toBe('secret of file b');
  });

  it('that counts at the start alone is only told of', async () => {
    const dir = await folder();
    await put(join(dir, 'address'), 'here');
    const { config, logged, changes } = await watched('the old secret', { ADDRESS: `file:${dir}/address` });
    expect(config.ADDRESS).toBe('here');
    await put(join(dir, 'address'), 'there');
    await eventually(() => logged('secret.needs-restart').length > 0);
    expect(logged('secret.needs-restart')).toMatchObject([{ settings: ['ADDRESS'] }]);
    expect(config.ADDRESS).toBe('here');
    expect(changes).toEqual([]);
  });

  it('is looked at no more once the watch is closed, also twice', async () => {
    const { file, config, watch } = await watched('the old secret');
    const other = await watched('not looked at', { SECRETS: `file:${file}` });
    watch.close();
    watch.close();
    await put(file, 'the new secret');
    await eventually(() => other.config.SECRETS[0] === 'the new secret');
    expect(config.SECRETS).toEqual(['the old secret']);
  });
});
