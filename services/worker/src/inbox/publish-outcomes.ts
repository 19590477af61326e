/**
 * Publishes what a run has found out, and shows give-ups twice: as a record in the dead-letter topic, for programs,
 * and as a job without a worker in the dead-letters queue, for people in Bull Board (metadata only).
 */
import type { Logger, ResourcePath, TakenResource } from '@graph2kafka/shared';
import type { Queue } from 'bullmq';
import {
  type KafkaRecord,
  PublishError,
  type PublishProblem,
  type RecordPublisher,
} from '../kafka/record-publisher.ts';
import { changeRecord, notificationOf, type Outcome } from '../records/change-record.ts';
import type { RecordOrigin } from '../records/cloud-event.ts';
import { type DeadLetter, type DeadLetterPayload, deadLetterRecord } from '../records/dead-letter-record.ts';
import { type EncodeRecord, tombstone } from '../records/encode-record.ts';
import type { MergedItem } from './merge-entries.ts';

/** A reference where the record is too large; a dead letter where Kafka takes neither. */
export type Sent = 'whole' | 'reference' | 'dead letter';

export type PublishOutcomes = {
  /** The record of a change, or what stands for it. Rejects with a `PublishError`. */
  outcome(path: ResourcePath, item: MergedItem, outcome: Outcome): Promise<Sent>;
  /** A dead letter that stands for all entries of the resource; `wish` is the wanted subscription, where it is known. */
  giveUp(taken: TakenResource, stage: DeadLetter['stage'], reason: string, wish?: string): Promise<void>;
};

export type PublishedTenant = {
  readonly id: string;
  readonly clientId: string;
  readonly deadLetterTopic: string;
};

export type PublishOutcomesDeps = {
  readonly publisher: RecordPublisher;
  readonly encode: EncodeRecord;
  readonly deadLetters: Queue;
  /** Whose a record is: the `source` of what it says, and the topic of its dead letters. */
  readonly tenantOf: (tenantId: string) => PublishedTenant;
  /** Origin of Graph, for records that only say where a resource is. */
  readonly graphUrl: string;
  readonly deadLetterPayload: DeadLetterPayload;
  /** Whether a deletion is followed by a record without a value, which removes the key from a compacted topic. */
  readonly tombstones: boolean;
  readonly log: Logger;
};

export function createPublishOutcomes(deps: PublishOutcomesDeps): PublishOutcomes {
  return {
    async outcome(path, item, outcome) {
      const { key, event } = changeRecord(originOf(deps, item.latest.tenantId), path, item, outcome);
      const record = deps.encode(item.view.topic, key, event);
      const sent = await publishOrRefer(deps, path, item, outcome, record);
      if (sent === 'dead letter') return sent;
      if (outcome.found === 'deleted' && deps.tombstones) {
        await deps.publisher.publish(tombstone(item.view.topic, key));
      }
      deps.log.info({ ...wideLine(key, item, outcome), sent }, 'record.published');
      if (outcome.found === 'nothing') await showGiveUp(deps, key, 'fetch', outcome.reason);
      return sent;
    },
    giveUp: (taken, stage, reason, wish) =>
      publishDeadLetter(deps, { ...letterOf(taken, stage, reason), subscription: wish }),
  };
}

function originOf({ tenantOf }: PublishOutcomesDeps, tenantId: string): RecordOrigin {
  const { id, clientId } = tenantOf(tenantId);
  return { tenantId: id, clientId };
}

/** The record; where it is too large, one that says where the resource is; a dead letter where Kafka takes neither. */
async function publishOrRefer(
  deps: PublishOutcomesDeps,
  path: ResourcePath,
  item: MergedItem,
  outcome: Outcome,
  record: KafkaRecord,
): Promise<Sent> {
  const refusal = await refusalOf(deps.publisher, record);
  if (refusal === undefined) return 'whole';
  const oversize = { bytes: Buffer.byteLength(record.value ?? ''), graphUrl: deps.graphUrl };
  const { key, event } = changeRecord(originOf(deps, item.latest.tenantId), path, item, outcome, oversize);
  const last =
    refusal.problem === 'tooLarge'
      ? await refusalOf(deps.publisher, deps.encode(record.topic, key, event))
      : refusal;
  if (last === undefined) return 'reference';
  await publishDeadLetter(deps, refused(key, item, last));
  return 'dead letter';
}

