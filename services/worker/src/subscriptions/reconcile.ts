/**
 * Keeps one living subscription for each wish: takes what is due, plans it, carries it out, and notes when to look next.
 *
 * Everything is swept at the start, when wishes, secrets or certificates are others, and every hour with Graph's list. A
 * sweep only decides what is due at once; the work is done page by page all the same, so that a reconciliation that is
 * cut off anywhere is gone on with. One at a time: see `HeldFleet`.
 */
import { createHash } from 'node:crypto';
import type { Logger } from '@graph2kafka/shared';
import type { EncryptionKeys } from '../rich/encryption-keys.ts';
import type { CallPace } from './call-pace.ts';
import type { CloseHole } from './close-hole.ts';
import { type Fleet, type FleetState, LeaseLostError } from './fleet.ts';
import type { SweepOrphans } from './graph-list.ts';
import { memoryOf, reconcileOnce } from './reconciliation.ts';
import { type CertificateInUse, type SecretsInUse, secretsInUseOf } from './rotations.ts';
import { secretFingerprint } from './secret-fingerprint.ts';
import { beginSession } from './session.ts';
import type { KnownSubscription } from './subscription-store.ts';
import type { SubscriptionsApi } from './subscriptions-api.ts';
import { ALIVE_EVERY_MS, type Memory, type Present, whatIsNeeded } from './sweep-need.ts';
import type { Wish } from './wanted-subscriptions.ts';
import { fingerprintOfAll } from './wish-fingerprints.ts';
import type { WorkDeps } from './work-deps.ts';

/** Who is wanted; `people/wish-source.ts` is one. */
export type Wishes = {
  /** The same array while nothing has changed. */
  current(): Promise<readonly Wish[]>;
  /** Names of entries of which it is not known yet whom they mean: what exists for these stays. */
  unread?(): readonly string[];
  /** Looks for joins and leaves; absent where there can be none. */
  refresh?(): Promise<unknown>;
  /** How often it may have something to look at; each minute without it. */
  readonly refreshEveryMs?: number;
};

export type TenantDeps = Pick<
  WorkDeps,
  'tenantId' | 'secrets' | 'notificationUrl' | 'lifecycleNotificationUrl'
> & {
  readonly api: SubscriptionsApi;
};

export type ReconcileDeps = {
  readonly fleet: Fleet;
  readonly wishes: Wishes;
  /** Asked each time, since secrets are replaced while the service runs. */
  readonly tenants: () => readonly TenantDeps[];
  readonly encryption: Pick<EncryptionKeys, 'held' | 'current'>;
  readonly pace: CallPace;
  readonly sweepOrphans: SweepOrphans;
  readonly noteHole: (subscription: KnownSubscription) => Promise<void>;
  readonly closeHole: CloseHole;
  readonly log: Logger;
  /** Epoch milliseconds, by Graph's clock where it is known. */
  readonly now: () => number;
  readonly clockIsSure?: () => boolean;
  readonly sleep: (ms: number) => Promise<void>;
  /** Resolves to what is wrong with an address that does not answer as Graph wants it; absent: all answer. */
  readonly handshakeProblem?: (url: string) => Promise<string | undefined>;
  /** When it is aborted, the page at hand is the last one; the next reconciliation goes on. */
  readonly stopping?: AbortSignal;
};

export type ReconcileReport = {
  readonly wanted: number;
  readonly created: number;
  readonly renewed: number;
  readonly adopted: number;
  readonly deleted: number;
  /** Ours that nobody wanted and we did not know. */
  readonly swept: number;
  /** Whether Graph's own list was compared. */
  readonly listed: boolean;
  /** A line for each wish that could not be served, and for a list that could not be had. */
  readonly failed: readonly string[];
  /** Epoch milliseconds at which Graph takes more calls, where it had enough; what was left is due. */
  readonly throttledUntil?: number;
  /** Subscriptions by the clientState secret that they carry. */
  readonly bySecret: SecretsInUse;
  /** In this reconciliation the last one was forgotten that needed an older secret than the first. */
  readonly oldSecretsFreed: boolean;
  /** Of the keys that are held, those that have one. */
  readonly certificates: readonly CertificateInUse[];
};

/** Resolves to undefined where another one is at work. `everything`: also what is not due, or failed a moment ago. */
export type Reconcile = (ask?: { readonly everything?: boolean }) => Promise<ReconcileReport | undefined>;

/** Between looks for joins and leaves that the source is asked for; it decides what it is time for. */
const REFRESH_EVERY_MS = 60_000;

export function createReconcile(deps: ReconcileDeps): Reconcile {
  let memory: Memory | undefined;
  let refreshedAt = Number.NEGATIVE_INFINITY;
  let last: Pick<ReconcileReport, 'bySecret' | 'certificates'> | undefined;

  return async ({ everything = false } = {}) => {
    const { fleet, wishes, now } = deps;
    const tenants = deps.tenants();
    const isTimeToRefresh =
      wishes.refresh !== undefined &&
      !(Math.abs(now() - refreshedAt) < (wishes.refreshEveryMs ?? REFRESH_EVERY_MS));
    const presentOf = async (all: readonly Wish[], state: FleetState): Promise<Present> => ({
      state,
      memory,
      wanted: [fingerprintOfAll(all), ...(wishes.unread?.() ?? [])].join(' '),
      held: heldFingerprint(deps, tenants),
      tenants: tenants.map(({ tenantId }) => tenantId),
      now: now(),
      clockIsSure: deps.clockIsSure?.() ?? true,
      everything,
    });
    if (!isTimeToRefresh) {
      const all = await wishes.current();
      const { state, due } = await fleet.look(now(), 1);
      const present = await presentOf(all, state);
      const { sweep, lists } = whatIsNeeded(present);
      const isIdle = due.length === 0 && !sweep && lists.length === 0;
      if (isIdle && now() - (state.aliveAt ?? 0) < ALIVE_EVERY_MS) {
        last ??= { bySecret: secretsInUseOf(await fleet.counts(), tenants), certificates: [] };
        return { ...nothingDone(all.length), ...last };
      }
    }
    const held = await fleet.hold();
    if (!held) return undefined;
    try {
      if (isTimeToRefresh) {
        refreshedAt = now();
        await wishes.refresh?.();
      }
      const all = await wishes.current();
      const { state } = await held.look(now(), 0);
      const session = beginSession(deps, held, tenants, all, await presentOf(all, state));
      const { certificates = last?.certificates ?? [], ...report } = await reconcileOnce(session);
      memory = memoryOf(session);
      last = { bySecret: report.bySecret, certificates };
      return { ...report, certificates };
    } catch (error) {
      if (!(error instanceof LeaseLostError)) throw error;
      deps.log.warn('subscription.lease-lost');
      return undefined;
    } finally {
      await held.release();
    }
  };
}

function nothingDone(wanted: number) {
  const none = { created: 0, renewed: 0, adopted: 0, deleted: 0, swept: 0 };
  return { wanted, ...none, listed: false, failed: [], oldSecretsFreed: false };
}

function heldFingerprint({ encryption }: ReconcileDeps, tenants: readonly TenantDeps[]): string {
  const certificate = encryption.current()?.id ?? '';
  const held = tenants.map(({ tenantId, secrets, notificationUrl, lifecycleNotificationUrl }) => [
    tenantId,
    secrets.map(secretFingerprint),
    notificationUrl,
    lifecycleNotificationUrl,
  ]);
  const text = JSON.stringify([held, certificate]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
