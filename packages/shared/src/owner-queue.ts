/**
 * The contract between receiver and worker: names of the queues, what a job holds, how it is added.
 * BullMQ's keys are touched through BullMQ only.
 */
import type { JobsOptions } from 'bullmq';

/** A job says whose inbox has news, and nothing else: the news itself lies in the inbox. */
export type OwnerJobData = { readonly owner: string };

export const OWNER_QUEUE = 'owners';
/** Give-ups, metadata only, for people to see in Bull Board; nobody works it. */
export const DEAD_LETTER_QUEUE = 'dead-letters';
export const SUBSCRIPTION_QUEUE = 'subscriptions';
export const OWNER_JOB = 'owner';

export type QueueNames = {
  /** Prefix of all keys of a shard, BullMQ's included. The braces keep them on one node of a cluster. */
  readonly prefix: string;
};

/** Names under `prefix` (setting REDIS_PREFIX); shards other than the first come with QUEUE_SHARDS. */
export function queueNames(prefix: string, shard = 0): QueueNames {
  return { prefix: `{${prefix}-${shard}}` };
}

/**
 * One waiting job per owner however much arrives; what arrives while it is active brings a second one after it
 * (`keepLastIfActive`). That is an optimisation: whether news is worked depends on the inbox alone.
 *
 * A run that ends in an unforeseen error is tried again after 1, 2, 4 … s, 10 tries in 4 to 9 minutes; then the
 * job is `failed`, which is an alarm, and the waker adds a new one.
 */
export function ownerJobOptions(owner: string): JobsOptions {
  return {
    deduplication: { id: owner, keepLastIfActive: true },
    attempts: 10,
    backoff: { type: 'exponential', delay: 1000, jitter: 0.5 },
    // An owner that waits for days says so every 30 s.
    keepLogs: 20,
    removeOnComplete: { count: 500 },
    removeOnFail: { count: 1000 },
  };
}
