/** The worker's parts, each made once, none of them working yet; closed in the reverse order of their making. */

import type { TokenCredential } from '@azure/identity';
import {
  type ContentStore,
  connectPatient,
  createContentStore,
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
import { createMetrics, type Metrics } from './admin/metrics.ts';
import type { WorkerConfig } from './config.ts';
import type { WantedByFile } from './declaration/read-declaration.ts';
import { createCredential } from './graph/access-tokens.ts';
import type { Batching } from './graph/batched-requests.ts';
import { createPublishOutcomes, type PublishOutcomes } from './inbox/publish-outcomes.ts';
import type { AzureToken } from './kafka/connection-of-settings.ts';
import { createKafkaClient, type KafkaClient } from './kafka/kafka-client.ts';
import { createPauseStore } from './limits/pause-store.ts';
import { createTenantPauses, type TenantPauses } from './limits/tenant-pauses.ts';
import { createWishSource } from './people/create-wish-source.ts';
import type { WishSource } from './people/wish-source.ts';
import { createEncodeRecord } from './records/encode-record.ts';
import { createFindSchemaId } from './records/registry-client.ts';
import { createSchemaRegistry, type SchemaRegistry } from './records/schema-registry.ts';
import { type EncryptionKeys, noEncryptionKeys } from './rich/encryption-keys.ts';
import type { Fleet } from './subscriptions/fleet.ts';
import { readFleetNumbers } from './subscriptions/fleet-numbers.ts';
import { createGraphClock, type GraphClock } from './subscriptions/graph-clock.ts';
import { createKeptByHand } from './subscriptions/kept-by-hand.ts';
import { createRedisFleet } from './subscriptions/redis-fleet.ts';
import { createSubscriptionStore, type SubscriptionStore } from './subscriptions/subscription-store.ts';
import type { Wish } from './subscriptions/wanted-subscriptions.ts';
import { endpointsOf } from './tenants/clouds.ts';
import {
  createTenants,
  type DeclaredTenants,
  noDeclaredTenants,
  type Tenants,
} from './tenants/create-tenants.ts';

export type WorkerContext = {
  readonly config: WorkerConfig;
  /** Of each kind that is wanted at least one: for what goes by kinds and topics. */
  readonly samples: readonly Wish[];
  readonly wanted: WishSource;
  readonly log: Logger;
  readonly names: QueueNames;
  readonly redis: Redis;
  readonly inbox: Inbox;
  readonly contents: ContentStore;
  readonly queues: {
    readonly owners: Queue<OwnerJobData>;
    readonly deadLetters: Queue;
    readonly subscriptions: Queue;
  };
  readonly kafka: KafkaClient;
  /** Absent where no schema registry is set. */
  readonly schemas: SchemaRegistry | undefined;
  readonly publish: PublishOutcomes;
  readonly tenants: Tenants;
  readonly pauses: TenantPauses;
  readonly store: SubscriptionStore;
  readonly fleet: Fleet;
  readonly graphClock: GraphClock;
  readonly encryption: EncryptionKeys;
  readonly metrics: Metrics;
};

export function createContext(
  config: WorkerConfig,
  { entries, samples }: WantedByFile,
  log: Logger,
  shutdown: Shutdown,
  encryption: EncryptionKeys = noEncryptionKeys,
  declared: DeclaredTenants = noDeclaredTenants,
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
  const kafka = createKafkaClient(config, azureTokenOf(config), log);
  shutdown.add('kafka', () => kafka.publisher.close());
  const pauses = createTenantPauses({
    store: createPauseStore(redis, names),
    log,
    random: Math.random,
    askNewToken: (tenantId) => tenants.byId.get(tenantId)?.tokens.askAnew(),
  });
  const graphClock = createGraphClock(Date.now, () => performance.now());
  const fleet = createRedisFleet(redis, names, graphClock.now, config.RECONCILE_LEASE_MS);
  const readFleet = async () => readFleetNumbers(await fleet.counts(), config.CLIENT_STATE_SECRETS);
  const metrics = createMetrics(inbox, queues.owners, queues.deadLetters, () => pauses.list(), readFleet);
  const endpoints = endpointsOf(config);
  const tenants = createTenants(config, declared, {
    endpoints,
    authorityHost: authorityOf(config),
    federation: config.AZURE_FEDERATION,
    batching: batchingOf(config),
    onRequest: (form) => metrics.countGraphRequest(form),
    onDate: graphClock.note,
    log,
  });
  shutdown.add('tenants', () => tenants.close());
  const schemas = schemaRegistryOf(config);
  const publish = createPublishOutcomes({
    publisher: kafka.publisher,
    encode: createEncodeRecord(config.KAFKA_RECORD_MODE, schemas?.frame),
    deadLetters: queues.deadLetters,
    // What names a tenant that we do not serve is told of by our own.
    tenantOf: (id) => tenants.byId.get(id) ?? tenants.own,
    graphUrl: endpoints.graphUrl,
    deadLetterPayload: config.KAFKA_DEAD_LETTER_PAYLOAD,
    tombstones: config.KAFKA_TOMBSTONES,
    log,
  });
  const declaredWishes = createWishSource({
    entries,
    directoryOf: (tenantId) => tenants.byId.get(tenantId)?.directory,
    redis,
    names,
    everyMs: config.PEOPLE_EVERY_MS,
    log,
    now: Date.now,
  });
  const wanted = createKeptByHand(redis, names).with(declaredWishes);
  return {
    config,
    samples,
    wanted,
    log,
    names,
    redis,
    inbox,
    contents: createContentStore(redis, names),
    queues,
    kafka,
    schemas,
    publish,
    tenants,
    pauses,
    store: createSubscriptionStore(redis, names),
    fleet,
    graphClock,
    encryption,
    metrics,
  };
}

function schemaRegistryOf(config: WorkerConfig): SchemaRegistry | undefined {
  const { KAFKA_SCHEMA_REGISTRY_URL: url, KAFKA_SCHEMA_REGISTRY_USER: user } = config;
  if (url === undefined) return undefined;
  const findId = createFindSchemaId({
    url,
    login: user === undefined ? undefined : { user, password: config.KAFKA_SCHEMA_REGISTRY_PASSWORD ?? '' },
    register: config.KAFKA_SCHEMA_REGISTRY_REGISTER,
  });
  return createSchemaRegistry(config.KAFKA_RECORD_MODE, findId);
}

/** Event Hubs trust the identity that reads from Graph, for a scope of their own. */
function azureTokenOf(config: WorkerConfig): AzureToken {
  let credential: TokenCredential | undefined;
  return async (scope) => {
    credential ??= createCredential(credentialSettings(config));
    const token = await credential.getToken(scope, { abortSignal: AbortSignal.timeout(10_000) });
    if (!token) throw new Error('the Azure identity gave no token for Kafka');
    return token.token;
  };
}

function credentialSettings(config: WorkerConfig) {
  return {
    tenantId: config.AZURE_TENANT_ID,
    clientId: config.AZURE_CLIENT_ID,
    clientSecret: config.AZURE_CLIENT_SECRET,
    federation: config.AZURE_FEDERATION,
    authorityHost: authorityOf(config),
  };
}

function batchingOf(config: WorkerConfig): Omit<Batching, 'onRefused'> | undefined {
  if (!config.GRAPH_BATCHING) return undefined;
  return { waitMs: config.GRAPH_BATCH_WAIT_MS, outlookParts: config.GRAPH_BATCH_OUTLOOK_PARTS };
}

/** Absent: the public cloud, which needs not be named. */
function authorityOf(config: WorkerConfig): string | undefined {
  const isNamed = config.AZURE_AUTHORITY_HOST !== undefined || config.GRAPH_CLOUD !== 'global';
  return isNamed ? endpointsOf(config).loginUrl : undefined;
}
