/** Topics of the run's Kafka that only one test writes to, and what an outside reader finds in them. */
import { randomUUID } from 'node:crypto';
import { createTopic, readTopic, type TopicRecord } from '@graph2kafka/test-harness';
import { inject } from 'vitest';

export function ownTopicName(): string {
  return `worker-${randomUUID()}`;
}

/** Resolves when its partitions can be written to. */
export async function ownTopic(
  partitions = 1,
  brokers = inject('kafkaBrokers'),
  config: Readonly<Record<string, string>> = {},
): Promise<string> {
  const topic = ownTopicName();
  await createTopic(brokers, topic, { partitions, config });
  return topic;
}

export type SeenEvent = { readonly record: TopicRecord; readonly data: Record<string, unknown> } & Readonly<
  Record<string, unknown>
>;

/** The topic's records as CloudEvents, by partition and offset. */
export async function readEvents(topic: string, brokers = inject('kafkaBrokers')): Promise<SeenEvent[]> {
  const records = await readRecords(topic, brokers);
  return records.map((record) => ({ ...JSON.parse(record.value ?? '{}'), record }));
}

export function readRecords(topic: string, brokers = inject('kafkaBrokers')): Promise<TopicRecord[]> {
  return readTopic({ brokers, topic });
}
