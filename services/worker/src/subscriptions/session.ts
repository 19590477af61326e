/** What one reconciliation works with and has found so far; its rooms share it, and nothing of it outlives its lease. */

import type { Held } from './changeover.ts';
import type { CatchUpReason, FleetState, HeldFleet, WishRecord } from './fleet.ts';
import { createGraphCalls, type GraphCalls } from './graph-calls.ts';
import { createGraphLists, type GraphLists } from './graph-lists.ts';
import { createLearntLives, type LearntLives } from './learnt-lives.ts';
import { type NextLook, nextLook } from './next-look.ts';
import type { ReconcileDeps, TenantDeps } from './reconcile.ts';
import type { Action, Circumstances } from './renewal-plan.ts';
import { secretFingerprint } from './secret-fingerprint.ts';
import type { KnownSubscription } from './subscription-store.ts';
import type { Present } from './sweep-need.ts';
import { urlFingerprint } from './url-fingerprint.ts';
import type { Wish } from './wanted-subscriptions.ts';
import { wishByKey } from './wish-fingerprints.ts';

export type Session = {
  readonly deps: ReconcileDeps;
  readonly fleet: HeldFleet;
  readonly tenants: ReadonlyMap<string, TenantDeps>;
  readonly calls: ReadonlyMap<string, GraphCalls>;
  readonly wishes: ReadonlyMap<string, Wish>;
  /** Names of entries of which it is not known yet whom they mean. */
  readonly unread: readonly string[];
  readonly lives: LearntLives;
  readonly lists: GraphLists;
  /** By tenant, as of the beginning: what is replaced meanwhile is for the next reconciliation. */
  readonly held: ReadonlyMap<string, Held>;
  /** Epoch milliseconds. */
  readonly startedAt: number;
  readonly tally: Tally;
  /** Tenants of which Graph's list was asked for, and given. */
  readonly listed: Set<string>;
  /** Tenants in which nothing may be made: what exists at Graph is not known. */
  readonly blind: Set<string>;
  /** By tenant, epoch milliseconds until which nothing more is asked of Graph. */
  readonly heldUp: Map<string, number>;
  readonly silence: Silence;
  /** Our addresses that Graph does not take. */
  readonly refused: Set<string>;
  /** By addresses, whether they answer a handshake. */
  readonly answering: Map<string, Promise<boolean>>;
  /** Everything, where it was read: as it was in the beginning, and by id. */
  records: readonly WishRecord[] | undefined;
  known: ReadonlyMap<string, KnownSubscription> | undefined;
  /** Records of the wishes that were worked since, by wish. */
  readonly worked: Map<string, WishRecord>;
  present: Present;
  state: FleetState;
};

/** By tenant, what there is to say of a Graph that does not answer. */
export type Silence = {
  /** Calls in a row without an answer. */
  readonly unanswered: Map<string, number>;
  /** Its list was asked for and not answered either. */
  readonly confirmed: Set<string>;
  /** Its list was answered all the same. */
  readonly refuted: Set<string>;
};

export type Tally = {
  readonly done: Record<Action['do'], number>;
  /** Ours that nobody wanted and we did not know. */
  swept: number;
  readonly failed: string[];
  hasChangedCertificates: boolean;
  throttledUntil?: number;
};

export const CATCH_UP: Readonly<Record<CatchUpReason, string>> = {
  away: 'nobody renewed it in time to answer Graph’s challenges',
  lost: 'Redis was emptied, or is an older copy',
};

export function beginSession(
  deps: ReconcileDeps,
  fleet: HeldFleet,
  all: readonly TenantDeps[],
  wishes: readonly Wish[],
  present: Present,
): Session {
  const { pace, sleep, log, now } = deps;
  const tenants = new Map(all.map((tenant) => [tenant.tenantId, tenant]));
  const calls = new Map(
    all.map(({ api, tenantId }) => [
      tenantId,
      createGraphCalls({ api, tenantId, pace, check: fleet.check, sleep }),
    ]),
  );
  const session: Session = {
    ...{ deps, fleet, tenants, calls, present, state: present.state, records: undefined, known: undefined },
    ...{ worked: new Map(), refused: new Set(), answering: new Map() },
    wishes: wishByKey(wishes),
    unread: deps.wishes.unread?.() ?? [],
    lives: createLearntLives(present.state.lives ?? {}, fleet, log),
    lists: createGraphLists({
      marksOf: (tenantId) => tenants.get(tenantId),
      callsOf: (tenantId) => calls.get(tenantId),
      asked: present.state.lists ?? {},
      fleet,
      now,
      clockIsSure: () => deps.clockIsSure?.() ?? true,
      knownOf: (id) => session.known?.get(id),
    }),
    held: new Map(all.map((tenant) => [tenant.tenantId, heldBy(tenant, deps)])),
    startedAt: now(),
    tally: {
      done: { create: 0, renew: 0, amend: 0, close: 0, adopt: 0, delete: 0, forget: 0 },
      ...{ swept: 0, failed: [], hasChangedCertificates: false },
    },
    ...{ listed: new Set(), blind: new Set(), heldUp: new Map() },
    silence: {
      unanswered: new Map(present.memory?.unanswered),
      ...{ confirmed: new Set(), refuted: new Set() },
    },
  };
  return session;
}

function heldBy({ secrets, lifecycleNotificationUrl }: TenantDeps, { encryption }: ReconcileDeps): Held {
  return {
    certificate: encryption.current(),
    secrets: secrets.map(secretFingerprint),
    lifecycle: urlFingerprint(lifecycleNotificationUrl),
  };
}

export async function readAll(session: Session): Promise<void> {
  const { records, byId } = await session.fleet.all();
  session.records = records;
  session.known = byId;
}

export async function changeState(
  session: Session,
  changed: { readonly [K in keyof FleetState]?: FleetState[K] | undefined },
): Promise<void> {
  const state: Record<string, unknown> = { ...session.state, ...changed };
  for (const [name, value] of Object.entries(changed)) if (value === undefined) delete state[name];
  session.state = state;
  await session.fleet.setState(changed);
}

/** Of the entry of such a wish it is not known yet whom it means: what exists for it stays as it is. */
export function isUndecided({ wishes, unread }: Session, wish: string): boolean {
  return !wishes.has(wish) && unread.some((name) => wish === name || wish.startsWith(`${name}/`));
}

export function tenantOf({ wishes }: Session, { wish, subscriptions }: WishRecord): string {
  return wishes.get(wish)?.tenantId ?? subscriptions[0]?.tenantId ?? '';
}

export function circumstancesOf({ state: { catchUp, setback } }: Session): Circumstances {
  return {
    ...(catchUp && { catchUpAt: catchUp.at }),
    ...(setback && { setbackUntil: setback.until }),
  };
}

/** When it is to be looked at again; nothing is decided for a tenant that is not served. */
export function nextOf(session: Session, record: WishRecord, now: number): NextLook {
  const wish = session.wishes.get(record.wish);
  const held = session.held.get(tenantOf(session, record));
  if (!held || isUndecided(session, record.wish)) return { at: undefined, forChangeover: false };
  return nextLook(record, wish, now, held, circumstancesOf(session));
}

/** By tenant, until when; a wait that is over is none. */
export function tenantsHeldUp({ deps, heldUp }: Session): ReadonlyMap<string, number> {
  const now = deps.now();
  for (const [tenantId, until] of heldUp) if (until <= now) heldUp.delete(tenantId);
  return heldUp;
}

export function wishOf(action: Action): string {
  return 'wish' in action ? action.wish.key : action.subscription.wish;
}
