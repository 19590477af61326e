/** One record of the topic as one line: for people, or as JSON. Pure. */
import type { GraphSimulator } from '@graph2kafka/graph-simulator';
import type { TopicRecord } from '@graph2kafka/test-harness';

export type ShownRecord = {
  readonly at: string;
  readonly type: string;
  readonly user: string;
  readonly subject: string;
  /** Milliseconds from the change in Graph to the record in Kafka; `null` where the change cannot be told. */
  readonly ms: number | null;
  readonly key: string;
  readonly id: string;
};

/** What the simulated Graph knows of a change. */
export type ChangeTimes = {
  /** When the resource got this etag, or was deleted where there is none; epoch milliseconds. */
  changedAt(resource: string, etag: string | undefined): number | undefined;
};

type CloudEvent = { type: string; id: string; resourceversion?: string; data?: { subject?: unknown } };

/** `subjects` remembers what each event was called, since the record of its deletion no longer says. */
export function describeRecord(
  record: TopicRecord,
  users: ReadonlyMap<string, string>,
  times: ChangeTimes,
  subjects: Map<string, string>,
): ShownRecord {
  const event = JSON.parse(record.value ?? '{}') as CloudEvent;
  const key = record.key ?? '';
  const resource = key.slice(key.indexOf('/') + 1);
  const changedAt = times.changedAt(resource, event.resourceversion);
  if (typeof event.data?.subject === 'string') subjects.set(resource, event.data.subject);
  return {
    at: new Date(record.timestampMs).toISOString(),
    type: event.type.replace('Microsoft.Graph.', ''),
    user: users.get(resource.split('/')[1] ?? '') ?? 'unknown',
    subject: subjects.get(resource) ?? '',
    ms: changedAt === undefined ? null : Math.max(0, Math.round(record.timestampMs - changedAt)),
    key,
    id: event.id,
  };
}

export function renderRecord({ at, type, user, subject, ms }: ShownRecord): string {
  const time = at.slice(11, 23);
  return `${time}  ${type.padEnd(13)} ${user.padEnd(22).slice(0, 22)} ${subject.padEnd(44).slice(0, 44)} ${ms === null ? '' : `${String(ms).padStart(5)} ms`}`;
}

/** Reads the simulator's own record of changes, a little further at each question. */
export function changeTimesOf({ changeLog }: GraphSimulator): ChangeTimes {
  const times = new Map<string, number>();
  let read = 0;
  return {
    changedAt(resource, etag) {
      for (; read < changeLog.entries.length; read++) {
        const entry = changeLog.entries[read];
        if (entry?.kind !== 'change') continue;
        times.set(`${entry.resource} ${entry.changeType === 'deleted' ? '' : entry.etag}`, entry.at);
      }
      return times.get(`${resource} ${etag ?? ''}`);
    },
  };
}
