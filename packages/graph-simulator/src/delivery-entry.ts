// One attempt at one item as a line of the change log.
import type { AttemptAnswer, DeliveryEntry, LifecycleEntry } from './change-log.ts';
import type { Attempt } from './endpoint-queue.ts';

export function deliveryEntry({ item, attempt, at, outcome }: Attempt): DeliveryEntry | LifecycleEntry {
  const answer: AttemptAnswer =
    outcome.status === null
      ? { answeredAt: null, status: null, error: outcome.error }
      : { answeredAt: outcome.answeredAt, status: outcome.status };
  const { subscriptionId, tenantId } = item;
  if ('lifecycleEvent' in item) {
    const { lifecycleEvent } = item;
    return { kind: 'lifecycle', at, ...answer, attempt, subscriptionId, tenantId, lifecycleEvent };
  }
  const { resource, changeType, version, etag } = item;
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
