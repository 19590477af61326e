// One attempt at one item as a line of the change log.
import type { DeliveryEntry } from './change-log.ts';
import type { Attempt } from './endpoint-queue.ts';

export function deliveryEntry({ item, attempt, at, outcome }: Attempt): DeliveryEntry {
  const { subscriptionId, resource, changeType, version, etag, tenantId } = item;
  const answer =
    outcome.status === null
      ? { answeredAt: null, status: null, error: outcome.error }
      : { answeredAt: outcome.answeredAt, status: outcome.status };
  return {
    kind: 'delivery',
    at,
    ...answer,
    attempt,
    subscriptionId,
    resource,
    changeType,
    version,
    etag,
    tenantId,
  };
}
