/** The subscriptions that we made, as Redis knows them: which wish each one serves, and until when it lives. */
import type { QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';

export type KnownSubscription = {
  readonly id: string;
  /** Key of the wish that it serves. */
  readonly wish: string;
  /** Without the `$select` of a rich one. */
  readonly resource: string;
  readonly changeType: string;
  readonly topic: string;
  readonly whole: boolean;
  /** Its notifications carry the resource, encrypted. */
  readonly rich?: boolean;
  /** The properties that records show; absent: all. */
  readonly select?: readonly string[];
  /** Of the certificate that Graph encrypts with; absent where that is not known. */
  readonly certificateId?: string;
  /** Those before it; notifications that were encrypted with them may still come. */
  readonly formerCertificates?: readonly FormerCertificate[];
  /** Of its clientState. */
  readonly nonce: string;
  /** Fingerprint of the secret that signed its clientState; absent where that is not known. */
  readonly secret?: string;
  /** Epoch milliseconds, as Graph answered. */
  readonly expiresAt: number;
  /** Epoch milliseconds; it no longer serves its wish, but what it notified may still arrive. */
  readonly replacedAt?: number;
  /** Graph asked for it, or said that it is gone; the next reconciliation acts. */
  readonly demand?: 'renew' | 'recreate';
};

export type FormerCertificate = {
  readonly id: string;
  /** Epoch milliseconds at which another one took its place. */
  readonly until: number;
};

export type SubscriptionStore = {
  all(): Promise<KnownSubscription[]>;
  get(id: string): Promise<KnownSubscription | undefined>;
  save(subscription: KnownSubscription): Promise<void>;
  remove(id: string): Promise<void>;
};

export function createSubscriptionStore(redis: Redis, names: QueueNames): SubscriptionStore {
  const key = `${names.prefix}:subscriptions`;
  const read = (json: string) => JSON.parse(json) as KnownSubscription;
  return {
    all: async () => (await redis.hvals(key)).map(read),
    async get(id) {
      const json = await redis.hget(key, id);
      return json === null ? undefined : read(json);
    },
    async save(subscription) {
      await redis.hset(key, subscription.id, JSON.stringify(subscription));
    },
    async remove(id) {
      await redis.hdel(key, id);
    },
  };
}
