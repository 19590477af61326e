// What the harness asks a Kafka cluster: is it there, which partitions has a topic, where do they end, make a topic.
// Each request is in an old version that Kafka 4 still speaks, for the plainer encoding.
import { setTimeout as delay } from 'node:timers/promises';
import {
  array,
  type BrokerAddress,
  callBroker,
  int8,
  int16,
  int32,
  int64,
  type ResponseReader,
  string,
} from './kafka-wire.ts';

const LIST_OFFSETS = 2;
const METADATA = 3;
const CREATE_TOPICS = 19;
const DELETE_TOPICS = 20;

const NO_ERROR = 0;
const UNKNOWN_TOPIC_OR_PARTITION = 3;
const TOPIC_ALREADY_EXISTS = 36;
/** LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER: over in a moment. */
const LEADER_MOVES = new Set([5, 6]);
const RETRY_MS = 25;

// A broker on loopback answers in milliseconds; one that is starting is asked again.
const TIMEOUT_MS = 5_000;

interface Partition {
  readonly index: number;
  readonly leader: BrokerAddress;
}

/** One past the last offset of a partition. */
export interface PartitionEnd {
  readonly partition: number;
  readonly endOffset: number;
}

/** `127.0.0.1:9092,other:9092` → addresses. @throws on anything else */
export function parseBrokers(brokers: string): BrokerAddress[] {
  return brokers.split(',').map((address) => {
    const { hostname, port } = new URL(`kafka://${address.trim()}`);
    if (!hostname || !port) throw new Error(`Not a list of host:port pairs: ${brokers}`);
    return { host: hostname, port: Number(port) };
  });
}

/** True when the broker answers as a member of a cluster that is ready to create and lead topics. */
export async function isServing(broker: BrokerAddress, timeoutMs: number): Promise<boolean> {
  const answer = await callBroker(broker, metadataRequest([], timeoutMs));
  return readClusterBrokers(answer).size > 0;
}

/** Empty when the topic does not exist. */
export async function topicPartitions(brokers: string, topic: string): Promise<readonly Partition[]> {
  const answer = await callFirstReachable(parseBrokers(brokers), metadataRequest([topic], TIMEOUT_MS));
  const addresses = readClusterBrokers(answer);
  const [found] = answer.array(() => readTopic(answer));
  if (!found || found.error === UNKNOWN_TOPIC_OR_PARTITION) return [];
  failOn(found.error, `describing the topic ${topic}`);
  return found.partitions.map(({ index, leaderId, error }) => {
    const leader = addresses.get(leaderId);
    failOn(error, `describing partition ${index} of ${topic}`);
    if (!leader) throw new Error(`Kafka names no address for the leader of partition ${index} of ${topic}`);
    return { index, leader };
  });
}

/**
 * Where each partition of a topic ends now; empty when the topic does not exist. Tries for some seconds, since a
 * broker names itself the leader of a partition a moment before it acts as one.
 */
export async function endOffsets(brokers: string, topic: string): Promise<PartitionEnd[]> {
  const giveUpAt = performance.now() + TIMEOUT_MS;
  while (true) {
    try {
      const partitions = await topicPartitions(brokers, topic);
      return await Promise.all(partitions.map((partition) => endOffset(topic, partition)));
    } catch (error) {
      const isLeaderMoving = error instanceof KafkaAnswerError && LEADER_MOVES.has(error.code);
      if (!isLeaderMoving || performance.now() > giveUpAt) throw error;
      await delay(RETRY_MS);
    }
  }
}

