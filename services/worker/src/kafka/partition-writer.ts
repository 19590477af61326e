/** What the publisher asks of a Kafka client library: one try to write one batch to one partition, and its outcome. */

export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

export type EncodedRecord = {
  readonly key: Buffer;
  /** `null` is a tombstone. */
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, string>>;
  /** About what it takes in a request, uncompressed. */
  readonly bytes: number;
};

export type PartitionBatch = {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly EncodedRecord[];
  readonly compression: Compression;
};

export type Verdict =
  /** By all in-sync replicas, now or at an earlier try. */
  | { readonly kind: 'written' }
  /** Nothing is known, or it may work soon: the same batch, unchanged, has to be offered again. */
  | {
      readonly kind: 'again';
      readonly error: Error;
      /** False only where this try cannot have reached a log, not even later. */
      readonly mayBeWritten: boolean;
    }
  /** Not written, and it will not be. */
  | { readonly kind: 'tooLarge' | 'invalid' | 'refused'; readonly error: Error };

export type PartitionWriter = {
  /** The number of the topic's partitions, at most `metadataMaxAgeMs` old. Rejects with a `TopicRefusedError` or any other error. */
  partitionCount(topic: string): Promise<number>;
  /**
   * One try, bounded in time; never rejects. For one partition only one batch may be under way, and after `again` only
   * the same one may follow: sequence numbers, by which the broker knows a batch that it has, depend on it.
   */
  write(batch: PartitionBatch): Promise<Verdict>;
  /** Ends every connection; what is under way comes to `again`. Safe to call twice. */
  close(): Promise<void>;
};

/** The topic is not there, or its description is forbidden. */
export class TopicRefusedError extends Error {
  override readonly name = 'TopicRefusedError';
}
