/** Every way to sign in, against a broker that checks it, with the settings that an operator would write. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { parseConfig } from '@graph2kafka/shared';
import {
  createTopic,
  eventually,
  KafkaBroker,
  type KafkaCertificates,
  makeKafkaCertificates,
  readTopic,
} from '@graph2kafka/test-harness';
import {
  AclOperations,
  AclPermissionTypes,
  Admin,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { workerSettings } from '../../src/config.ts';
import { createKafkaClient, type KafkaClient } from '../../src/kafka/kafka-client.ts';
import { KafkaSetupError } from '../../src/kafka/topics.ts';
import { ownTopicName } from '../support/own-topic.ts';
import { CLIENTS, problemOf, recordOf } from '../support/publishers.ts';
import { keptLog } from '../support/silent-log.ts';
import { CLIENT, TENANT } from '../support/taken-entry.ts';
import { makeSigningKey, startTokenEndpoint, type TokenEndpoint } from '../support/token-endpoint.ts';

const PASSWORD = 'PLANTED-KAFKA-PASSWORD';
const OIDC_SECRET = 'PLANTED:OIDC/SECRET';
const trustedBefore = getCACertificates('default');

let dir: string;
let broker: KafkaBroker;
let certificates: KafkaCertificates;
let tokens: TokenEndpoint;
let topic: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'graph2kafka-connecting-'));
  certificates = await makeKafkaCertificates(dir, 'worker');
  setDefaultCACertificates([...trustedBefore, certificates.ca]);
  const key = makeSigningKey();
  tokens = await startTokenEndpoint({ cert: certificates.serverCert, key: certificates.serverKey }, key);
  const jwksFile = join(dir, 'jwks.json');
  await writeFile(jwksFile, key.jwks);
  broker = await KafkaBroker.start({
    dir: join(dir, 'broker'),
    jvmOptions: ['-Xmx256m', `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=file://${jwksFile}`],
    scramUsers: [
      { mechanism: 'SCRAM-SHA-256', name: 'worker', password: PASSWORD },
      { mechanism: 'SCRAM-SHA-512', name: 'worker', password: PASSWORD },
    ],
    listeners: [
      { name: 'TLS', protocol: 'SSL', properties: certificates.listenerProperties },
      {
        name: 'MUTUAL',
        protocol: 'SSL',
        properties: { ...certificates.listenerProperties, 'ssl.client.auth': 'required' },
      },
      { name: 'SIGNIN', protocol: 'SASL_SSL', properties: { ...certificates.listenerProperties, ...signIn } },
      { name: 'BARE', protocol: 'SASL_PLAINTEXT', properties: signIn },
    ],
    extraProperties: {
      'sasl.oauthbearer.jwks.endpoint.url': `file://${jwksFile}`,
      'sasl.oauthbearer.expected.audience': 'kafka',
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS;User:worker;User:CN=worker',
    },
  });
});

/** Users of the sign-in listeners; "guest" may do nothing. */
const signIn = {
  'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
  'plain.sasl.jaas.config': `org.apache.kafka.common.security.plain.PlainLoginModule required user_worker="${PASSWORD}" user_guest="${PASSWORD}";`,
  'scram-sha-256.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  'scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  'oauthbearer.sasl.jaas.config':
    'org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required;',
  'oauthbearer.sasl.server.callback.handler.class':
    'org.apache.kafka.common.security.oauthbearer.OAuthBearerValidatorCallbackHandler',
};

afterAll(async () => {
  setDefaultCACertificates(trustedBefore);
  await broker?.stop();
  await tokens?.close();
  await rm(dir, { recursive: true, force: true });
});

beforeEach(async () => {
  topic = ownTopicName();
  await createTopic(broker.brokers, topic);
});

type Environment = Record<string, string>;

