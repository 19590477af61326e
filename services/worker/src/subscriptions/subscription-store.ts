/** The subscriptions that we made, as Redis knows them: which wish each one serves, and until when it lives. */
import type { QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import { type Demand, demandScripts, readDemand } from './subscription-demands.ts';

export type KnownSubscription = {
  readonly id: string;
  /** Key of the wish that it serves. */
  readonly wish: string;
  readonly tenantId: string;
  /** The path that is watched, without filter and `$select`. */
  readonly resource: string;
  /** Not percent-encoded. */
  readonly filter?: string;
  readonly changeType: string;
  readonly topic: string;
  readonly whole: boolean;
  /** Its notifications carry the resource, encrypted. */
  readonly rich?: boolean;
  /** The properties that records show; absent: all. */
  readonly select?: readonly string[];
  /** Values of the Prefer header of each fetch. */
  readonly prefer?: readonly string[];
  /** Its ids stay when an item is moved. */
  readonly immutableIds?: boolean;
  /** Of the certificate that Graph encrypts with; absent where that is not known. */
  readonly certificateId?: string;
  /** Those before it; notifications that were encrypted with them may still come. */
  readonly formerCertificates?: readonly FormerCertificate[];
  /** Of its clientState. */
  readonly nonce: string;
  /** Fingerprint of the secret that signed its clientState; absent where that is not known. */
  readonly secret?: string;
  /** Epoch milliseconds, when it was made or adopted; absent where that was before this was noted. */
  readonly servingSince?: number;
  /** Epoch milliseconds, as Graph answered. */
  readonly expiresAt: number;
  /** Epoch milliseconds; it no longer serves its wish, but what it notified may still arrive. */
  readonly replacedAt?: number;
  /** Graph asked for it, or said that it is gone; the next reconciliation acts. */
  readonly demand?: Demand;
};

export type FormerCertificate = {
  readonly id: string;
  /** Epoch milliseconds at which another one took its place. */
  readonly until: number;
};

export type SubscriptionStore = {
  /** Each with what is demanded of it. */
  all(): Promise<KnownSubscription[]>;
  get(id: string): Promise<KnownSubscription | undefined>;
  /** With a new expiry it was renewed: a demand for that is met. */
  save(subscription: KnownSubscription): Promise<void>;
  /** Resolves to false where it was renewed a moment ago, so that nothing has to be done. */
  demand(id: string, what: Demand): Promise<boolean>;
  remove(id: string): Promise<void>;
};

/**
 * Graph sends a challenge more than once, also because we have not answered its POST in time: those that come within
 * this time of a renewal are of before it.
 */
const RENEWED_JUST_NOW_MS = 180_000;

type Scripted = Redis & {
  g2kDemand(...args: (string | number)[]): Promise<number>;
  g2kSaveSubscription(...args: (string | number)[]): Promise<number>;
};

export function createSubscriptionStore(
  connection: Redis,
  names: QueueNames,
  now: () => number = Date.now,
): SubscriptionStore {
  for (const [name, script] of Object.entries(demandScripts)) {
    if (!(name in connection)) connection.defineCommand(name, script);
  }
  const redis = connection as Scripted;
  const key = `${names.prefix}:subscriptions`;
  const demands = `${names.prefix}:subscription-demands`;
  const read = (json: string, held: string | null | undefined): KnownSubscription => {
    const { demand: _old, ...known } = JSON.parse(json) as KnownSubscription;
    const demand = known.replacedAt === undefined ? readDemand(held) : undefined;
    return { ...known, ...(demand && { demand }) };
  };
  return {
    async all() {
      const [known, held] = await Promise.all([redis.hgetall(key), redis.hgetall(demands)]);
      return Object.entries(known).map(([id, json]) => read(json, held[id]));
    },
    async get(id) {
      const [json, held] = await Promise.all([redis.hget(key, id), redis.hget(demands, id)]);
      return json === null ? undefined : read(json, held);
    },
    async save({ demand = '', ...subscription }) {
      const { id, expiresAt, replacedAt } = subscription;
      const replaced = replacedAt === undefined ? 0 : 1;
      const json = JSON.stringify(subscription);
      await redis.g2kSaveSubscription(key, demands, id, json, expiresAt, replaced, demand, now());
    },
    demand: async (id, what) => (await redis.g2kDemand(demands, id, what, now(), RENEWED_JUST_NOW_MS)) === 1,
    async remove(id) {
      await redis.hdel(key, id);
      await redis.hdel(demands, id);
    },
  };
}
