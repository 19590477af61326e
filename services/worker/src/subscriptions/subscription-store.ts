/** The subscriptions that we made, as Redis knows them: which wish each one serves, and until when it lives. */
import type { QueueNames } from '@graph2kafka/shared';
import type { Redis } from 'ioredis';
import { type FleetKeys, type FleetRedis, fleetKeys, readHash, withFleetScripts } from './fleet-keys.ts';
import { type Demand, readDemand } from './subscription-demands.ts';

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
  /** Its records say what was notified, and nothing is read. */
  readonly notificationOnly?: boolean;
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
  /** Fingerprint of the address of its lifecycle notifications; absent where that is not known. */
  readonly lifecycle?: string;
  /** Epoch milliseconds at which it was turned to another address than it was made with. */
  readonly redirectedAt?: number;
  /** Epoch milliseconds, when it was made or adopted; absent where that was before this was noted. */
  readonly servingSince?: number;
  /** Epoch milliseconds, as Graph answered. */
  readonly expiresAt: number;
  /** Epoch milliseconds at which Graph granted that; absent where it was adopted. */
  readonly grantedAt?: number;
  /** Why what it watches has to be read again; it is gone once that has been asked for. */
  readonly hole?: string;
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
  /** Each with what is demanded of it. Reads everything: nothing for each run. */
  all(): Promise<KnownSubscription[]>;
  get(id: string): Promise<KnownSubscription | undefined>;
  /** Those that are known, in one question. */
  many(ids: readonly string[]): Promise<KnownSubscription[]>;
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

export function createSubscriptionStore(
  connection: Redis,
  names: QueueNames,
  now: () => number = Date.now,
): SubscriptionStore {
  const redis = withFleetScripts(connection);
  const keys = fleetKeys(names);
  const write = createSubscriptionWrites(redis, keys, '', now);
  return {
    async all() {
      const [known, demands] = await Promise.all([
        readHash(redis, keys.subscriptions),
        redis.hgetall(keys.demands),
      ]);
      return [...known].map(([id, json]) => readSubscription(json, demands[id]));
    },
    async get(id) {
      const [json, held] = await Promise.all([
        redis.hget(keys.subscriptions, id),
        redis.hget(keys.demands, id),
      ]);
      return json === null ? undefined : readSubscription(json, held);
    },
    many: (ids) => readMany(redis, keys, ids),
    ...write,
    demand: async (id, what) =>
      (await redis.g2kDemand(
        keys.demands,
        keys.subscriptions,
        keys.due,
        id,
        what,
        now(),
        RENEWED_JUST_NOW_MS,
      )) === 1,
  };
}

/** `token`: of the lease under which is written; '': without one. */
export function createSubscriptionWrites(
  redis: FleetRedis,
  keys: FleetKeys,
  token: string,
  now: () => number,
): Pick<SubscriptionStore, 'save' | 'remove'> {
  const { lease, subscriptions, demands, byWish, counts, intents } = keys;
  return {
    async save({ demand = '', ...subscription }) {
      const { id, expiresAt, replacedAt } = subscription;
      const replaced = replacedAt === undefined ? 0 : 1;
      const json = JSON.stringify(subscription);
      const all = [lease, subscriptions, demands, byWish, counts, intents];
      await redis.g2kSaveSubscription(...all, token, id, json, expiresAt, replaced, demand, now());
    },
    async remove(id) {
      await redis.g2kForgetSubscription(lease, subscriptions, demands, byWish, counts, token, id);
    },
  };
}

export async function readMany(
  redis: FleetRedis,
  keys: FleetKeys,
  ids: readonly string[],
): Promise<KnownSubscription[]> {
  if (ids.length === 0) return [];
  const [known, demands] = await Promise.all([
    redis.hmget(keys.subscriptions, ...ids),
    redis.hmget(keys.demands, ...ids),
  ]);
  return known.flatMap((json, nth) => (json === null ? [] : [readSubscription(json, demands[nth])]));
}

export function readSubscription(json: string, held: string | null | undefined): KnownSubscription {
  const { demand: _old, ...known } = JSON.parse(json) as KnownSubscription;
  const demand = known.replacedAt === undefined ? readDemand(held) : undefined;
  return { ...known, ...(demand && { demand }) };
}
