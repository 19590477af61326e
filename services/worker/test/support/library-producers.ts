/** The producers of both libraries as they are, without our lanes: what the benchmark holds ours against. */
import { findErrorBy, Producer } from '@platformatic/kafka';
import { Kafka, logLevel } from 'kafkajs';
import type { KafkaConnection } from '../../src/kafka/kafka-connection.ts';
import type { PartitionWriter } from '../../src/kafka/partition-writer.ts';
import { platformaticOptions } from '../../src/kafka/platformatic-options.ts';

/** The library's own idempotent producer under our lanes: what its numbers are worth where a lane tries again. */
export function platformaticProducerWriter(connection: KafkaConnection): PartitionWriter {
  const producer = new Producer({ ...platformaticOptions(connection), idempotent: true, retries: 2 });
  return {
    async partitionCount(topic) {
      return (await producer.metadata({ topics: [topic] })).topics.get(topic)?.partitionsCount ?? 1;
    },
    async write({ topic, partition, records }) {
      const messages = records.map(({ key, value }) => ({
        topic,
        partition,
        key,
        value: value ?? Buffer.alloc(0),
      }));
      try {
        await producer.send({ messages });
        return { kind: 'written' };
      } catch (thrown) {
        const error = thrown as Error;
        if (findErrorBy(error, 'apiId', 'MESSAGE_TOO_LARGE')) return { kind: 'tooLarge', error };
        return { kind: 'again', error, mayBeWritten: true };
      }
    },
    close: () => producer.close(),
  };
}

/** One record at a time from each caller, any number of callers; resolves when the library says that it is stored. */
export type LibraryProducer = {
  publish(record: { topic: string; key: string; value: string }): Promise<void>;
  close(): Promise<void>;
};

export function kafkajsProducer(
  brokers: string,
  requestTimeoutMs: number,
  idempotent: boolean,
): LibraryProducer {
  const kafka = new Kafka({
    clientId: 'bench',
    brokers: brokers.split(','),
    requestTimeout: requestTimeoutMs,
    connectionTimeout: 1000,
    logLevel: logLevel.NOTHING,
  });
  const producer = kafka.producer({ allowAutoTopicCreation: false, idempotent });
  const connected = producer.connect();
  return {
    async publish({ topic, key, value }) {
      await connected;
      await producer.send({ topic, acks: -1, messages: [{ key, value }] });
    },
    close: () => producer.disconnect(),
  };
}

export function platformaticProducer(brokers: string, requestTimeoutMs: number): LibraryProducer {
  const producer = new Producer({
    clientId: 'bench',
    bootstrapBrokers: brokers.split(','),
    requestTimeout: requestTimeoutMs,
    timeout: requestTimeoutMs,
    connectTimeout: 1000,
    retryDelay: 100,
    // Its own default for this mode has no end: a send would never report a failure.
    retries: 5,
    idempotent: true,
  });
  return {
    async publish({ topic, key, value }) {
      await producer.send({ messages: [{ topic, key: Buffer.from(key), value: Buffer.from(value) }] });
    },
    close: () => producer.close(),
  };
}
