/** Settings of the way to Kafka: what they come to, and which of them contradict each other. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, parseConfig, withoutSecrets } from '@graph2kafka/shared';
import { describe, expect, it, onTestFinished } from 'vitest';
import { secretSettings, workerSettings } from '../../src/config.ts';
import { connectionOf, eventHubsScope } from '../../src/kafka/connection-of-settings.ts';
import { topicSettingsOf } from '../../src/kafka/kafka-client.ts';
import { CLIENT, TENANT } from '../support/taken-entry.ts';

const PEM = '-----BEGIN CERTIFICATE-----\nPLANTED-PEM\n-----END CERTIFICATE-----\n';

type Environment = Record<string, string>;

const settingsOf = (environment: Environment) =>
  parseConfig(workerSettings, {
    REDIS_URL: 'redis://127.0.0.1:6379',
    CLIENT_STATE_SECRETS: 'a-secret-of-the-test',
    AZURE_TENANT_ID: TENANT,
    AZURE_CLIENT_ID: CLIENT,
    KAFKA_BROKERS: 'contoso.servicebus.windows.net:9093',
    ...environment,
  });

function problemsOf(environment: Environment): readonly string[] {
  try {
    settingsOf(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

const noAzure = () => Promise.reject(new Error('no Azure here'));
const scram = {
  KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
  KAFKA_SASL_USERNAME: 'me',
  KAFKA_SASL_PASSWORD: 'PLANTED',
};

describe('the way to Kafka', () => {
  it('is plain where nothing else is set', () => {
    expect(connectionOf(settingsOf({}), noAzure)).toMatchObject({ tls: undefined, sasl: undefined });
  });

  it('is TLS with the authorities of Node, or with one that is given', () => {
    const tlsOf = (environment: Environment) => connectionOf(settingsOf(environment), noAzure).tls;
    expect(tlsOf({ KAFKA_SECURITY_PROTOCOL: 'SSL' })).toEqual({});
    expect(tlsOf({ KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_CA: PEM })).toEqual({ ca: PEM });
  });

  it('takes PEM from a file, and says so where there is none', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-pem-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    const [good, bad] = [join(dir, 'ca.pem'), join(dir, 'ca.der')];
    await Promise.all([writeFile(good, PEM), writeFile(bad, 'DER')]);
    const ssl = { KAFKA_SECURITY_PROTOCOL: 'SSL' };
    expect(settingsOf({ ...ssl, KAFKA_SSL_CA: good }).KAFKA_SSL_CA).toBe(PEM);
    expect(problemsOf({ ...ssl, KAFKA_SSL_CA: bad })).toEqual(['KAFKA_SSL_CA: the file holds no PEM']);
    expect(problemsOf({ ...ssl, KAFKA_SSL_CA: join(dir, 'none') })).toEqual([
      'KAFKA_SSL_CA: must be PEM, or the path of a file that can be read',
    ]);
  });

  it("is, with Google's Kafka, TLS and the service account that the worker runs as", () => {
    const settings = settingsOf({ KAFKA_PROFILE: 'google-cloud', KAFKA_SASL_MECHANISM: 'OAUTHBEARER' });
    const { tls, sasl } = connectionOf(settings, noAzure);
    expect(tls).toEqual({});
    expect(sasl).toEqual({ mechanism: 'OAUTHBEARER', token: expect.any(Function) });
  });

  it('is, with Event Hubs, the Azure identity for the namespace', async () => {
    const asked: string[] = [];
    const settings = settingsOf({ KAFKA_PROFILE: 'event-hubs', KAFKA_SASL_MECHANISM: 'OAUTHBEARER' });
    const { tls, sasl, connectionsMaxIdleMs } = connectionOf(settings, async (scope) => {
      asked.push(scope);
      return 'token';
    });
    expect(tls).toEqual({});
    expect(sasl?.mechanism === 'OAUTHBEARER' && (await sasl.token())).toBe('token');
    expect(asked).toEqual(['https://contoso.servicebus.windows.net/.default']);
    // Event Hubs drops idle connections after 240 s.
    expect(connectionsMaxIdleMs).toBeLessThan(240_000);
    expect(eventHubsScope(['contoso.servicebus.chinacloudapi.cn:9093'])).toBe(
      'https://contoso.servicebus.chinacloudapi.cn/.default',
    );
  });

  it('has a password that may be replaced while we are connected', () => {
    const settings = { ...settingsOf({ KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ...scram }) };
    const { sasl } = connectionOf(settings, noAzure);
    settings.KAFKA_SASL_PASSWORD = 'another';
    expect(sasl).toMatchObject({ mechanism: 'SCRAM-SHA-512', username: 'me', password: 'another' });
  });
});

describe('settings that contradict each other', () => {
  it.each<[Environment, string[]]>([
    [
      { KAFKA_SECURITY_PROTOCOL: 'TLS' },
      ['KAFKA_SECURITY_PROTOCOL: must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL'],
    ],
    [
      { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL' },
      ['KAFKA_SASL_MECHANISM: is required with KAFKA_SECURITY_PROTOCOL=SASL_SSL'],
    ],
    [
      { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', KAFKA_SASL_MECHANISM: 'PLAIN' },
      [
        'KAFKA_SASL_USERNAME: is required with KAFKA_SASL_MECHANISM=PLAIN',
        'KAFKA_SASL_PASSWORD: is required with KAFKA_SASL_MECHANISM=PLAIN',
      ],
    ],
    [
      scram,
      [
        'KAFKA_SASL_MECHANISM: has no meaning with KAFKA_SECURITY_PROTOCOL=PLAINTEXT',
        'KAFKA_SASL_USERNAME: has no meaning with KAFKA_SECURITY_PROTOCOL=PLAINTEXT',
        'KAFKA_SASL_PASSWORD: has no meaning with KAFKA_SECURITY_PROTOCOL=PLAINTEXT',
      ],
    ],
    [
      { KAFKA_PROFILE: 'confluent-cloud', KAFKA_SASL_MECHANISM: 'OAUTHBEARER' },
      [
        'KAFKA_OIDC_TOKEN_URL: is required with KAFKA_SASL_MECHANISM=OAUTHBEARER',
        'KAFKA_OIDC_CLIENT_ID: is required with KAFKA_SASL_MECHANISM=OAUTHBEARER',
        'KAFKA_OIDC_CLIENT_SECRET: is required with KAFKA_SASL_MECHANISM=OAUTHBEARER',
      ],
    ],
    [
      { KAFKA_SECURITY_PROTOCOL: 'SASL_SSL', ...scram, KAFKA_OIDC_SCOPE: 'kafka' },
      ['KAFKA_OIDC_SCOPE: has no meaning with KAFKA_SASL_MECHANISM=SCRAM-SHA-512'],
    ],
    [{ KAFKA_SSL_CA: PEM }, ['KAFKA_SSL_CA: has no meaning with KAFKA_SECURITY_PROTOCOL=PLAINTEXT']],
    [
      { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_CERT: PEM },
      ['KAFKA_SSL_KEY: is required with KAFKA_SSL_CERT'],
    ],
    [
      { KAFKA_SECURITY_PROTOCOL: 'SSL', KAFKA_SSL_KEY: PEM },
      ['KAFKA_SSL_CERT: is required with KAFKA_SSL_KEY'],
    ],
    [
      { KAFKA_CLIENT: 'kafkajs', KAFKA_COMPRESSION: 'zstd' },
      ['KAFKA_COMPRESSION: KAFKA_CLIENT=kafkajs has none or gzip'],
    ],
    [
      { KAFKA_PROFILE: 'event-hubs', KAFKA_SASL_MECHANISM: 'OAUTHBEARER', KAFKA_COMPRESSION: 'lz4' },
      ['KAFKA_COMPRESSION: Event Hubs takes none or gzip'],
    ],
  ])('are errors that name the setting: %j', (environment, problems) => {
    expect(problemsOf(environment)).toEqual(problems);
  });

  it('show no password, key or client secret', () => {
    const settings = settingsOf({
      KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
      ...scram,
      KAFKA_SSL_CERT: PEM,
      KAFKA_SSL_KEY: PEM,
    });
    const shown = withoutSecrets(settings, secretSettings);
    expect(shown).toMatchObject({
      KAFKA_SASL_PASSWORD: true,
      KAFKA_SSL_KEY: true,
    });
  });
});

describe('topics that are created', () => {
  it('take what the settings say, in the words of Kafka', () => {
    const settings = settingsOf({
      KAFKA_TOPIC_CLEANUP_POLICY: 'compact',
      KAFKA_TOPIC_RETENTION_HOURS: '48',
      KAFKA_TOPIC_MAX_MESSAGE_BYTES: '5000000',
    });
    expect(topicSettingsOf(settings).configs).toEqual({
      'cleanup.policy': 'compact',
      'message.timestamp.type': 'LogAppendTime',
      'retention.ms': '172800000',
      'max.message.bytes': '5000000',
    });
  });

  it('have no setting that Event Hubs do not know', () => {
    const settings = settingsOf({ KAFKA_PROFILE: 'event-hubs', KAFKA_SASL_MECHANISM: 'OAUTHBEARER' });
    expect(topicSettingsOf(settings).configs).toEqual({ 'cleanup.policy': 'delete' });
  });
});
