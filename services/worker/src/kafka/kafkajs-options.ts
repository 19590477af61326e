/** The connection in the words of kafkajs; its own words go to our log. */
import type { Logger } from '@graph2kafka/shared';
import { Kafka, type KafkaConfig, logLevel, type SASLOptions } from 'kafkajs';
import {
  CONNECT_TIMEOUT_MS,
  type KafkaConnection,
  REQUEST_TIMEOUT_MS,
  type Sasl,
} from './kafka-connection.ts';

export function createKafkajs(connection: KafkaConnection, log: Logger): Kafka {
  const { tls, sasl, requestTimeoutMs = REQUEST_TIMEOUT_MS } = connection;
  return new Kafka({
    clientId: connection.clientId,
    brokers: [...connection.brokers],
    connectionTimeout: CONNECT_TIMEOUT_MS,
    requestTimeout: requestTimeoutMs,
    // One more try finds another broker; what is to be tried for longer is decided by the caller.
    retry: { retries: 1, initialRetryTime: 100, maxRetryTime: 1000 },
    ...(tls ? { ssl: { ...tls } } : {}),
    ...(sasl ? { sasl: saslOptions(sasl) } : {}),
    logLevel: logLevel.WARN,
    logCreator: () => logTo(log),
  });
}

function saslOptions(sasl: Sasl): SASLOptions {
  if (sasl.mechanism === 'OAUTHBEARER') {
    return {
      mechanism: 'oauthbearer',
      oauthBearerProvider: async () => ({ value: await sasl.token() }),
    };
  }
  const mechanism = {
    PLAIN: 'plain',
    'SCRAM-SHA-256': 'scram-sha-256',
    'SCRAM-SHA-512': 'scram-sha-512',
  } as const;
  // kafkajs has a type for each mechanism, which a looked-up name does not fit.
  return {
    mechanism: mechanism[sasl.mechanism],
    username: sasl.username,
    get password() {
      return sasl.password;
    },
  } as SASLOptions;
}

function logTo(log: Logger): ReturnType<NonNullable<KafkaConfig['logCreator']>> {
  return ({ level, log: entry }) => {
    const { message, error } = entry;
    log[level <= logLevel.ERROR ? 'warn' : 'debug']({ kafka: message, error }, 'kafka.client');
  };
}
