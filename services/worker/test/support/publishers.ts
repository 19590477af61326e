/** Both Kafka clients behind the publisher, on brokers of a test's own. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KafkaBroker, type KafkaBrokerOptions } from '@graph2kafka/test-harness';
import { inject, onTestFinished } from 'vitest';
import type { KafkaConnection } from '../../src/kafka/kafka-connection.ts';
import { createKafkajsWriter } from '../../src/kafka/kafkajs-writer.ts';
import { createOrderedPublisher, type PublisherSettings } from '../../src/kafka/ordered-publisher.ts';
import type { EncodedRecord, PartitionWriter } from '../../src/kafka/partition-writer.ts';
import { createPlatformaticWriter } from '../../src/kafka/platformatic-writer.ts';
import { type KafkaRecord, PublishError, type RecordPublisher } from '../../src/kafka/record-publisher.ts';
import { keptLog } from './silent-log.ts';

export type ClientName = 'platformatic' | 'kafkajs';
export const CLIENTS: readonly ClientName[] = ['platformatic', 'kafkajs'];

export type PublisherChoice = Partial<KafkaConnection> & Partial<Omit<PublisherSettings, 'metadataMaxAgeMs'>>;

export function connectionTo(brokers: string, choice: Partial<KafkaConnection> = {}): KafkaConnection {
  return {
    brokers: brokers.split(','),
    clientId: 'test',
    tls: undefined,
    sasl: undefined,
    metadataMaxAgeMs: 60_000,
    connectionsMaxIdleMs: undefined,
    ...choice,
  };
}

export function openWriter(
  client: ClientName,
  connection: KafkaConnection,
  maxRequestBytes?: number,
): PartitionWriter {
  if (client === 'kafkajs') return createKafkajsWriter(connection, keptLog());
  return createPlatformaticWriter(connection, maxRequestBytes);
}

/** Closed when the test ends. `through` may do to batches what a test wants done. */
export function openPublisher(
  client: ClientName,
  brokers = inject('kafkaBrokers'),
  { compression = 'none', maxRequestBytes, patienceMs, ...choice }: PublisherChoice = {},
  through = (writer: PartitionWriter) => writer,
): RecordPublisher {
  const connection = connectionTo(brokers, choice);
  const writer = through(openWriter(client, connection, maxRequestBytes));
  const { metadataMaxAgeMs } = connection;
  const settings = { compression, maxRequestBytes, metadataMaxAgeMs, ...(patienceMs ? { patienceMs } : {}) };
  const publisher = createOrderedPublisher(writer, settings, keptLog());
  onTestFinished(() => publisher.close());
  return publisher;
}

/** For a test that hurts it, or sets it otherwise. */
export async function ownBroker(options: Partial<KafkaBrokerOptions> = {}): Promise<KafkaBroker> {
  const dir = await mkdtemp(join(tmpdir(), 'graph2kafka-publisher-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const broker = await KafkaBroker.start({ dir, jvmOptions: ['-Xmx256m'], ...options });
  onTestFinished(() => broker.stop());
  return broker;
}

export const recordOf = (topic: string, key = 'key', value: KafkaRecord['value'] = '{}'): KafkaRecord => ({
  topic,
  key,
  value,
  headers: { 'content-type': 'application/cloudevents+json' },
});

export async function problemOf(publishing: Promise<void>): Promise<PublishError> {
  const error = await publishing.then(
    () => new Error('it was published'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof PublishError)) throw error;
  return error;
}

const PRODUCE = 0;

/** A request begins with its length (4 bytes) and the number of what it asks for (2 bytes). */
export const isProduceRequest = (request: Buffer) =>
  request.length >= 6 && request.readInt16BE(4) === PRODUCE;

/** Our records all have one; a compacted topic takes none without, whatever client sends it. */
export function takingTheKeyOf(name: string): (writer: PartitionWriter) => PartitionWriter {
  const withoutKey = (record: EncodedRecord): EncodedRecord =>
    record.key.toString() === name ? { ...record, key: null as unknown as Buffer } : record;
  return (writer) => ({
    ...writer,
    write: (batch) => writer.write({ ...batch, records: batch.records.map(withoutKey) }),
  });
}
