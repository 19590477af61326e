/** The settings: everything that is wrong at once, and the rest can be used all the same. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readSettings } from '../../src/doctor/read-settings.ts';
import { checkSettings, isMicrosofts } from '../../src/doctor/settings-check.ts';
import { CLIENT, TENANT } from './access-token.ts';

const GOOD = {
  REDIS_URL: 'redis://127.0.0.1:1',
  CLIENT_STATE_SECRETS: 'PLANTED-secret-of-16',
  AZURE_TENANT_ID: TENANT,
  AZURE_CLIENT_ID: CLIENT,
  KAFKA_BROKERS: '127.0.0.1:2',
};

const read = (more: Record<string, string | undefined> = {}) => readSettings({ ...GOOD, ...more });
const look = async (more: Record<string, string | undefined>) =>
  checkSettings(await read(more), []).map(({ level, found }) => `${level}: ${found}`);

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-doctor-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  return dir;
}

describe('the settings', () => {
  it('are well where the worker takes them', async () => {
    expect(await look({})).toEqual(['ok: all are as the worker takes them; no secret is kept elsewhere']);
  });

  it('are complained of all at once: secrets, values, what is missing, what contradicts', async () => {
    const dir = await folder();
    const { problems } = await read({
      AZURE_CLIENT_SECRET: `file:${dir}/nothing`,
      REDIS_URL: 'file:relative',
      KAFKA_BROKERS: '',
      ADMIN_PORT: 'PLANTED',
      SUBSCRIPTIONS_FILE: 'subscriptions.yaml',
      KAFKA_SSL_CERT: '-----BEGIN CERTIFICATE-----',
    });
    expect([...problems].sort()).toEqual([
      'ADMIN_PORT: must be a whole number from 0 to 65535, or off',
      expect.stringMatching(/^AZURE_CLIENT_SECRET: file:.*\/nothing /),
      'KAFKA_BROKERS is required',
      expect.stringMatching(/^KAFKA_SSL_CERT: has no meaning with KAFKA_SECURITY_PROTOCOL=PLAINTEXT/),
      'KAFKA_SSL_KEY: is required with KAFKA_SSL_CERT',
      'NOTIFICATION_URL: is required with SUBSCRIPTIONS_FILE',
      expect.stringMatching(/^REDIS_URL: a file is named with its whole path/),
    ]);
    expect(problems.join()).not.toContain('PLANTED');
  });

  it('say nothing of what a wrong one means for the others', async () => {
    const { problems } = await read({
      KAFKA_SECURITY_PROTOCOL: 'TLS',
      KAFKA_SSL_CA: '-----BEGIN CERTIFICATE-----',
    });
    expect(problems).toEqual([expect.stringMatching(/^KAFKA_SECURITY_PROTOCOL: must be/)]);
  });

  it('that are right can be used beside those that are wrong', async () => {
    const settings = await read({ KAFKA_BROKERS: '', REDIS_PREFIX: 'mine' });
    expect(settings.part(['REDIS_URL', 'REDIS_PREFIX', 'REDIS_REPLICAS'])).toEqual({
      REDIS_URL: 'redis://127.0.0.1:1',
      REDIS_PREFIX: 'mine',
      REDIS_REPLICAS: 1,
    });
    expect(settings.part(['REDIS_URL', 'KAFKA_BROKERS'])).toBeUndefined();
  });

  it('say which secrets are kept elsewhere, and read them', async () => {
    const dir = await folder();
    await writeFile(join(dir, 'secret'), 'PLANTED-from-file\n');
    const settings = await read({ AZURE_CLIENT_SECRET: `file:${dir}/secret` });
    expect(settings.part(['AZURE_CLIENT_SECRET'])).toEqual({ AZURE_CLIENT_SECRET: 'PLANTED-from-file' });
    const [remark] = checkSettings(settings, []);
    expect(remark?.found).toContain('1 secret kept elsewhere and read: AZURE_CLIENT_SECRET');
    expect(JSON.stringify(remark)).not.toContain('PLANTED');
  });

  it('are doubted where nothing would come of them', async () => {
    const url = 'https://a.example/events';
    expect((await look({ NOTIFICATION_URL: url })).slice(1)).toEqual([
      expect.stringMatching(/^warning: NOTIFICATION_URL is set and SUBSCRIPTIONS_FILE is not/),
    ]);
    expect((await look({ NOTIFICATION_URL: url, SUBSCRIPTIONS_FILE: 'x' })).slice(1)).toEqual([
      expect.stringMatching(/^warning: LIFECYCLE_NOTIFICATION_URL is not set/),
    ]);
  });

  it('of two clouds are an error', async () => {
    expect((await look({ GRAPH_URL: 'https://graph.microsoft.us' })).slice(1)).toEqual([
      'error: GRAPH_URL is of the cloud us-government, GRAPH_CLOUD is global',
    ]);
    const china = { GRAPH_CLOUD: 'china', AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.com' };
    expect((await look(china)).slice(1)).toEqual([
      'error: AZURE_AUTHORITY_HOST is of the cloud global, GRAPH_CLOUD is china',
    ]);
    const dod = {
      GRAPH_CLOUD: 'us-government-dod',
      AZURE_AUTHORITY_HOST: 'https://login.microsoftonline.us',
    };
    expect((await look(dod)).slice(1)).toEqual([]);
    expect((await look({ GRAPH_URL: 'https://127.0.0.1:8443' })).slice(1)).toEqual([]);
  });
});

it('a Graph is Microsoft’s by its host', () => {
  expect(['https://graph.microsoft.com', 'https://dod-graph.microsoft.us'].map(isMicrosofts)).toEqual([
    true,
    true,
  ]);
  expect(isMicrosofts('https://graph.microsoft.com.example')).toBe(false);
});
