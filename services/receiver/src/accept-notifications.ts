/**
 * Which items of a POST are Graph's, and what becomes of each: an entry for an inbox, or nothing where the
 * clientState is not ours. Pure.
 */
import {
  type ClientStateSecrets,
  changeEntry,
  changeNotificationSchema,
  type InboxEntry,
  lifecycleEntry,
  lifecycleNotificationSchema,
  unreadableEntry,
  verifyClientState,
} from '@graph2kafka/shared';

/** What is looked at before anything else of an item is believed. */
type ClaimedOrigin = {
  readonly tenantId?: unknown;
  readonly subscriptionId?: unknown;
  readonly clientState?: unknown;
};

/** An item whose clientState was found to be ours; nothing else makes one. */
type VerifiedItem = {
  readonly tenantId: unknown;
  readonly subscriptionId: unknown;
  readonly nonce: string | undefined;
  readonly raw: object;
};

export type Accepted = {
  readonly entries: readonly InboxEntry[];
  /** Items without a clientState of ours: dropped. */
  readonly forged: number;
  /** Of the entries, those that can only become dead letters. */
  readonly unreadable: number;
};

/** Looks at each item by itself, so that a forged or odd one does not take the others down. */
export function acceptNotifications(
  items: readonly unknown[],
  secrets: ClientStateSecrets,
  receivedAt: number,
): Accepted {
  const entries: InboxEntry[] = [];
  let forged = 0;
  for (const raw of items) {
    const item = verifyItem(raw, secrets);
    if (item) entries.push(entryOf(item, receivedAt));
    else forged++;
  }
  const unreadable = entries.filter(({ news }) => news.kind === 'unreadable').length;
  return { entries, forged, unreadable };
}

function verifyItem(raw: unknown, secrets: ClientStateSecrets): VerifiedItem | undefined {
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return undefined;
  const { tenantId, subscriptionId, clientState } = raw as ClaimedOrigin;
  const state = verifyClientState(clientState, typeof tenantId === 'string' ? tenantId : '', secrets);
  return state.verified ? { tenantId, subscriptionId, nonce: state.nonce, raw } : undefined;
}

function entryOf({ tenantId, subscriptionId, nonce, raw }: VerifiedItem, receivedAt: number): InboxEntry {
  const isLifecycle = 'lifecycleEvent' in raw && raw.lifecycleEvent != null;
  const parsed = isLifecycle
    ? lifecycleNotificationSchema.safeParse(raw)
    : changeNotificationSchema.safeParse(raw);
  if (!parsed.success) {
    const properties = parsed.error.issues.map((issue) => issue.path.join('.')).join(', ');
    const { resource } = raw as { resource?: unknown };
    return unreadableEntry(
      { tenantId, subscriptionId, resource, nonce, reason: `not as documented: ${properties}` },
      receivedAt,
    );
  }
  return 'lifecycleEvent' in parsed.data
    ? lifecycleEntry(parsed.data, nonce, receivedAt)
    : changeEntry(parsed.data, nonce, receivedAt);
}
