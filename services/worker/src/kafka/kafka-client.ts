/** All that the worker has of Kafka, made from its settings. */
import type { Logger } from '@graph2kafka/shared';
import {
  type AzureToken,
  type ConnectionSettings,
  connectionOf,
  profileOf,
} from './connection-of-settings.ts';
import { createKafkajsWriter } from './kafkajs-writer.ts';
import { createOrderedPublisher } from './ordered-publisher.ts';
import { createPlatformaticWriter } from './platformatic-writer.ts';
import { probeKafka } from './probe-kafka.ts';
import type { RecordPublisher } from './record-publisher.ts';
import { ensureTopics, type TopicSettings } from './topics.ts';

export type KafkaClient = {
  readonly publisher: RecordPublisher;
  /** See `ensureTopics`. */
  ensureTopics(topics: readonly string[]): Promise<string[]>;
  /** See `probeKafka`. */
  probe(): Promise<void>;
};

export type KafkaClientSettings = ConnectionSettings & {
  readonly KAFKA_CREATE_TOPICS: boolean;
  readonly KAFKA_TOPIC_PARTITIONS: number;
  readonly KAFKA_TOPIC_REPLICATION: number;
};

/** Nothing is connected before it is needed; closing the publisher closes what stays open. */
export function createKafkaClient(
  settings: KafkaClientSettings,
  azureToken: AzureToken,
  log: Logger,
): KafkaClient {
  const connection = connectionOf(settings, azureToken);
  const maxRequestBytes = settings.KAFKA_MAX_REQUEST_SIZE ?? profileOf(settings).maxRequestBytes;
  const writer =
    settings.KAFKA_CLIENT === 'kafkajs'
      ? createKafkajsWriter(connection, log)
      : createPlatformaticWriter(connection, maxRequestBytes);
  const publisher = createOrderedPublisher(
    writer,
    {
      compression: settings.KAFKA_COMPRESSION,
      maxRequestBytes,
      metadataMaxAgeMs: connection.metadataMaxAgeMs,
    },
    log,
  );
  return {
    publisher,
    ensureTopics: (topics) => ensureTopics(connection, topics, topicSettingsOf(settings)),
    probe: () => probeKafka(connection),
  };
}

/** `LogAppendTime`: a record's timestamp says when it was in Kafka; the resource's own times are in its value. */
export function topicSettingsOf(settings: KafkaClientSettings): TopicSettings {
  const {
    KAFKA_TOPIC_CLEANUP_POLICY: cleanup,
    KAFKA_TOPIC_RETENTION_HOURS: hours,
    KAFKA_TOPIC_MAX_MESSAGE_BYTES: maxBytes,
  } = settings;
  return {
    create: settings.KAFKA_CREATE_TOPICS,
    partitions: settings.KAFKA_TOPIC_PARTITIONS,
    replication: settings.KAFKA_TOPIC_REPLICATION,
    configs: {
      'cleanup.policy': cleanup,
      ...(profileOf(settings).takesTimestampType ? { 'message.timestamp.type': 'LogAppendTime' } : {}),
      ...(hours === undefined ? {} : { 'retention.ms': String(hours * 3_600_000) }),
      ...(maxBytes === undefined ? {} : { 'max.message.bytes': String(maxBytes) }),
    },
  };
}