/** What an operator sets, from nothing else than environment variables. */
function clientOf(environment: Environment): KafkaClient {
  const settings = parseConfig(workerSettings, {
    REDIS_URL: 'redis://127.0.0.1:1',
    CLIENT_STATE_SECRETS: 'a-secret-of-the-test',
    AZURE_TENANT_ID: TENANT,
    AZURE_CLIENT_ID: CLIENT,
    ...environment,
  });
  const client = createKafkaClient(settings, () => Promise.reject(new Error('no Azure here')), keptLog());
  onTestFinished(() => client.publisher.close());
  return client;
}

const at = (listener: string, protocol: string): Environment => ({
  KAFKA_BROKERS: broker.addressOf(listener),
  KAFKA_SECURITY_PROTOCOL: protocol,
});

const withPassword = (mechanism: string): Environment => ({
  KAFKA_SASL_MECHANISM: mechanism,
  KAFKA_SASL_USERNAME: 'worker',
  KAFKA_SASL_PASSWORD: PASSWORD,
});

const ways: readonly [string, () => Environment][] = [
  ['TLS', () => ({ ...at('TLS', 'SSL'), KAFKA_SSL_CA: certificates.ca })],
  [
    'mutual TLS, from files',
    () => ({
      ...at('MUTUAL', 'SSL'),
      KAFKA_SSL_CA: join(dir, 'ca.pem'),
      KAFKA_SSL_CERT: join(dir, 'client.pem'),
      KAFKA_SSL_KEY: join(dir, 'client.key'),
    }),
  ],
  ['PLAIN', () => ({ ...at('SIGNIN', 'SASL_SSL'), ...withPassword('PLAIN'), KAFKA_SSL_CA: certificates.ca })],
  ['PLAIN without TLS', () => ({ ...at('BARE', 'SASL_PLAINTEXT'), ...withPassword('PLAIN') })],
  [
    'SCRAM-SHA-256',
    () => ({ ...at('SIGNIN', 'SASL_SSL'), ...withPassword('SCRAM-SHA-256'), KAFKA_SSL_CA: certificates.ca }),
  ],
  [
    'SCRAM-SHA-512, as by the profile of Confluent Cloud',
    () => ({
      KAFKA_BROKERS: broker.addressOf('SIGNIN'),
      KAFKA_PROFILE: 'confluent-cloud',
      ...withPassword('SCRAM-SHA-512'),
      KAFKA_SSL_CA: certificates.ca,
    }),
  ],
  [
    'OAUTHBEARER',
    () => ({
      ...at('SIGNIN', 'SASL_SSL'),
      KAFKA_SSL_CA: certificates.ca,
      KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
      KAFKA_OIDC_TOKEN_URL: tokens.url,
      KAFKA_OIDC_CLIENT_ID: 'worker',
      KAFKA_OIDC_CLIENT_SECRET: OIDC_SECRET,
      KAFKA_OIDC_SCOPE: 'kafka',
    }),
  ],
];

describe.each(ways)('%s', (_way, environment) => {
  it.each(CLIENTS)('lets %s find, probe and publish', async (client) => {
    const kafka = clientOf({ ...environment(), KAFKA_CLIENT: client });
    expect(await kafka.ensureTopics([topic])).toEqual([]);
    await kafka.probe();
    await kafka.publisher.publish(recordOf(topic, client));
    expect((await readTopic({ brokers: broker.brokers, topic })).map(({ key }) => key)).toEqual([client]);
  });
});

