/** News that could not become a record of a change → the event of its dead letter. */
import { canonicalResource, parseResourcePath } from '@graph2kafka/shared';
import { isoTime, makeEvent, newsId, type RecordEvent, type RecordOrigin, recordKey } from './cloud-event.ts';

export type DeadLetter = {
  readonly tenantId: string;
  /** Canonical resource, or the name under which the news was kept. */
  readonly resource: string;
  readonly subscriptionId: string;
  /** Name of the wanted subscription, where it is known. */
  readonly subscription?: string | undefined;
  readonly reason: string;
  /** Where it was given up: `read` (not understandable), `verify`, `run` (runs die of it), `publish`, `resync`. */
  readonly stage: 'read' | 'verify' | 'run' | 'publish' | 'resync';
  /** Tries that were spent on it. */
  readonly attempts: number;
  readonly firstReceivedAt: number;
  readonly notifications: number;
  /** What was notified, without clientState. */
  readonly notification: Readonly<Record<string, unknown>>;
};

/** `notification`: the known fields of the last one. `none`: for who keeps even paths and etags out of a second topic. */
export type DeadLetterPayload = 'notification' | 'none';

export function deadLetterRecord(
  origin: RecordOrigin,
  letter: DeadLetter,
  payload: DeadLetterPayload,
): { key: string; event: RecordEvent } {
  const { tenantId, resource, subscriptionId, reason, stage, attempts, firstReceivedAt } = letter;
  const key = recordKey(tenantId, resource);
  const event = makeEvent({
    origin,
    id: newsId(key, subscriptionId, 'dead-letter', stage, reason, String(firstReceivedAt)),
    type: 'graph2kafka.DeadLetter',
    subject: resource,
    time: firstReceivedAt,
    schema: 'dead-letter',
    attributes: {
      partitionkey: key,
      tenantid: tenantId,
      subscriptionid: subscriptionId,
      subscription: letter.subscription,
      receivedtime: isoTime(firstReceivedAt),
      notificationcount: letter.notifications,
    },
    data: {
      resource,
      reason,
      stage,
      attempts,
      replayable: isReplayable(resource),
      ...(payload === 'notification' ? { notification: letter.notification } : {}),
    },
  });
  return { key, event };
}

/** What names a resource can be looked up again; what was never understood cannot. */
function isReplayable(resource: string): boolean {
  const path = parseResourcePath(resource);
  return path.ok && path.path.at(-1)?.id !== undefined && canonicalResource(path.path) === resource;
}
