/**
 * The publisher on kafkajs: one producer, `acks=all`, not idempotent (its idempotent mode loses acknowledged
 * records when sends run concurrently: measured, docs/decisions/0004-kafka-producer.md).
 */

import type { Logger } from '@graph2kafka/shared';
import { Kafka, logLevel, type Producer } from 'kafkajs';
import { type KafkaRecord, PublishError, type RecordPublisher } from './record-publisher.ts';

/** A client whose words go to our log; its own retries span about 3 s, the job's come after. */
export function createKafka(brokers: readonly string[], clientId: string, log: Logger): Kafka {
  return new Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: 3000,
    requestTimeout: 10_000,
    retry: { retries: 4, initialRetryTime: 200, maxRetryTime: 1000 },
    logLevel: logLevel.WARN,
    logCreator:
      () =>
      ({ level, log: entry }) => {
        const { message, error } = entry;
        log[level <= logLevel.ERROR ? 'warn' : 'debug']({ kafka: message, error }, 'kafka.client');
      },
  });
}

export function createKafkajsPublisher(kafka: Kafka): RecordPublisher {
  const connected = connectOnce(kafka);
  const underWay = new Set<Promise<void>>();
  let closing: Promise<void> | undefined;

  const send = async ({ topic, key, headers, value }: KafkaRecord): Promise<void> => {
    try {
      const producer = await connected();
      await producer.send({ topic, acks: -1, messages: [{ key, headers: { ...headers }, value }] });
    } catch (error) {
      throw toPublishError(error, topic);
    }
  };

  return {
    async publish(record: KafkaRecord): Promise<void> {
      if (closing) throw new PublishError('unavailable', `topic ${record.topic}: the publisher is closed`);
      const sending = send(record);
      underWay.add(sending);
      await sending.finally(() => underWay.delete(sending));
    },
    close() {
      // kafkajs would connect again for a send that is still under way, and nobody would close that.
      closing ??= Promise.allSettled(underWay).then(() => connected.close());
      return closing;
    },
  };
}

/** The producer, connected when first needed; one that could not connect is given up and made anew. */
function connectOnce(kafka: Kafka) {
  let connecting: Promise<Producer> | undefined;
  const connect = async () => {
    const producer = kafka.producer({ allowAutoTopicCreation: false, idempotent: false });
    try {
      await producer.connect();
    } catch (error) {
      await producer.disconnect().catch(() => undefined);
      throw error;
    }
    return producer;
  };
  const connected = () => {
    connecting ??= connect().catch((error: unknown) => {
      connecting = undefined;
      throw error;
    });
    return connecting;
  };
  return Object.assign(connected, {
    async close() {
      const producer = await connecting?.catch(() => undefined);
      await producer?.disconnect();
    },
  });
}

/** By the broker's error code where it gave one; what has none never reached a broker or got no answer. */
function toPublishError(error: unknown, topic: string): PublishError {
  const type = brokerErrorType(error);
  const message = `topic ${topic}: ${type ?? (error instanceof Error ? error.name : 'unknown error')}`;
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE')
    return new PublishError('tooLarge', message, { cause: error });
  if (type !== undefined && REFUSALS.has(type)) return new PublishError('refused', message, { cause: error });
  return new PublishError('unavailable', message, { cause: error });
}

const REFUSALS = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'INVALID_RECORD',
]);

/** kafkajs wraps an error once its retries are spent; the first one is the cause. */
function brokerErrorType(error: unknown): string | undefined {
  for (
    let e: unknown = error;
    e instanceof Error;
    e = e.cause ?? (e as { originalError?: unknown }).originalError
  ) {
    const { type } = e as { type?: unknown };
    if (e.name.startsWith('KafkaJS') && typeof type === 'string') return type;
  }
  return undefined;
}