describe('a wrong way in', () => {
  const wrong: readonly [string, () => Environment, string][] = [
    ['another authority', () => ({ ...at('TLS', 'SSL'), KAFKA_SSL_CA: otherAuthority() }), 'KAFKA_SSL_CA'],
    [
      'a wrong password for PLAIN',
      () => ({ ...at('BARE', 'SASL_PLAINTEXT'), ...withPassword('PLAIN'), KAFKA_SASL_PASSWORD: 'wrong' }),
      'KAFKA_SASL_PASSWORD',
    ],
    [
      'a wrong password for SCRAM',
      () => ({
        ...at('BARE', 'SASL_PLAINTEXT'),
        ...withPassword('SCRAM-SHA-512'),
        KAFKA_SASL_PASSWORD: 'wrong',
      }),
      'KAFKA_SASL_PASSWORD',
    ],
    [
      'no TLS where it is wanted',
      () => ({ KAFKA_BROKERS: broker.addressOf('TLS') }),
      'KAFKA_SECURITY_PROTOCOL',
    ],
  ];

  it.each(wrong)('is said with the setting to correct: %s', async (_name, environment, setting) => {
    const kafka = clientOf(environment());
    const error = await kafka.ensureTopics([topic]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(KafkaSetupError);
    expect((error as Error).message).toContain(setting);
    expect((error as Error).message).not.toContain(PASSWORD);
    expect((await problemOf(kafka.publisher.publish(recordOf(topic)))).problem).toBe('unavailable');
  });

  // A certificate, and not the one that signed the broker's.
  const otherAuthority = () => certificates.clientCert;

  it('is waited out where no certificate is shown: the broker only hangs up', async () => {
    const kafka = clientOf({ ...at('MUTUAL', 'SSL'), KAFKA_SSL_CA: certificates.ca });
    await expect(kafka.probe()).rejects.toThrow();
    expect((await problemOf(kafka.publisher.publish(recordOf(topic)))).problem).toBe('unavailable');
  });

  it('is waited out where the token endpoint refuses, and goes on when it gives tokens again', async () => {
    tokens.refuseWith(503);
    onTestFinished(() => tokens.refuseWith(undefined));
    const kafka = clientOf({
      ...at('BARE', 'SASL_PLAINTEXT'),
      KAFKA_SASL_MECHANISM: 'OAUTHBEARER',
      KAFKA_OIDC_TOKEN_URL: tokens.url,
      KAFKA_OIDC_CLIENT_ID: 'worker',
      KAFKA_OIDC_CLIENT_SECRET: OIDC_SECRET,
    });
    const error = await kafka.ensureTopics([topic]).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(KafkaSetupError);
    tokens.refuseWith(undefined);
    expect(await kafka.ensureTopics([topic])).toEqual([]);
    await kafka.publisher.publish(recordOf(topic));
  });
});

describe('rights', () => {
  const asGuest = () => ({
    ...at('BARE', 'SASL_PLAINTEXT'),
    ...withPassword('PLAIN'),
    KAFKA_SASL_USERNAME: 'guest',
    KAFKA_CREATE_TOPICS: 'true',
  });

  async function grant(operation: keyof typeof AclOperations): Promise<void> {
    const admin = new Admin({ clientId: 'test', bootstrapBrokers: [broker.brokers] });
    onTestFinished(() => admin.close());
    await admin.createAcls({
      creations: [
        {
          resourceType: ResourceTypes.TOPIC,
          resourceName: topic,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: 'User:guest',
          host: '*',
          operation: AclOperations[operation],
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    });
  }

  const problem = async () => {
    const error = await clientOf(asGuest())
      .ensureTopics([topic])
      .catch((thrown: unknown) => thrown);
    if (!(error instanceof KafkaSetupError)) throw error;
    return error.message;
  };

  it('that are missing are named at the start, with the topic', async () => {
    expect(await problem()).toBe(
      `the right Describe is missing for topic ${topic}: grant it to the user that the worker signs in as`,
    );
    await grant('DESCRIBE');
    await eventually(async () =>
      expect(await problem()).toBe(
        `the right Write is missing for topic ${topic}: grant it to the user that the worker signs in as`,
      ),
    );
    await grant('WRITE');
    await eventually(async () => expect(await clientOf(asGuest()).ensureTopics([topic])).toEqual([]));
  });

  it.each(CLIENTS)(
    'that %s finds missing at a record refuse it, and let it through when granted',
    async (client) => {
      const kafka = clientOf({ ...asGuest(), KAFKA_CLIENT: client });
      await grant('DESCRIBE');
      await eventually(async () =>
        expect((await problemOf(kafka.publisher.publish(recordOf(topic)))).problem).toBe('refused'),
      );
      await grant('WRITE');
      await eventually(() => kafka.publisher.publish(recordOf(topic)));
    },
  );
});
