/**
 * Publishes what a run has found out, and shows give-ups twice: as a record in the dead-letter topic, for programs,
 * and as a job without a worker in the dead-letters queue, for people in Bull Board (metadata only).
 */
import type { Logger, ResourcePath, TakenResource } from '@graph2kafka/shared';
import type { Queue } from 'bullmq';
import { PublishError, type RecordPublisher } from '../kafka/record-publisher.ts';
import {
  type DeadLetter,
  type Outcome,
  type RecordOrigin,
  toDeadLetterRecord,
  toRecord,
  withoutNonce,
} from '../kafka/to-record.ts';
import type { MergedItem } from './merge-entries.ts';

export type PublishOutcomes = {
  /** The record of a change. Rejects with a `PublishError`. */
  outcome(path: ResourcePath, item: MergedItem, outcome: Outcome): Promise<void>;
  /** A dead letter that stands for all entries of the resource. */
  giveUp(taken: TakenResource, stage: DeadLetter['stage'], reason: string): Promise<void>;
};

export type PublishOutcomesDeps = {
  readonly publisher: RecordPublisher;
  readonly deadLetters: Queue;
  readonly origin: RecordOrigin;
  readonly deadLetterTopic: string;
  readonly log: Logger;
};

export function createPublishOutcomes(deps: PublishOutcomesDeps): PublishOutcomes {
  const { publisher, origin, log } = deps;
  return {
    async outcome(path, item, outcome) {
      const record = toRecord(origin, path, item, outcome);
      try {
        await publisher.publish(record);
      } catch (error) {
        if (!(error instanceof PublishError) || error.problem !== 'tooLarge') throw error;
        await publishDeadLetter(deps, tooLarge(record.key, item, error));
        return;
      }
      log.info(wideLine(record.key, item, outcome), 'record.published');
      if (outcome.found === 'nothing') await showGiveUp(deps, record.key, 'fetch', outcome.reason);
    },
    giveUp: (taken, stage, reason) => publishDeadLetter(deps, letterOf(taken, stage, reason)),
  };
}

async function publishDeadLetter(deps: PublishOutcomesDeps, letter: DeadLetter): Promise<void> {
  const record = toDeadLetterRecord(deps.origin, deps.deadLetterTopic, letter);
  await deps.publisher.publish(record);
  deps.log.warn({ key: record.key, stage: letter.stage, reason: letter.reason }, 'record.dead-lettered');
  await showGiveUp(deps, record.key, letter.stage, letter.reason);
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
  { resource, entries }: TakenResource,
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
    firstReceivedAt: Math.min(...entries.map(({ firstReceivedAt }) => firstReceivedAt)),
    notifications: entries.reduce((sum, { count }) => sum + count, 0),
    notification: news ? withoutNonce(news) : {},
  };
}

function tooLarge(key: string, item: MergedItem, error: PublishError): DeadLetter {
  const { latest, firstReceivedAt, count } = item;
  return {
    tenantId: latest.tenantId,
    resource: key.slice(latest.tenantId.length + 1),
    subscriptionId: latest.subscriptionId,
    reason: `the record is too large for Kafka (${error.message})`,
    stage: 'publish',
    firstReceivedAt,
    notifications: count,
    notification: withoutNonce(latest),
  };
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
    since_received_ms: Date.now() - item.firstReceivedAt,
  };
}
