/** A record as it goes over the wire, and the partition that its key belongs to. */
import { murmur2 } from '@platformatic/kafka';
import type { EncodedRecord } from './partition-writer.ts';
import type { KafkaRecord } from './record-publisher.ts';

/** Lengths, offsets and time of a record and of each of its headers, rounded up. */
const RECORD_OVERHEAD_BYTES = 32;
const HEADER_OVERHEAD_BYTES = 8;

export function wireRecord({ key, value, headers }: KafkaRecord): EncodedRecord {
  const encoded = {
    key: Buffer.from(key),
    value: typeof value === 'string' ? Buffer.from(value) : value,
    headers,
  };
  const headerBytes = Object.entries(headers).reduce(
    (sum, [name, text]) => sum + Buffer.byteLength(name) + Buffer.byteLength(text) + HEADER_OVERHEAD_BYTES,
    0,
  );
  const bytes = RECORD_OVERHEAD_BYTES + encoded.key.length + (encoded.value?.length ?? 0) + headerBytes;
  return { ...encoded, bytes };
}

/** Where Kafka's own producer puts the key, so that records of other programs for the same key meet ours. */
export function partitionOf(key: Buffer, partitionCount: number): number {
  return (murmur2(key) & 0x7fffffff) % partitionCount;
}
