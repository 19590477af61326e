/**
 * The topics that records go to exist before the first record: made by us where that is allowed, with settings that
 * suit change records, and never by a broker that takes a typo for a wish.
 */
import type { Kafka } from 'kafkajs';

export type TopicSettings = {
  readonly create: boolean;
  readonly partitions: number;
  /** -1: the broker's default. */
  readonly replication: number;
};

/** Topics that are missing and may not be made; the operator has to decide. */
export class MissingTopicsError extends Error {
  override readonly name = 'MissingTopicsError';

  constructor(topics: readonly string[]) {
    super(
      `Kafka has no topic ${topics.join(', ')}: create ${topics.length === 1 ? 'it' : 'them'}, correct the name, or set KAFKA_CREATE_TOPICS=true`,
    );
  }
}

/** Resolves to the names of the topics that were created; rejects with a `MissingTopicsError`. */
export async function ensureTopics(
  kafka: Kafka,
  wanted: readonly string[],
  settings: TopicSettings,
): Promise<string[]> {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const existing = new Set(await admin.listTopics());
    const missing = [...new Set(wanted)].filter((topic) => !existing.has(topic));
    if (missing.length > 0 && !settings.create) throw new MissingTopicsError(missing);
    if (missing.length > 0) {
      // Another worker may be creating the same ones: kafkajs then answers false.
      await admin.createTopics({
        waitForLeaders: true,
        topics: missing.map((topic) => describeTopic(topic, settings)),
      });
    }
    return missing;
  } finally {
    await admin.disconnect();
  }
}

/** `LogAppendTime`: a record's timestamp says when it was in Kafka; the resource's own times are in its value. */
function describeTopic(topic: string, { partitions, replication }: TopicSettings) {
  return {
    topic,
    numPartitions: partitions,
    replicationFactor: replication,
    configEntries: [
      { name: 'cleanup.policy', value: 'delete' },
      { name: 'message.timestamp.type', value: 'LogAppendTime' },
    ],
  };
}

/** Far beyond a slow round trip; kafkajs itself would wait 10 s for a broker that does not answer, and try again. */
const PROBE_TIMEOUT_MS = 3000;

/** A real round trip to the cluster: that a connection was accepted says nothing. Rejects after 3 s at the latest. */
export async function probeKafka(kafka: Kafka): Promise<void> {
  const admin = kafka.admin({ retry: { retries: 0 } });
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => late.reject(new Error(`no answer within ${PROBE_TIMEOUT_MS} ms`)),
    PROBE_TIMEOUT_MS,
  );
  try {
    await Promise.race([admin.connect().then(() => admin.describeCluster()), late.promise]);
  } finally {
    clearTimeout(timer);
    // It ends by itself, but only after requests without an answer have timed out: nothing to wait for.
    void admin.disconnect().catch(() => undefined);
  }
}