/** Why the broker will never take this record; rejects with a `PublishError` of anything that may pass. */
async function refusalOf(publisher: RecordPublisher, record: KafkaRecord): Promise<PublishError | undefined> {
  try {
    await publisher.publish(record);
    return undefined;
  } catch (error) {
    const isFinal = error instanceof PublishError && FINAL.has(error.problem);
    if (isFinal) return error;
    throw error;
  }
}

const FINAL: ReadonlySet<PublishProblem> = new Set<PublishProblem>(['tooLarge', 'invalid']);

async function publishDeadLetter(deps: PublishOutcomesDeps, letter: DeadLetter): Promise<void> {
  const { key, event } = deadLetterRecord(originOf(deps, letter.tenantId), letter, deps.deadLetterPayload);
  const { deadLetterTopic } = deps.tenantOf(letter.tenantId);
  await deps.publisher.publish(deps.encode(deadLetterTopic, key, event));
  deps.log.warn({ key, stage: letter.stage, reason: letter.reason }, 'record.dead-lettered');
  await showGiveUp(deps, key, letter.stage, letter.reason);
}

/** As many as somebody may still look through, about 10 MB of Redis; the topic has all of them. */
const MOST_SHOWN = 10_000;

/** Never fails the run: the dead letter itself is in Kafka by then. */
async function showGiveUp(
  { deadLetters, log }: PublishOutcomesDeps,
  key: string,
  stage: string,
  reason: string,
) {
  try {
    await deadLetters.add(stage, { key, stage, reason, at: new Date().toISOString() });
    await deadLetters.trimEvents(1000);
    await removeOldest(deadLetters);
  } catch (error) {
    log.warn({ err: error }, 'dead-letter.not-shown');
  }
}

/** Nobody works this queue, so that BullMQ's own removal of what is completed never comes to it. */
async function removeOldest(deadLetters: Queue): Promise<void> {
  const surplus = (await deadLetters.getWaitingCount()) - MOST_SHOWN;
  if (surplus <= 0) return;
  // Other workers remove the same ones; what is gone already is no error.
  await Promise.all((await deadLetters.getWaiting(0, surplus - 1)).map((job) => job.remove()));
}

function letterOf(
  { resource, entries, attempts }: TakenResource,
  stage: DeadLetter['stage'],
  reason: string,
): DeadLetter {
  const last = entries.at(-1);
  const news = last?.news;
  return {
    tenantId: news?.tenantId ?? 'unknown',
    resource,
    subscriptionId: last?.subscriptionId ?? 'unknown',
    reason,
    stage,
    attempts,
    firstReceivedAt: Math.min(...entries.map(({ firstReceivedAt }) => firstReceivedAt)),
    notifications: entries.reduce((sum, { count }) => sum + count, 0),
    notification: news ? withoutNonce(news) : {},
  };
}

function refused(
  key: string,
  { view, latest, firstReceivedAt, count }: MergedItem,
  { message }: PublishError,
): DeadLetter {
  return {
    tenantId: latest.tenantId,
    resource: key.slice(latest.tenantId.length + 1),
    subscriptionId: latest.subscriptionId,
    subscription: view.wish,
    reason: `Kafka takes no record of it (${message})`,
    stage: 'publish',
    attempts: 0,
    firstReceivedAt,
    notifications: count,
    notification: notificationOf(latest),
  };
}

/** Neither what proves the sender nor where we keep what was carried. */
function withoutNonce({ nonce: _nonce, ...notification }: TakenResource['entries'][number]['news']) {
  if (notification.kind !== 'change') return notification;
  const { contentId: _contentId, traceparent: _traceparent, ...shown } = notification;
  return shown;
}

/** The one line per record: what, how it was had, how long since the first notification. */
function wideLine(key: string, item: MergedItem, outcome: Outcome): Record<string, unknown> {
  return {
    key,
    found: outcome.found,
    ...(outcome.found === 'nothing' ? { reason: outcome.reason } : {}),
    topic: item.view.topic,
    wish: item.view.wish,
    notifications: item.count,
    trace_id: item.latest.traceparent?.split('-', 2)[1],
    since_received_ms: Date.now() - item.firstReceivedAt,
  };
}