export interface NewTopic {
  readonly partitions?: number;
  readonly replication?: number;
  /** Of the topic, in Kafka's names: `max.message.bytes`. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Creates a topic and returns when all its partitions can be used; content with one that exists. */
export async function createTopic(
  brokers: string,
  topic: string,
  { partitions = 1, replication = 1, config = {} }: NewTopic = {},
): Promise<void> {
  const noAssignments = array([]);
  const configs = array(
    Object.entries(config).map(([name, value]) => Buffer.concat([string(name), string(value)])),
  );
  const wanted = Buffer.concat([
    string(topic),
    int32(partitions),
    int16(replication),
    noAssignments,
    configs,
  ]);
  const answer = await callFirstReachable(parseBrokers(brokers), {
    apiKey: CREATE_TOPICS,
    apiVersion: 2,
    // The time limit is the broker's; the last byte would say "only validate".
    body: Buffer.concat([array([wanted]), int32(TIMEOUT_MS), int8(0)]),
    timeoutMs: TIMEOUT_MS,
  });
  answer.int32(); // Throttle time.
  const [error = NO_ERROR] = answer.array(() => {
    answer.string();
    const code = answer.int16();
    answer.string();
    return code;
  });
  if (error !== TOPIC_ALREADY_EXISTS) failOn(error, `creating the topic ${topic}`);
  await endOffsets(brokers, topic);
}

/** Deletes a topic; content where there is none. */
export async function deleteTopic(brokers: string, topic: string): Promise<void> {
  const answer = await callFirstReachable(parseBrokers(brokers), {
    apiKey: DELETE_TOPICS,
    apiVersion: 1,
    body: Buffer.concat([array([string(topic)]), int32(TIMEOUT_MS)]),
    timeoutMs: TIMEOUT_MS,
  });
  answer.int32(); // Throttle time.
  const [error = NO_ERROR] = answer.array(() => {
    answer.string();
    return answer.int16();
  });
  if (error !== UNKNOWN_TOPIC_OR_PARTITION) failOn(error, `deleting the topic ${topic}`);
}

async function endOffset(topic: string, { index, leader }: Partition): Promise<PartitionEnd> {
  const anyReplica = int32(-1);
  const latest = int64(-1);
  const body = Buffer.concat([
    anyReplica,
    array([Buffer.concat([string(topic), array([Buffer.concat([int32(index), latest])])])]),
  ]);
  const answer = await callBroker(leader, {
    apiKey: LIST_OFFSETS,
    apiVersion: 1,
    body,
    timeoutMs: TIMEOUT_MS,
  });
  const [found] = answer.array(() => {
    answer.string();
    return answer.array(() => {
      answer.int32();
      const error = answer.int16();
      answer.int64();
      return { error, offset: answer.int64() };
    });
  });
  const [end] = found ?? [];
  if (!end) throw new Error(`Kafka tells no end of partition ${index} of ${topic}`);
  failOn(end.error, `asking for the end of partition ${index} of ${topic}`);
  return { partition: index, endOffset: end.offset };
}

function metadataRequest(topics: readonly string[], timeoutMs: number) {
  // Version 4 is the first that can be told not to create a topic by asking for it.
  const mayCreate = int8(0);
  return {
    apiKey: METADATA,
    apiVersion: 4,
    body: Buffer.concat([array(topics.map(string)), mayCreate]),
    timeoutMs,
  };
}

function readClusterBrokers(answer: ResponseReader): Map<number, BrokerAddress> {
  answer.int32(); // Throttle time.
  const brokers = answer.array((): [number, BrokerAddress] => {
    const id = answer.int32();
    const address = { host: answer.string() ?? '', port: answer.int32() };
    answer.string(); // Rack.
    return [id, address];
  });
  answer.string(); // The cluster's id.
  answer.int32(); // The controller's id.
  return new Map(brokers);
}

function readTopic(answer: ResponseReader) {
  const error = answer.int16();
  answer.string();
  answer.int8(); // Whether it is internal.
  const partitions = answer.array(() => {
    const partition = { error: answer.int16(), index: answer.int32(), leaderId: answer.int32() };
    answer.array(() => answer.int32()); // Replicas.
    answer.array(() => answer.int32()); // Replicas in sync.
    return partition;
  });
  return { error, partitions };
}

async function callFirstReachable(
  addresses: readonly BrokerAddress[],
  request: Parameters<typeof callBroker>[1],
): Promise<ResponseReader> {
  let lastError: unknown;
  for (const address of addresses) {
    try {
      return await callBroker(address, request);
    } catch (error) {
      lastError = error;
    }
  }
  throw lastError;
}

/** A broker's answer that it did not do what it was asked for, with Kafka's error code. */
class KafkaAnswerError extends Error {
  override readonly name = 'KafkaAnswerError';
  readonly code: number;

  constructor(code: number, doing: string) {
    super(`Kafka answers error code ${code} when ${doing}`);
    this.code = code;
  }
}

function failOn(errorCode: number, doing: string): void {
  if (errorCode !== NO_ERROR) throw new KafkaAnswerError(errorCode, doing);
}
