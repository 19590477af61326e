/** The produce request of @platformatic/kafka, in the newest version that broker and client have in common. */
import {
  type Connection,
  NumericMap,
  produceV3,
  produceV4,
  produceV5,
  produceV6,
  produceV7,
  produceV8,
  produceV9,
  produceV10,
  produceV11,
  ResponseError,
} from '@platformatic/kafka';
import type { EncodedRecord, PartitionBatch } from './partition-writer.ts';
import type { ProducerSequences } from './producer-sequences.ts';

/** What the broker answers for one partition. */
export type ProducedPartition = {
  readonly topic: string;
  readonly partition: number;
  readonly errorCode: number;
  readonly errorMessage?: string | null;
};

/** Resolves to an answer for each partition; rejects where there was none. */
export type ProduceBatches = (
  connection: Connection,
  batches: readonly PartitionBatch[],
  numbers: ProducerSequences,
) => Promise<readonly ProducedPartition[]>;

type ProduceAnswer = {
  readonly responses: readonly {
    readonly name: string;
    readonly partitionResponses: readonly {
      readonly index: number;
      readonly errorCode: number;
      readonly errorMessage?: string | null;
    }[];
  }[];
};

/** From version 3 on batches carry headers and producer sequences. */
const VERSIONS = [
  produceV11,
  produceV10,
  produceV9,
  produceV8,
  produceV7,
  produceV6,
  produceV5,
  produceV4,
  produceV3,
] as const;

const PRODUCE = 0;
/** By all replicas in sync. */
const ACKS_ALL = -1;

/** @throws where broker and client have no version in common */
export function produceApi(
  served: readonly { readonly apiKey: number; readonly minVersion: number; readonly maxVersion: number }[],
  timeoutMs: number,
): ProduceBatches {
  const range = served.find(({ apiKey }) => apiKey === PRODUCE);
  const version = VERSIONS.find(
    ({ api }) => range && api.version >= range.minVersion && api.version <= range.maxVersion,
  );
  if (!version) throw new Error('the broker speaks no version of Produce from 3 to 11');
  return async (connection, batches, numbers) => {
    const [first] = batches;
    if (!first) return [];
    const { identity } = numbers.next(`${first.topic}:${first.partition}`);
    const options = {
      compression: first.compression,
      producerId: identity.id,
      producerEpoch: identity.epoch,
      sequences: sequencesOf(batches, numbers),
    };
    try {
      const messages = batches.flatMap(messagesOf);
      const answer = await version.api.async(connection, ACKS_ALL, timeoutMs, messages, options);
      return partitionsOf(answer as ProduceAnswer);
    } catch (error) {
      // An error for one partition is the client's error for all, though the others have an answer too.
      if (!(error instanceof ResponseError)) throw error;
      return partitionsOf((error as unknown as { response: ProduceAnswer }).response);
    }
  };
}

function sequencesOf(batches: readonly PartitionBatch[], numbers: ProducerSequences): NumericMap {
  const sequences = new NumericMap();
  for (const { topic, partition } of batches) {
    const name = `${topic}:${partition}`;
    sequences.set(name, numbers.next(name).sequence);
  }
  return sequences;
}

function messagesOf({ topic, partition, records }: PartitionBatch) {
  return records.map(({ key, value, headers }) => ({
    topic,
    partition,
    key,
    // The client's type forgets tombstones; its encoding does not.
    value: value as Buffer,
    headers: headersOf(headers),
  }));
}

function headersOf(headers: EncodedRecord['headers']): Map<Buffer, Buffer> {
  return new Map(Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]));
}

function partitionsOf({ responses }: ProduceAnswer): ProducedPartition[] {
  return responses.flatMap(({ name, partitionResponses }) =>
    partitionResponses.map(({ index, errorCode, errorMessage }) => ({
      topic: name,
      partition: index,
      errorCode,
      ...(errorMessage ? { errorMessage } : {}),
    })),
  );
}
