/**
 * Writes with kafkajs. A send holds one batch of one partition and nothing else, as kafkajs keeps account of a send by
 * broker: it reports one as done from which a partition was left out, and gives the sequence numbers of a failed send
 * to other data where two run for one partition (docs/decisions/0004-kafka-producer.md).
 */
import type { Logger } from '@graph2kafka/shared';
import { type Admin, CompressionTypes, type Producer } from 'kafkajs';
import { isTopicRefusal, verdictOf } from './broker-verdict.ts';
import type { KafkaConnection } from './kafka-connection.ts';
import { createKafkajs } from './kafkajs-options.ts';
import { type PartitionWriter, TopicRefusedError, type Verdict } from './partition-writer.ts';

export function createKafkajsWriter(
  connection: KafkaConnection,
  log: Logger,
  // Experimental in kafkajs: safe only with one batch in flight per partition, as here.
  idempotent = true,
): PartitionWriter {
  const kafka = createKafkajs(connection, log);
  const producer = connectWhenNeeded(
    kafka.producer({
      allowAutoTopicCreation: false,
      idempotent,
      metadataMaxAge: connection.metadataMaxAgeMs,
      // Tries without end would hide from the lane that nobody answers; it keeps the order itself.
      retry: { retries: 1, initialRetryTime: 100, maxRetryTime: 1000 },
    }),
  );
  const admin = connectWhenNeeded(kafka.admin());

  return {
    async partitionCount(topic) {
      try {
        const { topics } = await (await admin.connected()).fetchTopicMetadata({ topics: [topic] });
        const count = topics.find(({ name }) => name === topic)?.partitions.length ?? 0;
        if (count === 0) throw new TopicRefusedError('there is no such topic');
        return count;
      } catch (error) {
        if (isTimeout(error)) await admin.renew();
        throw toTopicError(error);
      }
    },
    async write({ topic, partition, records, compression }) {
      try {
        const client = await producer.connected();
        const answers = await client.send({
          topic,
          acks: -1,
          compression: compression === 'gzip' ? CompressionTypes.GZIP : CompressionTypes.None,
          messages: records.map(({ key, value, headers }) => ({
            partition,
            key,
            value,
            headers: { ...headers },
          })),
        });
        if (answers.some((answer) => answer.partition === partition)) return { kind: 'written' };
        // kafkajs leaves out a partition that it does not know yet, and reports the send as done.
        await producer.renew();
        return { kind: 'again', error: new Error('kafkajs left the batch out'), mayBeWritten: false };
      } catch (error) {
        if (isTimeout(error)) await producer.renew();
        return toVerdict(error);
      }
    },
    async close() {
      await Promise.all([producer.close(), admin.close()]);
    },
  };
}

type Connectable = Pick<Producer | Admin, 'connect' | 'disconnect'>;

/** One client for good, since a producer's numbers go with it; connected when first needed, and again when told to. */
function connectWhenNeeded<Client extends Connectable>(client: Client) {
  let connecting: Promise<Client> | undefined;
  let renewing: Promise<void> | undefined;
  const connect = async () => {
    try {
      await client.connect();
    } catch (error) {
      await client.disconnect().catch(() => undefined);
      throw error;
    }
    return client;
  };
  const close = async () => {
    const wasConnecting = connecting;
    connecting = undefined;
    await wasConnecting?.catch(() => undefined);
    if (wasConnecting) await client.disconnect();
  };
  return {
    async connected() {
      await renewing;
      connecting ??= connect().catch((error: unknown) => {
        connecting = undefined;
        throw error;
      });
      return connecting;
    },
    close,
    /** The next call connects anew: kafkajs keeps a connection that answers no more, and a picture of the cluster. */
    renew() {
      renewing ??= close().finally(() => {
        renewing = undefined;
      });
      return renewing;
    },
  };
}

function toVerdict(thrown: unknown): Verdict {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code = brokerErrorCode(error);
  if (code === 'UNKNOWN_TOPIC_OR_PARTITION') return { kind: 'refused', error };
  if (code !== undefined) return verdictOf(code, error);
  // What kafkajs says of a connection does not tell whether the request had left.
  return { kind: 'again', error, mayBeWritten: true };
}

function isTimeout(error: unknown): boolean {
  for (let e = error; e instanceof Error; e = e.cause)
    if (e.name === 'KafkaJSRequestTimeoutError') return true;
  return false;
}

function toTopicError(error: unknown): unknown {
  const code = brokerErrorCode(error);
  return isTopicRefusal(code) ? new TopicRefusedError(code, { cause: error }) : error;
}

/** kafkajs wraps an error once its retries are spent; the first one is the cause. */
function brokerErrorCode(error: unknown): string | undefined {
  for (let e = error; e instanceof Error; e = e.cause ?? (e as { originalError?: unknown }).originalError) {
    const { type } = e as { type?: unknown };
    if (e.name.startsWith('KafkaJS') && typeof type === 'string') return type;
  }
  return undefined;
}
