/** Records as anybody may write them into a topic: any key, value, header and partition. */
import { Producer } from '@platformatic/kafka';
import { inject } from 'vitest';

export type SentRecord = {
  readonly key?: string;
  /** `null`: a tombstone. */
  readonly value: string | Buffer | null;
  readonly partition?: number;
  readonly headers?: Readonly<Record<string, string>>;
};

/** Resolves when all are written, each in a batch of its own. */
export async function sendRecords(
  topic: string,
  records: readonly SentRecord[],
  brokers = inject('kafkaBrokers'),
): Promise<void> {
  const producer = new Producer({ clientId: 'test', bootstrapBrokers: [brokers] });
  try {
    for (const { key = 'k', value, partition = 0, headers = {} } of records) {
      const message = {
        topic,
        partition,
        key: Buffer.from(key),
        // The client's type forgets tombstones; its encoding does not.
        value: (value === null ? null : Buffer.from(value)) as Buffer,
        headers: new Map(
          Object.entries(headers).map(([name, text]) => [Buffer.from(name), Buffer.from(text)]),
        ),
      };
      await producer.send({ messages: [message], acks: -1 });
    }
  } finally {
    await producer.close();
  }
}
