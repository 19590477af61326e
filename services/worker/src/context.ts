/** The worker's parts, each made once, none of them working yet; closed in the reverse order of their making. */
import {
  connectPatient,
  createInbox,
  DEAD_LETTER_QUEUE,
  type Inbox,
  type Logger,
  OWNER_QUEUE,
  type OwnerJobData,
  type QueueNames,
  queueNames,
  type Shutdown,
  SUBSCRIPTION_QUEUE,
} from '@graph2kafka/shared';
import { Queue, type QueueOptions } from 'bullmq';
import type { Redis } from 'ioredis';
import type { Kafka } from 'kafkajs';
import { createMetrics, type Metrics } from './admin/metrics.ts';
import type { WorkerConfig } from './config.ts';
import { createAccessTokens, createCredential } from './graph/access-tokens.ts';
import { createGraphClient, type GraphClient } from './graph/graph-client.ts';
import { createPublishOutcomes, type PublishOutcomes } from './inbox/publish-outcomes.ts';
import { createKafka, createKafkajsPublisher } from './kafka/kafkajs-publisher.ts';
import { createSubscriptionStore, type SubscriptionStore } from './subscriptions/subscription-store.ts';
import type { Wish } from './subscriptions/wanted-subscriptions.ts';

export type WorkerContext = {
  readonly config: WorkerConfig;
  readonly wishes: readonly Wish[];
  readonly log: Logger;
  readonly names: QueueNames;
  readonly redis: Redis;
  readonly inbox: Inbox;
  readonly queues: {
    readonly owners: Queue<OwnerJobData>;
    readonly deadLetters: Queue;
    readonly subscriptions: Queue;
  };
  readonly kafka: Kafka;
  readonly publish: PublishOutcomes;
  readonly graph: GraphClient;
  readonly store: SubscriptionStore;
  readonly metrics: Metrics;
};

export function createContext(
  config: WorkerConfig,
  wishes: readonly Wish[],
  log: Logger,
  shutdown: Shutdown,
): WorkerContext {
  const names = queueNames(config.REDIS_PREFIX);
  const redis = connectPatient(config.REDIS_URL, (error) => log.warn({ err: error }, 'redis.error'));
  shutdown.add('redis', () => redis.disconnect());
  const inbox = createInbox(redis, names);
  const openQueue = <Data>(name: string): Queue<Data> => {
    const options: QueueOptions = { connection: redis, prefix: names.prefix };
    const queue = new Queue<Data>(name, options);
    // BullMQ repeats errors of the connection, which are logged where it was made.
    queue.on('error', () => undefined);
    shutdown.add(`queue ${name}`, () => queue.close());
    return queue;
  };
  const queues = {
    owners: openQueue<OwnerJobData>(OWNER_QUEUE),
    deadLetters: openQueue(DEAD_LETTER_QUEUE),
    subscriptions: openQueue(SUBSCRIPTION_QUEUE),
  };
  const kafka = createKafka(config.KAFKA_BROKERS, config.KAFKA_CLIENT_ID, log);
  const publisher = createKafkajsPublisher(kafka);
  shutdown.add('kafka', () => publisher.close());
  const graph = createGraphClient({
    url: config.GRAPH_URL,
    tokens: createAccessTokens(() => createCredential(credentialSettings(config)), config.GRAPH_SCOPE),
  });
  shutdown.add('graph client', () => graph.close());
  const publish = createPublishOutcomes({
    publisher,
    deadLetters: queues.deadLetters,
    origin: { tenantId: config.AZURE_TENANT_ID, clientId: config.AZURE_CLIENT_ID },
    deadLetterTopic: config.KAFKA_DEAD_LETTER_TOPIC,
    log,
  });
  return {
    config,
    wishes,
    log,
    names,
    redis,
    inbox,
    queues,
    kafka,
    publish,
    graph,
    store: createSubscriptionStore(redis, names),
    metrics: createMetrics(inbox, queues.owners, queues.deadLetters),
  };
}

function credentialSettings(config: WorkerConfig) {
  return {
    tenantId: config.AZURE_TENANT_ID,
    clientId: config.AZURE_CLIENT_ID,
    clientSecret: config.AZURE_CLIENT_SECRET,
    authorityHost: config.AZURE_AUTHORITY_HOST,
  };
}
