/** Who may publish: both clients in our lanes, and both libraries' own producers with sends at the same time. */
import { createLogger } from '@graph2kafka/shared';
import type { KafkaConnection } from '../../services/worker/src/kafka/kafka-connection.ts';
import { createKafkajsWriter } from '../../services/worker/src/kafka/kafkajs-writer.ts';
import { createOrderedPublisher } from '../../services/worker/src/kafka/ordered-publisher.ts';
import type { PartitionWriter } from '../../services/worker/src/kafka/partition-writer.ts';
import { createPlatformaticWriter } from '../../services/worker/src/kafka/platformatic-writer.ts';
import {
  kafkajsProducer,
  type LibraryProducer,
  platformaticProducer,
  platformaticProducerWriter,
} from '../../services/worker/test/support/library-producers.ts';

export type Candidate = {
  readonly name: string;
  open(brokers: string, requestTimeoutMs: number): LibraryProducer;
};

const silent = createLogger('bench', 'fatal', { write: () => undefined });

function inLanes(name: string, writerOf: (connection: KafkaConnection) => PartitionWriter): Candidate {
  return {
    name,
    open(brokers, requestTimeoutMs) {
      const connection: KafkaConnection = {
        brokers: brokers.split(','),
        clientId: 'bench',
        tls: undefined,
        sasl: undefined,
        requestTimeoutMs,
        metadataMaxAgeMs: 60_000,
        connectionsMaxIdleMs: undefined,
      };
      const settings = { compression: 'none', maxRequestBytes: undefined, metadataMaxAgeMs: 60_000 } as const;
      const publisher = createOrderedPublisher(writerOf(connection), settings, silent);
      return {
        publish: (record) => publisher.publish({ ...record, headers: {} }),
        close: () => publisher.close(),
      };
    },
  };
}

export const CANDIDATES: readonly Candidate[] = [
  inLanes('platformatic (KAFKA_CLIENT=platformatic)', (connection) => createPlatformaticWriter(connection)),
  inLanes('kafkajs, idempotent (KAFKA_CLIENT=kafkajs)', (connection) =>
    createKafkajsWriter(connection, silent),
  ),
  inLanes('kafkajs in lanes, not idempotent', (connection) => createKafkajsWriter(connection, silent, false)),
  inLanes("platformatic's producer in lanes", platformaticProducerWriter),
  { name: "platformatic's producer, idempotent", open: platformaticProducer },
  { name: "kafkajs' producer, idempotent", open: (brokers, ms) => kafkajsProducer(brokers, ms, true) },
  { name: "kafkajs' producer, not idempotent", open: (brokers, ms) => kafkajsProducer(brokers, ms, false) },
];
