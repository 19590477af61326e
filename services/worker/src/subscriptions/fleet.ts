/**
 * All that is known of the subscriptions that are wanted and made, by wish, and when each wish is to be looked at next.
 * What the reconciliation needs of it is said here; Redis keeps it (`redis-fleet.ts`), tests keep it in memory.
 */
import type { Intent } from './renewal-plan.ts';
import type { KnownSubscription } from './subscription-store.ts';
import type { Trouble, TroubleReason } from './troubles.ts';

export type WishRecord = {
  /** Key of the wish, which may be wanted no more. */
  readonly wish: string;
  /** Serving and replaced ones. */
  readonly subscriptions: readonly KnownSubscription[];
  readonly trouble?: Trouble;
  readonly intent?: Intent;
  /** Epoch milliseconds; only told by `all`. */
  readonly dueAt?: number;
};

/** Why everything that Graph granted before a time has to be renewed, and what it watches read again. */
export type CatchUpReason =
  /** No reconciliation for longer than a token lives: Graph has paused the delivery of what went unanswered. */
  | 'away'
  /** Redis was emptied, or is an older copy of itself. */
  | 'lost';

export type Everything = {
  readonly records: readonly WishRecord[];
  /** The same subscriptions. */
  readonly byId: ReadonlyMap<string, KnownSubscription>;
};

export type FleetState = {
  /** Names this content of Redis; another one, or none, shows that it was emptied or exchanged. */
  readonly generation?: string;
  /** Epoch milliseconds of the last reconciliation, to within some minutes. */
  readonly aliveAt?: number;
  /** Fingerprints of what all wishes were last held against. */
  readonly swept?: { readonly wanted: string; readonly held: string };
  readonly lists?: ListsAsked;
  readonly catchUp?: { readonly at: number; readonly why: CatchUpReason };
  /** The wish whose subscription was let go for its secret and could not be made anew. */
  readonly setback?: { readonly wish: string; readonly until: number };
  /** Longest lives in minutes that Graph has named, by kind. */
  readonly lives?: Readonly<Record<string, number>>;
};

/** By tenant, when Graph's list was begun that was last held against everything, and when one was last asked for. */
export type ListsAsked = Readonly<Record<string, { readonly at?: number; readonly triedAt: number }>>;

export type FleetLook = {
  readonly state: FleetState /** Keys of wishes. */;
  readonly due: readonly string[];
};

export type FleetCounts = {
  /** Serving and replaced subscriptions, by tenant and fingerprint of the secret that they carry (`-`: not known). */
  readonly subscriptions: readonly SecretCount[];
  readonly troubles: Readonly<Partial<Record<TroubleReason, number>>>;
};

export type SecretCount = {
  readonly is: 'serving' | 'replaced';
  readonly tenantId: string;
  readonly secret: string;
  readonly count: number;
};

export type Progress = {
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly at: number;
  /** Wishes that were worked, and that are still due. */
  readonly done: number;
  readonly left: number;
  /** Wishes a second, so far. */
  readonly rate: number;
  /** Milliseconds that are estimated to be left. */
  readonly leftMs: number;
};

/** Another one reconciles: nothing was done, and nothing more may be. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

export type Fleet = {
  /** What may be due, the longest waiting first, and what is known beside it: one command, however large the fleet is. */
  look(now: number, limit: number): Promise<FleetLook>;
  /** Undefined where somebody else holds it. */
  hold(): Promise<HeldFleet | undefined>;
  counts(): Promise<FleetCounts>;
  progress(): Promise<Progress | undefined>;
  /** Subscriptions of the wishes that are looked at next. */
  next(limit: number): Promise<KnownSubscription[]>;
};

/** What only the holder may do: each call but the reading ones rejects with a `LeaseLostError` for anybody else. */
export type HeldFleet = Pick<Fleet, 'look' | 'counts'> & {
  /** To be called right before Graph is asked for a change; throws a `LeaseLostError`. */
  check(): void;
  read(wishes: readonly string[]): Promise<WishRecord[]>;
  /** Everything; brings what is derived from it (index, counts) into line. */
  all(): Promise<Everything>;
  /** Those of these ids that are known. */
  find(ids: readonly string[]): Promise<KnownSubscription[]>;
  countDue(now: number): Promise<number>;
  /** One that serves a wish ends what is intended for it. */
  save(subscription: KnownSubscription): Promise<void>;
  forget(id: string): Promise<void>;
  intend(wish: string, intent: Intent | undefined): Promise<void>;
  note(wish: string, trouble: Trouble | undefined): Promise<void>;
  /** Epoch milliseconds by wish; undefined: not to be looked at. */
  schedule(at: ReadonlyMap<string, number | undefined>): Promise<void>;
  /** Fields that are undefined go. */
  setState(changed: { readonly [K in keyof FleetState]?: FleetState[K] | undefined }): Promise<void>;
  setProgress(progress: Progress | undefined): Promise<void>;
  /** Lets others have it; safe to call twice. */
  release(): Promise<void>;
};
