/** The command takes the worker's way to Kafka: TLS, sign-in, secrets that are kept elsewhere; and says what is not allowed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTopic, KafkaBroker, makeKafkaCertificates } from '@graph2kafka/test-harness';
import {
  AclOperations,
  AclPermissionTypes,
  Admin,
  ResourcePatternTypes,
  ResourceTypes,
} from '@platformatic/kafka';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { g2k, letter, recordOfLetter } from '../support/dead-letters.ts';
import { sendRecords } from '../support/send-records.ts';

const PASSWORD = 'PLANTED-KAFKA-PASSWORD';
const TOPIC = 'letters';

let dir: string;
let broker: KafkaBroker;
let environment: Record<string, string>;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'graph2kafka-sign-in-'));
  const certificates = await makeKafkaCertificates(dir);
  const signIn = {
    'sasl.enabled.mechanisms': 'SCRAM-SHA-512',
    'scram-sha-512.sasl.jaas.config': 'org.apache.kafka.common.security.scram.ScramLoginModule required;',
  };
  broker = await KafkaBroker.start({
    dir: join(dir, 'broker'),
    jvmOptions: ['-Xmx256m'],
    scramUsers: ['worker', 'teller', 'guest'].map((name) => {
      return { mechanism: 'SCRAM-SHA-512' as const, name, password: PASSWORD };
    }),
    listeners: [
      { name: 'SIGNIN', protocol: 'SASL_SSL', properties: { ...certificates.listenerProperties, ...signIn } },
    ],
    extraProperties: {
      'authorizer.class.name': 'org.apache.kafka.metadata.authorizer.StandardAuthorizer',
      'super.users': 'User:ANONYMOUS',
    },
  });
  await createTopic(broker.brokers, TOPIC);
  await sendRecords(TOPIC, [recordOfLetter(letter())], broker.brokers);
  // Reading a topic takes Read, which holds Describe, and nothing of a group.
  await allow(broker.brokers, 'worker', AclOperations.READ);
  await allow(broker.brokers, 'teller', AclOperations.DESCRIBE);
  await writeFile(join(dir, 'password'), `${PASSWORD}\n`);
  environment = {
    KAFKA_BROKERS: broker.addressOf('SIGNIN'),
    KAFKA_DEAD_LETTER_TOPIC: TOPIC,
    KAFKA_SECURITY_PROTOCOL: 'SASL_SSL',
    KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512',
    KAFKA_SASL_USERNAME: 'worker',
    KAFKA_SASL_PASSWORD: `file:${join(dir, 'password')}`,
    KAFKA_SSL_CA: certificates.ca,
  };
});

afterAll(async () => {
  await broker?.stop();
  await rm(dir, { recursive: true, force: true });
});

async function allow(brokers: string, user: string, operation: (typeof AclOperations)['READ' | 'DESCRIBE']) {
  const admin = new Admin({ clientId: 'test', bootstrapBrokers: [brokers] });
  try {
    await admin.createAcls({
      creations: [
        {
          resourceType: ResourceTypes.TOPIC,
          resourceName: TOPIC,
          resourcePatternType: ResourcePatternTypes.LITERAL,
          principal: `User:${user}`,
          host: '*',
          operation,
          permissionType: AclPermissionTypes.ALLOW,
        },
      ],
    });
  } finally {
    await admin.close();
  }
}

const list = (more: Record<string, string> = {}) =>
  g2k(['dead-letters', 'list', '--json'], { ...environment, ...more });

describe('a Kafka that wants TLS and a sign-in', () => {
  it('is read with the settings of the worker, the right to read that one topic, and a password from a file', async () => {
    const listed = await list();
    expect(listed).toMatchObject({ code: 0, err: '' });
    expect(JSON.parse(listed.out)).toMatchObject({ stage: 'run' });
  });

  it.each([
    ['another password', { KAFKA_SASL_PASSWORD: 'PLANTED-WRONG-PASSWORD' }, 'Kafka refuses the sign-in'],
    [
      'a user who may only describe',
      { KAFKA_SASL_USERNAME: 'teller' },
      `not let us read the topic ${TOPIC}: allow Read`,
    ],
    [
      'a user who may nothing',
      { KAFKA_SASL_USERNAME: 'guest' },
      `not let us see the topic ${TOPIC}: allow Describe and Read`,
    ],
    ['no authority', { KAFKA_SSL_CA: '' }, 'set KAFKA_SSL_CA'],
  ])('says what is wrong with %s, and no secret', async (_name, more, said) => {
    const { code, out, err } = await list(more as Record<string, string>);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toContain(said);
    expect(err).not.toContain('PLANTED');
  });
});
