/** What a reconciliation is made of, put together in one place for the worker and for `g2k apply`. */
import { setTimeout as pause } from 'node:timers/promises';
import { type Inbox, type Logger, lifecycleEntry, secretsOf } from '@graph2kafka/shared';
import type { Tenants } from '../tenants/create-tenants.ts';
import type { CallPace } from './call-pace.ts';
import { createCloseHole } from './close-hole.ts';
import type { GraphClock } from './graph-clock.ts';
import { handshakeProblem } from './handshake-problem.ts';
import type { ReconcileDeps } from './reconcile.ts';
import type { KnownSubscription } from './subscription-store.ts';

export type ReconcileParts = Pick<ReconcileDeps, 'fleet' | 'wishes' | 'encryption' | 'sweepOrphans'> & {
  readonly settings: {
    readonly CLIENT_STATE_SECRETS: readonly string[];
    readonly LIFECYCLE_NOTIFICATION_URL?: string | undefined;
  };
  readonly notificationUrl: string;
  readonly tenants: Pick<Tenants, 'byId'>;
  readonly inbox: Inbox;
  readonly pace: CallPace;
  readonly graphClock: GraphClock;
  readonly log: Logger;
};

export function reconcileDepsOf(parts: ReconcileParts): ReconcileDeps {
  const { fleet, wishes, encryption, sweepOrphans, pace, log, graphClock, inbox, tenants } = parts;
  return {
    ...{ fleet, wishes, encryption, sweepOrphans, pace, log },
    tenants: () =>
      [...tenants.byId.values()].map(({ id: tenantId, api }) => ({
        tenantId,
        api,
        // Read each time: the live configuration takes a new secret while the service runs.
        secrets: secretsOf(parts.settings.CLIENT_STATE_SECRETS, tenantId),
        notificationUrl: parts.notificationUrl,
        lifecycleNotificationUrl: parts.settings.LIFECYCLE_NOTIFICATION_URL,
      })),
    noteHole: (subscription) => noteHole(inbox, subscription),
    closeHole: createCloseHole(inbox, Date.now),
    now: graphClock.now,
    clockIsSure: () => graphClock.isSure,
    sleep: (ms) => pause(ms),
    handshakeProblem,
  };
}

/** The same as if Graph had told us: worked in the subscription's own run, found by the waker. */
async function noteHole(inbox: Inbox, { id, tenantId, nonce }: KnownSubscription): Promise<void> {
  const item = { subscriptionId: id, tenantId, lifecycleEvent: 'subscriptionRemoved', id: undefined };
  const entry = lifecycleEntry(item, nonce, Date.now());
  await inbox.append(entry.owner, [entry]);
}
