/**
 * How far a run has got: what it counts, what stops it early, what Kafka has confirmed. Every publish of a run goes
 * through here, since each has to be preceded by a look at the lease.
 */
import type { Logger } from '@graph2kafka/shared';
import { PublishError } from '../kafka/record-publisher.ts';
import type { ResourceKind } from '../resources/resource-kind.ts';
import type { Lease } from './lease.ts';
import type { MergedItem } from './merge-entries.ts';

export type Tally = {
  notifications: number;
  records: number;
  fetches: number;
  waiting: number;
  givenUp: number;
  /** The last thing that went wrong, in words; absent where nothing did. */
  lastError?: string;
};

/** Why the run stops early; the first reason counts. */
export type Hindrance = { readonly ms: number; readonly reason: string; readonly kafkaAway: boolean };

export type Published = { readonly resource: string; readonly item: MergedItem };

/** While Kafka is away; short, since the intake is paused meanwhile and its return is watched. */
const KAFKA_AWAY_MS = 1000;
/** A topic that is gone or forbidden is for people to mend. */
const KAFKA_REFUSES_MS = 10_000;

export const emptyTally = (): Tally => ({ notifications: 0, records: 0, fetches: 0, waiting: 0, givenUp: 0 });

export class RunProgress {
  hindrance: Hindrance | undefined;
  /** What Kafka has confirmed. */
  readonly published: Published[] = [];
  readonly tally = emptyTally();
  /** Fetches that count towards the limit of a mailbox. */
  mailboxRequests = 0;
  private readonly lease: Lease;
  private readonly log: Logger;

  constructor(lease: Lease, log: Logger) {
    this.lease = lease;
    this.log = log;
  }

  /** Rejects with a `LeaseLostError` unless the owner is ours. */
  confirmOwner(): Promise<void> {
    return this.lease.confirm();
  }

  /** Publishes while the owner is ours; Kafka's absence holds back the whole owner and costs no attempt. */
  async attemptPublish(
    publish: () => Promise<unknown>,
    notifications: number,
  ): Promise<'published' | undefined> {
    if (this.hindrance) return undefined;
    await this.lease.confirm();
    try {
      await publish();
    } catch (error) {
      if (!(error instanceof PublishError)) throw error;
      const kafkaAway = error.problem === 'unavailable';
      this.hinder({ ms: kafkaAway ? KAFKA_AWAY_MS : KAFKA_REFUSES_MS, reason: error.message, kafkaAway });
      this.tally.lastError = error.message;
      this.log.warn({ err: error }, 'record.not-published');
      return undefined;
    }
    this.tally.records++;
    this.tally.notifications += notifications;
    return 'published';
  }

  countFetch({ service }: Pick<ResourceKind, 'service'>): void {
    this.tally.fetches++;
    if (service === 'outlook') this.mailboxRequests++;
  }

  hinder(hindrance: Hindrance): void {
    this.hindrance ??= hindrance;
  }
}
