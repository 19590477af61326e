/** The publisher: finds each record's partition by its key, and hands it to that partition's lane. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Logger } from '@graph2kafka/shared';
import { createPartitionLane, type LaneSettings, type PartitionLane } from './partition-lane.ts';
import { type PartitionWriter, TopicRefusedError } from './partition-writer.ts';
import { type KafkaRecord, PublishError, type RecordPublisher } from './record-publisher.ts';
import { partitionOf, wireRecord } from './wire-record.ts';

export type PublisherSettings = LaneSettings & {
  /** After this long the number of a topic's partitions is asked for again. */
  readonly metadataMaxAgeMs: number;
};

/** Many round trips, and less than a shutdown has time for. */
const CLOSE_PATIENCE_MS = 3000;

export function createOrderedPublisher(
  writer: PartitionWriter,
  settings: PublisherSettings,
  log: Logger,
): RecordPublisher {
  const lanes = new Map<string, PartitionLane>();
  const counts = createPartitionCounts(writer, settings.metadataMaxAgeMs);
  let isEnding = false;
  let closing: Promise<void> | undefined;

  function laneOf(topic: string, partition: number): PartitionLane {
    const name = `${topic}:${partition}`;
    const known = lanes.get(name);
    if (known) return known;
    const lane = createPartitionLane(topic, partition, writer, settings, log);
    if (isEnding) lane.waitNoLonger();
    lanes.set(name, lane);
    return lane;
  }

  async function close(): Promise<void> {
    const ended = Promise.all([...lanes.values()].map((lane) => lane.close()));
    const late = new AbortController();
    await Promise.race([
      ended,
      pause(CLOSE_PATIENCE_MS, undefined, { signal: late.signal }).catch(() => undefined),
    ]);
    late.abort();
    // A broker that does not answer is not waited for: without its connection the last try ends.
    await writer.close();
    await ended;
  }

  return {
    async publish(record: KafkaRecord): Promise<void> {
      const { topic } = record;
      const encoded = wireRecord(record);
      const count = await counts.of(topic);
      if (closing) throw new PublishError('unavailable', `topic ${topic}: the publisher is closed`);
      try {
        await laneOf(topic, partitionOf(encoded.key, count)).publish(encoded);
      } catch (error) {
        // It may have been made anew, with other partitions.
        if (error instanceof PublishError && error.problem === 'refused') counts.forget(topic);
        throw error;
      }
    },
    waitNoLonger() {
      isEnding = true;
      for (const lane of lanes.values()) lane.waitNoLonger();
    },
    close() {
      closing ??= close();
      return closing;
    },
  };
}

type PartitionCounts = {
  /** Callers go on in the order of their calls: two records of a key must not change places here. */
  of(topic: string): Promise<number>;
  forget(topic: string): void;
};

function createPartitionCounts(writer: PartitionWriter, maxAgeMs: number): PartitionCounts {
  const known = new Map<string, { count: Promise<number>; askedAt: number }>();

  function ask(topic: string): Promise<number> {
    const count = writer.partitionCount(topic).catch((error: unknown) => {
      if (known.get(topic)?.count === count) known.delete(topic);
      throw toPublishError(topic, error);
    });
    known.set(topic, { count, askedAt: performance.now() });
    return count;
  }

  /** Beside the publishing, and without effect where nobody answers. */
  function refresh(topic: string, entry: { askedAt: number }): void {
    entry.askedAt = performance.now();
    writer.partitionCount(topic).then(
      (count) => known.set(topic, { count: Promise.resolve(count), askedAt: performance.now() }),
      () => undefined,
    );
  }

  return {
    of(topic) {
      const entry = known.get(topic);
      if (!entry) return ask(topic);
      if (performance.now() - entry.askedAt > maxAgeMs) refresh(topic, entry);
      return entry.count;
    },
    forget: (topic) => void known.delete(topic),
  };
}

function toPublishError(topic: string, error: unknown): PublishError {
  const problem = error instanceof TopicRefusedError ? 'refused' : 'unavailable';
  const reason = error instanceof Error ? error.message : 'unknown error';
  return new PublishError(problem, `topic ${topic}: ${reason}`, { cause: error });
}
