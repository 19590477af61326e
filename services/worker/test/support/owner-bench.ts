/** Everything that runs of an owner need, for real: Redis, Kafka, and Graph as the simulator plays it. */

import type { GraphSimulatorOptions } from '@graph2kafka/graph-simulator';
import {
  type ChangeNotification,
  changeEntry,
  createContentStore,
  DEAD_LETTER_QUEUE,
  type Inbox,
  type InboxEntry,
} from '@graph2kafka/shared';
import type { Queue } from 'bullmq';
import { inject, onTestFinished } from 'vitest';
import { createFetchResource } from '../../src/graph/fetch-resource.ts';
import { createReadPage } from '../../src/graph/read-page.ts';
import { createDeltaStore } from '../../src/inbox/delta-store.ts';
import type { View } from '../../src/inbox/merge-entries.ts';
import { type OwnerRunDeps, runOwner } from '../../src/inbox/owner-run.ts';
import { createPublishOutcomes } from '../../src/inbox/publish-outcomes.ts';
import type { TenantAccess } from '../../src/inbox/tenant-access.ts';
import { createMailboxRequests } from '../../src/limits/mailbox-requests.ts';
import { createPauseStore } from '../../src/limits/pause-store.ts';
import { createTenantPauses } from '../../src/limits/tenant-pauses.ts';
import { createEncodeRecord } from '../../src/records/encode-record.ts';
import { type OwnRedis, ownRedis } from './own-redis.ts';
import { ownTopic, readEvents, type SeenEvent } from './own-topic.ts';
import { openPublisher } from './publishers.ts';
import { keptLog } from './silent-log.ts';
import { type SimulatedGraph, simulateGraph } from './simulated-graph.ts';

export type OwnerBench = SimulatedGraph & {
  readonly own: OwnRedis;
  readonly owner: string;
  readonly deps: OwnerRunDeps;
  readonly tenant: TenantAccess;
  /** To be given to `run`: Graph is read in another way. */
  readingWith(changed: Partial<TenantAccess>): Pick<OwnerRunDeps, 'tenants'>;
  readonly deadLetters: Queue;
  readonly log: ReturnType<typeof keptLog>;
  /** Puts into the inbox that this resource changed, as the receiver does; the path as Graph writes it. */
  notify(
    changeType: ChangeNotification['changeType'],
    resource: string,
    more?: {
      readonly subscriptionId?: string;
      readonly tenantId?: string;
      readonly at?: number;
      readonly inbox?: Inbox;
    },
  ): Promise<void>;
  append(entry: InboxEntry): Promise<void>;
  run(changed?: Partial<OwnerRunDeps>): ReturnType<typeof runOwner>;
  /** Records of changes so far. */
  events(): Promise<SeenEvent[]>;
  /** Records of dead letters so far. */
  letters(): Promise<SeenEvent[]>;
};

export type BenchOptions = {
  readonly simulator?: GraphSimulatorOptions;
  readonly brokers?: string;
  readonly partitions?: number;
  /** Items of a page of a list or a delta query. */
  readonly pageSize?: number;
};

/** The subscription ids that the bench knows: a whole calendar, and a view of a part of it. */
export const WHOLE = 'subscription-whole';
export const PART = 'subscription-part';

export async function ownerBench({
  simulator,
  brokers,
  partitions,
  pageSize,
}: BenchOptions = {}): Promise<OwnerBench> {
  const kafkaBrokers = brokers ?? inject('kafkaBrokers');
  const graph = await simulateGraph(simulator);
  const own = ownRedis();
  const log = keptLog();
  const [topic, deadLetterTopic] = await Promise.all([
    ownTopic(partitions, kafkaBrokers),
    ownTopic(1, kafkaBrokers),
  ]);
  const publisher = openPublisher('platformatic', kafkaBrokers);
  onTestFinished(() => publisher.close());
  const deadLetters = own.openQueue(DEAD_LETTER_QUEUE);
  const { tenantId, clientId } = graph.simulator;
  const views: Record<string, View> = {
    [WHOLE]: { wish: 'calendars', topic, whole: true },
    [PART]: { wish: 'part', topic, whole: false },
  };
  const tenant: TenantAccess = {
    fetchResource: createFetchResource(graph.client),
    readPage: createReadPage(graph.client, graph.simulator.url, pageSize),
  };
  const deps: OwnerRunDeps = {
    inbox: own.inbox,
    log,
    tenants: new Map([[tenantId, tenant]]),
    pauses: createTenantPauses({
      store: createPauseStore(own.redis, own.names),
      log,
      random: () => 0.5,
      // Of a single owner nothing more is to be learnt by waiting.
      times: { decideAfterMs: 0, untilMendedMs: 30_000 },
    }),
    mailboxRequests: createMailboxRequests(own.redis, own.names, log),
    contents: createContentStore(own.redis, own.names),
    delta: createDeltaStore(own.redis, own.names),
    openContent: () => Promise.reject(new Error('nothing is encrypted here')),
    publish: createPublishOutcomes({
      publisher,
      encode: createEncodeRecord('structured'),
      deadLetters,
      tenantOf: () => ({ id: tenantId, clientId, deadLetterTopic }),
      graphUrl: graph.simulator.url,
      deadLetterPayload: 'notification',
      tombstones: false,
      log,
    }),
    handleLifecycle: async () => undefined,
    loadViews: async () => (id) => views[id] ?? { wish: undefined, topic, whole: false },
    now: Date.now,
    random: () => 0.5,
    leaseMs: 10_000,
    window: 50,
  };
  const owner = `${tenantId}/users/${graph.user}`;
  const append = async (entry: InboxEntry, inbox = own.inbox) =>
    void (await inbox.append(entry.owner, [entry]));
  return {
    ...graph,
    own,
    owner,
    deps,
    tenant,
    readingWith: (changed) => ({ tenants: new Map([[tenantId, { ...tenant, ...changed }]]) }),
    deadLetters,
    log,
    append,
    notify: (changeType, resource, more = {}) =>
      append(
        changeEntry(
          {
            subscriptionId: more.subscriptionId ?? WHOLE,
            tenantId: more.tenantId ?? tenantId,
            changeType,
            resource,
            id: undefined,
            resourceData: undefined,
          },
          undefined,
          more.at ?? Date.now(),
        ),
        more.inbox,
      ),
    run: (changed = {}) => runOwner({ ...deps, ...changed }, owner),
    events: () => readEvents(topic, kafkaBrokers),
    letters: () => readEvents(deadLetterTopic, kafkaBrokers),
  };
}
